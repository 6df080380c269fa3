"""The project that `memory` sends its requests to: models with 41 and 400 columns, and raw rows for `/process`."""

import json
import random
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from project import Failure, Program

# A record, and the probability that the model gives it.
Sample = tuple[dict[str, Any], float]

NUMBERS, WIDE = 40, 400
NAMES = [f"f{i}" for i in range(NUMBERS)] + ["ward"]
WIDE_NAMES = [f"f{i}" for i in range(NUMBERS)] + [f"w{i}" for i in range(WIDE - NUMBERS)]
WARDS = ["icu", "north", "south", "é 2"]
MODEL = """  - name: {name}
    table: gold.{name}
    key: id
    target: {{column: label, positive: "1"}}
    features: {{exclude: [seen_at]}}
    split: {{kind: hash, seed: 42, train: 0.7, validation: 0, test: 0.3}}
    learner: {{kind: lightgbm, rounds: {rounds}, parameters: {{num_leaves: 15, learning_rate: 0.1}}}}
    bootstrap: {{replicates: 100, seed: 42}}
    threshold: {{fixed: 0.5}}
    bands: {{medium: 0.3, high: 0.6}}
    approval: none
    process: {{record: rows, rows: {{rows: {{same: [id], lookback: 1 days}}}}}}
"""


def row(draw: random.Random) -> list[Any]:
    return [round(draw.gauss(0, 1), 4) for _ in range(NUMBERS)] + [draw.choice(WARDS)]


def moment(number: int) -> str:
    return f"2026-01-{number // 1440 % 28 + 1:02} {number // 60 % 24:02}:{number % 60:02}:00"


def write(folder: Path, rows: int) -> None:
    """A project of look-alike rows, made anew from a fixed seed."""
    draw = random.Random(7)
    for name in ("contracts", "transforms/gold", "landing/rows"):
        (folder / name).mkdir(parents=True)
    with open(folder / "landing/rows/rows.csv", "w") as file:
        file.write(f"id,seen_at,{','.join(NAMES)},label\n")
        for number in range(rows):
            x = row(draw)
            label = int(draw.random() < 1 / (1 + 2.718281828 ** -(x[0] + x[1] * x[2] - (x[-1] == "icu"))))
            file.write(f"{number},{moment(number)},{','.join(map(str, x))},{label}\n")
    numbers = "".join(f"  f{i}: {{type: double}}\n" for i in range(NUMBERS))
    (folder / "contracts/rows.yaml").write_text(
        "key: [id]\nevent_time: seen_at\ncolumns:\n  id: {type: bigint, nullable: false}\n"
        f"  seen_at: {{type: timestamp, nullable: false}}\n{numbers}  ward: {{type: text}}\n"
        "  label: {type: integer, optional: true}\n")
    (folder / "transforms/gold/narrow.sql").write_text("SELECT * FROM bronze.rows\n")
    more = ", ".join(f"f{i % NUMBERS} * f{(i // NUMBERS + i + 1) % NUMBERS} AS w{i}" for i in range(WIDE - NUMBERS))
    (folder / "transforms/gold/wide.sql").write_text(
        f"SELECT id, seen_at, {', '.join(WIDE_NAMES[:NUMBERS])}, {more}, label FROM bronze.rows\n")
    (folder / "martlet.yaml").write_text(
        "name: load\nsources:\n  rows: {contract: contracts/rows.yaml}\nmodels:\n"
        + MODEL.format(name="narrow", rounds=60) + MODEL.format(name="wide", rounds=20))


class LoadServer:
    """The server process under load: its project, a token for each client, and records with known probabilities."""

    def __init__(self, program: Program, scratch: Path, clients: int, tokens: int, rows: int) -> None:
        self.program, self.folder = program, Path(scratch) / "load"
        write(self.folder, rows)
        program.run(self.folder, "run")
        # Some may all, others may no more than operators.
        made = [self.token(f"client-{number}", "operator" if number % 4 else "admin") for number in range(tokens)]
        self.tokens = [made[number % len(made)] for number in range(clients)]
        self.samples = self.reference_samples()
        # A file of Parquet as the lake has it, and one with 400 columns.
        self.parquet = [max(self.folder.glob(f".martlet/lake/gold/{name}/*.parquet"), key=lambda f: f.stat().st_size)
                        .read_bytes() for name in ("narrow", "wide")]
        self.errors = Path(scratch) / "load.log"

    def token(self, name: str, role: str) -> str:
        return self.program.run(self.folder, "tokens", "create", name, "--role", role).stdout.strip()

    def reference_samples(self) -> list[Sample]:
        """What the learner's own library said of rows of the test part: [(record, probability)] of the narrow model."""
        for path in sorted((self.folder / ".martlet/artifacts").rglob("*")):
            if path.is_file() and path.read_bytes()[:20].lstrip(b"{ \n").startswith(b'"probabilities"'):
                found = json.loads(path.read_text())
                if "ward" in found["records"][0]:
                    return list(zip(found["records"], found["probabilities"], strict=True))
        raise Failure("the run left no rows with probabilities")

    def start(self) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        # What the log keeps is bounded, since millions of rows would fill a disk; requests without a valid token are
        # not, since refusals of all that come too often would be most of the answers to broken ones.
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [
                    self.program.path,
                    "serve",
                    "--port",
                    str(self.port),
                    "--log-keep-bytes",
                    "2GiB",
                    "--rate-limit",
                    "none",
                ],
                cwd=self.folder,
                env=self.program.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.process.kill()
                    raise Failure(f"the server does not listen: {self.stderr_text()[-500:]}") from None
                time.sleep(0.01)

    def stderr_text(self) -> str:
        return self.errors.read_bytes().decode(errors="replace")

    def end(self) -> int:
        """Asks the server to end, and gives its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
