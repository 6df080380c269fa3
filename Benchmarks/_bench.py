"""What the benchmarks share: data, projects, processes measured as a whole, and the report.

Every benchmark prints an aligned table and then, for each figure, one JSON line
{"bench", "data", "figure", "ours", "peer", "ratio", "must", "met"}. `data` says whether the rows are public ones or
synthetic, made up by a program; `must` is null for a figure that is only shown.
Exit code 0 when every figure is met, 2 when one is not, 66 when a data file is missing.
"""
from __future__ import annotations

import hashlib
import json
import math
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any, NoReturn

ROOT = pathlib.Path(__file__).resolve().parent.parent
READMISSION = "diabetes130/diabetic_data.csv"
DOWNTIME = "downtime/machine_downtime_raw.csv"
ADULT = "adult/adult.data"

# A setting of whoever runs the benchmark must not change what is measured.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MARTLET_", "OMP_NUM_"))}
ENVIRONMENT["OMP_WAIT_POLICY"] = "passive"


def data(name: str) -> pathlib.Path:
    """The path of a data file, or exit 66 with what is missing and where it was looked for."""
    folder = os.environ.get("MARTLET_DATA")
    path = pathlib.Path(folder or ROOT.parent / "shared" / "data") / name
    if not path.is_file():
        where = "$MARTLET_DATA" if folder else "../shared/data (or set MARTLET_DATA)"
        print(f"bench: {name} is missing in {where}; nothing was measured", file=sys.stderr)
        sys.exit(66)
    return path


def martlet() -> str:
    path = pathlib.Path(os.environ.get("MARTLET", ROOT / ".build/release/martlet"))
    if not path.is_file():
        print("bench: the program is not built; run `make build`", file=sys.stderr)
        sys.exit(66)
    return str(path)


# A word of a command.
Argument = str | int | pathlib.Path


class Usage:
    """What a child process cost: CPU seconds (user + system), wall seconds and peak resident megabytes (10^6)."""

    def __init__(self, output: str, code: int, wall: float, usage: resource.struct_rusage) -> None:
        self.output = output
        self.code = code
        self.wall = wall
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak_mb = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def measured(
    command: Sequence[Argument], folder: str | pathlib.Path | None = None, codes: Sequence[int] = (0,),
) -> Usage:
    """Runs a command to its end; exits when its code is not one of `codes`."""
    with tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        child = subprocess.Popen(
            [str(part) for part in command], cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=errors)
        assert child.stdout is not None
        output = child.stdout.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        code = child.returncode = os.waitstatus_to_exitcode(status)
        child.stdout.close()
        if code not in codes:
            errors.seek(0)
            sys.stderr.write(errors.read().decode())
            sys.exit(f"bench: {' '.join(map(str, command))} ended with {code}")
    return Usage(output, code, wall, usage)


def peer(script: str | pathlib.Path, *arguments: Argument) -> dict[str, Any]:
    """Runs a peer with the peers' Python; its answer is the JSON on its last line, its cost under "usage"."""
    usage = measured([sys.executable, script, *arguments])
    answer = json.loads(usage.output.strip().splitlines()[-1])
    answer["usage"] = usage
    return answer


