"""A server that goes on: calls fail while it answers, and afterwards it answers as before.

Faults are switched on and off by a file. What was answered with 200 is there afterwards; what was answered with an
error has its whole effect or none, and the same request with the same Idempotency-Key then has it once.
"""

from __future__ import annotations

import atexit
import random
import re
import shutil
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

import predictions
import shim as shims
import statecheck
from faults import FaultResult
from processfaults import ask, check_idle_cpu
from project import Failure, Program
from shim import Shim
from statefaults import CRASH, PASSWORD, Outcome, ScenarioCommand, SharedProject, StateCall, StateScenario, verdict

TOLD = re.compile(
    r'"code" ?: ?"(disk\.|metadata\.(full|failed|readonly|busy)|predictions\.(full|failed|busy)|request\.no-answer)'
    r'|\[(disk|metadata|predictions)\.'
)
# A disk that is full, and one whose flushes fail; as the switch says it.
LASTING = {"full": "1 ENOSPC write mkdir link allocate", "flush": "1 EIO fsync fsync-directory", "dead": "1 EIO+"}


class FaultSwitch:
    """The file that switches faults in a running process on and off."""

    def __init__(self, path: Path) -> None:
        self.path, self.number = Path(path), 0

    def on(self, what: str) -> None:
        self.number += 1
        whole = self.path.with_suffix(".new")
        whole.write_text(f"{self.number} {what}\n")
        whole.rename(self.path)

    def off(self) -> None:
        self.path.unlink(missing_ok=True)


