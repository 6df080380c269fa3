"""lab_own: the lab-delay template on logs of `martlet generate lab-delay`, against the true probabilities.

Usage: make bench NAME=lab_own, or scripts/bench lab_own [--seeds 7 1 2] [--drift KIND]
The daily files of a source are landed as one. The figures are recomputed from the scores with scikit-learn.
"""
import argparse
import pathlib
import shutil

import _bench
import _lab

parser = argparse.ArgumentParser()
parser.add_argument("--seeds", type=int, nargs="+", default=[7, 1, 2])
parser.add_argument("--drift")
arguments = parser.parse_args()

report = _bench.Report("lab_own", data="synthetic")
results = []
with _bench.scratch() as folder:
    for seed in arguments.seeds:
        raw = pathlib.Path(folder) / f"raw-{seed}"
        drift = ["--drift", arguments.drift] if arguments.drift else []
        _bench.measured([_bench.martlet(), "generate", "lab-delay", "--seed", str(seed), *drift, "-o", raw])
        _bench.measured([_bench.martlet(), "init", f"{folder}/lab-{seed}", "--template", "lab-delay"])
        project = _bench.Project(f"{folder}/lab-{seed}")
        for source in _lab.SOURCES:
            days = sorted((raw / source).iterdir())
            with open(project.folder / "landing" / source / "all.csv", "w") as landed:
                landed.write(days[0].read_text())
                for day in days[1:]:
                    landed.write(day.read_text().split("\n", 1)[1])
        rows = [line.split(",") for line in (raw / "truth.csv").read_text().splitlines()[1:]]
        truth = {row[0]: float(row[1]) for row in rows}
        results.append((seed, *_lab.measure(report, project, truth, f"seed {seed}")))
        shutil.rmtree(raw)
        shutil.rmtree(project.folder)

for seed, ours, peer, bayes in results:
    report.at_least(f"ROC-AUC, seed {seed}", ours["roc_auc"], bayes["roc_auc"] - 0.008, peer["roc_auc"])
    report.add(f"Bayes ROC-AUC, seed {seed}", bayes["roc_auc"])
    report.add(f"Bayes - ROC-AUC, seed {seed}", bayes["roc_auc"] - ours["roc_auc"], bayes["roc_auc"] - peer["roc_auc"])
    report.add(f"cost / Bayes, seed {seed}", ours["cost"] / bayes["cost"], peer["cost"] / bayes["cost"])
    for name in ("pr_auc", "recall", "precision", "cost"):
        report.add(f"{name}, seed {seed}", ours[name], peer[name])
report.end()
