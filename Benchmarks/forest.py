"""forest: three random forests on the same five stratified folds of downtime, three seeds, 200 trees of depth 10,
balanced classes: Martlet's, scikit-learn's, and LightGBM's `rf` mode in two settings.

Usage: make bench NAME=forest. Nothing is asked of the figures but that Martlet's probabilities are as good as
scikit-learn's; docs/training.md has the table and what follows from it.
"""
import importlib.util
import json
import pathlib
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score

import _bench

SEEDS = (42, 1, 2)
COMMON = {"n_estimators": 200, "max_depth": 10, "class_weight": "balanced", "n_jobs": 2}
RF = {**COMMON, "boosting_type": "rf", "subsample": 0.632, "subsample_freq": 1, "verbose": -1}
PEERS = {
    "scikit-learn": lambda seed: RandomForestClassifier(**COMMON, random_state=seed),
    "rf mode, near": lambda seed: lightgbm.LGBMClassifier(
        **RF, random_state=seed, num_leaves=1024, colsample_bytree=1, feature_fraction_bynode=4 / 15,
        min_child_samples=1),
    "rf mode, plain": lambda seed: lightgbm.LGBMClassifier(**RF, random_state=seed, colsample_bytree=0.27),
}
FIGURES = ("accuracy", "recall", "roc_auc", "brier", "least", "most")


def measured(
    make: Callable[[int], Any], seed: int, features: numpy.ndarray, labels: numpy.ndarray, folds: numpy.ndarray,
) -> numpy.ndarray:
    """Means over the folds, and the range of the probabilities."""
    rows = []
    for fold in range(5):
        held = folds == fold
        model = make(seed).fit(features[~held], labels[~held])
        scores = model.predict_proba(features[held])[:, 1]
        decided = scores >= 0.5
        rows.append([
            accuracy_score(labels[held], decided), recall_score(labels[held], decided),
            roc_auc_score(labels[held], scores), numpy.mean((scores - labels[held]) ** 2), scores.min(), scores.max(),
        ])
    return numpy.mean(rows, axis=0)



def load_peer() -> Any:
    """The module downtime/peer.py, which no import statement finds."""
    spec = importlib.util.spec_from_file_location("peer", pathlib.Path(__file__).parent / "downtime/peer.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


peer = load_peer()

file = _bench.data(_bench.DOWNTIME)
report = _bench.Report("forest", data="public")
keys, features, labels = peer.load(file)
theirs: dict[str, list[Any]] = {name: [] for name in PEERS}
ours = []
with _bench.scratch() as folder:
    for seed in SEEDS:
        project = _bench.Project.from_template(f"{folder}/seed-{seed}", "downtime", file)
        project.edit("cross_validation: {folds: 5, seed: 42}", f"cross_validation: {{folds: 5, seed: {seed}}}")
        project.edit("kind: random_forest\n", f"kind: random_forest\n      seed: {seed}\n")
        answer = json.loads(project.run("--json", codes=(0, 2)).output)
        shown = json.loads(project.martlet("runs", "show", answer["models"][0]["run"], "--json").output)
        ours.append([shown["metrics"]["cv"][name]["value"] for name in FIGURES[:4]])
        folds = peer.fold_numbers(keys, labels, seed)
        for name, make in PEERS.items():
            theirs[name].append(measured(make, seed, features, labels, folds))
mine = dict(zip(FIGURES[:4], numpy.mean(ours, axis=0), strict=True))
for name in PEERS:
    means = dict(zip(FIGURES, numpy.mean(theirs[name], axis=0), strict=True))
    for figure in FIGURES:
        label = f"{figure} of {name}, mean of folds and seeds"
        if name == "scikit-learn" and figure == "brier":
            report.near(label, mine[figure], means[figure], 0.002)
        else:
            report.add(label, mine.get(figure), means[figure])
report.end()
