"""xgboost_equality: the learner xgboost on the three examples and adult, against XGBoost's Python package.

Usage: make bench NAME=xgboost_equality. Both get the same rows in the same order, the same parts and parameters: the
peer reads Martlet's table, parts and signature, trains with xgboost.train, and loads Martlet's model file as well.
"""
import json
import pathlib
import re
from typing import Any

import numpy
import xgboost

import _bench

SETTINGS = "{eta: 0.05, max_depth: 5, min_child_weight: 5, subsample: 0.8, colsample_bytree: 0.5, scale_pos_weight: 2}"
ROUNDS, PATIENCE = 300, 30


def boosted(project: _bench.Project) -> None:
    """The project with XGBoost as its learner."""
    path = project.folder / "martlet.yaml"
    text = path.read_text()
    learner = re.search(r"(?m)^    learner:\n(?:      .*\n|\s*#.*\n)+", text)
    assert learner, "the project has one learner"
    stop = 0 if "validation: 0," in text else PATIENCE
    path.write_text(
        text[: learner.start()] + f"    learner:\n      kind: xgboost\n      parameters: {SETTINGS}\n"
        f"      rounds: {ROUNDS}\n      early_stopping: {stop}\n" + text[learner.end():])


def artifact(project: _bench.Project, run: str, name: str) -> pathlib.Path:
    file = project.folder / name
    project.martlet("runs", "artifact", run, name, "-o", str(file))
    return file


def encoded(table: dict[str, Any], features: list[dict[str, Any]], order: Any) -> Any:
    """The matrix of floats as the signature has it: numbers, and codes of categories."""
    columns = []
    for feature in features:
        cells = [table[feature["name"]][place] for place in order]
        if feature["type"] == "number":
            columns.append(numpy.array([numpy.nan if cell is None else float(cell) for cell in cells]))
            continue
        codes = {level: code for code, level in enumerate(feature["levels"])}
        special = feature.get("codes") or {}
        missing, rare = special.get("missing"), special.get("rare")
        if missing is None and feature.get("missing"):
            missing = codes.get("missing")
        if rare is None and feature.get("rare"):
            rare = codes.get(feature["rare"])
        # A level that training has not seen counts as rare, else as missing.
        unknown = missing if rare is None else rare

        def code(cell: Any, codes: Any = codes, missing: Any = missing, unknown: Any = unknown) -> float:
            if cell is None:
                return numpy.nan if missing is None else float(missing)
            text = str(cell).lower() if isinstance(cell, bool) else str(cell)
            found = codes.get(text, unknown)
            return numpy.nan if found is None else float(found)

        columns.append(numpy.array([code(cell) for cell in cells]))
    return numpy.column_stack(columns).astype(numpy.float32)


def auc(labels: Any, scores: Any) -> float:
    """The Mann-Whitney statistic with ties at their mean rank."""
    _values, places, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    ranks = (numpy.cumsum(counts) - (counts - 1) / 2)[places]
    positive = labels == 1
    n, m = positive.sum(), (~positive).sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def compare(report: _bench.Report, project: _bench.Project, name: str, model: str, table: str, key: str) -> None:
    boosted(project)
    usage = project.run("--json", codes=(0, 2))
    run = json.loads(usage.output)["models"][0]["run"]
    scores = project.scores(run)
    record = json.loads(artifact(project, run, "model.json").read_text())
    features = record["signature"]["columns"]
    rows: dict[str, Any] = {}
    for file in project.table_files(table):
        for column, cells in _bench.parquet(file).items():
            rows.setdefault(column, []).extend(list(cells))
    places = {str(cell): place for place, cell in enumerate(rows[key])}
    order = [places[str(cell)] for cell in scores["key"]]
    matrix = encoded(rows, features, order)
    parts = numpy.array(scores["part"])
    labels = numpy.array(scores["label"], dtype=float)
    ours = numpy.array(scores["probability"], dtype=float)[parts == "test"]
    kinds = ["c" if feature["type"] == "category" else "q" for feature in features]

    def data(part: str) -> Any:
        chosen = parts == part
        return xgboost.DMatrix(matrix[chosen], labels[chosen], feature_types=kinds, enable_categorical=True)

    train, test = data("train"), data("test")
    settings: dict[str, Any] = {
        pair.split(":")[0].strip(): float(pair.split(":")[1]) for pair in SETTINGS.strip("{}").split(",")
    } | {"objective": "binary:logistic", "tree_method": "hist", "seed": 42, "nthread": 1, "eval_metric": "logloss"}
    settings["max_depth"] = int(settings["max_depth"])
    held = {"evals": [(data("validation"), "held")], "early_stopping_rounds": PATIENCE} \
        if (parts == "validation").any() else {}
    booster = xgboost.train(settings, train, ROUNDS, verbose_eval=False, **held)
    last = booster.best_iteration + 1 if held else ROUNDS
    theirs = booster.predict(test, iteration_range=(0, last))
    truth = labels[parts == "test"]
    report.equal(f"{name}: rounds", record["rounds"], last, last)
    report.near(f"{name}: test ROC-AUC", round(auc(truth, ours), 4), round(auc(truth, theirs), 4), 0)
    loaded = xgboost.Booster()
    loaded.load_model(str(artifact(project, run, "model.ubj")))
    again = loaded.predict(xgboost.DMatrix(matrix[parts == "test"], feature_types=kinds, enable_categorical=True))
    others = int((again != theirs).sum())
    report.equal(f"{name}: test rows that the library scores otherwise than its own model", others, 0)
    worst = float(numpy.max(numpy.abs(ours - again) / numpy.spacing(again)))
    report.at_most(f"{name}: most by which our evaluator differs, in units of the last place of a float", worst, 1)
    report.add(f"{name}: CPU s of the whole run", usage.cpu)


report = _bench.Report("xgboost_equality", data="public")
with _bench.scratch() as folder:
    project = _bench.Project.from_template(f"{folder}/readmission", "readmission", _bench.data(_bench.READMISSION))
    compare(report, project, "readmission", "readmission", "gold.encounters", "encounter_id")
    project = _bench.Project.from_template(f"{folder}/downtime", "downtime", _bench.data(_bench.DOWNTIME))
    compare(report, project, "downtime", "downtime", "gold.readings", "reading_id")
    source = pathlib.Path(__file__).parent / "adult"
    project = _bench.Project.copied(f"{folder}/adult", source, "adult", _bench.data(_bench.ADULT))
    compare(report, project, "adult", "adult", "gold.adult", "row_number")
    raw = f"{folder}/lab"
    _bench.measured([_bench.martlet(), "generate", "lab-delay", "--seed", "7", "-o", raw])
    _bench.measured([_bench.martlet(), "init", f"{folder}/lab-delay", "--template", "lab-delay"])
    project = _bench.Project(f"{folder}/lab-delay")
    for path in pathlib.Path(raw).iterdir():
        if path.is_dir():
            target = project.folder / "landing" / path.name
            target.mkdir(parents=True, exist_ok=True)
            for log in path.iterdir():
                log.rename(target / log.name)
    compare(report, project, "lab-delay", "lab-delay", "gold.experiments", "experiment_id")
report.end()
