"""regression: what this build costs beside an earlier one, in interleaved pairs.

Usage: scripts/bench regression --base PATH/TO/martlet [--pairs 7] [--only lab_files,cost,again,verify,million,batch]
The earlier program is built elsewhere, from any commit. Each pair does the same work with both, in turn first; figures
are the earlier one's seconds divided by this one's, so that more is better. Met is: the lower end of the interval of
the median is not below 0.95.
"""
import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable

import _bench

parser = argparse.ArgumentParser()
parser.add_argument("--base", required=True)
parser.add_argument("--pairs", type=int, default=7)
parser.add_argument("--only", default="lab_files,cost,again,verify,million,batch")
arguments = parser.parse_args()

PROGRAMS = {"base": str(pathlib.Path(arguments.base).resolve()), "ours": _bench.martlet()}
BOUND = 0.95
report = _bench.Report("regression", data="mixed")


# One side's work, by its name, its program and a folder; gives seconds by figure.
Work = Callable[[str, str, pathlib.Path], dict[str, float]]


def pairs(work: Work) -> None:
    """`work(side, program, folder)` gives seconds by figure; both sides of each pair, the order turned each time."""
    found: dict[str, list[tuple[float, float]]] = {}
    with _bench.scratch() as folder:
        for pair in range(arguments.pairs):
            sides = ["base", "ours"] if pair % 2 == 0 else ["ours", "base"]
            seconds = {}
            for side in sides:
                place = f"{folder}/{side}-{pair}"
                seconds[side] = work(side, PROGRAMS[side], pathlib.Path(place))
                shutil.rmtree(place, ignore_errors=True)
            for figure, base in seconds["base"].items():
                found.setdefault(figure, []).append((base, seconds["ours"][figure]))
    for figure, both in found.items():
        paired = _bench.Paired([base / ours for base, ours in both])
        report.add(f"{figure}: s, least", min(ours for _, ours in both), min(base for base, _ in both))
        report.add(f"{figure}: earlier / now, median of {paired.count} pairs", paired.median)
        report.at_least(f"{figure}: interval, low", paired.low, BOUND)
        report.add(f"{figure}: interval, high", paired.high)
    report.add("load average", _bench.load_average())


def template(program: str, folder: pathlib.Path, name: str, file: str | pathlib.Path) -> None:
    _bench.measured([program, "init", folder, "--template", name, "--data", file])


def lab_files(logs: pathlib.Path) -> None:
    def work(_: str, program: str, folder: pathlib.Path) -> dict[str, float]:
        _bench.measured([program, "init", folder, "--template", "lab-delay"])
        for source in (path for path in logs.iterdir() if path.is_dir()):
            shutil.copytree(source, f"{folder}/landing/{source.name}", dirs_exist_ok=True)
        ingested = _bench.measured([program, "run", "--to", "ingest"], folder)
        built = _bench.measured([program, "run", "--to", "transform"], folder)
        again = _bench.measured([program, "run", "--to", "transform"], folder)
        return {
            "lab_files, ingest": ingested.wall, "lab_files, cold to gold": ingested.wall + built.wall,
            "lab_files, nothing new": again.wall,
        }

    pairs(work)


def readmission(which: str) -> None:
    file = _bench.data(_bench.READMISSION)

    def work(_: str, program: str, folder: pathlib.Path) -> dict[str, float]:
        template(program, folder, "readmission", file)
        run = _bench.measured([program, "run"], folder)
        if which == "cost":
            trace = _bench.Project(folder).trace()
            phases = next(entry["phases"] for entry in trace if entry["step"] == "train:readmission")
            return {"cost, CPU outside fit and score": run.cpu - phases["fit"] - phases["score"]}
        if which == "again":
            return {"again": min(_bench.measured([program, "run"], folder).wall for _ in range(3))}
        return {"verify": _bench.measured([program, "verify", "readmission@1", "--json"], folder).wall}

    pairs(work)


def million() -> None:
    import million as bench

    with tempfile.TemporaryDirectory() as scratch:
        clean = pathlib.Path(scratch) / "clean.csv"
        bench.write(clean, 1_000_000)
        for policy in ("no key", "key, reject"):

            def work(_: str, program: str, folder: pathlib.Path, policy: str = policy) -> dict[str, float]:
                bench.project(folder, clean, bench.POLICIES[policy])
                return {f"million, {policy}": _bench.measured([program, "ingest"], folder).wall}

            pairs(work)


def batch() -> None:
    """One server a pair and side, one batch thread, 200,000 rows of 40 features."""
    os.environ.setdefault("MARTLET", PROGRAMS["ours"])
    import _serving
    import batch as bench

    with tempfile.TemporaryDirectory() as made:
        scratch = pathlib.Path(made)
        bench.ROWS = 200_000
        csv, binary = scratch / "rows.csv", scratch / "rows.bin"
        bench.rows(csv, binary, random.Random(7))
        places = {}
        for side, program in PROGRAMS.items():
            _serving.MARTLET = program
            places[side] = scratch / side
            _serving.project(places[side])

        def work(side: str, program: str, folder: pathlib.Path) -> dict[str, float]:
            token = subprocess.run(
                [program, "tokens", "create", f"bench-{os.urandom(4).hex()}", "--role", "operator", "--project",
                 str(places[side])], check=True, capture_output=True, text=True).stdout.strip()
            port = _serving.free_port()
            server = bench.Server(
                side, [program, "serve", str(places[side]), "--port", str(port), "--batch-threads", "1"], port,
                "/predict/batch?keep=id", "/health/ready", {"Authorization": f"Bearer {token}"})
            for _ in range(3):
                server.batch(csv, scratch / "out.csv")
            server.end()
            return {"batch, wall": min(server.seconds), "batch, CPU": min(server.cpus)}

        pairs(work)


for name in arguments.only.split(","):
    if name == "lab_files":
        with tempfile.TemporaryDirectory() as scratch:
            logs = pathlib.Path(scratch) / "logs"
            _bench.measured([
                PROGRAMS["ours"], "generate", "lab-delay", "--experiments", 50000, "--seed", 7, "--output", logs])
            lab_files(logs)
    elif name in ("cost", "again", "verify"):
        readmission(name)
    elif name in ("million", "batch"):
        {"million": million, "batch": batch}[name]()
    else:
        sys.exit(f"bench: regression has no part {name}")
report.end()
