"""What the benchmarks of the forest evaluator share: models in files, what their library predicts, what ours does."""
from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy
import xgboost

import _bench

if TYPE_CHECKING:
    import lightgbm

PROGRAM = _bench.ROOT / ".build/release/forestbench"
EXPLAINED = 20


class Case:
    """A model file, rows, and what the library says of them."""

    def __init__(
        self, family: str, format: str, path: str, rows: numpy.ndarray, margins: numpy.ndarray, scores: numpy.ndarray,
        contributions: numpy.ndarray | None,
    ) -> None:
        self.family, self.format, self.path, self.rows = family, format, path, rows
        self.margins, self.scores, self.contributions = margins, scores, contributions
        rows.astype("<f8").tofile(f"{path}.rows")

    @property
    def line(self) -> str:
        return f"{self.format} {self.path} {self.path}.rows {self.path}.out"


def build() -> None:
    """Builds the program that calls our evaluator."""
    flags = ["-c", "release", "--pkg-config-path", str(_bench.ROOT / ".deps/lib/pkgconfig"), "--product", "forestbench"]
    built = subprocess.run(["swift", "build", *flags], cwd=_bench.ROOT, capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(f"bench: forestbench does not build\n{built.stdout}{built.stderr}")


def example(template: str, path: str) -> numpy.ndarray:
    """Makes and runs an example's project, writes its model file to `path`, and gives 20,000 rows drawn evenly from the
    ranges and categories that the file tells of each feature, 2 % missing."""
    with _bench.scratch() as folder:
        data = {"downtime": _bench.DOWNTIME, "readmission": _bench.READMISSION}.get(template)
        if data:
            project = _bench.Project.from_template(f"{folder}/p", template, _bench.data(data))
        else:
            project = _laboratory(folder)
        answer = json.loads(project.run("--json", codes=(0, 2)).output)
        project.martlet("runs", "artifact", answer["models"][0]["run"], "model.txt", "-o", path)
    with open(path) as file:
        infos = next(line for line in file if line.startswith("feature_infos=")).strip().split("=", 1)[1].split(" ")
    rng = numpy.random.default_rng(5)
    columns = []
    for info in infos:
        if info == "none":
            column = numpy.full(20_000, numpy.nan)
        elif info.startswith("["):
            low, high = (float(bound) for bound in info[1:-1].split(":"))
            column = rng.uniform(low, high, 20_000)
        else:
            column = rng.choice([float(code) for code in info.split(":")], 20_000)
        column[rng.random(20_000) < 0.02] = numpy.nan
        columns.append(column)
    return numpy.column_stack(columns)


def _laboratory(folder: str) -> _bench.Project:
    """A project of lab-delay with the made-up logs of each source landed as one file."""
    _bench.measured([_bench.martlet(), "generate", "lab-delay", "-o", f"{folder}/raw"])
    _bench.measured([_bench.martlet(), "init", f"{folder}/p", "--template", "lab-delay"])
    for source in ("workflow_logs", "queue_logs", "instrument_telemetry", "reagent_logs"):
        days = sorted(pathlib.Path(folder, "raw", source).iterdir())
        with open(f"{folder}/p/landing/{source}/all.csv", "w") as landed:
            landed.write(days[0].read_text())
            landed.writelines(day.read_text().split("\n", 1)[1] for day in days[1:])
    return _bench.Project(f"{folder}/p")


def lightgbm_thresholds(model: lightgbm.Booster) -> list[list[float]]:
    found: list[list[float]] = [[] for _ in range(model.num_feature())]

    def visit(node: dict[str, Any]) -> None:
        if "split_feature" in node:
            if node["decision_type"] == "<=":
                found[node["split_feature"]].append(node["threshold"])
            visit(node["left_child"])
            visit(node["right_child"])

    for tree in model.dump_model()["tree_info"]:
        visit(tree["tree_structure"])
    return found


def xgboost_trees(model: xgboost.Booster) -> list[dict[str, Any]]:
    booster = json.loads(bytes(model.save_raw("json")))["learner"]["gradient_booster"]
    return (booster["gbtree"] if booster["name"] == "dart" else booster)["model"]["trees"]


def xgboost_thresholds(model: xgboost.Booster, columns: int) -> list[list[float]]:
    found: list[list[float]] = [[] for _ in range(columns)]
    for tree in xgboost_trees(model):
        for node, left in enumerate(tree["left_children"]):
            if left != -1:
                found[tree["split_indices"][node]].append(float(numpy.float32(tree["split_conditions"][node])))
    return found


def lightgbm_case(path: str, model: lightgbm.Booster, rows: numpy.ndarray) -> Case:
    model.save_model(path)
    return Case(
        "lightgbm", "lightgbm", path, rows, model.predict(rows, raw_score=True, num_threads=1),
        model.predict(rows, num_threads=1), model.predict(rows[:EXPLAINED], pred_contrib=True, num_threads=1))


def xgboost_case(path: str, model: xgboost.Booster, rows: numpy.ndarray, kinds: list[str], binary: bool) -> Case:
    """An infinity is refused by a DMatrix, so it is replaced where a DMatrix is needed (by the library's DART and for
    contributions); rows with infinities are otherwise predicted in place."""
    model.set_param({"nthread": 1})
    model.save_model(f"{path}.{'ubj' if binary else 'json'}")
    with numpy.errstate(over="ignore", invalid="ignore"):
        floats = rows.astype(numpy.float32)
    codes = numpy.array([kind == "c" for kind in kinds])
    dart = json.loads(model.save_config())["learner"]["gradient_booster"]["name"] == "dart"
    finite = numpy.where(numpy.isinf(floats), numpy.float32(3e38), floats)
    # The library's DMatrix also refuses codes that cannot be.
    bad = codes & ((finite < 0) | (finite >= 16777216))
    finite[bad] = 1
    if dart:
        rows, floats = finite.astype(float), finite
    else:
        rows[:EXPLAINED], floats[:EXPLAINED] = finite[:EXPLAINED], finite[:EXPLAINED]
    matrix = xgboost.DMatrix(floats if dart else finite[:EXPLAINED], feature_types=kinds, enable_categorical=True)
    if dart:
        margins, scores = model.predict(matrix, output_margin=True), model.predict(matrix)
        matrix = matrix.slice(range(EXPLAINED))
    else:
        margins = model.inplace_predict(floats, predict_type="margin", validate_features=False)
        scores = model.inplace_predict(floats, validate_features=False)
    contributions = model.predict(matrix, pred_contribs=True)
    format = "ubj" if binary else "json"
    return Case("xgboost", format, f"{path}.{format}", rows, margins, scores, contributions)


def predicted(folder: str, cases: list[Case]) -> list[tuple[numpy.ndarray, numpy.ndarray]]:
    """Ours: for each case margin, score, batch score and the contributions of the first rows."""
    build()
    with open(f"{folder}/list", "w") as file:
        file.writelines(case.line + "\n" for case in cases)
    _bench.measured([PROGRAM, "predict", f"{folder}/list"])
    answers = []
    for case in cases:
        numbers = numpy.fromfile(f"{case.path}.out", "<f8")
        rows = len(case.rows)
        answers.append((numbers[:4 * rows].reshape(rows, 4), numbers[4 * rows:].reshape(EXPLAINED, -1)))
    return answers


class Check(NamedTuple):
    """Rows whose values are the library's, and how far the contributions are from it."""

    rows: int
    margins: int
    scores: int
    batches: int
    contributions: float
    sums: float


def compared(case: Case, answer: tuple[numpy.ndarray, numpy.ndarray]) -> Check:
    table, contributions = answer
    if case.family == "lightgbm":
        margins = int((table[:, 0].view("<u8") == case.margins.astype("<f8").view("<u8")).sum())
        scores = int((table[:, 1].view("<u8") == case.scores.astype("<f8").view("<u8")).sum())
    else:
        ours, theirs = table[:, 0].astype("<f4"), case.margins.astype("<f4")
        margins = int(((ours.view("<u4") == theirs.view("<u4")) & (ours == table[:, 0])).sum())
        ours, theirs = table[:, 1].astype("<f4"), case.scores.astype("<f4")
        scores = int((numpy.abs(ours.view("<i4").astype(int) - theirs.view("<i4").astype(int)) <= 1).sum())
    batches = int((table[:, 2].view("<u8") == table[:, 1].view("<u8")).sum())
    scale = numpy.maximum(numpy.abs(case.contributions).max(axis=1), 1)
    apart = float((numpy.abs(contributions - case.contributions).max(axis=1) / scale).max())
    sums = float((numpy.abs(table[:EXPLAINED, 3] - table[:EXPLAINED, 0]) / scale).max())
    check = Check(len(table), margins, scores, batches, apart, sums)
    faults = check.rows - min(margins, scores, batches)
    if faults:
        print(f"bench: {case.path} ({case.family}): {faults} of {check.rows} rows differ", file=sys.stderr)
    return check
