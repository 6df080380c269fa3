"""Peer for the adult benchmark: LightGBM's Python package on the same rows and the same split.

Usage: peer.py ADULT_DATA [--seed 42]
Split: u = first 8 bytes of SHA-256("SEED:ROW") as a big-endian integer / 2**64 with ROW from 1; u < 0.8 is train,
the rest test. Trains LGBMClassifier as it comes (100 trees of 31 leaves) and with the parameters of martlet.yaml, and
prints one JSON line with both test ROC-AUCs; "roc_auc" is the better of the two.
"""
import argparse
import hashlib
import json

import lightgbm
import numpy
import pandas
from sklearn.metrics import roc_auc_score

NAMES = [
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship",
    "race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income",
]
SETTINGS = {
    "default": {},
    "same": dict(
        num_leaves=15, learning_rate=0.05, colsample_bytree=0.5, subsample=0.8, subsample_freq=1, n_estimators=500),
}


def uniform(seed: int, key: int) -> float:
    return int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8], "big") / 2**64


parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("--seed", type=int, default=42)
arguments = parser.parse_args()

rows = pandas.read_csv(arguments.data, names=NAMES, skipinitialspace=True, na_values="?")
train = numpy.array([uniform(arguments.seed, row) < 0.8 for row in range(1, len(rows) + 1)])
labels = (rows.income == ">50K").astype(int).to_numpy()
features = rows.drop(columns="income")
for column in features.select_dtypes(exclude="number"):
    features[column] = features[column].astype("category")

scores = {}
for name, settings in SETTINGS.items():
    model = lightgbm.LGBMClassifier(random_state=42, n_jobs=2, verbose=-1, **settings)
    model.fit(features[train], labels[train])
    scores[name] = float(roc_auc_score(labels[~train], model.predict_proba(features[~train])[:, 1]))
print(json.dumps({
    "rows": [int(train.sum()), int((~train).sum())],
    "roc_auc": max(scores.values()),
    "roc_auc_by_settings": scores,
    "lightgbm": lightgbm.__version__,
}))
