"""cost: CPU of a whole `martlet run` in a fresh project outside the learner's fit and predict, against pandas.

Usage: make bench NAME=cost, or scripts/bench cost [--pairs 5] [--peer SCRIPT]
Ours is the user and system CPU of the whole process less the phases "fit" and "score" of the trace; the peer's is
what its script says of import, load, features and metrics. Pairs are interleaved; medians. Before the pairs, each
side runs once unmeasured. scripts/bench has compiled the peer's libraries, or it would compile them in every import.
"""
import argparse
import pathlib
import shutil
import statistics

import _bench

parser = argparse.ArgumentParser()
parser.add_argument("--pairs", type=int, default=5)
parser.add_argument("--peer", default=pathlib.Path(__file__).parent / "readmission" / "peer.py")
arguments = parser.parse_args()

file = _bench.data(_bench.READMISSION)
COUNTED = ("import", "load+features", "metrics")


def fresh_run(folder: str) -> dict[str, float]:
    project = _bench.Project.from_template(folder, "readmission", file)
    usage = project.run()
    trace = project.trace()
    phases = next(entry["phases"] for entry in trace if entry["step"] == "train:readmission")
    steps = {entry["step"].split(":")[0]: 0.0 for entry in trace}
    for entry in trace:
        steps[entry["step"].split(":")[0]] += entry["cpu_seconds"]
    learner = phases["fit"] + phases["score"]
    steps["train"] -= learner
    shutil.rmtree(folder)
    return {
        "outside": usage.cpu - learner, "whole": usage.cpu, "wall": usage.wall, "peak": usage.peak_mb,
        "start and end": usage.cpu - learner - sum(steps.values()), **steps,
    }


def peer_run() -> dict[str, float]:
    answer = _bench.peer(arguments.peer, file)
    seconds = answer["cpu_s"]
    usage = answer["usage"]
    return {
        "outside": sum(seconds[name] for name in COUNTED), "whole": usage.cpu, "wall": usage.wall,
        "peak": usage.peak_mb, **{name: seconds[name] for name in COUNTED},
    }


ours, peers = [], []
with _bench.scratch() as folder:
    fresh_run(f"{folder}/warm-up")
    peer_run()
    for pair in range(arguments.pairs):
        ours.append(fresh_run(f"{folder}/pair-{pair}"))
        peers.append(peer_run())


def median(sides: list[dict[str, float]], name: str) -> float:
    return statistics.median(side[name] for side in sides)


report = _bench.Report("cost", data="public")
report.ratio_at_most(
    f"CPU s outside fit and predict, median of {arguments.pairs}", median(ours, "outside"), median(peers, "outside"), 1)
ratios = [mine["outside"] / theirs["outside"] for mine, theirs in zip(ours, peers, strict=True)]
report.add("ratio of the best pair", min(ratios))
report.add("ratio of the worst pair", max(ratios))
report.at_most("peak resident MB, largest", max(side["peak"] for side in ours), 1000, max(s["peak"] for s in peers))
report.add("CPU s whole process", median(ours, "whole"), median(peers, "whole"))
report.add("wall s whole process", median(ours, "wall"), median(peers, "wall"))
for name in ours[0]:
    if name not in ("outside", "whole", "wall", "peak"):
        report.add(f"  ours, CPU s: {name}{' (without fit, score)' if name == 'train' else ''}", median(ours, name))
for name in COUNTED:
    report.add(f"  peer, CPU s: {name}", None, median(peers, name))
report.end()
