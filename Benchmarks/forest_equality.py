"""forest_equality: 200 models that LightGBM and XGBoost train with random parameters on awkward data, 1,000 rows each,
and the models of the three examples: our evaluator's predictions against the libraries' own.

Usage: make bench NAME=forest_equality [MODELS]. LightGBM: margins and scores equal to the bit, one row at a time and in
a batch. XGBoost: margins equal to the bit, probabilities within one unit in the last place of a float. Contributions:
within 1e-9 (LightGBM), 1e-4 (XGBoost computes them in floats) of the greatest of the row.
"""
import sys

import lightgbm
import numpy
import xgboost

import _bench
import _forests

ROWS = 1_000
# LightGBM goes on where these would divide by 0, or names what it does not do.
AWKWARD = numpy.array([
    0.0, -0.0, 1e-35, -1e-35, 1.0000000180025095e-35, 2e-35, -2e-35, 5e-324, -5e-324, 1e-310, 1e-40, -1e-40,
    numpy.inf, -numpy.inf, numpy.nan, 1e300, -1e300, 3.5e38, -3.5e38, 1.0, -1.0, -0.5, 0.5, 16777216.0, 2147483648.0,
    4294967296.0, 1e18, -3.0,
])


def table(rng: numpy.random.Generator, rows: int, columns: int, categories: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Columns of mixed character; the last `categories` hold codes."""
    values = rng.normal(size=(rows, columns))
    for column in range(columns):
        kind = rng.integers(6)
        if kind == 1:
            values[:, column] = numpy.exp(3 * values[:, column])
        elif kind == 2:
            values[:, column] = rng.integers(-3, 4, rows)
        elif kind == 3:
            values[:, column] = numpy.round(values[:, column], 1)
        elif kind == 4:
            values[rng.random(rows) < 0.7, column] = 0
        elif kind == 5:
            values[:, column] *= 10.0 ** rng.integers(-320, -30)
    for column in range(columns - categories, columns):
        values[:, column] = rng.integers(0, rng.integers(2, 70), rows)
    weights = rng.normal(size=columns)
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / numpy.where(spread > 0, spread, 1)
    codes = scaled[:, columns - categories:]
    z = numpy.tanh(scaled) @ weights + numpy.sin(3 * codes).sum(axis=1) + scaled[:, 0] * scaled[:, 1]
    labels = (rng.random(rows) < 1 / (1 + numpy.exp(-z))).astype(float)
    labels[:2] = (0, 1)
    values[rng.random(values.shape) < rng.choice([0, 0.02, 0.3])] = numpy.nan
    return values, labels


def probes(
    rng: numpy.random.Generator, values: numpy.ndarray, thresholds: list[list[float]], categories: int,
) -> numpy.ndarray:
    """Rows to predict: training rows, with cells set to thresholds, their neighbours, and awkward numbers."""
    rows = values[rng.integers(0, len(values), ROWS)].copy()
    columns = rows.shape[1]
    for row in range(ROWS):
        for column in rng.integers(0, columns, rng.integers(0, columns)):
            chosen = rng.integers(4)
            if chosen == 0:
                rows[row, column] = rng.choice(AWKWARD)
            elif chosen == 1 and len(thresholds[column]):
                tie = rng.choice(thresholds[column])
                rows[row, column] = rng.choice([tie, numpy.nextafter(tie, -numpy.inf), numpy.nextafter(tie, numpy.inf)])
            elif chosen == 2 and column >= columns - categories:
                rows[row, column] = rng.choice([-1, 0.9, 31, 32, 33, 63, 64, 70, 200, 1e6, numpy.nan])
    return rows


def lightgbm_model(
    rng: numpy.random.Generator, values: numpy.ndarray, labels: numpy.ndarray, categories: int,
) -> lightgbm.Booster:
    columns = values.shape[1]
    boosting = rng.choice(["gbdt", "gbdt", "gbdt", "dart", "rf"])
    parameters = {
        "objective": str(
            rng.choice(["binary", "binary", "binary", "cross_entropy", "regression", "huber", "quantile"])),
        "boosting": str(boosting), "num_leaves": int(rng.choice([2, 3, 8, 31, 63, 64, 65, 255, 400])),
        "max_depth": int(rng.choice([-1, -1, 3, 10])), "learning_rate": float(rng.uniform(0.02, 0.5)),
        "min_data_in_leaf": int(rng.choice([1, 5, 20])), "max_bin": int(rng.choice([2, 15, 63, 255, 1000])),
        "min_data_in_bin": int(rng.choice([1, 3])), "extra_trees": bool(rng.integers(2)),
        "zero_as_missing": bool(rng.random() < 0.3), "use_missing": bool(rng.random() < 0.8),
        "sigmoid": float(rng.choice([1, 1, 0.7, 2])), "lambda_l2": float(rng.choice([0, 1])),
        "bagging_fraction": 0.7, "bagging_freq": 1, "feature_fraction": float(rng.choice([0.5, 1])),
        "max_cat_to_onehot": int(rng.choice([1, 4, 100])), "min_data_per_group": int(rng.choice([1, 50])),
        "cat_smooth": float(rng.choice([0.1, 10])), "boost_from_average": bool(rng.integers(2)),
        "verbose": -1, "num_threads": 1, "seed": int(rng.integers(1 << 30)), "feature_pre_filter": False,
    }
    if rng.random() < 0.3 and not categories and parameters["objective"] != "quantile":
        parameters["monotone_constraints"] = [int(sign) for sign in rng.integers(-1, 2, columns)]
    data = lightgbm.Dataset(values, labels, categorical_feature=list(range(columns - categories, columns)))
    return lightgbm.train(parameters, data, int(rng.integers(1, 60)))


def xgboost_model(
    rng: numpy.random.Generator, values: numpy.ndarray, labels: numpy.ndarray, categories: int,
) -> tuple[xgboost.Booster, list[str]]:
    columns = values.shape[1]
    parameters = {
        "objective": str(rng.choice(["binary:logistic", "binary:logistic", "reg:logistic", "binary:logitraw",
                                     "reg:squarederror"])),
        "booster": str(rng.choice(["gbtree", "gbtree", "gbtree", "dart"])), "rate_drop": 0.3,
        "tree_method": str(rng.choice(["hist", "hist", "approx"] + ([] if categories else ["exact"]))),
        "max_depth": int(rng.choice([1, 3, 6, 10])), "eta": float(rng.uniform(0.02, 0.7)),
        "max_bin": int(rng.choice([2, 16, 256, 1000])), "min_child_weight": float(rng.choice([0, 1, 5])),
        "subsample": float(rng.choice([0.6, 1])), "colsample_bytree": float(rng.choice([0.5, 1])),
        "max_cat_to_onehot": int(rng.choice([1, 4, 100])), "nthread": 1, "verbosity": 0,
        "seed": int(rng.integers(1 << 30)),
    }
    if parameters["tree_method"] == "hist" and rng.integers(2):
        parameters |= {"grow_policy": "lossguide", "max_leaves": int(rng.choice([4, 31, 200])), "max_depth": 0}
    if rng.random() < 0.4:
        parameters["base_score"] = float(rng.choice([0.5, 0.1, 0.999]))
    if rng.random() < 0.3 and not categories:
        parameters["monotone_constraints"] = str(tuple(int(sign) for sign in rng.integers(-1, 2, columns)))
    kinds = ["q"] * (columns - categories) + ["c"] * categories
    data = xgboost.DMatrix(values.astype(numpy.float32), labels, feature_types=kinds, enable_categorical=True)
    return xgboost.train(parameters, data, int(rng.integers(1, 60))), kinds


def one(seed: int, folder: str) -> _forests.Case:
    """Trains a model; gives what our program is to predict and what the library says."""
    rng = numpy.random.default_rng(seed)
    columns = int(rng.integers(3, 30))
    categories = int(rng.choice([0, 0, 1, 3]))
    values, labels = table(rng, int(rng.choice([300, 2_000])), columns, categories)
    if seed % 2 == 0:
        model = lightgbm_model(rng, values, labels, categories)
        rows = probes(rng, values, _forests.lightgbm_thresholds(model), categories)
        return _forests.lightgbm_case(f"{folder}/{seed}", model, rows)
    model, kinds = xgboost_model(rng, values, labels, categories)
    rows = probes(rng, values, _forests.xgboost_thresholds(model, columns), categories)
    return _forests.xgboost_case(f"{folder}/{seed}", model, rows, kinds, binary=seed % 4 == 1)


def example(template: str, folder: str) -> _forests.Case:
    """The model of an example, on rows drawn from the ranges of its features."""
    rng = numpy.random.default_rng(9)
    path = f"{folder}/{template}"
    rows = _forests.example(template, path)
    model = lightgbm.Booster(model_file=path)
    return _forests.lightgbm_case(path, model, probes(rng, rows, _forests.lightgbm_thresholds(model), 0))


report = _bench.Report("forest_equality", data="mixed")
count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
with _bench.scratch() as folder:
    cases = [one(seed, folder) for seed in range(count)]
    cases += [example(template, folder) for template in ("downtime", "lab-delay", "readmission")]
    answers = _forests.predicted(folder, cases)
    for family in ("lightgbm", "xgboost"):
        chosen = [(case, answer) for case, answer in zip(cases, answers, strict=True) if case.family == family]
        checks = [_forests.compared(case, answer) for case, answer in chosen]
        rows = sum(check.rows for check in checks)
        report.equal(f"{family}: models", len(checks), len(chosen))
        report.equal(f"{family}: margins equal to the bit", sum(check.margins for check in checks), rows)
        report.equal(f"{family}: scores as asked", sum(check.scores for check in checks), rows)
        report.equal(f"{family}: batch equal to single rows", sum(check.batches for check in checks), rows)
        tolerance = {"lightgbm": 1e-9, "xgboost": 1e-4}[family]
        report.at_most(f"{family}: contributions, greatest difference", max(c.contributions for c in checks), tolerance)
        report.at_most(f"{family}: sum of contributions - margin", max(c.sums for c in checks), tolerance)
report.end()
