"""forest_speed: our forest evaluator in process against LightGBM's and XGBoost's C interfaces in the same process, in
turns, one thread each, by CPU time; lleaves and scikit-learn beside it.

Usage: make bench NAME=forest_speed [MODELS], where MODELS are some of boosted, forest, champion, xgboost.

boosted   200 trees of 31 leaves on 40 columns, trained by LightGBM on made-up data
forest    Martlet's own random forest of the example downtime: 200 trees of depth 10
champion  the champion of the example lab-delay
xgboost   200 trees of 31 leaves on 40 columns, trained by XGBoost
"""
import json
import os
import pathlib
import sys
import time

import numpy

import _bench
import _forests

ROUNDS = 9
LIBRARIES = {"lightgbm": "lib_lightgbm", "json": "libxgboost"}


def made_up(rows: int, seed: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """40 columns: normal, log-normal, small whole numbers, rounded; 2 % missing in the last ten."""
    rng = numpy.random.default_rng(seed)
    x = rng.normal(size=(rows, 40))
    x[:, 10:20] = numpy.exp(x[:, 10:20])
    x[:, 20:25] = rng.integers(0, 20, size=(rows, 5))
    x[:, 25:30] = numpy.round(x[:, 25:30], 1)
    x[:, 30:40][rng.random((rows, 10)) < 0.02] = numpy.nan
    z = numpy.nan_to_num(x)
    margin = numpy.tanh(z) @ numpy.linspace(1, 0.05, 40) * 0.4 + numpy.sin(z[:, 0] * 2) + z[:, 1] * z[:, 2] * 0.5
    margin += (z[:, 20] > 10) * z[:, 3]
    return x, (rng.random(rows) < 1 / (1 + numpy.exp(-margin))).astype(int)


def boosted(path: str) -> tuple[str, numpy.ndarray]:
    import lightgbm

    x, y = made_up(100_000, 7)
    parameters = {"objective": "binary", "num_leaves": 31, "learning_rate": 0.05, "num_threads": 2, "verbose": -1,
                  "seed": 1}
    lightgbm.train(parameters, lightgbm.Dataset(x, y), 200).save_model(path)
    return "lightgbm", made_up(20_000, 8)[0]


def xgboosted(path: str) -> tuple[str, numpy.ndarray]:
    import xgboost

    x, y = made_up(100_000, 7)
    data = xgboost.QuantileDMatrix(x.astype(numpy.float32), y)
    parameters = {"objective": "binary:logistic", "tree_method": "hist", "grow_policy": "lossguide", "max_leaves": 31,
                  "max_depth": 0, "eta": 0.05, "nthread": 2}
    booster = xgboost.train(parameters, data, 200)
    booster.save_model(path + ".json")
    os.rename(path + ".json", path)
    return "json", made_up(20_000, 8)[0].astype(numpy.float32).astype(float)


def forest(path: str) -> tuple[str, numpy.ndarray]:
    return "lightgbm", _forests.example("downtime", path)


def champion(path: str) -> tuple[str, numpy.ndarray]:
    return "lightgbm", _forests.example("lab-delay", path)


def lleaves(path: str, rows: numpy.ndarray) -> float:
    import lleaves as compiler

    model = compiler.Model(path)
    model.compile()
    times = []
    for _ in range(5):
        start = time.thread_time()
        model.predict(rows, n_jobs=1)
        times.append((time.thread_time() - start) / len(rows) * 1e6)
    return float(numpy.median(times))


def scikit_single(columns: int) -> float:
    """A forest of 200 trees of depth 10 on as many columns, one row a call. The call's cost is that of 200 calls of
    trees, whatever is in them."""
    from sklearn.ensemble import RandomForestClassifier

    x, y = made_up(5_000, 3)
    x = numpy.nan_to_num(numpy.resize(x, (5_000, columns)))
    model = RandomForestClassifier(200, max_depth=10, n_jobs=1, random_state=1).fit(x, y)
    times = []
    for row in range(40):
        start = time.thread_time()
        model.predict_proba(x[row:row + 1])
        times.append((time.thread_time() - start) * 1e6)
    return float(numpy.median(times))


MODELS = {"boosted": boosted, "forest": forest, "champion": champion, "xgboost": xgboosted}
chosen = sys.argv[1:] or list(MODELS)
report = _bench.Report("forest_speed", data="mixed")
_forests.build()
with _bench.scratch() as folder:
    for name in chosen:
        path = f"{folder}/{name}"
        format, rows = MODELS[name](path)
        rows.astype("<f8").tofile(f"{path}.rows")
        library = _bench.ROOT / f".deps/lib/{LIBRARIES[format]}.so"
        output = _bench.measured([_forests.PROGRAM, "time", format, path, f"{path}.rows", library, ROUNDS]).output
        found = json.loads(output)
        lines = pathlib.Path(path).read_text()
        shape = f"{lines.count('Tree=')} trees, " if format == "lightgbm" else ""
        print(f"{name}: {shape}{rows.shape[1]} columns, loaded in {found['loading_s']:.3f} s", file=sys.stderr)
        single, batch = (found["single"], found["peer_single"]), (found["batch"], found["peer_batch"])
        if format == "json":
            report.add(f"{name}: single row, µs", *single)
            report.ratio_at_most(f"{name}: batch, µs a row", *batch, 1)
        else:
            report.ratio_at_most(f"{name}: single row, µs", *single, 0.5)
            bound = {"boosted": 1 / 3.5, "champion": 0.5}.get(name)
            if bound:
                report.ratio_at_most(f"{name}: batch, µs a row", *batch, bound)
            else:
                report.add(f"{name}: batch, µs a row", *batch)
        report.equal(f"{name}: calls of malloc in 1,000 single rows", found["mallocs"], 0)
        if name == "boosted":
            report.ratio_at_most(f"{name}: batch beside lleaves, µs a row", batch[0], lleaves(path, rows), 1)
        if name == "forest":
            report.ratio_at_most(
                f"{name}: single row beside scikit-learn, µs", single[0], scikit_single(rows.shape[1]), 1 / 20)
report.end()
