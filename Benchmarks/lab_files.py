"""lab_files: 2,160 daily files of a laboratory's four logs into bronze (and gold), then one more day.

Usage: make bench NAME=lab_files, or scripts/bench lab_files [--experiments 50000] [--seed 7] [--project FOLDER]
Made-up logs (`martlet generate lab-delay`) of 540 days. All days but the last come first; the whole of the last one, a
file a log, is the day that comes later. With --project, contracts, transforms and martlet.yaml are those of that
folder (examples/lab-delay) and `martlet run --to transform` is measured; without it, contracts are made here and it
is `martlet ingest`.
"""
import argparse
import json
import pathlib
import shutil

import _bench

SOURCES = {
    "workflow_logs": (
        "experiment_id", "experiment_id text, submitted_ts timestamp, experiment_type text, priority text, "
        "scientist_id text, experience text, instrument_id text, n_steps integer, planned_start_ts timestamp, "
        "planned_duration_min double, reagent_id text, required_units double, actual_end_ts timestamp, "
        "delay_min double, delayed integer"),
    "queue_logs": (
        "queue_event_id", "queue_event_id bigint, experiment_id text, instrument_id text, enqueue_ts timestamp, "
        "queue_length_at_enqueue integer, backlog_min_at_enqueue double, lab_active_jobs_at_enqueue integer, "
        "priority text, dequeue_ts timestamp, wait_min double"),
    "instrument_telemetry": (
        "instrument_id, ts", "ts timestamp, instrument_id text, vibration_mm_s double, temperature_c double, "
        "pressure_bar double, error_count integer, days_since_calibration integer"),
    "reagent_logs": (
        "", "ts timestamp, reagent_id text, lot_id text, event_type text, quantity_units double, "
        "stock_after_units double, lot_expiry_ts timestamp, lot_qc_status text, expected_delivery_ts timestamp, "
        "storage_excursion_48h integer"),
}


def contracts(folder):
    (folder / "contracts").mkdir(parents=True)
    (folder / "martlet.yaml").write_text("name: lab\nsources:\n" + "".join(f"  {name}: {{}}\n" for name in SOURCES))
    for name, (key, columns) in SOURCES.items():
        lines = [f"key: [{key}]"] if key else []
        lines.append("columns:")
        lines += [f"  {column}: {{type: {kind}}}" for column, kind in (c.split(" ") for c in columns.split(", "))]
        (folder / f"contracts/{name}.yaml").write_text("\n".join(lines) + "\n")


parser = argparse.ArgumentParser()
parser.add_argument("--experiments", type=int, default=50000)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--project")
arguments = parser.parse_args()

report = _bench.Report("lab_files")
with _bench.scratch() as scratch:
    logs, folder = pathlib.Path(scratch) / "logs", pathlib.Path(scratch) / "lab"
    made = _bench.measured([
        _bench.martlet(), "generate", "lab-delay", "--experiments", arguments.experiments, "--seed", arguments.seed,
        "--output", logs])
    report.at_most("generator, wall s", made.wall, 10)
    if arguments.project:
        shutil.copytree(arguments.project, folder, ignore=shutil.ignore_patterns("landing", ".martlet"))
        command = ("run", "--to", "transform")
    else:
        contracts(folder)
        command = ("ingest",)
    later = []
    for source in SOURCES:
        landing = folder / "landing" / source
        shutil.copytree(logs / source, landing)
        last = max(landing.glob("*.csv"))
        later.append((last, last.rename(logs / source / f"late-{last.name}")))
    project = _bench.Project(folder)
    cold = project.martlet(*command)
    for path, waiting in later:
        waiting.rename(path)
    day = project.martlet(*command)
    again = project.martlet(*command)
    files = sum(len(list((folder / "landing" / source).glob("*.csv"))) for source in SOURCES)
    report.add("files, all days", files)
    report.at_most("cold, wall s", cold.wall, 60)
    report.add("cold, CPU s", cold.cpu)
    report.add("cold, peak resident MB", cold.peak_mb)
    report.at_most("one more day, wall s", day.wall, 3)
    report.add("one more day, CPU s", day.cpu)
    report.add("nothing new, CPU s", again.cpu)
    for source in SOURCES:
        sql = f"SELECT count(*) AS n, count(DISTINCT _file) AS files FROM bronze.{source}"
        counted = json.loads(project.martlet("lake", "sql", "--json", sql).output)[0]
        written = sum(len(path.read_text().splitlines()) - 1 for path in (folder / "landing" / source).glob("*.csv"))
        report.equal(f"rows of {source}", counted["n"], written)
report.end()
