"""readmission: test figures of `martlet run` on three portable splits, against pandas + LightGBM on the same rows.

Usage: make bench NAME=readmission. The test rows of both sides are compared by key and label first.
"""
import json
import pathlib
import statistics
from typing import Any

import numpy
from sklearn.metrics import roc_auc_score

import _bench

SEEDS = (42, 1, 2)
SHOWN = ("pr_auc", "log_loss", "brier")

file = _bench.data(_bench.READMISSION)
peer_script = pathlib.Path(__file__).parent / "readmission" / "peer.py"
report = _bench.Report("readmission", data="public")
ours: list[dict[str, float]] = []
peers: list[dict[str, Any]] = []
intervals: list[dict[str, tuple[float, float]]] = []
told: dict[str, Any] = {}


def described(project: _bench.Project, scores: dict[str, Any], threshold: float) -> dict[str, Any]:
    """What the example's page says in words, of the test part of the first seed."""
    place = [at for at, part in enumerate(scores["part"]) if part == "test"]
    label = numpy.array([int(scores["label"][at]) for at in place])
    probability = numpy.array([scores["probability"][at] for at in place])
    called = probability >= threshold
    highest = numpy.argsort(-probability, kind="stable")[: len(label) // 10]
    ages = json.loads(project.martlet(
        "lake", "sql", "SELECT encounter_id AS key, age FROM silver.encounters", "--limit", "1000000", "--json").output)
    age = {str(row["key"]): row["age"] for row in ages}
    years = numpy.array([age[str(scores["key"][at])] for at in place])
    base = label.mean()
    return {
        "base rate, %": 100 * base,
        "called at the threshold, %": 100 * called.mean(),
        "readmissions found at the threshold, %": 100 * label[called].sum() / label.sum(),
        "of those called that come back, %": 100 * label[called].mean(),
        "readmissions in the tenth with the highest scores, %": 100 * label[highest].sum() / label.sum(),
        "of that tenth that come back, %": 100 * label[highest].mean(),
        "Brier score": float(((probability - label) ** 2).mean()),
        "Brier score of the base rate": base * (1 - base),
        "ROC-AUC from the age of 80 on": roc_auc_score(label[years >= 80], probability[years >= 80]),
        "ROC-AUC below the age of 60": roc_auc_score(label[years < 60], probability[years < 60]),
    }


with _bench.scratch() as folder:
    for seed in SEEDS:
        project = _bench.Project.from_template(f"{folder}/seed-{seed}", "readmission", file)
        # A missed gate leaves no version, but a run with its figures.
        answer = json.loads(project.run("--split-seed", seed, "--json", codes=(0, 2)).output)
        run = answer["models"][0]["run"]
        test = json.loads(project.martlet("runs", "show", run, "--json").output)["metrics"]["test"]
        ours.append({name: metric["value"] for name, metric in test.items()})
        intervals.append({name: (metric["low"], metric["high"]) for name, metric in test.items()})

        kept = f"{folder}/peer-{seed}.npz"
        peers.append(_bench.peer(peer_script, file, "--seed", seed, "--scores", kept))
        theirs = numpy.load(kept)
        scores = project.scores(run)
        told = told or described(project, scores, test["threshold"]["value"])
        labels = {
            int(key): int(label)
            for key, label, part in zip(scores["key"], scores["label"], scores["part"], strict=True) if part == "test"
        }
        same = sum(
            labels.get(int(key)) == int(label) for key, label in zip(theirs["key"], theirs["label"], strict=True)
        )
        report.equal(f"test rows, seed {seed}", len(labels), same, len(theirs["key"]))

for seed, mine, theirs in zip(SEEDS, ours, peers, strict=True):
    report.at_least(f"test ROC-AUC, seed {seed}", mine["roc_auc"], theirs["roc_auc"] - 0.003, theirs["roc_auc"])


def mean(sides: list[Any], name: str) -> float:
    return statistics.fmean(side[name] for side in sides)


report.at_least("test ROC-AUC, mean", mean(ours, "roc_auc"), 0.681, mean(peers, "roc_auc"))
report.at_most("debiased ECE, mean", mean(ours, "ece"), 0.007, mean(peers, "ece"))
for seed, mine, theirs in zip(SEEDS, ours, peers, strict=True):
    report.add(f"debiased ECE, seed {seed}", mine["ece"], theirs["ece"])
for seed, mine in zip(SEEDS, ours, strict=True):
    report.within(f"calibration slope, seed {seed}", mine["calibration_slope"], 0.9, 1.1)
for seed, mine, theirs, ends in zip(SEEDS, ours, peers, intervals, strict=True):
    for name in SHOWN:
        report.add(f"{name}, seed {seed}", mine[name], theirs[name])
    report.add(f"test ROC-AUC, low end of its interval, seed {seed}", ends["roc_auc"][0])
    report.add(f"test ROC-AUC, high end of its interval, seed {seed}", ends["roc_auc"][1])
for name, value in told.items():
    report.add(f"{name}, seed {SEEDS[0]}", value)
for name in SHOWN:
    report.add(f"{name}, mean", mean(ours, name), mean(peers, name))
report.end()
