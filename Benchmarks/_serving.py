"""What the benchmarks of the server share: a project with a model, servers that wrk loads, and Martlet's own."""

import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

MARTLET = os.environ["MARTLET"]
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
FEATURES = 40
ROWS = 20_000


def project(folder: pathlib.Path) -> tuple[list[float], pathlib.Path]:
    """A project of look-alike rows, run once; gives one row and the model's file."""
    draw = random.Random(7)
    for name in ["contracts", "transforms/gold", "landing/rows"]:
        (folder / name).mkdir(parents=True)
    weights = [draw.gauss(0, 0.5) for _ in range(12)]
    first: list[float] = []
    with open(folder / "landing/rows/rows.csv", "w") as file:
        file.write("id," + ",".join(f"f{i}" for i in range(FEATURES)) + ",label\n")
        for row in range(ROWS):
            x = [round(draw.gauss(0, 1), 4) for _ in range(FEATURES)]
            first = first or x
            # Columns beyond the weights tell nothing, but for one product.
            z = sum(w * v for w, v in zip(weights, x, strict=False)) + x[13] * x[14]
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


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def open_loop(scratch: pathlib.Path) -> pathlib.Path:
    """The generator of requests at a fixed rate, compiled."""
    program = scratch / "openloop"
    if not program.exists():
        source = pathlib.Path(__file__).parent / "openloop/openloop.c"
        subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    return program


def processes(root: int) -> set[int]:
    """The process, its session's and all that descend from them: a server's workers begin sessions of their own."""
    parents, sessions = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents[int(entry)], sessions[int(entry)] = int(fields[1]), int(fields[3])
    found, more = set(), {each for each in sessions if each == root or sessions[each] == root}
    while more:
        found |= more
        more = {each for each, parent in parents.items() if parent in found} - found
    return found


