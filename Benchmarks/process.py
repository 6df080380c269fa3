"""process: single experiments of the lab from their raw rows over HTTP, against the gold table of the whole lake.

Usage: make bench NAME=process, or scripts/bench process [--calls 10000] [--experiments 50000] [--seed 7]
A server is asked for one experiment at a time (`POST /process`, with a token, the prediction logged), in random order,
each as of its own submission: the rows that are sent are those of the submission, their later cells left out. Every
feature must have the bits that it has in the gold table, which was built once over everything, and every probability
must be the one that `/predict` gives for the gold row.

The benchmark must be able to fail: the same with columns planted that read the future, in silver and in gold. A run
must refuse them (`leak.future-rows`), so must a feature worker (`process.differs`), and one that is made to begin must
give other values in just these columns.

The peer is a batch build: seconds for one table over the same files, divided by its rows.
"""
from __future__ import annotations

import argparse
import http.client
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import threading
import time
from typing import IO, Any

import _bench
import _lab

parser = argparse.ArgumentParser()
parser.add_argument("--calls", type=int, default=10_000)
parser.add_argument("--planted-calls", type=int, default=300)
parser.add_argument("--experiments", type=int, default=50_000)
parser.add_argument("--seed", type=int, default=7)
arguments = parser.parse_args()

report = _bench.Report("process", data="synthetic")
SENT = ("workflow_logs", "queue_logs")
LATER = {"workflow_logs": ("actual_end_ts", "delay_min", "delayed"), "queue_logs": ("dequeue_ts", "wait_min")}
NOT_COMPARED = ("delayed",)
GATES = """    gates:
      - {metric: roc_auc, at_least: 0.97}
      - {metric: pr_auc, at_least: 0.93}
      - {metric: recall, at_least: 0.9}
      - {metric: ece, at_most: 0.02}
"""
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


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """A stream of a child that was started with a pipe for it."""
    assert stream is not None
    return stream


