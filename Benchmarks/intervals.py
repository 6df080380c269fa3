"""intervals: Martlet's 95 % bootstrap intervals against a cluster bootstrap in numpy on the same scores.

Usage: make bench NAME=intervals, or scripts/bench intervals [--replicates 2000]
Both resample patients. The two differ by their random draws only: with 1,000 and 2,000 replicates the ends of an
interval scatter by about 5 % of half its width, so 20 % is asked of each end.
"""
import argparse
import csv

import numpy
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

import _bench

parser = argparse.ArgumentParser()
parser.add_argument("--replicates", type=int, default=2000)
arguments = parser.parse_args()

file = _bench.data(_bench.READMISSION)
report = _bench.Report("intervals", data="public")
with _bench.scratch() as folder:
    project = _bench.Project.from_template(f"{folder}/readmission", "readmission", file)
    project.run()
    shown = project.show("readmission@champion")
    scores = project.scores(shown["run"])
test = shown["metrics"]["test"]
threshold = test["threshold"]["value"]

with open(file, newline="") as lines:
    patient_of = {row["encounter_id"]: row["patient_nbr"] for row in csv.DictReader(lines)}
chosen = [row for row, part in enumerate(scores["part"]) if part == "test"]
labels = numpy.asarray(scores["label"])[chosen].astype(float)
probabilities = numpy.asarray(scores["probability"], float)[chosen]
patients = numpy.unique([patient_of[str(scores["key"][row])] for row in chosen], return_inverse=True)[1]

# A replicate is a weight for each row: how often its patient was drawn.
order = numpy.argsort(probabilities, kind="stable")
labels, probabilities, patients = labels[order], probabilities[order], patients[order]
steps = numpy.flatnonzero(numpy.diff(probabilities, prepend=-1.0))
decided = probabilities >= threshold
loss = -numpy.log(numpy.where(labels == 1, probabilities, 1 - probabilities))


def figures(weights: numpy.ndarray) -> dict[str, float]:
    """Weighted metrics of rows sorted by probability, ties shared."""
    positive, negative = weights * labels, weights * (1 - labels)
    up = numpy.add.reduceat(positive, steps)
    down = numpy.add.reduceat(negative, steps)
    below = numpy.cumsum(down) - down
    true_positives = numpy.cumsum(up[::-1])
    called = true_positives + numpy.cumsum(down[::-1])
    seen = called > 0
    precision = true_positives[seen] / called[seen]
    tp, fp = positive[decided].sum(), negative[decided].sum()
    fn, tn = positive.sum() - tp, negative.sum() - fp
    total = weights.sum()
    return {
        "roc_auc": (up * (below + down / 2)).sum() / (up.sum() * down.sum()),
        "pr_auc": (precision * up[::-1][seen]).sum() / up.sum(),
        "log_loss": (weights * loss).sum() / total,
        "brier": (weights * (probabilities - labels) ** 2).sum() / total,
        "accuracy": (tp + tn) / total,
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "f1": 2 * tp / (2 * tp + fp + fn),
        "specificity": tn / (tn + fp),
        "npv": tn / (tn + fn),
    }


# The weighted formulas, on weights of one, against an independent implementation.
ranks = rankdata(probabilities)
count = labels.sum()
plain = figures(numpy.ones(len(labels)))
area = (ranks[labels == 1].sum() - count * (count + 1) / 2) / (count * (len(labels) - count))
assert abs(plain["roc_auc"] - area) < 1e-12
assert abs(plain["pr_auc"] - average_precision_score(labels, probabilities)) < 1e-12

generator = numpy.random.default_rng(2024)
clusters = patients.max() + 1
draws = []
for _ in range(arguments.replicates):
    times = numpy.bincount(generator.integers(0, clusters, clusters), minlength=clusters)
    draws.append(figures(times[patients].astype(float)))

worst = 0.0
for name in plain:
    low, high = numpy.percentile([draw[name] for draw in draws], [2.5, 97.5])
    half = (high - low) / 2
    for end, ours, theirs in (("low", test[name]["low"], low), ("high", test[name]["high"], high)):
        off = abs(ours - theirs) / half
        worst = max(worst, off)
        report.add(f"{name}, {end}", ours, theirs, f"off <= 20 % of half the width {_bench.short(half)}", off <= 0.2)
report.at_most("largest share of half a width that an end is off", worst, 0.2)
report.end()
