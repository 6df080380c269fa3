"""session: what the pages show of one `martlet run` on the real readmission file, and of `martlet verify` behind it.

Usage: make bench NAME=session. Nothing is asked but that the second run is quick and the version is what its data give:
the figures are there to be compared with the pages (scripts/figures).
"""
import json
import statistics

import _bench

file = _bench.data(_bench.READMISSION)
report = _bench.Report("session", data="public")
with _bench.scratch() as folder:
    project = _bench.Project.from_template(f"{folder}/session", "readmission", file)
    first = project.run("--json")
    again = [project.run("--json") for _ in range(3)]
    told = json.loads(first.output)
    verified = project.martlet("verify", "readmission", "--json")
    shown = project.show("readmission")
    scores = project.scores(told["models"][0]["run"])
    counted = json.loads(project.martlet("lake", "sql", "--json", """
        SELECT (SELECT count(*) FROM bronze.encounters) AS received,
          (SELECT count(DISTINCT patient_nbr) FROM bronze.encounters) AS patients,
          (SELECT count(*) FROM silver.encounters) AS silver, (SELECT count(*) FROM gold.encounters) AS gold
        """).output)[0]

for name, value in counted.items():
    report.add(f"rows: {name}", value)
report.add("rows: received and not in gold", counted["received"] - counted["gold"])
for part in ("train", "validation", "test"):
    labels = [int(label) for label, here in zip(scores["label"], scores["part"], strict=True) if here == part]
    report.add(f"rows: {part}", len(labels))
    report.add(f"positives: {part}", sum(labels))
report.add("gates passed", sum(gate["passed"] for gate in shown["gates"]))
report.add("version", shown["version"])
for check in json.loads(verified.output)["checks"]:
    # As the table of `martlet verify` shows them.
    report.add(f"hash: {check['what']}", check["recorded"][:32])
    report.equal(f"hash: {check['what']}, rebuilt", check["rebuilt"], check["recorded"])
for step in told["steps"]:
    report.add(f"wall s: {step['step']}", step["seconds"])
report.add("wall s of the run", first.wall)
report.add("CPU s of the run", first.cpu)
report.add("peak resident MB of the run", first.peak_mb)
report.at_most("wall s of a second run, median of 3", statistics.median(run.wall for run in again), 1)
report.end()