class Server:
    """`martlet-serve` over a project, and a client with one connection."""

    def __init__(self, project: _bench.Project) -> None:
        self.token = project.martlet("tokens", "create", f"bench{time.monotonic_ns()}").output.strip()
        self.child = subprocess.Popen(
            [_bench.martlet() + "-serve", "--port", "0", str(project.folder)], env=_bench.ENVIRONMENT,
            stderr=subprocess.PIPE)
        port = None
        errors = pipe(self.child.stderr)
        for line in errors:
            said = json.loads(line) if line.startswith(b"{") else {}
            port = said.get("port", port)
            if port:
                break
        if not port:
            raise SystemExit("bench: the server does not listen")
        # What it says later is not read; a full pipe would stop it.
        threading.Thread(target=lambda: [None for _ in errors], daemon=True).start()
        self.connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=120)
        self.headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    def ask(self, path: str, body: str) -> tuple[int, dict[str, Any]]:
        self.connection.request("POST", path, body, self.headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def ready(self, body: str) -> tuple[int, dict[str, Any], float]:
        """Asks until it is not told to come again; gives the last answer and the seconds that it took."""
        start = time.perf_counter()
        while True:
            status, answer = self.ask("/process", body)
            if status != 503 or answer["code"] != "process.unavailable" or time.perf_counter() - start > 120:
                return status, answer, time.perf_counter() - start
            time.sleep(0.2)

    def worker(self) -> Process:
        """The feature worker's process; the server has a worker for jobs too."""
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (OSError, ValueError):
                continue
            if parent == self.child.pid and b"features" in words:
                return Process(int(entry.name))
        raise SystemExit("bench: the server has no feature worker")

    def end(self) -> int:
        self.connection.close()
        self.child.terminate()
        return self.child.wait()


class Process:
    """What /proc says of a process."""

    def __init__(self, pid: int) -> None:
        self.folder = pathlib.Path(f"/proc/{pid}")

    def cpu(self) -> float:
        fields = (self.folder / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        for line in (self.folder / "status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
        raise SystemExit("bench: the process has no VmHWM")

    def maps(self, library: str) -> bool:
        return library in (self.folder / "maps").read_text()


class Worker:
    """A feature worker alone, and its talk: a JSON line each way."""

    def __init__(self, project: _bench.Project, *options: str) -> None:
        self.child = subprocess.Popen(
            [_bench.martlet(), "features", "--project", str(project.folder), *options], env=_bench.ENVIRONMENT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.input, self.output = pipe(self.child.stdin), pipe(self.child.stdout)
        self.greeting = json.loads(self.output.readline() or "{}")

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.input.write(json.dumps(request).encode() + b"\n")
        self.input.flush()
        return json.loads(self.output.readline())

    def end(self) -> int:
        self.input.close()
        return self.child.wait()


def cell(value: Any) -> Any:
    """A value of a Parquet file as JSON has it."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    value = value.item() if hasattr(value, "item") else value
    if hasattr(value, "isoformat"):
        text = value.isoformat(sep=" ")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value


def rows(project: _bench.Project, table: str) -> list[dict[str, Any]]:
    """The rows of a table as JSON objects."""
    columns: dict[str, list[Any]] = {}
    for file in project.table_files(table):
        for name, values in _bench.parquet(file).items():
            columns.setdefault(name, []).extend(cell(value) for value in values)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def same(mine: object, wanted: object) -> bool:
    if isinstance(mine, (int, float)) and isinstance(wanted, float):
        return struct.pack("d", mine) == struct.pack("d", wanted)
    return mine == wanted


def build(project: _bench.Project) -> _bench.Usage:
    return project.run("--to", "transform")


class Comparison:
    """Experiments in random order, their raw rows, and how their features differ from the gold table."""

    def __init__(self, project: _bench.Project) -> None:
        self.gold = {row["experiment_id"]: row for row in rows(project, "gold.experiments")}
        self.raw = {source: {row["experiment_id"]: row for row in rows(project, f"bronze.{source}")} for source in SENT}
        self.keys = sorted(self.gold)
        random.Random(arguments.seed).shuffle(self.keys)
        self.differing: dict[str, int] = {}
        self.compared = self.missing = 0

    def request(self, key: str) -> dict[str, list[dict[str, Any]]]:
        """The raw rows of one submission, as they are when it is submitted."""
        return {
            source: [
                {name: None if name in LATER[source] else value for name, value in self.raw[source][key].items()
                 if not name.startswith("_")}
            ] if key in self.raw[source] else []
            for source in SENT
        }

    def compare(self, key: str, features: dict[str, Any] | None) -> None:
        if features is None:
            self.missing += 1
            return
        for name, wanted in self.gold[key].items():
            if name in NOT_COMPARED:
                continue
            self.compared += 1
            if not same(features.get(name), wanted):
                self.differing[name] = self.differing.get(name, 0) + 1
                if len(self.differing) < 4 and self.differing[name] == 1:
                    print(f"differs: {key} {name}: {features.get(name)!r}, in gold {wanted!r}")


def over_http(project: _bench.Project, calls: int) -> dict[str, Any]:
    """Asks a server; gives the comparison, seconds of each call, and what the processes cost."""
    comparison = Comparison(project)
    server = Server(project)
    status, answer, begin = server.ready(json.dumps({"rows": {}, "keys": []}))
    if status != 200:
        server.end()
        return {"refusal": answer.get("code"), "status": status}
    worker, front = server.worker(), Process(server.child.pid)
    before = worker.cpu(), front.cpu()
    seconds, answers = [], []
    for key in comparison.keys[:calls]:
        body = json.dumps({"rows": comparison.request(key), "features": True})
        start = time.perf_counter()
        status, answer = server.ask("/process", body)
        seconds.append(time.perf_counter() - start)
        if status != 200:
            raise SystemExit(f"bench: {status} {answer}")
        prediction = answer["predictions"][0]
        comparison.compare(key, prediction.get("features"))
        answers.append((key, prediction.get("probability")))
    result = {
        "comparison": comparison, "seconds": sorted(seconds), "begin": begin,
        "worker_cpu": (worker.cpu() - before[0]) / len(seconds), "front_cpu": (front.cpu() - before[1]) / len(seconds),
        "peak": worker.peak_mb(), "front_peak": front.peak_mb(), "mapped": front.maps("libduckdb"),
    }
    # The same model over the gold rows.
    other = 0
    for key, probability in answers[:1000]:
        row = {name: value for name, value in comparison.gold[key].items() if name not in ("experiment_id", "delayed")}
        status, answer = server.ask("/predict", json.dumps({"record": row}))
        other += status != 200 or not same(probability, answer["predictions"][0]["probability"])
    result["other"] = other
    result["code"] = server.end()
    return result


def unproven_differences(project: _bench.Project, calls: int) -> list[str]:
    """Asks a worker that proves nothing; gives the columns that differ."""
    comparison = Comparison(project)
    worker = Worker(project, "--prove", "0", "--forgetful")
    for key in comparison.keys[:calls]:
        answer = worker.ask({"rows": comparison.request(key)})
        comparison.compare(key, answer["records"][0]["features"])
    worker.end()
    return sorted(comparison.differing)


def percentile(values: list[float], share: float) -> float:
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
    # The features are what is measured: a small model, without gates.
    project.edit("rounds: 3000", "rounds: 100")
    project.edit(GATES, "    gates: []\n")
    project.martlet("ingest")
    built = build(project)
    project.run()

    result = over_http(project, arguments.calls)
    if "seconds" not in result:
        raise SystemExit(f"bench: no features are made: {result}")
    comparison = result["comparison"]
    print(f"{len(result['seconds'])} calls, {sum(comparison.differing.values())} features differ,"
          f" p95 {percentile(result['seconds'], 0.95):.1f} ms", flush=True)
    report.equal("calls", len(result["seconds"]), min(arguments.calls, arguments.experiments))
    report.equal("features that differ from gold", sum(comparison.differing.values()), 0)
    report.add("features compared", comparison.compared)
    report.equal("records without a row", comparison.missing, 0)
    report.equal("probabilities that /predict gives otherwise for the gold row (of at most 1,000)", result["other"], 0)
    report.at_most("p95 of a call, ms", percentile(result["seconds"], 0.95), 50)
    report.add("p50 of a call, ms", percentile(result["seconds"], 0.5))
    report.add("p99 of a call, ms", percentile(result["seconds"], 0.99))
    report.add("CPU of a call in the worker, ms (peer: of a row of a whole build)", 1000 * result["worker_cpu"],
               1000 * built.cpu / arguments.experiments)
    report.add("CPU of a call in the server, ms", 1000 * result["front_cpu"])
    report.add("start of the worker, s", result["begin"])
    report.add("peak memory of the worker, MB", result["peak"])
    report.add("peak memory of the server, MB", result["front_peak"])
    report.equal("DuckDB mapped in the server", int(result["mapped"]), 0)

    for layer, (file, old, new, wanted) in PLANTS.items():
        path = project.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))
        # No run takes it for a model, by the lineage alone.
        run = project.run(codes=(1,))
        report.equal(f"future planted in {layer}: a run is refused", run.code, 1)
        build(project)
        worker = Worker(project)
        refusal = worker.greeting.get("error", {}).get("code")
        report.equal(f"future planted in {layer}: why the worker will not begin", refusal, "process.differs")
        report.equal(f"future planted in {layer}: its exit code", worker.end(), 2)
        report.equal(
            f"future planted in {layer}: columns that differ",
            ",".join(unproven_differences(project, arguments.planted_calls)),
            ",".join(sorted(wanted)),
        )
        path.write_text(text)
report.end()
