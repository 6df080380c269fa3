"""lab_generator: the made-up laboratory's logs against the figures that the process must show.

Usage: make bench NAME=lab_generator, or scripts/bench lab_generator [FOLDER...]
Without folders (each with the four log folders and truth.csv) it generates 50,000 experiments for seeds 7 and 1 to 5.
Each figure is taken from the logs alone, the Bayes figures from truth.csv. A figure passes within four standard
deviations of the mean, or within 0.5 % of it where that is wider.
"""

import hashlib
import pathlib
import sys

import duckdb
import numpy as np

import _bench

BANDS = {
    "prevalence": (0.2269, 0.013), "bayes_auc_all": (0.9836, 0.0014), "bayes_auc_last20": (0.9841, 0.0028),
    "bayes_ap_last20": (0.9632, 0.0079), "planned_min@0.5": (67.59, 0.11), "planned_min@0.95": (168.9, 1.3),
    "buffer_min@0.5": (166, 0.27), "buffer_min@0.95": (341.5, 0.54), "backlog_min@0.75": (30.57, 1.7),
    "backlog_min@0.95": (182.7, 19), "backlog_min@0.99": (413.4, 71), "queue_len@0.95": (2.333, 0.52),
    "occupancy@0.5": (0.64, 0), "occupancy@0.95": (2.307, 0.24), "workload_24h@0.95": (7, 0),
    "err24@0.75": (1, 0), "err24@0.99": (13, 0.63), "stock_ratio@0.5": (24.97, 0.38),
    "stock_ratio@0.95": (133.6, 1.8), "days_to_expiry@0.05": (10.79, 1), "days_to_expiry@0.5": (37.18, 1.1),
    "days_to_expiry@0.95": (95.86, 2.5), "n_steps@0.5": (5, 0), "n_steps@0.95": (11, 0),
    "delay_min@0.05": (-22.89, 0.25), "delay_min@0.5": (-1.789, 0.85), "delay_min@0.75": (25.77, 2.4),
    "delay_min@0.95": (104.5, 11), "stockout_share": (0.08278, 0.0034), "lot_borderline": (0.07147, 0.006),
    "excursion": (0.03438, 0.003),
}


LOGS = {
    "workflow_logs": (
        "experiment_id text, submitted_ts timestamp, experiment_type text, priority text, scientist_id text, "
        "experience text, instrument_id text, n_steps int, planned_start_ts timestamp, planned_duration_min double, "
        "reagent_id text, required_units double, actual_end_ts timestamp, delay_min double, delayed int"
    ),
    "queue_logs": (
        "queue_event_id int, experiment_id text, instrument_id text, enqueue_ts timestamp, "
        "queue_length_at_enqueue int, backlog_min_at_enqueue double, lab_active_jobs_at_enqueue int, priority text, "
        "dequeue_ts timestamp, wait_min double"
    ),
    "instrument_telemetry": (
        "ts timestamp, instrument_id text, vibration_mm_s double, temperature_c double, pressure_bar double, "
        "error_count int, days_since_calibration int"
    ),
    "reagent_logs": (
        "ts timestamp, reagent_id text, lot_id text, event_type text, quantity_units double, "
        "stock_after_units double, lot_expiry_ts timestamp, lot_qc_status text, expected_delivery_ts timestamp, "
        "storage_excursion_48h int"
    ),
}


def load(db: duckdb.DuckDBPyConnection, table: str, files: str, columns: str) -> None:
    """Declared types: guessing them anew for each of 540 files takes most of a minute."""
    types = dict(column.strip().split(" ") for column in f"{columns}, _synthetic boolean".split(","))
    db.execute(f"create table {table} as from read_csv('{files}', header=true, auto_detect=false, columns={types})")


