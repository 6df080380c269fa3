"""A million rows of CSV over HTTP and their scores as CSV back: Martlet's /predict/batch against its own evaluator in
one process without files, and against FastAPI with pandas and LightGBM.

The model has 200 trees of 31 leaves over 40 features, trained by Martlet; all three use the same file. One thread works
on the batch (`--batch-threads 1`), one thread evaluates in process (`forestbench loop batch`), and the peer predicts
with `num_threads=1`. Beside its batch thread the server reads and writes sockets and the prediction log (mode
`written`, every row is logged) on others, as does the peer's kernel; CPU seconds of whole processes are printed for
that reason. Rounds of server and evaluator alternate; medians count. The scores must be the same to the bit.
"""

import array
import http.client
import math
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from _bench import Report
from _serving import FEATURES, MARTLET, free_port, project

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))

APP = """
import io, lightgbm, os, pandas
from fastapi import FastAPI, Request, Response
booster = lightgbm.Booster(model_file=os.environ["MODEL"])
app = FastAPI()
@app.get("/ready")
async def ready():
    return {}
@app.post("/predict")
async def predict(request: Request):
    rows = pandas.read_csv(io.BytesIO(await request.body()))
    scores = booster.predict(rows[booster.feature_name()].to_numpy(), num_threads=1)
    answer = pandas.DataFrame({"id": rows["id"], "probability": scores, "decision": scores >= 0.5})
    return Response(answer.to_csv(index=False), media_type="text/csv")
"""


def rows(csv: pathlib.Path, binary: pathlib.Path, draw: random.Random) -> None:
    """The rows as CSV, and some of them as doubles for the evaluator."""
    lines = [[round(draw.gauss(0, 1), 4) for _ in range(FEATURES)] for _ in range(20_000)]
    with open(binary, "wb") as file:
        for line in lines:
            array.array("d", line).tofile(file)
    texts = [",".join(map(repr, line)) for line in lines]
    with open(csv, "w") as file:
        file.write("id," + ",".join(f"f{i}" for i in range(FEATURES)) + "\n")
        for row in range(ROWS):
            file.write(f"{row},{texts[row * 7919 % len(texts)]}\n")