class Project:
    """A project in a folder of its own."""

    def __init__(self, folder: str | pathlib.Path) -> None:
        self.folder = pathlib.Path(folder)

    @classmethod
    def from_template(cls, folder: str | pathlib.Path, template: str, file: str | pathlib.Path) -> Project:
        measured([martlet(), "init", folder, "--template", template, "--data", file])
        return cls(folder)

    @classmethod
    def copied(cls, folder: str, source: pathlib.Path, landing: str, file: str | pathlib.Path) -> Project:
        """A project that is kept beside the benchmarks, with the file in its landing folder."""
        shutil.copytree(source, folder)
        target = pathlib.Path(folder) / "landing" / landing
        target.mkdir(parents=True)
        shutil.copy(file, target / pathlib.Path(file).name)
        return cls(folder)

    def edit(self, old: str, new: str) -> None:
        """Replaces a text in martlet.yaml that must be there exactly once."""
        path = self.folder / "martlet.yaml"
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path.name}"
        path.write_text(text.replace(old, new))

    def martlet(self, *arguments: Argument, codes: Sequence[int] = (0,)) -> Usage:
        return measured([martlet(), *arguments], self.folder, codes)

    def run(self, *arguments: Argument, codes: Sequence[int] = (0,)) -> Usage:
        """`martlet run` on everything; a missed gate is exit code 2."""
        return self.martlet("run", *arguments, codes=codes)

    def show(self, reference: str) -> dict[str, Any]:
        return json.loads(self.martlet("models", "show", reference, "--json").output)

    def trace(self) -> list[dict[str, Any]]:
        lines = (self.folder / ".martlet/logs/trace.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def scores(self, run: str) -> dict[str, Any]:
        """scores.parquet of a run as columns: key, part, label, probability (NaN outside the test part)."""
        file = self.folder / "scores.parquet"
        self.martlet("runs", "artifact", run, "scores.parquet", "-o", str(file))
        return parquet(file)

    def table_files(self, table: str) -> list[pathlib.Path]:
        """The Parquet files in a table's folder (one layer.name)."""
        return sorted((self.folder / ".martlet/lake" / table.replace(".", "/")).glob("*.parquet"))


def parquet(file: str | pathlib.Path) -> dict[str, Any]:
    """A Parquet file's columns by name: numpy arrays of numbers, lists of everything else."""
    import arro3.io

    table = arro3.io.read_parquet(str(file)).read_all()
    columns = {}
    for name in table.column_names:
        column = table.column(name)
        plain = str(column.type).removeprefix("arro3.core.DataType<").rstrip("> \n")
        numbers = column.null_count == 0 and plain.startswith(("Int", "Float", "UInt"))
        columns[name] = column.to_numpy() if numbers else column.to_pylist()
    return columns


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder for projects, removed at the end."""
    return tempfile.TemporaryDirectory(prefix="martlet-bench-")


def uniform(seed: int, key: str) -> float:
    """The portable uniform number: the first 8 bytes of SHA-256("seed:key"), big-endian, / 2^64."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8], "big") / 2**64


class Paired:
    """Ratios of interleaved pairs: their median with its interval by order statistics, which assumes no distribution.

    The interval is the widest with at most 5 % outside: of 7 pairs the least and the largest (1.6 % outside).
    """

    def __init__(self, ratios: Sequence[float]) -> None:
        ratios = sorted(ratios)
        self.count = len(ratios)
        self.median = statistics.median(ratios)
        outside, below = 0.0, -1
        for place in range(self.count):
            outside += 2 * math.comb(self.count, place) / 2**self.count
            if outside > 0.05:
                break
            below = place
        below = max(0, below)
        self.low, self.high = ratios[below], ratios[self.count - 1 - below]


def load_average() -> float:
    """Processes that wanted a core in the last minute, ours included."""
    return os.getloadavg()[0]


DATA = {
    "public": "public data", "synthetic": "SYNTHETIC rows, made up by a program: they say nothing about the world",
    "mixed": "public data and SYNTHETIC rows",
}


class Report:
    """Figures in the order in which they were measured."""

    def __init__(self, bench: str, data: str) -> None:
        """`data` is a key of `DATA`."""
        self.bench = bench
        self.data = data
        self.about = DATA[data]
        self.rows: list[dict[str, Any]] = []

    def add(self, figure: str, ours: Any, peer: Any = None, must: str | None = None, met: bool | None = None) -> None:
        """`must` says in words what is asked; `met` whether it holds; both `None` for a figure only shown."""
        ours = _plain(ours)
        peer = _plain(peer)
        ratio = ours / peer if _number(ours) and _number(peer) and peer else None
        self.rows.append({
            "bench": self.bench, "data": self.data, "figure": figure, "ours": ours, "peer": peer,
            "ratio": None if ratio is None else round(ratio, 6), "must": must, "met": met if met is None else bool(met),
        })

    def at_least(self, figure: str, ours: Any, bound: float, peer: Any = None) -> None:
        self.add(figure, ours, peer, f">= {short(bound)}", ours >= bound)

    def paired_at_least(self, figure: str, ratios: Sequence[float], bound: float) -> None:
        """The median of interleaved pairs, with its interval and the load average beside it."""
        paired = Paired(ratios)
        what = f"{figure}, median of {paired.count} pairs"
        self.at_least(what, paired.median, bound)
        self.add(f"{figure}: interval, low", paired.low)
        self.add(f"{figure}: interval, high", paired.high)
        self.add(f"{figure}: load average", load_average())

    def at_most(self, figure: str, ours: Any, bound: float, peer: Any = None) -> None:
        self.add(figure, ours, peer, f"<= {short(bound)}", ours <= bound)

    def within(self, figure: str, ours: Any, low: float, high: float, peer: Any = None) -> None:
        self.add(figure, ours, peer, f"{short(low)} to {short(high)}", low <= ours <= high)

    def near(self, figure: str, ours: Any, peer: Any, tolerance: float) -> None:
        self.add(figure, ours, peer, f"|ours - peer| <= {short(tolerance)}", abs(ours - peer) <= tolerance)

    def ratio_at_most(self, figure: str, ours: Any, peer: Any, bound: float) -> None:
        self.add(figure, ours, peer, f"ratio <= {short(bound)}", ours <= bound * peer)

    def equal(self, figure: str, ours: Any, wanted: object, peer: Any = None) -> None:
        self.add(figure, ours, peer, f"= {wanted}", ours == wanted)

    def end(self) -> NoReturn:
        """Prints everything and exits."""
        print(f"{self.bench}: {self.about}")
        header = ["figure", "ours", "peer", "ratio", "must", "met"]
        cells = [header] + [
            [row["figure"], short(row["ours"]), short(row["peer"]), short(row["ratio"]), row["must"] or "",
             {True: "yes", False: "NO", None: ""}[row["met"]]]
            for row in self.rows
        ]
        widths = [max(len(line[place]) for line in cells) for place in range(len(header))]
        for line in cells:
            aligned = [
                cell.rjust(width) if place in (1, 2, 3) else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            print("  ".join(aligned).rstrip())
        print()
        for row in self.rows:
            print(json.dumps(row, ensure_ascii=False))
        sys.exit(2 if any(row["met"] is False for row in self.rows) else 0)


def _plain(value: Any) -> Any:
    """A numpy scalar as Python's own number, a NaN as None: JSON has neither."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def short(value: object) -> str:
    """A value for the table: four decimals, or an exponent for what these would not show."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if value and abs(value) < 1e-3:
        return f"{value:.0e}" if float(f"{value:.0e}") == value else f"{value:.2e}"
    return f"{value:.4f}".rstrip("0").rstrip(".")
