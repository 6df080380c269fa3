"""One-row predictions over HTTP: Martlet, with its prediction log in mode `written`, against FastAPI with LightGBM
(uvicorn, one worker, async, neither a log nor a token), in the same run and on the same machine, loaded by wrk.

The model has 200 trees of 31 leaves over 40 features, trained by Martlet; the peer loads the same file. Each server gets
the same row in the form that costs it least: FastAPI a list of numbers, Martlet a record with names. Rounds alternate.
CPU comes from /proc, of the server's process alone; requests per second are this machine's.
"""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from _bench import Report

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARTLET = os.environ["MARTLET"]
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
FEATURES = 40
ROWS = 20_000

APP = """
import lightgbm, numpy, os
from fastapi import FastAPI
from pydantic import BaseModel
booster = lightgbm.Booster(model_file=os.environ["MODEL"])
app = FastAPI()
class Row(BaseModel):
    features: list[float]
@app.post("/predict")
async def predict(row: Row):
    return {"probability": float(booster.predict(numpy.array([row.features]), num_threads=1)[0])}
"""


def project(folder):
    """A project of look-alike rows, run once; gives one row and the model's file."""
    draw = random.Random(7)
    for name in ["contracts", "transforms/gold", "landing/rows"]:
        (folder / name).mkdir(parents=True)
    weights = [draw.gauss(0, 0.5) for _ in range(12)]
    first = None
    with open(folder / "landing/rows/rows.csv", "w") as file:
        file.write("id," + ",".join(f"f{i}" for i in range(FEATURES)) + ",label\n")
        for row in range(ROWS):
            x = [round(draw.gauss(0, 1), 4) for _ in range(FEATURES)]
            first = first or x
            z = sum(w * v for w, v in zip(weights, x)) + x[13] * x[14]
            label = int(draw.random() < 1 / (1 + 2.718281828 ** -z))
            file.write(f"{row}," + ",".join(map(repr, x)) + f",{label}\n")
    columns = "".join(f"  f{i}: {{type: double}}\n" for i in range(FEATURES))
    (folder / "contracts/rows.yaml").write_text(
        "key: [id]\ncolumns:\n  id: {type: bigint, nullable: false}\n" + columns + "  label: {type: integer}\n")
    (folder / "transforms/gold/rows.sql").write_text("SELECT * FROM bronze.rows\n")
    (folder / "martlet.yaml").write_text(
        "name: speed\nsources:\n  rows: {contract: contracts/rows.yaml}\nmodels:\n  - name: speed\n"
        '    table: gold.rows\n    key: id\n    target: {column: label, positive: "1"}\n'
        "    split: {kind: hash, seed: 42, train: 0.8, validation: 0, test: 0.2}\n"
        "    learner: {kind: lightgbm, rounds: 200, parameters: {num_leaves: 31, learning_rate: 0.1}}\n"
        "    bootstrap: {replicates: 100, seed: 42}\n    threshold: {fixed: 0.5}\n")
    subprocess.run([MARTLET, "run", "--project", str(folder)], check=True, capture_output=True)
    for path in (folder / ".martlet/artifacts").rglob("*"):
        if path.is_file() and path.read_bytes()[:5] == b"tree\n":
            return first, path
    sys.exit("serving: the run left no model")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    def __init__(self, name, command, port, path, body, environment=None):
        self.name, self.url, self.body = name, f"http://127.0.0.1:{port}{path}", json.dumps(body)
        begun = time.monotonic()
        self.process = subprocess.Popen(
            command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                self.answer = json.loads(urllib.request.urlopen(self.request(), timeout=5).read())
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() - begun > 60:
                    sys.exit(f"serving: {name} does not answer")
                time.sleep(0.005)
        self.started = time.monotonic() - begun
        self.memory = self.status("VmRSS")
        self.figures = {}

    def request(self):
        return urllib.request.Request(self.url, self.body.encode(), {"Content-Type": "application/json"})

    def status(self, key):
        return int(re.search(rf"{key}:\s+(\d+)", open(f"/proc/{self.process.pid}/status").read())[1]) / 1024

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def load(self, connections, script):
        script.write_text(
            f'wrk.method="POST"; wrk.body=[[{self.body}]]; wrk.headers["Content-Type"]="application/json"\n'
            'done = function(s, l, r) io.write(string.format("RESULT %d %d %d %d %d\\n", s.requests, s.duration, '
            'l:percentile(50), l:percentile(99), s.errors.status + s.errors.connect + s.errors.read + s.errors.timeout)) end\n')
        before = self.cpu()
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS:g}s", "-s", str(script), self.url], capture_output=True,
            text=True, check=True).stdout
        requests, duration, p50, p99, errors = map(int, re.search(r"RESULT (.*)", out)[1].split())
        if errors:
            sys.exit(f"serving: {self.name} failed {errors} requests")
        self.figures.setdefault(connections, []).append(
            ((self.cpu() - before) / requests * 1e6, requests / duration * 1e6, p50 / 1000, p99 / 1000))

    def figure(self, connections, place):
        return statistics.median(each[place] for each in self.figures[connections])

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def fsync_latency(folder):
    times = []
    with open(folder / "fsync", "wb") as file:
        for _ in range(50):
            file.write(b"x" * 512)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def main():
    if not shutil.which("wrk"):
        sys.exit("serving: needs wrk (Debian: apt-get install wrk)")
    python = subprocess.run(
        [ROOT / "scripts/venv", "serving"], check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        row, model = project(scratch / "speed")
        (scratch / "app.py").write_text(APP)
        port, peer_port = free_port(), free_port()
        ours = Server(
            "martlet serve", [MARTLET, "serve", str(scratch / "speed"), "--port", str(port)], port, "/predict",
            {"record": {f"f{i}": value for i, value in enumerate(row)}})
        peer = Server(
            "FastAPI + LightGBM",
            [python, "-m", "uvicorn", "app:app", "--app-dir", str(scratch), "--port", str(peer_port), "--no-access-log"],
            peer_port, "/predict", {"features": row}, {"MODEL": str(model), "OMP_NUM_THREADS": "1"})
        try:
            mine = ours.answer["predictions"][0]["probability"]
            if mine != peer.answer["probability"]:
                sys.exit(f"serving: the answers differ: {mine} and {peer.answer}")
            maps = open(f"/proc/{ours.process.pid}/maps").read().lower()
            if any(name in maps for name in ["duckdb", "lightgbm", "xgboost"]):
                sys.exit("serving: an SQL engine or a training library is in the serving process")
            for connections in [16, 64]:
                for _ in range(ROUNDS):
                    for server in [ours, peer]:
                        server.load(connections, scratch / "load.lua")
            report = Report("serving")
            report.add("fsync of this disk, ms", fsync_latency(scratch))
            report.at_most("start to first prediction, s", ours.started, 0.5, peer.started)
            report.at_most("memory after the first prediction, MiB", ours.memory, 80, peer.memory)
            report.add("memory after load, MiB", ours.status("VmRSS"), peer.status("VmRSS"))
            for connections in [16, 64]:
                names = ["CPU us/request", "requests/s", "p50 ms", "p99 ms"]
                for place, (name, bound) in enumerate(zip(names, [1 / 4, 4.5, None, 1 / 3])):
                    mine, theirs = ours.figure(connections, place), peer.figure(connections, place)
                    name = f"{name}, {connections} connections"
                    if bound is None:
                        report.add(name, mine, theirs)
                    elif place == 1:
                        report.add(name, mine, theirs, f"ratio >= {bound}", mine >= bound * theirs)
                    else:
                        report.ratio_at_most(name, mine, theirs, bound)
        finally:
            ours.end()
            peer.end()
    report.end()


main()
