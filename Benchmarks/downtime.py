"""downtime: five stratified folds of the raw file, Martlet's random forest against scikit-learn's on the same folds.

Usage: make bench NAME=downtime. The peer makes keys, features and folds from the CSV file by itself; the keys and
labels of both sides are compared first.
"""
import json
import pathlib

import numpy

import _bench

SEEDS = (42, 1, 2)
FLOORS = {"accuracy": 0.975, "f1": 0.975, "recall": 0.975, "roc_auc": 0.995}

file = _bench.data(_bench.DOWNTIME)
peer_script = pathlib.Path(__file__).parent / "downtime" / "peer.py"
report = _bench.Report("downtime", data="public")
with _bench.scratch() as folder:
    for seed in SEEDS:
        project = _bench.Project.from_template(f"{folder}/seed-{seed}", "downtime", file)
        project.edit("cross_validation: {folds: 5, seed: 42}", f"cross_validation: {{folds: 5, seed: {seed}}}")
        project.edit("kind: random_forest\n", f"kind: random_forest\n      seed: {seed}\n")
        # The gates are not what is measured here.
        answer = json.loads(project.run("--json", codes=(0, 2)).output)
        run = answer["models"][0]["run"]
        folds = json.loads(project.martlet("runs", "show", run, "--json").output)["metrics"]["cv"]

        kept = f"{folder}/peer-{seed}.npz"
        theirs = _bench.peer(peer_script, file, "--seed", seed, "--keys", kept)
        scores = project.scores(run)
        mine = {key: int(label) for key, label in zip(scores["key"], scores["label"], strict=True)}
        other = numpy.load(kept)
        same = sum(mine.get(str(key)) == int(label) for key, label in zip(other["key"], other["label"], strict=True))
        report.equal(f"rows, seed {seed}", len(mine), same, len(other["key"]))
        for name, floor in FLOORS.items():
            report.at_least(f"{name}, mean of 5 folds, seed {seed}", folds[name]["value"], floor, theirs[name])
        for name in FLOORS:
            report.near(f"{name} against the peer, seed {seed}", folds[name]["value"], theirs[name], 0.004)
report.end()
