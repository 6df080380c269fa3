#!/usr/bin/env python3
"""Writes to the metadata from many threads of several processes, and kills PostgreSQL meanwhile.

    scripts/torture.d/metadata.py --engine sqlite|postgres [--processes 8] [--writers 8] [--seconds 120]
                                  [--kills 20] [--program FILE]

Counted is what the program acknowledged: each job that was submitted and cancelled, each move of the champion.
Afterwards all of them must be there; events, the model's history and the audit must be numbered without gaps; and no
writer may have met an error: none at all without kills, none but `metadata.away` and `metadata.undecided` with them
(PostgreSQL is ended by SIGKILL, with all its processes, and started again). Exit code 0: all of that held.
"""

import argparse
import collections
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import project

ROOT = Path(__file__).resolve().parent.parent.parent
POSTGRES = ROOT / "scripts/postgres"
MODEL = "readmission"


class Sqlite:
    """The file in the project's home."""

    def __init__(self, scratch: Path, folder: Path) -> None:
        self.file = folder / ".martlet/martlet.db"
        self.environment: dict[str, str] = {}

    def query(self, text: str) -> list[list[str]]:
        with sqlite3.connect(f"file:{self.file}?mode=ro", uri=True) as connection:
            return [[str(value) for value in row] for row in connection.execute(text)]

    def stop(self) -> None:
        pass


class Postgres:
    """A server of its own, whose commits are durable."""

    def __init__(self, scratch: Path, folder: Path) -> None:
        self.folder = scratch / "postgres"
        self.address = self.start()
        self.environment = {"MARTLET_METADATA": self.address}

    def start(self) -> str:
        done = subprocess.run([POSTGRES, "start", self.folder], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def kill(self) -> None:
        subprocess.run([POSTGRES, "kill", self.folder], check=True)

    def stop(self) -> None:
        subprocess.run([POSTGRES, "stop", self.folder], check=False)

    def query(self, text: str) -> list[list[str]]:
        done = subprocess.run(["psql", "-XAtq", "-F", "\t", self.address, "-c", text], check=True, capture_output=True,
                              text=True)
        return [line.split("\t") for line in done.stdout.splitlines()]


def gap(numbers: list[list[str]]) -> str | None:
    """The first number that is not where it should be, of those that should be 1, 2, 3, …"""
    for place, (number,) in enumerate(numbers, 1):
        if int(number) != place:
            return f"{number} stands in place {place}"
    return None


def check(engine: Sqlite | Postgres, acknowledged: list[str], errors: dict[str, int], allowed: set[str]) -> list[str]:
    differences = [f"{count} x {code}" for code, count in errors.items() if code not in allowed]
    jobs = {row[0] for row in engine.query("SELECT id FROM jobs WHERE state = 'cancelled'")}
    lost = [line for line in acknowledged if line.startswith("job ") and line.split()[1] not in jobs]
    if lost:
        differences.append(f"{len(lost)} acknowledged jobs are lost, the first is {lost[0]}")
    moves = sum(line.startswith("champion ") for line in acknowledged)
    history = int(engine.query("SELECT COUNT(*) FROM model_history")[0][0])
    told = int(engine.query("SELECT COUNT(*) FROM events WHERE subject LIKE 'models/%'")[0][0])
    if history != told:
        differences.append(f"{history} lines of history, {told} events of them")
    for table, condition in (("events", ""), ("model_history", f"WHERE model = '{MODEL}'"), ("audit", "")):
        found = gap(engine.query(f"SELECT position FROM {table} {condition} ORDER BY position"))
        if found:
            differences.append(f"{table} has a gap: {found}")
    events = engine.query("SELECT COUNT(*) FROM events")[0][0]
    print(f"{len(acknowledged)} acknowledged ({moves} moves of the champion), {len(jobs)} jobs, {events} events, "
          f"{history} lines of history; errors: {json.dumps(errors)}")
    return differences


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["sqlite", "postgres"], required=True)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--writers", type=int, default=8, help="threads in each process")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--kills", type=int, default=0, help="times that PostgreSQL is killed and started again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", default=str(ROOT / ".build/release/martlet"))
    options = parser.parse_args()
    if options.kills and options.engine != "postgres":
        parser.error("--kills is for PostgreSQL")
    rng = random.Random(options.seed)
    scratch = Path(tempfile.mkdtemp(prefix="martlet-metadata-"))
    # The account of PostgreSQL must be able to pass.
    scratch.chmod(0o755)
    program = project.Program(options.program)
    recipe = project.small_readmission(program, scratch)
    folder = scratch / "project"
    recipe.begin(folder)
    engine: Sqlite | Postgres = (Postgres if options.engine == "postgres" else Sqlite)(scratch, folder)
    program.environment.update(engine.environment)
    recipe.land(folder, 0)
    program.run(folder, "run")
    program.run(folder, "run", "--split-seed", "2")
    for version in (1, 2):
        program.run(folder, "models", "approve", f"{MODEL}@{version}", expect=None)

    writers = []
    for number in range(options.processes):
        path = scratch / f"writer-{number}"
        with path.open("wb") as out:
            writers.append((path, subprocess.Popen(
                [options.program, "jobs", "load", "--writers", str(options.writers), "--seconds",
                 str(options.seconds), "--model", MODEL], cwd=folder, env=program.environment,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE)))
    began, kills = time.monotonic(), 0
    while kills < options.kills and isinstance(engine, Postgres):
        # Recovery takes a second or two; writers must get something done between two kills.
        time.sleep(rng.uniform(0.3, max(1.0, options.seconds / (options.kills + 1) - 4)))
        if time.monotonic() - began > options.seconds - 5:
            break
        engine.kill()
        kills += 1
        time.sleep(rng.uniform(0, 0.5))
        engine.start()
    acknowledged: list[str] = []
    errors: collections.Counter[str] = collections.Counter()
    for path, writer in writers:
        _, said = writer.communicate(timeout=options.seconds + 120)
        acknowledged += path.read_text().splitlines()
        report = json.loads(said.decode().splitlines()[-1])
        errors.update(report["errors"])
    allowed = {"metadata.away", "metadata.undecided"} if kills else set()
    print(f"{options.engine}: {options.processes} processes of {options.writers} writers, {options.seconds:.0f} s, "
          f"{kills} kills")
    differences = check(engine, acknowledged, dict(errors), allowed)
    if kills < options.kills:
        differences.append(f"only {kills} of {options.kills} kills in time")
    program.run(folder, "verify", f"{MODEL}@1", expect=0)
    engine.stop()
    for line in differences:
        print(f"difference: {line}")
    print(f"{len(differences)} differences")
    if not differences:
        shutil.rmtree(scratch, ignore_errors=True)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
