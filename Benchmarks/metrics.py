"""metrics: what `martlet models show` says, against scikit-learn on the same scores.

Usage: make bench NAME=metrics. The scores are the run's artifact scores.parquet, test part, for readmission, downtime,
adult, and a forest of three trees, whose probabilities are mostly alike and often exactly 0 or 1.
"""
import json
import math
import pathlib

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

import _bench

TOLERANCE = 1e-9


def scikit(labels: numpy.ndarray, probabilities: numpy.ndarray, threshold: float) -> dict[str, float]:
    decided = probabilities >= threshold
    return {
        "roc_auc": roc_auc_score(labels, probabilities),
        "pr_auc": average_precision_score(labels, probabilities),
        "log_loss": log_loss(labels, probabilities),
        "brier": brier_score_loss(labels, probabilities),
        "accuracy": accuracy_score(labels, decided),
        "precision": precision_score(labels, decided),
        "recall": recall_score(labels, decided),
        "f1": f1_score(labels, decided),
        "specificity": recall_score(labels, decided, pos_label=0),
        "npv": precision_score(labels, decided, pos_label=0),
    }


def debiased_ece(labels: numpy.ndarray, probabilities: numpy.ndarray, bins: int = 15) -> float:
    """Equal-mass bins in the order of the probability, debiased, L2 (Kumar et al. 2019); not in scikit-learn. Of single
    rows: Martlet takes off more where they come in groups."""
    whole = 0.0
    for rows in numpy.array_split(numpy.argsort(probabilities, kind="stable"), bins):
        rate = labels[rows].mean()
        bias = rate * (1 - rate) / max(1, len(rows) - 1)
        whole += len(rows) / len(labels) * ((probabilities[rows].mean() - rate) ** 2 - bias)
    return math.sqrt(max(0.0, whole))


def slope(labels: numpy.ndarray, probabilities: numpy.ndarray) -> float:
    """Of an unpenalised logistic regression of the label on the log odds."""
    clipped = numpy.clip(probabilities, 2**-52, 1 - 2**-52)
    odds = numpy.log(clipped / (1 - clipped)).reshape(-1, 1)
    model = LogisticRegression(C=numpy.inf, tol=1e-12, max_iter=10_000, solver="newton-cholesky").fit(odds, labels)
    return float(model.coef_[0, 0])


readmission = _bench.data(_bench.READMISSION)
downtime = _bench.data(_bench.DOWNTIME)
adult = _bench.data(_bench.ADULT)
report = _bench.Report("metrics", data="public")
with _bench.scratch() as folder:
    projects = {
        "readmission": _bench.Project.from_template(f"{folder}/readmission", "readmission", readmission),
        "downtime": _bench.Project.from_template(f"{folder}/downtime", "downtime", downtime),
        "adult": _bench.Project.copied(
            f"{folder}/adult", pathlib.Path(__file__).parent / "adult", "adult", adult),
        "three trees": _bench.Project.from_template(f"{folder}/trees", "downtime", downtime),
    }
    projects["three trees"].edit("n_estimators: 200", "n_estimators: 3")
    for name, project in projects.items():
        # Three trees miss the gates: there is a run, but no version.
        run = json.loads(project.run("--json", codes=(0, 2)).output)["models"][0]["run"]
        if name == "three trees":
            shown = json.loads(project.martlet("runs", "show", run, "--json").output)
        else:
            shown = project.show(f"{name}@1")
        test = {metric: value["value"] for metric, value in shown["metrics"]["test"].items()}
        scores = project.scores(run)
        chosen = numpy.array([part == "test" for part in scores["part"]])
        labels = numpy.asarray(scores["label"])[chosen].astype(int)
        probabilities = numpy.asarray(scores["probability"], float)[chosen]
        assert len(labels) == test["rows"] and not numpy.isnan(probabilities).any()
        known = scikit(labels, probabilities, test["threshold"])
        for metric, value in known.items():
            report.near(f"{name}: {metric}", test[metric], value, TOLERANCE)
        worst = max(abs(test[metric] - value) for metric, value in known.items())
        report.at_most(f"{name}: largest difference of {len(known)}", worst, TOLERANCE)
        report.add(f"{name}: test rows", len(labels))
        report.add(f"{name}: distinct probabilities", len(numpy.unique(probabilities)))
        report.add(f"{name}: probabilities of 0 or 1", int(numpy.isin(probabilities, (0, 1)).sum()))
        report.add(f"{name}: debiased ECE, numpy", test["ece"], debiased_ece(labels, probabilities))
        report.add(f"{name}: calibration slope, scikit-learn", test["calibration_slope"], slope(labels, probabilities))
report.end()
