"""One-row predictions over HTTP: Martlet, with its prediction log in mode `written` and a token checked, against
FastAPI with LightGBM (uvicorn, one worker, async, neither a log nor a token), MLServer and `mlflow models serve`, in
the same run and on the same machine. All peers run on uvloop and httptools, which is checked.

At saturation: wrk, 16 and 64 connections that each wait for their answer. At equal rates: an open loop of our own
(openloop/openloop.c) asks both sides 25, 50 and 75 % of what the peer answered at saturation, whatever they do, and
latency counts from the moment at which a request was meant to leave.

The model has 200 trees of 31 leaves over 40 features of synthetic rows, trained by Martlet; the peers load the same
file. Each server gets the same row in the form that costs it least: a list of numbers, Martlet a record with names.
Rounds alternate. CPU comes from /proc, of all processes of a server; so does memory, as the proportional set size of
all of them at rest, Martlet's worker included. Requests per second are this machine's. At the end the same load once
more with 5 ms added to each fsync of ours.

  --quick   only FastAPI
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from _bench import Report
from _serving import FEATURES, ROUNDS, Server, free_port, martlet, project

ROOT = pathlib.Path(__file__).resolve().parent.parent

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


def fsync_latency(folder: pathlib.Path) -> float:
    times = []
    with open(folder / "fsync", "wb") as file:
        for _ in range(50):
            file.write(b"x" * 512)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def venv(name: str) -> str:
    return subprocess.run([ROOT / "scripts/venv", name], check=True, capture_output=True, text=True).stdout.strip()


def fastapi(scratch: pathlib.Path, row: list[float], model: pathlib.Path) -> Server:
    port = free_port()
    (scratch / "app.py").write_text(APP)
    return Server(
        "FastAPI + LightGBM",
        [
            venv("serving"),
            "-m",
            "uvicorn",
            "app:app",
            "--app-dir",
            str(scratch),
            "--port",
            str(port),
            "--no-access-log",
        ],
        port,
        "/predict",
        {"features": row},
        {"MODEL": str(model), "OMP_NUM_THREADS": "1"},
    )


def mlserver(scratch: pathlib.Path, row: list[float], model: pathlib.Path) -> Server:
    folder = scratch / "mlserver"
    folder.mkdir()
    ports = [free_port() for _ in range(3)]
    (folder / "settings.json").write_text(json.dumps({
        "host": "127.0.0.1", "http_port": ports[0], "grpc_port": ports[1], "metrics_port": ports[2],
        "parallel_workers": 0, "debug": False}))
    (folder / "model-settings.json").write_text(json.dumps({
        "name": "speed", "implementation": "mlserver_lightgbm.LightGBMModel", "parameters": {"uri": str(model)}}))
    body = {"inputs": [{"name": "x", "shape": [1, FEATURES], "datatype": "FP64", "data": row}]}
    return Server(
        "MLServer", [venv("mlserver"), "-m", "mlserver.cli.main", "start", str(folder)], ports[0],
        "/v2/models/speed/infer", body, {"OMP_NUM_THREADS": "1"})


def mlflow(scratch: pathlib.Path, row: list[float], model: pathlib.Path) -> Server:
    port, python = free_port(), venv("mlflow")
    quiet = {"OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
    subprocess.run(
        [python, "-c", "import lightgbm, mlflow.lightgbm, sys; mlflow.lightgbm.save_model(lightgbm.Booster(model_file="
         "sys.argv[1]), sys.argv[2])", str(model), str(scratch / "mlflow")], check=True, capture_output=True,
        env={**os.environ, **quiet})
    # It starts uvicorn by its name.
    programs = scratch / "bin"
    programs.mkdir()
    (programs / "uvicorn").write_text(f'#!/bin/sh\nexec "{python}" -m uvicorn "$@"\n')
    (programs / "uvicorn").chmod(0o755)
    return Server(
        "mlflow models serve",
        [python, "-m", "mlflow", "models", "serve", "-m", str(scratch / "mlflow"), "--env-manager", "local", "-h",
         "127.0.0.1", "-p", str(port), "-w", "1"],
        port, "/invocations", {"inputs": [row]}, {**quiet, "PATH": f"{programs}:{os.environ['PATH']}"}, patience=120)


SLOW_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int slow(const char *name, int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    usleep(5000);
    return real(file);
}
int fsync(int file) { return slow("fsync", file); }
int fdatasync(int file) { return slow("fdatasync", file); }
"""


def slow_disk(scratch: pathlib.Path) -> dict[str, str]:
    (scratch / "slow.c").write_text(SLOW_DISK)
    library = scratch / "slow.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, scratch / "slow.c", "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


# Of each peer: the most CPU a request, the least requests/s, the most p99, as parts of its own.
BARS = {
    "FastAPI + LightGBM": (1 / 4, 4.5, 1 / 3),
    "MLServer": (1 / 9, None, None),
    "mlflow models serve": (1 / 18, None, None),
}


