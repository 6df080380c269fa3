#!/usr/bin/env python3
"""Kills, crashes, stops and starves the processes of jobs at random instants, and their workers too.

    scripts/torture.d/workers.py --minutes 5 [--seed n] [--program FILE] [--keep]

Two workers share one queue. Jobs that train are hurt, jobs that verify run beside them unhurt. Counted are only what
the commands acknowledged: every submitted job must end; as finished, with one version of the model, or as failed with
a reason that names what was done to it; no job that was left alone may have needed a second attempt; nothing may live
on afterwards; and what was registered must rebuild equal. Exit code 0: all of that held.
"""

import argparse
import collections
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import project

T = TypeVar("T")

FAULTS = {
    "SIGKILL": signal.SIGKILL, "SIGSEGV": signal.SIGSEGV, "SIGABRT": signal.SIGABRT, "SIGSTOP": signal.SIGSTOP,
    "memory": None, "cancel": None, "worker": None,
}
REASONS = {"SIGKILL": "ended by SIGKILL", "SIGSEGV": "ended by SIGSEGV", "SIGABRT": "ended by SIGABRT",
           "SIGSTOP": "no sign of life", "memory": "out of memory: used", "worker": "its supervisor disappeared"}


class WorkerPool:
    """Two worker processes on the queue of a project, started again whenever they are gone."""

    def __init__(self, program: project.Program, folder: Path) -> None:
        self.program, self.folder = program, folder
        self.workers: list[subprocess.Popen[bytes] | None] = [None, None]
        self.restarts = 0

    def restart_missing(self) -> None:
        for number, worker in enumerate(self.workers):
            if worker is None or worker.poll() is not None:
                if worker is not None:
                    self.restarts += 1
                with open(self.folder / "workers.log", "ab") as log:
                    self.workers[number] = subprocess.Popen(
                        [self.program.path, "worker", "--slots", "1", "--lease", "6"], cwd=self.folder,
                        env=self.program.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def submit(self, *words: str) -> str:
        return self.program.json(self.folder, "jobs", "submit", *words)["id"]

    def show(self, job: str) -> dict[str, Any]:
        return self.program.json(self.folder, "jobs", "show", job)

    def stop(self) -> list[int]:
        running = [worker for worker in self.workers if worker]
        for worker in running:
            worker.terminate()
        return [worker.wait(timeout=120) for worker in running]


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(what: str, seconds: float, look: Callable[[], T | None]) -> T:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise project.Failure(f"{what}: not within {seconds} s")


def wait_for_end(pool: WorkerPool, job: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        pool.restart_missing()
        shown = pool.show(job)
        return shown if shown["state"] in ("finished", "failed", "cancelled") else None
    return wait_until(f"job {job} to end", 3600, look)


def inject_fault(
    pool: WorkerPool, rng: random.Random, seed: int, tally: collections.Counter[str], differences: list[str],
) -> tuple[bool, str | None]:
    how = rng.choice(sorted(FAULTS))
    extra = ["--memory-limit", f"{rng.randint(20, 60)}MB"] if how == "memory" else []
    job = pool.submit("run", "--split-seed", str(seed), "--max-attempts", "2", *extra)
    beside = pool.submit("verify", f"{MODEL}@1") if how != "worker" else None

    def at_work() -> tuple[dict[str, Any], dict[str, Any] | None] | None:
        pool.restart_missing()
        shown = pool.show(job)
        last = (shown["history"] or [{}])[-1]
        if shown["state"] == "running" and "process" in last:
            return shown, last
        return (shown, None) if shown["state"] in ("finished", "failed") else None
    shown, last = wait_until(f"job {job} to begin", 3600, at_work)
    time.sleep(rng.random() * 3)
    process = last["process"] if last else 0
    name = f"{how} {job[:12]}"
    done = False
    if last and is_alive(process):
        number = FAULTS[how]
        if number:
            os.kill(process, number)
            done = True
        elif how == "worker":
            os.kill(int(last["owner"].split("-")[-2]), signal.SIGKILL)
            wait_until(f"{name}: the child to die with its worker", 10, lambda: not is_alive(process))
            done = True
        elif how == "cancel":
            answer = pool.program.run(pool.folder, "jobs", "cancel", job, "--reason", "torture", expect=None)
            done = answer.returncode == 0
            if done:
                wait_until(f"{name}: the cancelled process to go", 10, lambda: not is_alive(process))
    shown = wait_for_end(pool, job)
    told = [attempt.get("reason") or "" for attempt in shown["history"]]
    tally[how] += 1
    if how == "cancel" and done:
        if shown["state"] != "cancelled":
            differences.append(f"{name}: cancelled, but {shown['state']}")
    elif how == "memory":
        if shown["state"] == "failed" and not all(reason.startswith(REASONS[how]) for reason in told):
            differences.append(f"{name}: {told}")
    elif shown["state"] != "finished":
        differences.append(f"{name}: {shown['state']}, {told}")
    elif len(told) > 1 and not told[0].startswith(REASONS.get(how, "?")):
        differences.append(f"{name}: the first attempt says {told[0]!r}")
    if beside:
        other = wait_for_end(pool, beside)
        if other["state"] != "finished" or len(other["history"]) != 1:
            differences.append(f"{name}: the job beside it was harmed: {json.dumps(other)[:600]}")
    for attempt in shown["history"]:
        if attempt["outcome"] == "running" or is_alive(attempt.get("process", 0)):
            differences.append(f"{name}: attempt {attempt['attempt']} lives on")
    return shown["state"] == "finished", how if shown["state"] != "finished" or len(told) > 1 else None


MODEL = "readmission"


def main() -> NoReturn:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--program", default=str(Path(__file__).resolve().parents[2] / ".build/release/martlet"))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    seed = options.seed or secrets.randbelow(10**9) + 1
    rng = random.Random(seed)
    scratch = Path(tempfile.mkdtemp(prefix="martlet-workers-"))
    program = project.Program(options.program)
    recipe = project.small_readmission(program, scratch)
    folder = scratch / "project"
    recipe.begin(folder)
    recipe.land(folder, 0)
    # Long enough to be hurt in the middle.
    project.replace_in_file(
        folder / "martlet.yaml", ("rounds: 60", "rounds: 1500"), ("early_stopping: 20", "early_stopping: 0")
    )
    program.run(folder, "run")
    pool = WorkerPool(program, folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    tally: collections.Counter[str] = collections.Counter()
    hits: collections.Counter[str] = collections.Counter()
    differences: list[str] = []
    versions = 1
    end = time.monotonic() + options.minutes * 60
    number = 0
    try:
        while time.monotonic() < end and len(differences) < 10:
            number += 1
            pool.restart_missing()
            registered, hit = inject_fault(pool, rng, 1000 + number, tally, differences)
            versions += registered
            if hit:
                hits[hit] += 1
        codes = pool.stop()
        if codes != [0, 0]:
            differences.append(f"workers ended with {codes}")
        if pool.restarts != tally["worker"] and pool.restarts > hits["worker"]:
            differences.append(f"workers were started again {pool.restarts} times, {hits['worker']} were killed")
        listed = program.json(folder, "models", "list")[0]["versions"]
        if listed != versions:
            differences.append(f"{versions} jobs registered a version, {listed} versions are there")
        for version in sorted({1, listed, rng.randint(1, listed)}):
            program.run(folder, "verify", f"{MODEL}@{version}")
        jobs = program.json(folder, "jobs", "list", "--limit", "100000")
        left = [job["id"] for job in jobs if job["state"] in ("queued", "running")]
        if left:
            differences.append(f"jobs left over: {left}")
    except (project.Failure, subprocess.TimeoutExpired) as failure:
        differences.append(str(failure))
    finally:
        for worker in pool.workers:
            if worker and worker.poll() is None:
                worker.kill()
    print(f"seed {seed}: {sum(tally.values())} jobs hurt ({dict(sorted(tally.items()))}), of these hit in the middle "
          f"{dict(sorted(hits.items()))}; {versions} versions; {len(differences)} differences")
    for difference in differences:
        print("  " + difference)
    if options.keep or differences:
        print(f"left in {scratch}")
    else:
        subprocess.run(["rm", "-rf", str(scratch)], check=False)
    sys.exit(1 if differences else 0)


main()
