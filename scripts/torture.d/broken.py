"""Programs that are broken on purpose, to see that the torture can fail."""

import stat
from pathlib import Path

# Each is a bash script around the real program; it does its harm before every third `run`.
HARM = {
    "forgets the last commit of a table": """
        last=$(ls .martlet/lake/bronze/*/_delta_log/*.json 2>/dev/null | tail -n 1)
        [ -z "$last" ] || rm "$last"
    """,
    "commits an input twice": """
        for log in .martlet/lake/bronze/*/_delta_log; do
            first=$(ls "$log"/*.json 2>/dev/null | head -n 1)
            next=$(ls "$log"/*.json 2>/dev/null | wc -l)
            [ -z "$first" ] || cp "$first" "$log/$(printf '%020d' "$next").json"
        done
    """,
    "loses a data file": """
        file=$(ls .martlet/lake/silver/*/*.parquet 2>/dev/null | tail -n 1)
        [ -z "$file" ] || rm "$file"
    """,
    "registers nothing": """
        rm -f .martlet/martlet.db .martlet/martlet.db-wal .martlet/martlet.db-shm
    """,
}


def write(program: Path, scratch: Path) -> list[tuple[str, Path]]:
    """Gives (what is wrong, path) of each broken program."""
    found = []
    for index, (name, harm) in enumerate(HARM.items()):
        path = Path(scratch) / f"broken-{index}"
        count = Path(scratch) / f"broken-{index}.count"
        path.write_text(
            f"""#!/bin/bash
if [ "$1" = run ]; then
    n=$(cat '{count}' 2>/dev/null || echo 0)
    echo $((n + 1)) >'{count}'
    if [ $((n % 3)) = 2 ]; then {harm.strip()}
    fi
fi
exec '{program}' "$@"
""")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        found.append((name, path))
    return found
