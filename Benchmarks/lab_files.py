"""lab_files: 2,160 daily files of a laboratory's four logs from landing to gold, then one more day.

Usage: make bench NAME=lab_files, or scripts/bench lab_files [--experiments 50000] [--seed 7] [--project FOLDER]
Made-up logs (`martlet generate lab-delay`) of 540 days in a project from the template lab-delay, or in a copy of
FOLDER. All days but the last come first; the whole of the last one, a file a log, is the day that comes later. Then a
second project takes all days at once, and every silver and gold table must be the same in both, to the bit.
"""
import argparse
import json
import pathlib
import shutil

import _bench

SOURCES = ("workflow_logs", "queue_logs", "instrument_telemetry", "reagent_logs")

parser = argparse.ArgumentParser()
parser.add_argument("--experiments", type=int, default=50000)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--project")
arguments = parser.parse_args()

report = _bench.Report("lab_files", data="synthetic")
with _bench.scratch() as scratch:
    logs, folder = pathlib.Path(scratch) / "logs", pathlib.Path(scratch) / "lab"
    made = _bench.measured([
        _bench.martlet(), "generate", "lab-delay", "--experiments", arguments.experiments, "--seed", arguments.seed,
        "--output", logs])
    report.at_most("generator, wall s", made.wall, 10)
    whole = pathlib.Path(scratch) / "whole"
    for place in (folder, whole):
        if arguments.project:
            shutil.copytree(arguments.project, place, ignore=shutil.ignore_patterns("landing", ".martlet"))
        else:
            _bench.measured([_bench.martlet(), "init", place, "--template", "lab-delay"])
    command = ("run", "--to", "transform")
    later = []
    for source in SOURCES:
        landing = folder / "landing" / source
        shutil.copytree(logs / source, landing, dirs_exist_ok=True)
        shutil.copytree(logs / source, whole / "landing" / source, dirs_exist_ok=True)
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
    report.add("files, all days but the last", files - len(SOURCES))
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
    built = _bench.Project(whole)
    built.martlet(*command)
    for table in json.loads(project.martlet("lake", "tables", "--json").output):
        name = table["table"]
        if name.startswith("bronze."):
            continue
        rows = f"SELECT md5(string_agg(t::VARCHAR, chr(10) ORDER BY t)) AS rows FROM (SELECT t FROM {name} AS t)"
        digests = [
            json.loads(one.martlet("lake", "sql", "--json", rows).output)[0]["rows"] for one in (project, built)]
        report.equal(f"{name}, built in part and whole", *digests)
report.end()
