"""What others feel while clients do as much as the limits let them: liveness and single predictions beside 64
listeners, 8 clients that ask reasons for as many rows as they may, 270 slow bodies, 8 idle uploads and 4 batches at
full speed, each alone and all together.

The measure is a bare responder on SwiftNIO (Benchmarks/responder) that runs beside: p99 of both may be the larger of
100 ms and twice its. All three are asked at a fixed rate (openloop/openloop.c) at the same time; latency counts from
the moment at which a request was meant to leave. Loads run with `nice`, under tokens of their own; the server has its
default limits. Medians of the rounds. Meanwhile another client asks, each quarter of a second, for the models, for ten
rows with reasons and for a small batch: none of it may be refused, and it is told how long each took.

  --rounds N   (5)
  --only NAME  one of the loads, or "all"
"""

from __future__ import annotations

import argparse
import collections
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypedDict

from _bench import ROOT, Report
from _loads import LOADS, LoadProcess
from _serving import FEATURES, MARTLET, Server, free_port, martlet, project

SECONDS = 6
LIVENESS, PREDICT = 100, 200  # requests a second
BATCH_ROWS = 50_000


def token(folder: pathlib.Path, name: str, role: str = "viewer") -> str:
    return subprocess.run(
        [MARTLET, "tokens", "create", "--project", str(folder), name, "--role", role], check=True, capture_output=True,
        text=True).stdout.strip()


