"""Calls that fail below programs that go on: a worker and its child, and the start of a server with its first admin."""

import http.client
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import statecheck
from project import Program
from shim import Shim
from statefaults import PASSWORD, Outcome, ScenarioCommand, SharedProject, StateScenario

# What a program may use of a processor while it has nothing to do, in seconds of two.
IDLE = 0.1
NO_LINK = "no setup link could be made"
LINK = re.compile(r"/setup#([A-Za-z0-9_-]+)")


def cpu_seconds(process: int) -> float:
    """Seconds of the processor that a process and all its children have used."""
    total, wanted = 0, [process]
    while wanted:
        number = wanted.pop()
        try:
            fields = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()
            for task in Path(f"/proc/{number}/task").iterdir():
                wanted += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / 100


def check_idle_cpu(process: int, seconds: float = 2) -> list[str]:
    """What it used in so long, where that is more than a program may that has nothing to do."""
    before = cpu_seconds(process)
    time.sleep(seconds)
    spent = cpu_seconds(process) - before
    return [f"used {spent:.2f} s of the processor in {seconds} s of waiting"] if spent > IDLE else []


class WorkerScenario(StateScenario):
    """A worker with one job that trains: a call of the worker fails, or one of the process that does the job."""

    # What a job that is tried again leaves besides: runs that failed, more attempts.
    TABLES = statecheck.MODELS

    def __init__(self, program: Program, shim: Shim, scratch: Path, estate: SharedProject) -> None:
        super().__init__(
            "worker",
            program,
            shim,
            scratch,
            estate.folder,
            [
                ScenarioCommand("worker", ["--drain"], tables=self.TABLES),
                ScenarioCommand("child", ["--attempt"], tables=self.TABLES),
            ],
        )
        self.base = shutil.copytree(estate.folder, self.scratch / "queued")
        program.run(self.base, "jobs", "cancel", estate.queued)
        self.job = program.json(self.base, "jobs", "submit", "train", "--split-seed", "9")["id"]

    short = 1
    words = ("worker", "--drain", "--slots", "1", "--lease", "3", "--grace", "2")

    def run(self, act: ScenarioCommand, folder: Path, **settings: object) -> Outcome:
        environment, self.kind = self.program.environment, str(settings.get("kind") or "")
        if settings:
            once = folder / "once" if self.kind and "+" not in self.kind else None
            settings["in"] = act.words[0]
            environment = self.shim.environment(environment, folder, once=once, **settings)
        process = subprocess.Popen(
            [self.program.path, *self.words], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        found = []
        try:
            out, err = process.communicate(timeout=8 if self.kind else 60)
        except subprocess.TimeoutExpired:
            # It waits for the disk, or for a job whose end it could not write down.
            found = check_idle_cpu(process.pid)
            process.terminate()
            try:
                out, err = process.communicate(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                found.append("SIGTERM did not end it within 15 s")
        return Outcome(process.returncode, out, err, found)

    def state(self, folder: Path) -> dict[str, Any]:
        return next(
            row for row in statecheck.rows(statecheck.raw(folder / ".martlet"), "jobs") if row["id"] == self.job
        )

    def check_result(self, act: ScenarioCommand, done: Outcome, folder: Path) -> list[str]:
        found, now, job = done.found + self.check(act, folder), self.view(act, folder), self.state(folder)
        if now not in (self.before[act.name], self.full[act.name]):
            found.append(f"left a part: {statecheck.describe_difference(self.before[act.name], now)}")
        if job["state"] == "finished" and now != self.full[act.name]:
            found.append("the job has finished, and its version is not there")
        # A disk that stays broken fails all three attempts.
        if job["state"] == "failed" and "+" not in self.kind:
            found.append(f"the job failed for good: {job['reason']}")
        return found

    def repeat_without_faults(self, act: ScenarioCommand, folder: Path, record: Path | None) -> list[str]:
        """Another worker does what is left, without faults."""
        retried = self.state(folder)["state"] == "failed"
        if retried:
            self.program.run(folder, "jobs", "retry", self.job)
        done = self.run(act, folder, **({"log": record} if record else {}))
        job, found = self.state(folder), done.found + self.check(act, folder)
        if done.returncode != 0:
            found.append(f"the next worker gave exit code {done.returncode}: {done.stderr[-400:]}")
        if job["state"] != "finished":
            found.append(f"the next worker left the job {job['state']}: {job['reason']}")
        wanted, now = self.full[act.name], self.view(act, folder)
        if retried:  # The retry itself is in the audit, and moves the entries behind it.
            wanted, now = ([line for line in view if not line.startswith("audit ")] for view in (wanted, now))
        if now != wanted:
            found.append(f"the next worker left {statecheck.describe_difference(wanted, now)}")
        return found


def ask(
    port: int, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """(status, answer) of a server; status 0 when there was none."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
    except OSError as error:
        return 0, str(error)
    return answer.status, text


class StartScenario(StateScenario):
    """A server that starts on a project without people, makes its key and its link, makes the first admin, and ends."""

    reads, short = True, 2

    def __init__(self, program: Program, shim: Shim, scratch: Path, estate: SharedProject) -> None:
        super().__init__("start", program, shim, scratch, estate.fresh, [ScenarioCommand("serve", [])])

    def run(self, act: ScenarioCommand, folder: Path, **settings: object) -> Outcome:
        environment, self.kind = self.program.environment, str(settings.get("kind") or "")
        if settings:
            environment = self.shim.environment(environment, folder, reads="1", **settings)
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        told = folder.with_name(f"{folder.name}.told")
        with open(told, "w") as file:
            process = subprocess.Popen(
                [self.program.path, "serve", "--port", str(port), "--workers", "0", "--drain-seconds", "0"], cwd=folder,
                env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        try:
            found = self.create_first_admin(process, port, told)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                found = ["SIGTERM did not end it within 20 s"]
        text = told.read_text()
        told.unlink()
        return Outcome(process.returncode, "", text, found)

    def create_first_admin(self, process: subprocess.Popen[bytes], port: int, told: Path) -> list[str]:
        """Waits until it listens and makes the first admin."""
        self.made, end = None, time.monotonic() + 30
        while ask(port, "GET", "/health/live")[0] == 0:
            if process.poll() is not None:
                return []
            if time.monotonic() > end:
                return ["neither listens nor ends within 30 s"]
            time.sleep(0.02)
        # It answers before it has made the link.
        end = time.monotonic() + 5
        while not LINK.search(told.read_text()) and NO_LINK not in told.read_text() and time.monotonic() < end:
            time.sleep(0.02)
        link = LINK.search(told.read_text())
        if link:
            # A fault that comes once is over soon, for a server that goes on.
            for _ in range(1 if "+" in self.kind else 4):
                self.made = ask(port, "POST", "/api/setup", {"secret": link[1], "name": "ada", "password": PASSWORD})
                if self.made[0] < 500:
                    break
                time.sleep(0.3)
        if process.poll() is not None:
            return [f"ended by itself with {process.returncode} after it had listened"]
        return []

    def view(self, act: ScenarioCommand, folder: Path) -> list[str]:
        """Whether there is an admin, and whom a session of hers would be believed."""
        return [line for line in statecheck.snapshot(folder / ".martlet", tables=("users",))] + [
            f"key: {(folder / '.martlet/session.key').exists()}"]

    def check_result(self, act: ScenarioCommand, done: Outcome, folder: Path) -> list[str]:
        found, made = done.found + self.check(act, folder), self.made
        there = any(line.startswith("users") for line in self.view(act, folder))
        if made and made[0] == 200 and not there:
            found.append("the first admin was acknowledged and is not there")
        if made and made[0] >= 500 and "+" not in self.kind:
            found.append(f"one fault while it started, and the fourth setup is answered {made[0]}: {made[1][:300]}")
        elif made and made[0] not in (0, 200) and not self.told(made[1]):
            found.append(f"setup was answered {made[0]}: {made[1][:300]}")
        if done.returncode == 0 and made is None and NO_LINK not in done.stderr:
            found.append("started without a link for the first admin")
        return found

    def told(self, text: str) -> bool:
        try:
            return bool(json.loads(text).get("status", 0) >= 500)
        except ValueError:
            return False

    def repeat_without_faults(self, act: ScenarioCommand, folder: Path, record: Path | None) -> list[str]:
        """Another server starts, and makes the first admin unless she is there; she can log in."""
        self.run(act, folder, **({"log": record} if record else {}))
        found = self.check(act, folder)
        if self.view(act, folder) != self.full[act.name]:
            found.append(
                f"the next server left {statecheck.describe_difference(self.full[act.name], self.view(act, folder))}"
            )
        elif not statecheck.password_holds(folder / ".martlet", "ada", PASSWORD):
            found.append("the first admin has another password")
        return found