class Server:
    """A server process that answers batches, with the seconds and CPU seconds of each."""

    def __init__(
        self, name: str, command: Sequence[str | pathlib.Path], port: int, path: str, ready: str,
        headers: dict[str, str] | None = None, environment: dict[str, str] | None = None,
    ) -> None:
        self.name, self.port, self.path, self.headers = name, port, path, headers or {}
        self.process = subprocess.Popen(
            command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        begun = time.monotonic()
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", ready)
                if connection.getresponse().status == 200:
                    break
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() - begun > 60:
                sys.exit(f"batch: {name} does not answer")
            time.sleep(0.05)
        self.seconds: list[float] = []
        self.cpus: list[float] = []

    def cpu(self) -> float:
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def busiest(self) -> float:
        """CPU seconds of the thread that works most: the server's only batch thread."""
        threads = [path.read_text().rsplit(")", 1)[1].split() for path in pathlib.Path(
            f"/proc/{self.process.pid}/task").glob("*/stat")]
        return max((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") for fields in threads)

    def peak(self) -> float:
        found = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) * 1024 / 1e6 if found else math.nan

    def batch(self, csv: pathlib.Path, out: pathlib.Path) -> None:
        before, begun = self.cpu(), time.monotonic()
        headers = [part for name, value in self.headers.items() for part in ("-H", f"{name}: {value}")]
        subprocess.run(
            ["curl", "-sS", "--fail", "-X", "POST", "-H", "Content-Type: text/csv", "-H", "Expect:", *headers,
             "-T", csv, "-o", out, f"http://127.0.0.1:{self.port}{self.path}"], check=True)
        self.seconds.append(time.monotonic() - begun)
        self.cpus.append(self.cpu() - before)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def in_process(model: pathlib.Path, binary: pathlib.Path) -> float:
    """Seconds per row of the evaluator, one thread."""
    out = subprocess.run(
        [ROOT / ".build/release/forestbench", "loop", "batch", "lightgbm", model, binary, str(ROWS // 20_000 or 1)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return float(out.split()[0]) / 1e6


def scores(path: pathlib.Path) -> list[tuple[str, float]]:
    """The column probability as text, by id."""
    with open(path) as file:
        header = next(file).rstrip("\n").split(",")
        key, score = header.index("id"), header.index("probability")
        return [(cells[key], float(cells[score])) for cells in (line.split(",") for line in file)]


def main() -> None:
    if not (ROOT / ".build/release/forestbench").is_file():
        subprocess.run(
            ["swift", "build", "-c", "release", "--pkg-config-path", ROOT / ".deps/lib/pkgconfig", "--product",
             "forestbench"], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    python = subprocess.run(
        [ROOT / "scripts/venv", "serving"], check=True, capture_output=True, text=True).stdout.strip()
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as made:
        scratch = pathlib.Path(made)
        _, model = project(scratch / "speed")
        csv, binary = scratch / "rows.csv", scratch / "rows.bin"
        rows(csv, binary, draw)
        (scratch / "app.py").write_text(APP)
        token = subprocess.run(
            [MARTLET, "tokens", "create", "bench", "--role", "operator", "--project", str(scratch / "speed")],
            check=True, capture_output=True, text=True).stdout.strip()
        port, peer_port = free_port(), free_port()
        ours = Server(
            "martlet serve", [MARTLET, "serve", str(scratch / "speed"), "--port", str(port), "--batch-threads", "1"],
            port, "/predict/batch?keep=id", "/health/ready", {"Authorization": f"Bearer {token}"})
        evaluator = []
        try:
            for _ in range(ROUNDS):
                evaluator.append(in_process(model, binary))
                ours.batch(csv, scratch / "ours.csv")
            maps = pathlib.Path(f"/proc/{ours.process.pid}/maps").read_text().lower()
            if any(name in maps for name in ["duckdb", "lightgbm", "xgboost"]):
                sys.exit("batch: an SQL engine or a training library is in the serving process")
            peak, busiest = ours.peak(), ours.busiest() / ROUNDS
        finally:
            ours.end()
        peer = Server(
            "FastAPI + pandas + LightGBM",
            [
                python,
                "-m",
                "uvicorn",
                "app:app",
                "--app-dir",
                str(scratch),
                "--port",
                str(peer_port),
                "--no-access-log",
            ],
            peer_port,
            "/predict",
            "/ready",
            environment={"MODEL": str(model), "OMP_NUM_THREADS": "1"},
        )
        try:
            peer.batch(csv, scratch / "peer.csv")
            peer_peak = peer.peak()
        finally:
            peer.end()
        mine, theirs = scores(scratch / "ours.csv"), scores(scratch / "peer.csv")
        report = Report("batch", data="synthetic")
        report.equal("rows answered", len(mine), ROWS)
        report.equal("scores that differ from LightGBM's", sum(a != b for a, b in zip(mine, theirs, strict=False)), 0)
        report.at_most("peak memory of the server, MB", peak, 250, peer_peak)
        rate = ROWS / statistics.median(ours.seconds)
        inside = 1 / statistics.median(evaluator)
        report.add(
            "rows/s over HTTP, of the in-process rate (peer column)", rate, inside, "ratio >= 0.4", rate >= 0.4 * inside
        )
        report.add("rows/s over HTTP", rate, ROWS / statistics.median(peer.seconds))
        report.add(
            "CPU of the batch thread, and of the evaluator (peer column), us/row", busiest / ROWS * 1e6, 1e6 / inside)
        report.add("CPU of the server, us/row", statistics.median(ours.cpus) / ROWS * 1e6, peer.cpus[0] / ROWS * 1e6)
    report.end()


if __name__ == "__main__":
    main()
