"""Peer for the downtime benchmark: scikit-learn's random forest, 200 trees of depth 10 with balanced classes.

Usage: peer.py MACHINE_DOWNTIME_RAW_CSV [--seed 42] [--keys FILE.npz]
Rows and features as the downtime example's SQL makes them: negative pressures and vibrations are missing, missing
values stay missing (the forest takes NaN), three derived features; the key is the MD5 of what was measured.
Folds: within each class, rows ranked by (u, key) with u = first 8 bytes of SHA-256("SEED:KEY") / 2**64; the rank
modulo 5 is the fold. Prints one JSON line with means over the five folds.
"""
import argparse
import hashlib
import json
from typing import Any

import numpy
import pandas
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

SENSORS = [
    "hydraulic_pressure", "coolant_pressure", "air_system_pressure", "coolant_temperature",
    "hydraulic_oil_temperature", "spindle_bearing_temperature", "spindle_vibration", "tool_vibration",
    "spindle_speed", "voltage", "torque", "cutting",
]
FOLDS = 5


def uniform(seed: int, key: str) -> float:
    return int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8], "big") / 2**64


def load(path: str) -> tuple[Any, Any, Any]:
    rows = pandas.read_csv(path)
    # Headers carry the units, which differ between copies of the file: "Coolant_Temperature(°C)" and the like.
    rows.columns = [name.split("(")[0].strip().lower() for name in rows.columns]
    day = pandas.to_datetime(rows["date"], format="%d-%m-%Y").dt.strftime("%Y-%m-%d")
    values = rows[SENSORS].astype(float)

    def text(value: float) -> str:
        return "-" if value != value else repr(float(value))

    keys = [
        hashlib.md5("|".join([day.iloc[row], rows["machine_id"].iloc[row], *map(text, line)]).encode()).hexdigest()
        for row, line in enumerate(values.to_numpy())
    ]
    for name in ("hydraulic_pressure", "spindle_vibration"):
        values[name] = values[name].where(values[name] >= 0)
    values["pressure_differential"] = values["hydraulic_pressure"] - values["coolant_pressure"]
    values["vibration_ratio"] = values["tool_vibration"] / values["spindle_vibration"].replace(0, numpy.nan)
    values["pressure_force_interaction"] = values["hydraulic_pressure"] * values["cutting"]
    labels = (rows["downtime"] == "Machine_Failure").astype(int)
    # In the order of the key, one row a key, as the platform orders them: the bootstrap draws rows by number.
    table = values.assign(key=keys, label=labels).drop_duplicates("key").sort_values("key")
    return table["key"].to_numpy(str), table.drop(columns=["key", "label"]).to_numpy(), table["label"].to_numpy()


def fold_numbers(keys: Any, labels: Any, seed: int) -> Any:
    folds = numpy.empty(len(keys), int)
    for label in (0, 1):
        members = [row for row in range(len(keys)) if labels[row] == label]
        members.sort(key=lambda row: (uniform(seed, keys[row]), keys[row]))
        folds[members] = numpy.arange(len(members)) % FOLDS
    return folds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--keys")
    arguments = parser.parse_args()

    keys, features, labels = load(arguments.data)
    folds = fold_numbers(keys, labels, arguments.seed)
    figures = []
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        forest = RandomForestClassifier(
            200, max_depth=10, class_weight="balanced", n_jobs=2, random_state=arguments.seed)
        forest.fit(features[train], labels[train])
        probabilities = forest.predict_proba(features[test])[:, 1]
        decided = probabilities >= 0.5
        figures.append({
            "accuracy": accuracy_score(labels[test], decided), "f1": f1_score(labels[test], decided),
            "recall": recall_score(labels[test], decided), "precision": precision_score(labels[test], decided),
            "roc_auc": roc_auc_score(labels[test], probabilities),
        })
    if arguments.keys:
        numpy.savez(arguments.keys, key=keys, label=labels)
    means = {name: float(numpy.mean([figure[name] for figure in figures])) for name in figures[0]}
    print(json.dumps({"seed": arguments.seed, "rows": len(keys), **means}))


if __name__ == "__main__":
    main()
