"""The failpoints: their names from the sources, and which command reaches which of them."""

import re
from collections import Counter
from pathlib import Path

CALL = re.compile(r'Failpoint\.reach\(\s*"([a-z0-9.-]+)"')


def in_sources(root: Path) -> Counter[str]:
    names: Counter[str] = Counter()
    for path in sorted((Path(root) / "Sources").rglob("*.swift")):
        names.update(CALL.findall(path.read_text(encoding="utf-8")))
    return names


def of_predictions(root: Path) -> list[str]:
    """Those that every writer of a prediction log reaches."""
    names = [name for name in in_sources(root) if name.startswith("predictions.")]
    return sorted(
        name
        for name in names
        if not name.startswith(("predictions.recover.", "predictions.compact.", "predictions.expire."))
    )


class FailpointLog:
    """The file into which a program writes the points that it reaches."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def take(self) -> Counter[str]:
        """Points reached since the last time, counted."""
        try:
            names = self.path.read_text().split("\n")
        except FileNotFoundError:
            return Counter()
        self.path.unlink()
        return Counter(n for n in names if n)
