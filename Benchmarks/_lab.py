"""What the lab benchmarks share: the figures of a run on its test part, recomputed from its scores with scikit-learn,
beside those of the true probabilities and of LightGBM for Python on the same gold table."""
import json
import pathlib
from typing import Any

import numpy
from sklearn import metrics

import _bench

SOURCES = ("workflow_logs", "queue_logs", "instrument_telemetry", "reagent_logs")
MISS, ALARM = 3, 1
THEORETICAL = ALARM / (ALARM + MISS)


def figures(labels: Any, probabilities: Any, threshold: float) -> dict[str, Any]:
    labels, probabilities = numpy.asarray(labels), numpy.asarray(probabilities)
    called = probabilities >= threshold
    missed, alarms = labels[~called].sum(), (1 - labels[called]).sum()
    return {
        "roc_auc": metrics.roc_auc_score(labels, probabilities),
        "pr_auc": metrics.average_precision_score(labels, probabilities),
        "brier": metrics.brier_score_loss(labels, probabilities),
        "recall": metrics.recall_score(labels, called),
        "precision": metrics.precision_score(labels, called),
        "cost": 1000 * (MISS * missed + ALARM * alarms) / len(labels),
    }


def measure(report: _bench.Report, project: _bench.Project, truth: Any, name: str) -> tuple[Any, Any, Any]:
    """Runs the project; gives the figures of ours, the peer and the truth. `truth` has a probability for each key."""
    answer = json.loads(project.run("--json", codes=(0, 2)).output)
    run = answer["models"][0]["run"]
    shown = json.loads(project.martlet("runs", "show", run, "--json").output)["metrics"]["test"]
    scores = project.scores(run)
    test = [place for place, part in enumerate(scores["part"]) if part == "test"]
    keys = [scores["key"][place] for place in test]
    labels = [int(scores["label"][place]) for place in test]
    ours = figures(labels, [scores["probability"][place] for place in test], shown["threshold"]["value"])
    report.near(f"{name}: ROC-AUC is scikit-learn's", shown["roc_auc"]["value"], ours["roc_auc"], 1e-9)
    report.near(f"{name}: PR-AUC is scikit-learn's", shown["pr_auc"]["value"], ours["pr_auc"], 1e-9)
    report.near(f"{name}: recall is scikit-learn's", shown["recall"]["value"], ours["recall"], 1e-9)

    peer_script = pathlib.Path(__file__).parent / "lab" / "peer.py"
    theirs = _bench.peer(peer_script, *project.table_files("gold.experiments"))
    same = sum(
        mine == other
        for mine, other in zip(
            sorted(zip(keys, labels, strict=True)),
            sorted(zip(theirs["key"], theirs["label"], strict=True)),
            strict=False,  # rows that only one of them has are told by their counts
        )
    )
    report.equal(f"{name}: test rows", len(keys), same, len(theirs["key"]))
    bayes = figures(labels, [truth[key] for key in keys], THEORETICAL)
    return ours, figures(theirs["label"], theirs["probability"], THEORETICAL), bayes