class ServerUnderFaults:
    """The server process under the shim, and what it has acknowledged since the first start."""

    def __init__(self, scene: ServerScenario, estate: SharedProject, folder: Path, *options: str) -> None:
        self.scene, self.estate, self.folder, self.options = scene, estate, folder, options
        self.switch = FaultSwitch(scene.scratch / "switch")
        self.told, self.number = scene.scratch / "told", 0
        self.process: subprocess.Popen[bytes] | None = None
        self.logged: set[str] = set()
        self.moves: dict[str, str] = {}
        self.count = scene.scratch / "calls"
        self.modes = ("strict", "written")
        # However the torture ends.
        atexit.register(self.kill)

    def start(self) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        environment = self.scene.shim.environment(
            self.scene.program.environment, self.folder, switch=self.switch.path, count=self.count)
        self.modes = self.modes[::-1]
        with open(self.told, "w") as file:
            self.process = subprocess.Popen(
                [
                    self.scene.program.path,
                    "serve",
                    "--port",
                    str(self.port),
                    "--drain-seconds",
                    "0",
                    "--rate-limit",
                    "none",
                    "--log",
                    self.modes[0],
                    "--log-keep-bytes",
                    "24MiB",
                    *self.options,
                ],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + 60
        while self.ask("GET", "/health/ready")[0] != 200:
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failure(f"the server does not start: {self.told.read_text()[-800:]}")
            time.sleep(0.02)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        return ask(self.port, method, path, body, {"Authorization": f"Bearer {self.estate.admin}", **headers})

    def stop(self) -> list[str]:
        """Ends it; gives what was wrong with that, and with what is left."""
        if not self.process:
            return []
        self.switch.off()
        self.process.terminate()
        found = []
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            found.append("SIGTERM did not end the server within 30 s")
        text, self.process = self.told.read_text(), None
        if CRASH.search(text):
            found.append(f"the server crashed: {text[-500:]}")
        found += self.lost_predictions()
        # Retention must not come in between: what was looked at goes.
        for path in (self.folder / ".martlet/predictions").glob("*.segment"):
            path.unlink()
        self.logged = set()
        return found

    def lost_predictions(self) -> list[str]:
        """Acknowledged predictions that are not in the log."""
        there = {id for path in sorted((self.folder / ".martlet/predictions").glob("*.segment"))
                 for id, _, _ in predictions.segment(path)[0]}
        gone = self.logged - there
        return [f"{len(gone)} acknowledged predictions are lost, such as {min(gone)}"] if gone else []

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # What it is asked. Each gives (status, answer).

    def fresh(self) -> str:
        self.number += 1
        return f"{self.scene.name}-{self.number}"

    def predict(self, id: str | None = None, count: int = 1) -> tuple[int, str]:
        records = self.estate.served.samples["records"]
        id = id or self.fresh()
        records = [records[number % len(records)] for number in range(count)]
        status, text = self.ask("POST", "/predict", {"records": records}, **{"X-Request-ID": id})
        if status == 200:
            self.logged |= {id} if count == 1 else {f"{id}.{place}" for place in range(count)}
        return status, text

    def rotate(self, id: str | None = None) -> tuple[int, str]:
        return self.predict(id, 3000)

    def deploy(self, id: str) -> tuple[int, str]:
        # The same key means the same request.
        self.moves[id] = self.moves.get(id) or f"downtime@{3 - self.champion()}"
        return self.ask(
            "POST", "/api/deploy", {"model": self.moves[id], "reason": "torture"}, **{"Idempotency-Key": id}
        )

    def first(self, id: str) -> tuple[int, str]:
        """What a server does with the first request for a change opens the registry."""
        return self.deploy(id)

    def rollback(self, id: str) -> tuple[int, str]:
        return self.ask(
            "POST", "/api/deploy/rollback", {"model": "downtime", "reason": "torture"}, **{"Idempotency-Key": id}
        )

    def promote(self, id: str) -> tuple[int, str]:
        self.moves[id] = self.moves.get(id) or f"downtime@{3 - self.champion()}"
        return self.ask("PUT", f"/api/models/{self.moves[id]}/promote", {"reason": "torture"})

    def submit(self, id: str) -> tuple[int, str]:
        return self.ask("POST", "/api/training/start", {"kind": "train"}, **{"Idempotency-Key": id})

    def login(self, id: str) -> tuple[int, str]:
        return ask(self.port, "POST", "/api/session", {"name": "ada", "password": PASSWORD})

    def champion(self) -> int:
        return next(row["version"] for row in statecheck.rows(self.raw(), "aliases") if row["alias"] == "champion")

    def raw(self) -> statecheck.Tables:
        return statecheck.raw(self.folder / ".martlet", live=True)


def effects(tables: statecheck.Tables) -> Counter[str]:
    """How much of each kind was done so far, by the audit; `sound` says whether the rest fits to it."""
    return Counter(row["action"] for row in statecheck.rows(tables, "audit"))


DONE = {
    "first": {"alias.moved": 1},
    "deploy": {"alias.moved": 1},
    "rollback": {"alias.moved": 1},
    "promote": {"alias.moved": 1},
    "submit": {"job.submitted": 1},
    "login": {"session.opened": 1},
    "predict": {},
    "rotate": {},
}
# Asked again with their key they are done once.
KEYED = ("first", "deploy", "rollback", "submit")


class ServerScenario(StateScenario):
    """Requests to a running server; a call that it makes for each of them fails."""

    short = 4
    def __init__(self, program: Program, shim: Shim, scratch: Path, estate: SharedProject) -> None:
        super().__init__("server", program, shim, scratch, estate.folder, [ScenarioCommand(name, []) for name in DONE])
        self.base = shutil.copytree(estate.folder, self.scratch / "served")
        self.served = ServerUnderFaults(self, estate, self.base, "--workers", "0")

    def count(self) -> list[StateCall]:
        calls = []
        self.served.start()
        for act in self.acts:
            self.served.count.write_text("")
            self.served.switch.on("0 EIO")
            status, text = getattr(self.served, act.name)(self.served.fresh())
            # What is written behind an answer counts, too.
            time.sleep(0.3)
            self.served.switch.off()
            if status // 100 != 2:
                raise Failure(f"server, {act.name}: {status} {text[:300]}")
            calls += [
                StateCall(c.number, c.op, c.path, f"{act.name}: {c.site}", act) for c in shims.calls(self.served.count)
            ]
        # Counting costs as much as a call.
        self.served.count.write_text("")
        return calls

    def fail(self, call: StateCall, kind: str, number: int, rng: random.Random) -> FaultResult:
        found, served = [], self.served
        if served.process and call.act.name == "first":
            found += served.stop()
        if not served.process:
            served.start()
        if number == 0 and call.act.name != "first":
            found += self.check_idle("full")
        before, key = effects(served.raw()), served.fresh()
        served.switch.on(f"{call.number} {kind}")
        status, text = getattr(served, call.act.name)(key)
        health = served.ask("GET", "/health")
        time.sleep(0.15)
        served.switch.off()
        found += self.judge_answer(call.act, before, status, text)
        if health[0] == 0:
            found.append(f"/health gave no answer: {health[1]}")
        if not found:
            found = self.check_recovery(call.act, before, status, key)
        if not found and number % 10 == 9:
            found = self.check_idle(rng.choice(list(LASTING)))
        if not found and number % 25 == 24:
            found = self.restart()
        if found:
            found.append(f"answered {status}: {text[:200]!r}")
            found += served.stop()
        return found, "succeeded all the same" if status // 100 == 2 else "clear error", served.folder

    def judge_answer(self, act: ScenarioCommand, before: Counter[str], status: int, text: str) -> list[str]:
        found = statecheck.check_consistency(self.served.folder / ".martlet", live=True)
        done = effects(self.served.raw()) - before
        wanted = Counter(DONE[act.name])
        if status == 0:
            found.append(f"no answer: {text}")
        elif (status // 100 == 2 and done != wanted) or (status // 100 != 2 and done not in (wanted, Counter())):
            found.append(f"answered {status} and did {dict(done)}")
        elif status // 100 != 2 and (status < 500 or not TOLD.search(text)):
            found.append(f"an answer of another kind: {status} {text[:400]}")
        return found

    def check_recovery(self, act: ScenarioCommand, before: Counter[str], status: int, key: str) -> list[str]:
        """The same request, and a prediction, without faults."""
        served, wanted = self.served, Counter(DONE[act.name])
        found, was = [], effects(served.raw()) - before
        if act.name in KEYED or (status // 100 != 2 and was != wanted):
            again, text, end = 0, "", time.monotonic() + 3
            while again // 100 != 2 and time.monotonic() < end:
                again, text = getattr(served, act.name)(key)
                if self.stopped(text) or "request.no-answer" in text:
                    break
                time.sleep(0.1)
            done = effects(served.raw()) - before
            if again // 100 != 2 and not (was == wanted and "request.no-answer" in text) and not self.stopped(text):
                found.append(f"the same request, 3 s after the faults: {again} {text[:300]}")
            elif again // 100 == 2 and act.name in KEYED and done != wanted:
                found.append(f"asked twice with its key it did {dict(done)}")
        return found + self.check_prediction()

    def stopped(self, text: str) -> bool:
        """A log that met a failed flush takes nothing more until the server is started anew: that is promised."""
        return "predictions.failed" in text

    def check_prediction(self) -> list[str]:
        end = time.monotonic() + 5
        while True:
            status, text = self.served.predict()
            if status == 200:
                return []
            if self.stopped(text):
                return self.restart()
            if time.monotonic() > end:
                return [f"no prediction within 5 s after the faults: {status} {text[:300]}"]
            time.sleep(0.1)

    def restart(self) -> list[str]:
        """Ends the server and starts it anew."""
        found = self.served.stop() + self.check(self.acts[0], self.served.folder)
        self.served.start()
        status, text = self.served.predict()
        return found + ([f"started anew it answers {status} {text[:300]}"] if status != 200 else [])

    def check_idle(self, name: str) -> list[str]:
        """With a lasting fault and nothing to do it costs next to nothing."""
        served = self.served
        served.predict()
        served.switch.on(LASTING[name])
        for ask_it in (served.predict, lambda: served.deploy(served.fresh()), served.predict):
            ask_it()
        time.sleep(1)
        found = [f"disk {name}: {text}" for text in check_idle_cpu(served.process.pid)] if served.process else []
        served.switch.off()
        return found + [f"after a disk {name}: {text}" for text in self.check_prediction()]

    def end(self) -> list[str]:
        try:
            found = self.served.stop()
            return found + self.check(self.acts[0], self.served.folder)
        finally:
            self.served.kill()


class CompactedServer(ServerUnderFaults):
    """A server whose log is moved into the lakehouse beside it."""

    def lost_predictions(self) -> list[str]:
        """Acknowledged predictions that are neither in a segment nor in the lakehouse, or twice in one of them."""
        segments, lake, twice = statecheck.logged(self.folder / ".martlet")
        gone = self.logged - segments - lake
        found = [f"{len(gone)} acknowledged predictions are lost, such as {min(gone)}"] if gone else []
        return found + ([f"{len(twice)} predictions are there twice, such as {twice[0]}"] if twice else [])


class MovingScenario(ServerScenario):
    """Closed segments are moved into the lakehouse beside a server that logs, while kinds of calls fail in both."""

    short = 1

    def __init__(self, program: Program, shim: Shim, scratch: Path, estate: SharedProject) -> None:
        StateScenario.__init__(self, "moving", program, shim, scratch, estate.folder, [ScenarioCommand("moves", [])])
        self.base = shutil.copytree(estate.folder, self.scratch / "served")
        self.served = CompactedServer(self, estate, self.base, "--workers", "0")

    def count(self) -> list[StateCall]:
        self.served.start()
        return [StateCall(1, op, "", f"moves: {op}", self.acts[0])
                for op in ("write", "fsync", "fsync-directory", "open", "rename", "link", "unlink", "mkdir")]

    def compact(self) -> Outcome:
        done = subprocess.run(
            [self.program.path, "predictions", "compact", "--json"], cwd=self.base, stdin=subprocess.DEVNULL,
            env=self.shim.environment(self.program.environment, self.base, switch=self.served.switch.path),
            capture_output=True, text=True, timeout=120)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def fail(self, call: StateCall, kind: str, number: int, rng: random.Random) -> FaultResult:
        served = self.served
        if not served.process:
            served.start()
        for _ in range(3):
            served.rotate()
        # From some call on: each of this kind, or the whole disk.
        at = rng.randint(1, 150)
        served.switch.on(f"{at} {kind}" if "+" in kind else f"{at} {kind} {call.op}")
        done = self.compact()
        status, text = served.predict()
        served.switch.off()
        found = [*verdict(done), *self.check_prediction()]
        if status != 200 and not TOLD.search(text):
            found.append(f"an answer of another kind: {status} {text[:300]}")
        found += served.lost_predictions() + statecheck.check_consistency(served.folder / ".martlet", live=True)
        again = self.compact()
        if again.returncode != 0:
            found.append(f"the next compaction gave exit code {again.returncode}: {again.stderr.strip()[:400]}")
        found += served.lost_predictions()
        if number % 8 == 7:
            found += self.restart()
        if found:
            found += served.stop()
        return found, "succeeded all the same" if done.returncode == 0 else "clear error", served.folder
