"""lookalikes: what a model reaches on the rows that `martlet generate` makes up for readmission and downtime.

Usage: make bench NAME=lookalikes. As many rows as the real files have; the templates as they are.
"""
import json

import _bench

SHAPES = {"readmission": ("encounters", "test", "roc_auc"), "downtime": ("readings", "cv", "accuracy")}

report = _bench.Report("lookalikes", data="synthetic")
with _bench.scratch() as folder:
    for template, (source, part, metric) in SHAPES.items():
        place = f"{folder}/{template}"
        _bench.measured([_bench.martlet(), "init", place, "--template", template])
        file = f"{place}/landing/{source}/look-alikes.csv"
        made = _bench.measured([_bench.martlet(), "generate", template, "-o", file])
        project = _bench.Project(place)
        answer = json.loads(project.run("--json").output)
        shown = json.loads(project.martlet("runs", "show", answer["models"][0]["run"], "--json").output)
        with open(file) as rows:
            report.add(f"{template}: rows", sum(1 for _ in rows) - 1)
        report.equal(f"{template}: labelled synthetic", shown["synthetic"], True)
        report.add(f"{template}: {metric} ({part})", shown["metrics"][part][metric]["value"])
report.end()
