"""Peer for the readmission benchmarks: what a data scientist would write with pandas, LightGBM and scikit-learn.

Usage: peer.py DIABETIC_DATA_CSV [--seed 42] [--scores FILE.npz]
Rows: encounters that end in death or hospice are left out; the positive class is a readmission within 30 days.
Split: by patient, u = first 8 bytes of SHA-256("SEED:PATIENT_NBR") as a big-endian integer / 2**64; u < 0.7 is train,
u < 0.8 validation, the rest test. Stops when the validation log loss has not improved for 100 rounds.
Prints one JSON line: figures on the test part, and CPU seconds ("cpu_s") of the import, of loading and making
features, of fit and predict, and of the metrics. --scores keeps the test rows' ids, labels and probabilities.
"""
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy
import pandas
from sklearn import metrics

CPU = {"import": time.process_time()}

# Not part of what is measured.
import argparse  # noqa: E402
import hashlib  # noqa: E402
import json  # noqa: E402

T = TypeVar("T")
DEATH_OR_HOSPICE = {"11", "13", "14", "19", "20", "21"}
AMOUNTS = [
    "time_in_hospital",
    "num_lab_procedures",
    "num_procedures",
    "num_medications",
    "number_outpatient",
    "number_emergency",
    "number_inpatient",
    "number_diagnoses",
]
CODES = [
    "race",
    "gender",
    "admission_type_id",
    "discharge_disposition_id",
    "admission_source_id",
    "payer_code",
    "medical_specialty",
    "max_glu_serum",
    "A1Cresult",
    "change",
    "diabetesMed",
    "insulin",
    "metformin",
    "glipizide",
    "glyburide",
    "pioglitazone",
    "rosiglitazone",
    "glimepiride",
    "repaglinide",
]
# ICD-9 chapters as half-open ranges of the code's number, with the symptom code that belongs to each (Strack 2014).
CHAPTERS = (
    ("circulatory", 390, 460, 785), ("respiratory", 460, 520, 786), ("digestive", 520, 580, 787),
    ("genitourinary", 580, 630, 788), ("injury", 800, 1000, None), ("musculoskeletal", 710, 740, None),
    ("neoplasms", 140, 240, None),
)
PARAMETERS = dict(
    n_estimators=2000, learning_rate=0.03, num_leaves=15, min_child_samples=100, subsample=0.8, subsample_freq=1,
    colsample_bytree=0.5, reg_lambda=10, cat_smooth=50, n_jobs=2, random_state=42, verbose=-1,
)


def chapter(code: str) -> str:
    """The group of one ICD-9 code."""
    if code == "?":
        return "missing"
    if code.startswith(("E", "V")):
        return "external_or_supplementary"
    number = float(code)
    if 250 <= number < 251:
        return "diabetes"
    for name, low, high, symptom in CHAPTERS:
        if low <= number < high or int(number) == symptom:
            return name
    return "other"


def make_features(rows: pandas.DataFrame) -> tuple[pandas.DataFrame, list[str]]:
    """The table of features, in a fixed order, and which of them are categorical."""
    columns = {"age": rows["age"].str.slice(1).str.split("-").str[0].astype(float) + 5}
    columns |= {name: rows[name].astype(float) for name in AMOUNTS}
    columns["visits_total"] = (
        columns["number_outpatient"] + columns["number_emergency"] + columns["number_inpatient"])
    for name, amount in (("meds_per_day", "num_medications"), ("labs_per_day", "num_lab_procedures")):
        columns[name] = columns[amount] / columns["time_in_hospital"]
    # The drugs are the columns between diabetes tests and the medication summary.
    names = list(rows.columns)
    drugs = rows[names[names.index("metformin"):names.index("change")]].to_numpy()
    columns["drugs"] = pandas.Series((drugs != "No").sum(axis=1), rows.index, float)
    columns["drugs_up"] = pandas.Series((drugs == "Up").sum(axis=1), rows.index, float)
    columns["drugs_down"] = pandas.Series((drugs == "Down").sum(axis=1), rows.index, float)
    categorical = list(CODES)
    columns |= {name: rows[name] for name in CODES}
    for place in (1, 2, 3):
        code = rows[f"diag_{place}"]
        columns[f"diag_group_{place}"] = code.map({text: chapter(text) for text in code.unique()})
        columns[f"diag_code_{place}"] = code.str.partition(".")[0]
        categorical += [f"diag_group_{place}", f"diag_code_{place}"]

    # The same patient's strictly earlier encounters; encounter_id rises with time.
    order = rows["encounter_id"].astype("int64").sort_values().index
    patient = rows["patient_nbr"].loc[order]
    early = (rows["readmitted"].loc[order] == "<30").astype(float)

    def previous(series: pandas.Series) -> pandas.Series:
        return series.loc[order].groupby(patient).shift(1)

    columns["earlier_encounters"] = patient.groupby(patient).cumcount().astype(float)
    columns["earlier_lt30"] = early.groupby(patient).cumsum() - early
    columns["previous_lt30"] = previous(early)
    columns["previous_stay"] = previous(columns["time_in_hospital"])
    columns["inpatient_change"] = columns["number_inpatient"] - previous(columns["number_inpatient"])
    return pandas.DataFrame(columns, index=rows.index), categorical


