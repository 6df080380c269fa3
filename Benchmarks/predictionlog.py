"""predictionlog: CPU and throughput of the prediction log, against Python's logging and SQLite.

Usage: make bench NAME=predictionlog, or scripts/bench predictionlog [--rounds 3] [--folder DIR]
Each record has 40 features of 8 bytes and a request id. Ours is `martlet predictions load`: one thread that stands for
an event loop keeps 1 or 64 records waiting for their acknowledgements; CPU is that of all threads, "handing over" that
of the loop alone. The peers do the same in one Python process: a line of JSON by `logging` to a file, flushed (and
fsynced where the mode is strict), one record at a time; an INSERT into SQLite with a write-ahead log, a transaction for
each record (or for 64 at once), synchronous FULL where strict, NORMAL where written. Rounds are interleaved; medians.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import _bench

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--folder", default=None, help="where to write: the disk that is measured")
arguments = parser.parse_args()
PEER = pathlib.Path(__file__).parent / "predictionlog" / "peer.py"


def ours(folder: str | pathlib.Path, mode: str, concurrency: int, records: int, *more: str) -> dict[str, Any]:
    done = subprocess.run(
        [_bench.martlet(), "predictions", "load", "--folder", folder, "--mode", mode, "--concurrency", str(concurrency),
         "--records", str(records), "--features", "40", *more],
        env=_bench.ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: predictions load ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stderr)


def peer(folder: str | pathlib.Path, kind: str, mode: str, concurrency: int, records: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, PEER, kind, mode, str(concurrency), str(records), folder], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: the peer ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def fsync_latency(folder: str | pathlib.Path) -> float:
    """Medians of a write of 4 KiB and fdatasync, appended, in seconds."""
    found = []
    with open(os.path.join(folder, "probe"), "ab", buffering=0) as file:
        for _ in range(50):
            file.write(bytes(4096))
            start = time.monotonic()
            os.fdatasync(file.fileno())
            found.append(time.monotonic() - start)
    os.unlink(os.path.join(folder, "probe"))
    return statistics.median(found)


CASES = [
    # mode, waiting at once, our records, the peers' records
    ("written", 1, 30_000, 10_000),
    ("written", 64, 200_000, 10_000),
    ("strict", 1, 300, 300),
    ("strict", 64, 10_000, 5_000),
    ("best-effort", 64, 300_000, 10_000),
]

found: dict[Any, list[dict[str, Any]]] = {}
probes = []
with tempfile.TemporaryDirectory(prefix="martlet-bench-", dir=arguments.folder) as scratch:
    for round in range(arguments.rounds):
        probes.append(fsync_latency(scratch))
        for mode, concurrency, records, fewer in CASES:
            name = f"{scratch}/{round}-{mode}-{concurrency}"
            mine = ours(f"{name}-ours", mode, concurrency, records)
            assert mine["written"] + mine["dropped"] == records, mine
            found.setdefault((mode, concurrency, "ours"), []).append(mine)
            for kind in ("logging", "sqlite"):
                theirs = peer(f"{name}-{kind}", kind, mode, concurrency, fewer)
                found.setdefault((mode, concurrency, kind), []).append(theirs)
    slow = ours(f"{scratch}/slow", "written", 64, 100_000, "--sync-delay", "5")
    slow_strict = ours(f"{scratch}/slow-strict", "strict", 64, 5_000, "--sync-delay", "5")


def median(key: Any, value: Callable[[dict[str, Any]], float]) -> float:
    return statistics.median(value(one) for one in found[key])


report = _bench.Report("predictionlog", data="synthetic")
report.add("fdatasync of the disk, ms", statistics.median(probes) * 1e3)
for mode, concurrency, *_ in CASES:
    key = (mode, concurrency, "ours")
    cpu = median(key, lambda one: one["cpu"] / max(1, one["written"]) * 1e6)
    per_second = median(key, lambda one: one["written"] / one["seconds"])
    handing = median(key, lambda one: one["submit_cpu"] / max(1, one["written"] + one["dropped"]) * 1e6)
    title = f"{mode}, {concurrency} at once"
    for kind in ("logging", "sqlite"):
        other = (mode, concurrency, kind)
        report.ratio_at_most(
            f"{title}: CPU µs a record, {kind}", cpu, median(other, lambda one: one["cpu"] / one["records"] * 1e6), 1)
        # One at a time, strict is the disk's own latency on both sides.
        if mode == "strict" and concurrency == 1:
            report.add(f"{title}: records/s, {kind}", per_second,
                       median(other, lambda one: one["records"] / one["seconds"]))
        else:
            theirs_per_second = median(other, lambda one: one["records"] / one["seconds"])
            report.add(f"{title}: records/s, {kind}", per_second, theirs_per_second, "ratio >= 1",
                       per_second >= theirs_per_second)
    # Waking the writer is a call of the system; shared by 64 it is little, and alone it is most of it.
    if concurrency > 1:
        report.at_most(f"{title}: of it in handing over, µs", handing, 1)
    else:
        report.add(f"{title}: of it in handing over, µs", handing)
    report.add(f"{title}: p99 until acknowledged, µs", median(key, lambda one: one["p99_us"] or 0))
    report.add(f"{title}: records a write", median(key, lambda one: one["written"] / max(1, one["writes"])))
report.add("written, 64 at once, 5 ms more an fsync: p99 µs", slow["p99_us"])
report.add("written, 64 at once, 5 ms more an fsync: records/s", slow["written"] / slow["seconds"])
report.add("strict, 64 at once, 5 ms more an fsync: p99 µs", slow_strict["p99_us"])
report.end()
