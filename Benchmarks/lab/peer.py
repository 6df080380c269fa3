"""Peer for the lab benchmarks: LightGBM for Python on the same gold table, with the same split and parameters.

Usage: peer.py GOLD_PARQUET...
Rows in order of submission (ties by experiment_id): 70 % train, 10 % to stop on, 20 % test. Text columns are
categories. Prints one JSON line: keys, labels and probabilities of the test rows.
"""
import json
import sys

import arro3.io
import lightgbm
import numpy
import pandas

PARAMETERS = dict(
    objective="binary", num_leaves=8, learning_rate=0.05, min_data_in_leaf=60, bagging_fraction=0.8, bagging_freq=1,
    feature_fraction=0.5, lambda_l2=5, path_smooth=5, num_threads=2, seed=42, verbosity=-1,
)


def table(file: str) -> pandas.DataFrame:
    found = arro3.io.read_parquet(file).read_all()
    return pandas.DataFrame({name: found.column(name).to_pylist() for name in found.column_names})


rows = pandas.concat([table(file) for file in sys.argv[1:]])
rows = rows.sort_values(["submitted_ts", "experiment_id"], ignore_index=True)
keys, labels = rows.pop("experiment_id"), rows.pop("delayed").to_numpy(dtype=int)
rows = rows.drop(columns="submitted_ts")
for name in rows:
    if rows[name].map(lambda cell: isinstance(cell, str)).any():
        rows[name] = rows[name].astype("category")
    else:
        rows[name] = rows[name].astype(float)
first, second = int(len(rows) * 0.7), int(len(rows) * 0.8)
train = lightgbm.Dataset(rows[:first], labels[:first], free_raw_data=False)
watched = lightgbm.Dataset(rows[first:second], labels[first:second], reference=train, free_raw_data=False)
model = lightgbm.train(
    PARAMETERS, train, 3000, valid_sets=[watched], callbacks=[lightgbm.early_stopping(100, verbose=False)])
print(json.dumps({
    "key": keys[second:].tolist(), "label": labels[second:].tolist(),
    "probability": numpy.asarray(model.predict(rows[second:])).tolist(),
}))
