"""adult: a data set that no example covers, as a project of under 40 lines of YAML and one SQL file.

Usage: make bench NAME=adult. The split is 80/20 by the portable number of the row; the peer is LightGBM's Python
package on the same rows, with its own settings and with ours: the better of the two counts.
"""
import pathlib

import _bench

SOURCE = pathlib.Path(__file__).parent / "adult"
file = _bench.data(_bench.ADULT)
report = _bench.Report("adult", data="public")

with _bench.scratch() as folder:
    wanted = pathlib.Path(folder) / "source"
    for path in SOURCE.rglob("*"):
        if path.is_file() and path.suffix in (".yaml", ".sql"):
            target = wanted / path.relative_to(SOURCE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    yaml = [line for path in wanted.rglob("*.yaml") for line in path.read_text().splitlines()]
    project = _bench.Project.copied(f"{folder}/adult", wanted, "adult", file)
    usage = project.run()
    shown = project.show("adult@champion")
    test = {name: metric["value"] for name, metric in shown["metrics"]["test"].items()}
    theirs = _bench.peer(SOURCE / "peer.py", file)

report.add("rows of the file", int(shown["lineage"]["files"][0]["rows"]))
report.add("lines of YAML", len(yaml), None, "< 40", len(yaml) < 40)
report.equal("SQL files", len(list(SOURCE.rglob("*.sql"))), 1)
report.equal("test rows", int(test["rows"]), theirs["rows"][1], theirs["rows"][1])
report.at_least("test ROC-AUC", test["roc_auc"], theirs["roc_auc"] - 0.003, theirs["roc_auc"])
for name, value in theirs["roc_auc_by_settings"].items():
    report.add(f"test ROC-AUC, peer with settings: {name}", test["roc_auc"], value)
report.add("CPU s, whole process", usage.cpu, theirs["usage"].cpu)
report.end()