def ask(
    port: int, path: str, token: str, body: bytes | None = None, kind: str = "application/json",
) -> tuple[int, bytes]:
    """The status, and the answer's bytes."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class KindFigures(TypedDict):
    """What the rounds of one kind of load gave."""

    figures: list[dict[str, tuple[float, int, float]]]
    answers: collections.Counter[str]
    memory: list[float]
    beside: list[BackgroundClient]


class BackgroundClient(threading.Thread):
    """A client that uses what the loads use, at a quiet pace, under a token of its own."""

    def __init__(self, port: int, token: str, rows: list[dict[str, float]], header: str) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.refused: collections.Counter[str] = collections.Counter()
        self.times: collections.defaultdict[str, list[float]] = collections.defaultdict(list)
        batch = header + "".join(",".join(map(repr, row.values())) + "\n" for row in rows[:100])
        self.requests: dict[str, tuple[str, bytes | None, str]] = {
            "models": ("/api/models", None, "application/json"),
            "ten rows with reasons": (
                "/predict", json.dumps({"records": rows[:10], "explain": True}).encode(), "application/json"),
            "a batch of 100 rows": ("/predict/batch", batch.encode(), "text/csv")}
        self.port, self.token = port, token

    def run(self) -> None:
        while not self.over.wait(0.25):
            for name, (path, body, kind) in self.requests.items():
                begun = time.monotonic()
                status, _ = ask(self.port, path, self.token, body, kind)
                self.times[name].append(time.monotonic() - begun)
                if status != 200:
                    self.refused[f"{name}: {status}"] += 1

    def end(self) -> None:
        self.over.set()
        self.join(60)


def most_with_reasons(port: int, token: str, rows: list[dict[str, float]]) -> list[dict[str, float]]:
    """The rows that one request may have reasons for."""
    count = len(rows)
    while ask(port, "/predict", token, json.dumps({"records": rows[:count], "explain": True}).encode())[0] == 422:
        count = count * 3 // 4
    return rows[:count]


def measure(servers: dict[str, tuple[Server, float]], scratch: pathlib.Path) -> dict[str, tuple[float, int, float]]:
    """p99 in milliseconds of each, all at the same time."""
    running = {name: server.at_rate(rate, scratch, SECONDS, 8) for name, (server, rate) in servers.items()}
    told = {name: json.loads(process.communicate(timeout=120)[0]) for name, process in running.items()}
    return {name: (each["p99"] / 1000, each["failed"], each["most"] / 1000) for name, each in told.items()}


def run_rounds(
    options: argparse.Namespace, servers: dict[str, tuple[Server, float]], scratch: pathlib.Path,
    arguments: tuple[Any, ...], client: Callable[[], BackgroundClient],
) -> dict[str, KindFigures]:
    """For each load: p99 and failures of each server by round, what the load was answered, memory."""
    kinds = {"nothing": [], **{name: [name] for name in LOADS}, "all": list(LOADS)}
    if options.only:
        kinds = {options.only: kinds[options.only]}
    found: dict[str, KindFigures] = {
        kind: {"figures": [], "answers": collections.Counter(), "memory": [], "beside": []}
        for kind in kinds}
    for _ in range(options.rounds):
        for kind, names in kinds.items():
            loads = [LoadProcess(name, *arguments) for name in names]
            beside = client()
            time.sleep(2)
            beside.start()
            here = found[kind]
            here["figures"].append(measure(servers, scratch))
            here["memory"].append(servers["predict"][0].memory())
            beside.end()
            here["beside"].append(beside)
            for load in loads:
                here["answers"] += load.end()
            time.sleep(1)
            print(f"neighbours: {kind}: {here['figures'][-1]} {dict(here['answers'])} {dict(beside.refused)}",
                  file=sys.stderr)
    return found


def report_figures(report: Report, found: dict[str, KindFigures]) -> None:
    for kind, here in found.items():
        bare = statistics.median(each["bare"][0] for each in here["figures"])
        bar = max(100, 2 * bare)
        for name in ["liveness", "predict"]:
            p99 = statistics.median(each[name][0] for each in here["figures"])
            report.add(f"{kind}: p99 of {name}, ms (peer: a bare responder)", p99, bare, f"<= {bar:.0f}", p99 <= bar)
            report.at_most(f"{kind}: failed requests, {name}", sum(each[name][1] for each in here["figures"]), 0)
        report.add(
            f"{kind}: longest of both, ms",
            max(each[name][2] for each in here["figures"] for name in ["liveness", "predict"]),
        )
        report.at_most(
            f"{kind}: another client's requests that were refused",
            sum(sum(each.refused.values()) for each in here["beside"]),
            0,
        )
        for name in here["beside"][0].times:
            times = sorted(time for each in here["beside"] for time in each.times[name])
            report.add(f"{kind}: another client's {name}, median ms", statistics.median(times) * 1000)
        report.add(f"{kind}: memory of all processes, most MiB", max(here["memory"]))
        answers = ", ".join(f"{count} x {status}" for status, count in sorted(here["answers"].items()))
        print(f"neighbours: {kind}: the load was answered {answers or 'nothing'}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=[*LOADS, "all", "nothing"])
    options = parser.parse_args()
    subprocess.run(
        [
            "swift",
            "build",
            "-c",
            "release",
            "--pkg-config-path",
            ROOT / ".deps/lib/pkgconfig",
            "--product",
            "responder",
        ],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    draw = random.Random(11)
    names = [f"f{index}" for index in range(FEATURES)]
    rows = [{name: round(draw.gauss(0, 1), 4) for name in names} for _ in range(1_000)]
    header = ",".join(names) + "\n"
    with tempfile.TemporaryDirectory() as made:
        scratch = pathlib.Path(made)
        row, _ = project(scratch / "speed")
        file = scratch / "batch.csv"
        file.write_text(header + "".join(
            ",".join(map(repr, rows[index % 1_000].values())) + "\n" for index in range(BATCH_ROWS)))
        tokens = [token(scratch / "speed", f"load-{place}", "operator") for place in range(6)]
        other = token(scratch / "speed", "bystander")
        servers = []
        try:
            ours = martlet(scratch, row, more=["--workers", "0"])
            servers.append(ours)
            port = int(ours.url.split(":")[2].split("/")[0])
            alive = Server.__new__(Server)
            alive.__dict__.update(ours.__dict__, url=f"http://127.0.0.1:{port}/health/live", method="GET", body="")
            size, bare_port = len(json.dumps(ours.answer)), free_port()
            bare = Server(
                "responder", [ROOT / ".build/release/responder", str(bare_port), str(size)], bare_port, "/", {},
                reads=False)
            servers.append(bare)
            job = json.loads(ask(port, "/api/training/start", tokens[0], b'{"kind": "train"}')[1])["job"]
            arguments = (port, tokens, job, most_with_reasons(port, tokens[0], rows), file)
            found = run_rounds(
                options, {"liveness": (alive, LIVENESS), "predict": (ours, PREDICT), "bare": (bare, PREDICT)}, scratch,
                arguments, lambda: BackgroundClient(port, other, rows, header))
        finally:
            for server in servers:
                server.end()
    report = Report("neighbours", data="synthetic")
    report.add("rows of a request with reasons", len(arguments[3]))
    report_figures(report, found)
    report.end()


if __name__ == "__main__":
    main()
