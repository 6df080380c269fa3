"""process: single experiments of the lab from their raw rows, against the gold table of the whole lake.

Usage: make bench NAME=process, or scripts/bench process [--calls 10000] [--experiments 50000] [--seed 7]
A feature worker is asked for one experiment at a time, in random order, each as of its own submission: the rows that
are sent are those of the submission, their later cells left out. Every feature must have the bits that it has in the
gold table, which was built once over everything. Then the same with columns planted that read the future, in silver
and in gold: the worker must refuse to begin, and, made to begin, must give other values in just these columns.

The peer is a batch build: seconds for one table over the same files, divided by its rows.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import time

import _bench
import _lab

parser = argparse.ArgumentParser()
parser.add_argument("--calls", type=int, default=10_000)
parser.add_argument("--planted-calls", type=int, default=300)
parser.add_argument("--experiments", type=int, default=50_000)
parser.add_argument("--seed", type=int, default=7)
arguments = parser.parse_args()

report = _bench.Report("process")
SENT = ("workflow_logs", "queue_logs")
LATER = {"workflow_logs": ("actual_end_ts", "delay_min", "delayed"), "queue_logs": ("dequeue_ts", "wait_min")}
NOT_COMPARED = ("delayed",)
PLANTS = {
    "silver": (
        "transforms/silver/instrument_hours.sql",
        "    avg(vibration) OVER hours_6 / 1000000 AS vibration_6h,",
        "    avg(vibration) OVER (PARTITION BY instrument_id ORDER BY ts RANGE BETWEEN INTERVAL 5 HOURS PRECEDING"
        " AND INTERVAL 6 HOURS FOLLOWING) / 1000000 AS vibration_6h,",
        {"vibration_6h", "vibration_excess"},
    ),
    "gold": (
        "transforms/gold/experiments.sql",
        "RANGE BETWEEN INTERVAL 24 HOURS PRECEDING AND CURRENT ROW",
        "RANGE BETWEEN INTERVAL 24 HOURS PRECEDING AND INTERVAL 24 HOURS FOLLOWING",
        {"scientist_load_24h", "scientist_over_capacity"},
    ),
}


class Worker:
    """A feature worker and its talk: a JSON line each way."""

    def __init__(self, project, *options):
        self.child = subprocess.Popen(
            [_bench.martlet(), "features", "--project", str(project.folder), *options], env=_bench.ENVIRONMENT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.greeting = json.loads(self.child.stdout.readline() or "{}")

    def ask(self, request):
        self.child.stdin.write(json.dumps(request).encode() + b"\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self):
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6

    def end(self):
        self.child.stdin.close()
        return self.child.wait()


def cell(value):
    """A value of a Parquet file as JSON has it."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    value = value.item() if hasattr(value, "item") else value
    if hasattr(value, "isoformat"):
        text = value.isoformat(sep=" ")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value


def rows(project, table):
    """The rows of a table as JSON objects."""
    columns = {}
    for file in project.table_files(table):
        for name, values in _bench.parquet(file).items():
            columns.setdefault(name, []).extend(cell(value) for value in values)
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


def same(mine, wanted):
    if isinstance(mine, (int, float)) and isinstance(wanted, float):
        return struct.pack("d", mine) == struct.pack("d", wanted)
    return mine == wanted


def build(project):
    usage = project.run("--to", "transform")
    return usage


def measure(project, calls, *options):
    """Asks for experiments in random order; counts the columns that differ from the gold table."""
    gold = {row["experiment_id"]: row for row in rows(project, "gold.experiments")}
    raw = {source: {row["experiment_id"]: row for row in rows(project, f"bronze.{source}")} for source in SENT}
    keys = sorted(gold)
    random.Random(arguments.seed).shuffle(keys)
    worker = Worker(project, *options)
    if not worker.greeting.get("ready"):
        return {"greeting": worker.greeting, "code": worker.end()}
    differing, compared, seconds, missing = {}, 0, [], 0
    begin = worker.cpu()
    for number, key in enumerate(keys[:calls]):
        request = {"id": number, "rows": {}}
        for source in SENT:
            request["rows"][source] = [
                {name: None if name in LATER[source] else value for name, value in raw[source][key].items()
                 if not name.startswith("_")}
            ] if key in raw[source] else []
        start = time.perf_counter()
        answer = worker.ask(request)
        seconds.append(time.perf_counter() - start)
        if "records" not in answer:
            raise SystemExit(f"bench: {answer}")
        features = answer["records"][0]["features"]
        if features is None:
            missing += 1
            continue
        for name, wanted in gold[key].items():
            if name in NOT_COMPARED:
                continue
            compared += 1
            if not same(features.get(name), wanted):
                differing[name] = differing.get(name, 0) + 1
                if len(differing) < 4 and differing[name] == 1:
                    print(f"differs: {key} {name}: {features.get(name)!r}, in gold {wanted!r}")
    cpu = (worker.cpu() - begin) / max(1, len(seconds))
    peak = worker.peak_mb()
    seconds.sort()
    return {
        "greeting": worker.greeting, "differing": differing, "compared": compared, "missing": missing, "cpu": cpu,
        "seconds": seconds, "peak": peak, "code": worker.end(),
    }


def percentile(values, share):
    return 1000 * values[min(len(values) - 1, int(share * len(values)))]


with _bench.scratch() as folder:
    raw_files = pathlib.Path(folder) / "raw"
    _bench.measured([
        _bench.martlet(), "generate", "lab-delay", "--experiments", str(arguments.experiments), "--seed",
        str(arguments.seed), "-o", raw_files])
    _bench.measured([_bench.martlet(), "init", f"{folder}/lab", "--template", "lab-delay"])
    project = _bench.Project(f"{folder}/lab")
    for source in _lab.SOURCES:
        shutil.copytree(raw_files / source, project.folder / "landing" / source, dirs_exist_ok=True)
    project.martlet("ingest")
    batch = build(project)

    result = measure(project, arguments.calls)
    if "seconds" not in result:
        raise SystemExit(f"bench: the worker did not begin: {result}")
    calls = len(result["seconds"])
    report.equal("calls", calls, min(arguments.calls, arguments.experiments))
    report.equal("features that differ from gold", sum(result["differing"].values()), 0)
    report.add("features compared", result["compared"])
    report.equal("records without a row", result["missing"], 0)
    report.equal("rows chosen by the plan (1 = yes)", int(result["greeting"]["restricted"]), 1)
    report.at_most("p95 of a call, ms", percentile(result["seconds"], 0.95), 50)
    report.add("p50 of a call, ms", percentile(result["seconds"], 0.5))
    report.add("p99 of a call, ms", percentile(result["seconds"], 0.99))
    report.add("CPU of a call, ms (peer: of a row of a whole build)", 1000 * result["cpu"],
               1000 * batch.cpu / arguments.experiments)
    report.add("CPU of a whole build, s", batch.cpu)
    report.add("start of the worker, s", result["greeting"]["seconds"])
    report.add("peak memory of the worker, MB", result["peak"])

    for layer, (file, old, new, wanted) in PLANTS.items():
        path = project.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))
        build(project)
        refused = measure(project, 1)
        report.equal(f"future planted in {layer}: the worker refuses", refused["code"], 2)
        report.equal(f"future planted in {layer}: why", refused["greeting"].get("error", {}).get("code"), "process.differs")
        made = measure(project, arguments.planted_calls, "--prove", "0")
        report.equal(
            f"future planted in {layer}: columns that differ", ",".join(sorted(made["differing"])),
            ",".join(sorted(wanted)))
        path.write_text(text)
report.end()
