"""lab_reference: the lab-delay template on logs that another implementation wrote, judged on the last fifth of time.

Usage: make bench NAME=lab_reference. The figures are recomputed from the scores with scikit-learn. Bayes is what the
true probabilities reach on the same rows, at the threshold that 3:1 asks for.
"""
import shutil

import _bench
import _lab

logs = {source: _bench.data(f"lab_reference/{source}.parquet") for source in _lab.SOURCES}
known = _bench.parquet(_bench.data("lab_reference/truth.parquet"))
truth = dict(zip(known["experiment_id"], known["true_p"], strict=True))
report = _bench.Report("lab_reference", data="synthetic")
with _bench.scratch() as folder:
    _bench.measured([_bench.martlet(), "init", f"{folder}/lab", "--template", "lab-delay"])
    project = _bench.Project(f"{folder}/lab")
    for source, file in logs.items():
        project.edit(f"  {source}: {{}}\n", f"  {source}: {{format: parquet}}\n")
        shutil.copy(file, project.folder / "landing" / source)
    ours, peer, bayes = _lab.measure(report, project, truth, "reference")

report.at_least("ROC-AUC", ours["roc_auc"], 0.977, peer["roc_auc"])
report.at_least("PR-AUC", ours["pr_auc"], 0.945, peer["pr_auc"])
report.at_least("recall", ours["recall"], 0.90, peer["recall"])
report.at_most("cost per 1,000", ours["cost"], 1.18 * 95.4, peer["cost"])
report.at_most("cost / Bayes on these rows", ours["cost"] / bayes["cost"], 1.18, peer["cost"] / bayes["cost"])
for name in ("precision", "brier"):
    report.add(name, ours[name], peer[name])
for name, value in bayes.items():
    report.add(f"Bayes {name}", value)
report.end()