def compare(report: Report, ours: Server, peer: Server, connections: int, title: str) -> None:
    bars = BARS[peer.name]
    for place, (what, bar) in enumerate(
        zip(["CPU us/request", "requests/s", "p50 ms", "p99 ms"], [*bars[:2], None, bars[2]], strict=True)
    ):
        mine, theirs = ours.figure(connections, place), peer.figure(connections, place)
        name = f"{title}{what}, {connections} connections, {peer.name}"
        if bar is None:
            report.add(name, mine, theirs)
        elif place == 1:
            report.add(name, mine, theirs, f"ratio >= {bar}", mine >= bar * theirs)
        else:
            report.ratio_at_most(name, mine, theirs, bar)


def load_all(servers: list[Server], scratch: pathlib.Path) -> None:
    for connections in [16, 64]:
        for _ in range(ROUNDS):
            for server in servers:
                server.load(connections, scratch / "load.lua")


def compare_at_rates(report: Report, ours: Server, peer: Server, scratch: pathlib.Path) -> None:
    """Both at shares of what the peer can do at most."""
    most = max(peer.figure(connections, 1) for connections in [16, 64])
    titles = {share: f"{share} % of {peer.name}'s most" for share in [25, 50, 75]}
    for share, title in titles.items():
        for _ in range(ROUNDS):
            for server in [peer, ours]:
                server.open_load(most * share / 100, title, scratch)
    for share, title in titles.items():
        report.add(f"requests/s asked for, {title}", most * share / 100)
        mine, theirs = (server.rate_figure(title, 1) for server in [ours, peer])
        if peer.name.startswith("FastAPI"):
            report.ratio_at_most(f"p99 ms, {title}", mine, theirs, 1 / 2)
        else:
            report.add(f"p99 ms, {title}", mine, theirs)
        report.add(f"p50 ms, {title}", ours.rate_figure(title, 0), peer.rate_figure(title, 0))
        report.add(f"p99 ms of the generator's own lateness, {title}", ours.rate_figure(title, 2),
                   peer.rate_figure(title, 2))


def main() -> None:
    if not shutil.which("wrk"):
        sys.exit("serving: needs wrk (Debian: apt-get install wrk)")
    quick = "--quick" in sys.argv
    report = Report("serving", data="synthetic")
    with tempfile.TemporaryDirectory() as made:
        scratch = pathlib.Path(made)
        row, model = project(scratch / "speed")
        servers = []
        try:
            ours = martlet(scratch, row)
            servers.append(ours)
            for make in [fastapi] if quick else [fastapi, mlserver, mlflow]:
                servers.append(make(scratch, row, model))
            mine = ours.answer["predictions"][0]["probability"]
            theirs = [json.dumps(server.answer) for server in servers[1:]]
            if not all(repr(mine) in answer for answer in theirs):
                sys.exit(f"serving: the answers differ: {mine} and {theirs}")
            for peer in servers[1:]:
                if lacking := [name for name in ["uvloop", "httptools"] if not peer.maps(name)]:
                    sys.exit(f"serving: {peer.name} runs without {' and '.join(lacking)}")
            maps = pathlib.Path(f"/proc/{ours.process.pid}/maps").read_text().lower()
            if any(name in maps for name in ["duckdb", "lightgbm", "xgboost"]):
                sys.exit("serving: an SQL engine or a training library is in the serving process")
            refused = urllib.request.Request(ours.url, ours.body.encode(), {"Content-Type": "application/json"})
            try:
                urllib.request.urlopen(refused)
                sys.exit("serving: a request without a token was answered")
            except urllib.error.HTTPError as error:
                if error.code != 401:
                    sys.exit(f"serving: a request without a token got {error.code}")
            # What starts beside a server (our worker) is there by now.
            time.sleep(2)
            idle = [server.memory() for server in servers]
            load_all(servers, scratch)
            report.add("fsync of this disk, ms", fsync_latency(scratch))
            report.at_most("start to first prediction, s", ours.started, 0.5, servers[1].started)
            report.at_most("memory of all processes at rest after the first prediction, MiB", idle[0], 80, idle[1])
            for peer, memory in zip(servers[2:], idle[2:], strict=True):
                report.add(f"memory of all processes at rest, MiB, {peer.name}", idle[0], memory)
            report.add("memory of all processes after load, MiB", ours.memory(), servers[1].memory())
            for peer in servers[1:]:
                compare_at_rates(report, ours, peer, scratch)
            for peer in servers[1:]:
                if peer.failed:
                    report.add(f"failed requests (within 2 s), {peer.name}", 0, peer.failed)
                for connections in [16, 64]:
                    compare(report, ours, peer, connections, "")
            for server in [ours, *servers[2:]]:
                servers.remove(server)
                server.end()
            peer = servers[0]
            slow = martlet(scratch, row, slow_disk(scratch))
            servers.append(slow)
            peer.figures = {}
            load_all(servers, scratch)
            for connections in [16, 64]:
                compare(report, slow, peer, connections, "fsync + 5 ms: ")
        finally:
            for server in servers:
                server.end()
    report.end()


main()
