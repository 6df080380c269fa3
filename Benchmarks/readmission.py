"""readmission: test figures of `martlet run` on three portable splits, against pandas + LightGBM on the same rows.

Usage: make bench NAME=readmission. The test rows of both sides are compared by key and label first.
"""
import json
import pathlib
import statistics

import numpy

import _bench

SEEDS = (42, 1, 2)
SHOWN = ("pr_auc", "log_loss", "brier")

file = _bench.data(_bench.READMISSION)
peer_script = pathlib.Path(__file__).parent / "readmission" / "peer.py"
report = _bench.Report("readmission")
ours, peers = [], []
with _bench.scratch() as folder:
    for seed in SEEDS:
        project = _bench.Project.from_template(f"{folder}/seed-{seed}", "readmission", file)
        # A missed gate leaves no version, but a run with its figures.
        answer = json.loads(project.run("--split-seed", seed, "--json", codes=(0, 2)).output)
        run = answer["models"][0]["run"]
        test = json.loads(project.martlet("runs", "show", run, "--json").output)["metrics"]["test"]
        ours.append({name: metric["value"] for name, metric in test.items()})

        kept = f"{folder}/peer-{seed}.npz"
        peers.append(_bench.peer(peer_script, file, "--seed", seed, "--scores", kept))
        theirs = numpy.load(kept)
        scores = project.scores(run)
        mine = {
            int(key): int(label)
            for key, label, part in zip(scores["key"], scores["label"], scores["part"]) if part == "test"
        }
        same = sum(mine.get(int(key)) == int(label) for key, label in zip(theirs["key"], theirs["label"]))
        report.equal(f"test rows, seed {seed}", len(mine), same, len(theirs["key"]))

for seed, mine, theirs in zip(SEEDS, ours, peers):
    report.at_least(f"test ROC-AUC, seed {seed}", mine["roc_auc"], theirs["roc_auc"] - 0.003, theirs["roc_auc"])


def mean(sides, name):
    return statistics.fmean(side[name] for side in sides)


report.at_least("test ROC-AUC, mean", mean(ours, "roc_auc"), 0.681, mean(peers, "roc_auc"))
report.at_most("debiased ECE, mean", mean(ours, "ece"), 0.007, mean(peers, "ece"))
for seed, mine, theirs in zip(SEEDS, ours, peers):
    report.add(f"debiased ECE, seed {seed}", mine["ece"], theirs["ece"])
for seed, mine in zip(SEEDS, ours):
    report.within(f"calibration slope, seed {seed}", mine["calibration_slope"], 0.9, 1.1)
for name in SHOWN:
    report.add(f"{name}, mean", mean(ours, name), mean(peers, name))
report.end()