def uniform(seed: int, key: str) -> float:
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def debiased_ece(labels: Any, probabilities: Any, bins: int = 15) -> float:
    """Expected calibration error, L2 and debiased, in bins of equal mass (Roelofs et al. 2022)."""
    whole = 0.0
    for rows in numpy.array_split(numpy.argsort(probabilities, kind="stable"), bins):
        rate = labels[rows].mean()
        bias = rate * (1 - rate) / max(1, len(rows) - 1)
        whole += len(rows) / len(labels) * max(0.0, (probabilities[rows].mean() - rate) ** 2 - bias)
    return float(whole**0.5)


def load(path: str, seed: int) -> tuple[Any, Any, Any, Any]:
    rows = pandas.read_csv(path, dtype=str, keep_default_na=False)
    rows = rows[~rows["discharge_disposition_id"].isin(DEATH_OR_HOSPICE)].reset_index(drop=True)
    labels = (rows["readmitted"] == "<30").to_numpy(int)
    features, categorical = make_features(rows)
    patients = rows["patient_nbr"]
    place = patients.map({patient: uniform(seed, patient) for patient in patients.unique()}).to_numpy()
    parts = (place < 0.7, (place >= 0.7) & (place < 0.8), place >= 0.8)
    for name in categorical:
        # A level with fewer than 100 training rows becomes "rare".
        counts = features.loc[parts[0], name].value_counts()
        common = sorted(counts.index[counts >= 100])
        column = features[name]
        features[name] = pandas.Categorical(column.where(column.isin(common), "rare"), categories=[*common, "rare"])
    return rows["encounter_id"], features, labels, parts


def learn(features: pandas.DataFrame, labels: Any, parts: Any) -> tuple[int, Any]:
    import lightgbm

    train, validation, test = parts
    model = lightgbm.LGBMClassifier(**PARAMETERS)
    model.fit(
        features[train], labels[train], eval_set=[(features[validation], labels[validation])],
        eval_metric="binary_logloss", callbacks=[lightgbm.early_stopping(100, verbose=False)])
    return model.best_iteration_, model.predict_proba(features[test])[:, 1]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--scores")
    arguments = parser.parse_args()

    def phase(name: str, body: Callable[[], T]) -> T:
        start = time.process_time()
        value = body()
        CPU[name] = time.process_time() - start
        return value

    ids, features, labels, parts = phase("load+features", lambda: load(arguments.data, arguments.seed))
    trees, probabilities = phase("fit+predict", lambda: learn(features, labels, parts))
    truth = labels[parts[2]]
    figures = phase("metrics", lambda: {
        "roc_auc": metrics.roc_auc_score(truth, probabilities),
        "pr_auc": metrics.average_precision_score(truth, probabilities),
        "log_loss": metrics.log_loss(truth, probabilities),
        "brier": metrics.brier_score_loss(truth, probabilities),
        "ece": debiased_ece(truth, probabilities),
    })
    CPU["total"] = time.process_time()
    if arguments.scores:
        numpy.savez(
            arguments.scores, key=ids[parts[2]].to_numpy("int64"), label=truth, probability=probabilities)
    print(json.dumps({
        "seed": arguments.seed, "rows": [int(part.sum()) for part in parts], "trees": int(trees),
        **{name: float(value) for name, value in figures.items()},
        "cpu_s": {name: round(seconds, 3) for name, seconds in CPU.items()},
    }))


main()