def experiments(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """One row per experiment with what the process saw, rebuilt from the logs."""
    db = duckdb.connect()
    for log, columns in LOGS.items():
        load(db, log, f"{folder}/{log}/*.csv", columns)
    load(db, "truth", f"{folder}/truth.csv", "experiment_id text, p_delayed double")
    return db.execute("""
        with errors as (
            select instrument_id, ts, coalesce(sum(error_count) over (
                partition by instrument_id order by ts rows between 24 preceding and 1 preceding), 0) as err24
            from instrument_telemetry
        ),
        load as (
            select experiment_id, count(*) over (
                partition by scientist_id order by submitted_ts
                range between interval '86399 seconds' preceding and current row) as workload
            from workflow_logs
        )
        select w.planned_duration_min as planned_min, w.delay_min, w.delayed, w.n_steps, t.p_delayed,
            date_diff('second', w.submitted_ts, w.planned_start_ts) / 60 as buffer_min,
            q.backlog_min_at_enqueue as backlog_min, q.queue_length_at_enqueue as queue_len,
            q.lab_active_jobs_at_enqueue / 25 as occupancy, l.workload as workload_24h, e.err24,
            (r.stock_after_units - r.quantity_units) / w.required_units as stock_ratio,
            date_diff('second', r.ts, r.lot_expiry_ts) / 86400 as days_to_expiry,
            (r.event_type = 'stockout')::int as stockout, (r.lot_qc_status = 'borderline')::int as borderline,
            r.storage_excursion_48h as excursion
        from workflow_logs w
        join queue_logs q using (experiment_id) join load l using (experiment_id) join truth t using (experiment_id)
        join errors e on e.instrument_id = w.instrument_id and e.ts = date_trunc('hour', w.submitted_ts)
        join reagent_logs r on r.reagent_id = w.reagent_id and r.ts = w.submitted_ts
            and r.event_type in ('consume', 'stockout')
        order by w.submitted_ts
        """).fetchnumpy()


def roc_auc(label: np.ndarray, score: np.ndarray) -> float:
    order = np.argsort(score, kind="stable")
    _, group, count = np.unique(score[order], return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks = np.empty(len(score))
    ranks[order] = ((last - count + 1 + last) / 2)[group]
    positive = label.sum()
    return (ranks[label == 1].sum() - positive * (positive + 1) / 2) / (positive * (len(label) - positive))


def average_precision(label: np.ndarray, score: np.ndarray) -> float:
    hits = label[np.argsort(-score, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits == 1].mean())


def generate(folder: pathlib.Path, seed: int) -> _bench.Usage:
    return _bench.measured([
        _bench.martlet(), "generate", "lab-delay", "--experiments", 50000, "--seed", seed, "--output", folder])


def digest(folder: pathlib.Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.csv")):
        whole.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return whole.hexdigest()


def figures(folder: pathlib.Path) -> tuple[int, dict[str, float]]:
    rows = experiments(folder)
    label, p = rows["delayed"], rows["p_delayed"]
    late = slice(int(0.8 * len(label)), None)
    out = {
        "prevalence": label.mean(), "bayes_auc_all": roc_auc(label, p),
        "bayes_auc_last20": roc_auc(label[late], p[late]),
        "bayes_ap_last20": average_precision(label[late], p[late]), "stockout_share": rows["stockout"].mean(),
        "lot_borderline": rows["borderline"].mean(), "excursion": rows["excursion"].mean(),
    }
    for name in BANDS:
        column, _, quantile = name.partition("@")
        if quantile:
            out[name] = float(np.quantile(rows[column].astype(float), float(quantile)))
    return len(label), out


report = _bench.Report("lab_generator", data="synthetic")
with _bench.scratch() as scratch:
    folders = [pathlib.Path(folder) for folder in sys.argv[1:]]
    if not folders:
        for seed in (7, 1, 2, 3, 4, 5):
            folder = pathlib.Path(scratch) / f"seed-{seed}"
            made = generate(folder, seed)
            folders.append(folder)
            if seed == 7:
                report.at_most("50,000 experiments, wall s", made.wall, 10)
                report.equal("files", sum(1 for _ in folder.rglob("*.csv")), 2161)
        generate(pathlib.Path(scratch) / "again", 7)
        report.equal("same seed, same bytes", digest(pathlib.Path(scratch) / "again"), digest(folders[0]))
    table = {folder: figures(folder)[1] for folder in folders}
for name, (mean, deviation) in BANDS.items():
    band = max(4 * deviation, abs(mean) * 0.005)
    worst = max((out[name] for out in table.values()), key=lambda value: abs(value - mean))
    report.at_most(
        f"{name}: farthest of {len(table)} from {mean}, in bands", abs(worst - mean) / band if band else 0, 1
    )
report.end()