def proportional_mib(root: int) -> float:
    """Memory of a process and all that belong to it: pages that several share count once (PSS)."""
    kilobytes = 0
    for process in processes(root):
        try:
            found = re.search(
                r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{process}/smaps_rollup").read_text(), re.M)
        except OSError:
            continue
        kilobytes += int(found[1]) if found else 0
    return kilobytes / 1024


class Server:
    """A server process under load, with what each round of requests cost it."""

    method = "POST"

    def __init__(
        self, name: str, command: Sequence[str | pathlib.Path], port: int, path: str, body: object,
        environment: dict[str, str] | None = None, headers: dict[str, str] | None = None, patience: float = 60,
        log: pathlib.Path | None = None, reads: bool = True,
    ) -> None:
        self.name, self.url, self.body = name, f"http://127.0.0.1:{port}{path}", json.dumps(body)
        self.headers = {"Content-Type": "application/json", **(headers or {})}
        begun = time.monotonic()
        with open(log or os.devnull, "wb") as errors:
            self.process = subprocess.Popen(
                command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, stderr=errors,
                start_new_session=True)
        while True:
            try:
                answer = urllib.request.urlopen(self.request(), timeout=5).read()
                self.answer: Any = json.loads(answer) if reads else answer
                break
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() - begun > patience:
                    sys.exit(f"serving: {name} does not answer: {error}")
                time.sleep(0.005)
        self.started = time.monotonic() - begun
        # By connections and by title: what each round gave.
        self.figures: dict[int, list[tuple[float, ...]]] = {}
        self.rates: dict[str, list[tuple[float, ...]]] = {}
        self.failed = 0

    def request(self) -> urllib.request.Request:
        return urllib.request.Request(self.url, self.body.encode(), self.headers)

    def memory(self) -> float:
        """MiB of all its processes."""
        return proportional_mib(self.process.pid)

    def maps(self, name: str) -> bool:
        """Whether one of its processes has loaded a library."""
        for process in processes(self.process.pid):
            try:
                if name in pathlib.Path(f"/proc/{process}/maps").read_text().lower():
                    return True
            except OSError:
                continue
        return False

    def cpu(self) -> float:
        """CPU seconds of all its processes."""
        ticks = 0
        for process in processes(self.process.pid):
            try:
                fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def raw_request(self) -> bytes:
        """The bytes of one request."""
        place = urllib.parse.urlsplit(self.url)
        body = self.body.encode()
        headers = {"Host": place.netloc, "Content-Length": len(body), **self.headers}
        head = f"{self.method} {place.path} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in headers.items()
        )
        return head.encode() + b"\r\n" + body

    def at_rate(
        self, rate: float, scratch: pathlib.Path, seconds: float | None = None, connections: int = 64,
        expected: pathlib.Path | None = None,
    ) -> subprocess.Popen[str]:
        """Starts requests at a fixed rate; the answer is read with `told`."""
        file = scratch / ("request" + self.url.split(":")[2].replace("/", "-"))
        file.write_bytes(self.raw_request())
        port = urllib.parse.urlsplit(self.url).port
        return subprocess.Popen(
            [open_loop(scratch), str(port), f"{rate:.3f}", f"{seconds or SECONDS:g}", str(connections), file,
             *([expected] if expected else [])], stdout=subprocess.PIPE, text=True)

    def load(self, connections: int, script: pathlib.Path) -> None:
        headers = "".join(f'wrk.headers["{name}"]="{value}" ' for name, value in self.headers.items())
        script.write_text(
            f'wrk.method="POST"; wrk.body=[==[{self.body}]==]; {headers}\n'
            'done = function(s, l, r) io.write(string.format("RESULT %d %d %d %d %d\\n", s.requests, s.duration, '
            'l:percentile(50), l:percentile(99), '
            's.errors.status + s.errors.connect + s.errors.read + s.errors.timeout)) end\n')
        before = self.cpu()
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS:g}s", "-s", str(script), self.url], capture_output=True,
            text=True, check=True).stdout
        requests, duration, p50, p99, errors = map(int, out.partition("RESULT ")[2].splitlines()[0].split())
        if errors and self.name == "martlet serve":
            sys.exit(f"serving: {self.name} failed {errors} requests")
        self.failed += errors
        self.figures.setdefault(connections, []).append(
            ((self.cpu() - before) / requests * 1e6, requests / duration * 1e6, p50 / 1000, p99 / 1000))

    def open_load(self, rate: float, title: str, scratch: pathlib.Path) -> None:
        """Asks at a fixed rate; keeps milliseconds from the moment at which each request was meant to leave."""
        told = json.loads(self.at_rate(rate, scratch).communicate()[0])
        if told["failed"] and self.name == "martlet serve":
            sys.exit(f"serving: {self.name} failed {told['failed']} requests at {rate:.0f}/s")
        self.failed += told["failed"]
        self.rates.setdefault(title, []).append(tuple(told[name] / 1000 for name in ["p50", "p99", "late_p99"]))

    def rate_figure(self, title: str, place: int) -> float:
        return statistics.median(each[place] for each in self.rates[title])

    def figure(self, connections: int, place: int) -> float:
        return statistics.median(each[place] for each in self.figures[connections])

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def martlet(
    scratch: pathlib.Path, row: list[float], environment: dict[str, str] | None = None, role: str = "viewer",
    log: pathlib.Path | None = None, more: Sequence[str] = (),
) -> Server:
    port = free_port()
    made = subprocess.run(
        [MARTLET, "tokens", "create", "--project", str(scratch / "speed"), f"bench-{port}", "--role", role], check=True,
        capture_output=True, text=True)
    return Server(
        "martlet serve", [MARTLET, "serve", str(scratch / "speed"), "--port", str(port), *more], port, "/predict",
        {"record": {f"f{i}": value for i, value in enumerate(row)}}, environment,
        {"Authorization": f"Bearer {made.stdout.strip()}"}, log=log)
