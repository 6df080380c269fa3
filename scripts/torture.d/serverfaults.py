"""A server that goes on: calls fail while it answers, and afterwards it answers as before.

Faults are switched on and off by a file. What was answered with 200 is there afterwards; what was answered with an error
has its whole effect or none, and the same request with the same Idempotency-Key then has it once.
"""

import atexit
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
from processfaults import ask, busy
from project import Failure
from statefaults import CRASH, PASSWORD, Act, StateCall, StateScene, verdict

TOLD = re.compile(r'"code" ?: ?"(disk\.|metadata\.(full|failed|readonly|busy)|predictions\.(full|failed|busy)|request\.no-answer)'
                  r'|\[(disk|metadata|predictions)\.')
# A disk that is full, and one whose flushes fail; as the switch says it.
LASTING = {"full": "1 ENOSPC write mkdir link allocate", "flush": "1 EIO fsync fsync-directory", "dead": "1 EIO+"}


class Switch:
    def __init__(self, path):
        self.path, self.number = Path(path), 0

    def on(self, what):
        self.number += 1
        whole = self.path.with_suffix(".new")
        whole.write_text(f"{self.number} {what}\n")
        whole.rename(self.path)

    def off(self):
        self.path.unlink(missing_ok=True)


class Served:
    """The running server under the shim, and what it acknowledged in all its lives."""

    def __init__(self, scene, estate, folder, *options):
        self.scene, self.estate, self.folder, self.options = scene, estate, folder, options
        self.switch = Switch(scene.scratch / "switch")
        self.told, self.process, self.number = scene.scratch / "told", None, 0
        self.logged, self.moves = set(), {}
        self.count = scene.scratch / "calls"
        self.modes = ("strict", "written")
        # However the torture ends.
        atexit.register(self.kill)

    def start(self):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        environment = self.scene.shim.environment(
            self.scene.program.environment, self.folder, switch=self.switch.path, count=self.count)
        self.modes = self.modes[::-1]
        with open(self.told, "w") as file:
            self.process = subprocess.Popen(
                [self.scene.program.path, "serve", "--port", str(self.port), "--drain-seconds", "0", "--rate-limit", "none",
                 "--log", self.modes[0], "--log-keep-bytes", "24MiB", *self.options],
                cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        end = time.monotonic() + 60
        while self.ask("GET", "/health/ready")[0] != 200:
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failure(f"the server does not start: {self.told.read_text()[-800:]}")
            time.sleep(0.02)

    def ask(self, method, path, body=None, **headers):
        return ask(self.port, method, path, body, {"Authorization": f"Bearer {self.estate.admin}", **headers})

    def stop(self):
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
        found += self.lost()
        # Retention must not come in between: what was looked at goes.
        for path in (self.folder / ".martlet/predictions").glob("*.segment"):
            path.unlink()
        self.logged = set()
        return found

    def lost(self):
        """Acknowledged predictions that are not in the log."""
        there = {id for path in sorted((self.folder / ".martlet/predictions").glob("*.segment"))
                 for id, _, _ in predictions.segment(path)[0]}
        gone = self.logged - there
        return [f"{len(gone)} acknowledged predictions are lost, such as {min(gone)}"] if gone else []

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # What it is asked. Each gives (status, answer).

    def fresh(self):
        self.number += 1
        return f"{self.scene.name}-{self.number}"

    def predict(self, id=None, count=1):
        records = self.estate.house.samples["records"]
        id = id or self.fresh()
        records = [records[number % len(records)] for number in range(count)]
        status, text = self.ask("POST", "/predict", {"records": records}, **{"X-Request-ID": id})
        if status == 200:
            self.logged |= {id} if count == 1 else {f"{id}.{place}" for place in range(count)}
        return status, text

    def rotate(self, id=None):
        return self.predict(id, 3000)

    def deploy(self, id):
        # The same key means the same request.
        self.moves[id] = self.moves.get(id) or f"downtime@{3 - self.champion()}"
        return self.ask("POST", "/api/deploy", {"model": self.moves[id], "reason": "torture"}, **{"Idempotency-Key": id})

    def first(self, id):
        """What a server does with the first request for a change opens the registry."""
        return self.deploy(id)

    def rollback(self, id):
        return self.ask("POST", "/api/deploy/rollback", {"model": "downtime", "reason": "torture"}, **{"Idempotency-Key": id})

    def promote(self, id):
        self.moves[id] = self.moves.get(id) or f"downtime@{3 - self.champion()}"
        return self.ask("PUT", f"/api/models/{self.moves[id]}/promote", {"reason": "torture"})

    def submit(self, id):
        return self.ask("POST", "/api/training/start", {"kind": "train"}, **{"Idempotency-Key": id})

    def login(self, id):
        return ask(self.port, "POST", "/api/session", {"name": "ada", "password": PASSWORD})

    def champion(self):
        return next(row["version"] for row in statecheck.rows(self.raw(), "aliases") if row["alias"] == "champion")

    def raw(self):
        return statecheck.raw(self.folder / ".martlet", live=True)


def effects(tables):
    """How much of each kind was done so far, by the audit; `sound` says whether the rest fits to it."""
    return Counter(row["action"] for row in statecheck.rows(tables, "audit"))


DONE = {"first": {"alias.moved": 1}, "deploy": {"alias.moved": 1}, "rollback": {"alias.moved": 1}, "promote": {"alias.moved": 1},
        "submit": {"job.submitted": 1}, "login": {"session.opened": 1}, "predict": {}, "rotate": {}}
# Asked again with their key they are done once.
KEYED = ("first", "deploy", "rollback", "submit")


class ServerScene(StateScene):
    short = 4
    def __init__(self, program, shim, scratch, estate):
        super().__init__("server", program, shim, scratch, estate.folder, [Act(name, []) for name in DONE])
        self.base = shutil.copytree(estate.folder, self.scratch / "served")
        self.served = Served(self, estate, self.base, "--workers", "0")

    def count(self):
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
            calls += [StateCall(c.number, c.op, c.path, f"{act.name}: {c.site}", act) for c in shims.calls(self.served.count)]
        # Counting costs as much as a call.
        self.served.count.write_text("")
        return calls

    def fail(self, call, kind, number, rng):
        found, served = [], self.served
        if served.process and call.act.name == "first":
            found += served.stop()
        if not served.process:
            served.start()
        if number == 0 and call.act.name != "first":
            found += self.idle("full")
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
            found = self.goes_on(call.act, before, status, key)
        if not found and number % 10 == 9:
            found = self.idle(rng.choice(list(LASTING)))
        if not found and number % 25 == 24:
            found = self.closed()
        if found:
            found.append(f"answered {status}: {text[:200]!r}")
            found += served.stop()
        return found, "succeeded all the same" if status // 100 == 2 else "clear error", served.folder

    def judge_answer(self, act, before, status, text):
        found = statecheck.sound(self.served.folder / ".martlet", live=True)
        done = effects(self.served.raw()) - before
        wanted = Counter(DONE[act.name])
        if status == 0:
            found.append(f"no answer: {text}")
        elif status // 100 == 2 and done != wanted:
            found.append(f"answered {status} and did {dict(done)}")
        elif status // 100 != 2 and done not in (wanted, Counter()):
            found.append(f"answered {status} and did {dict(done)}")
        elif status // 100 != 2 and (status < 500 or not TOLD.search(text)):
            found.append(f"an answer of another kind: {status} {text[:400]}")
        return found

    def goes_on(self, act, before, status, key):
        """The same request, and a prediction, without faults."""
        served, wanted = self.served, Counter(DONE[act.name])
        found, was = [], effects(served.raw()) - before
        if act.name in KEYED or status // 100 != 2 and was != wanted:
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
        return found + self.predicts()

    def stopped(self, text):
        """A log that met a failed flush takes nothing more until the server is started anew: that is promised."""
        return "predictions.failed" in text

    def predicts(self):
        end = time.monotonic() + 5
        while True:
            status, text = self.served.predict()
            if status == 200:
                return []
            if self.stopped(text):
                return self.closed()
            if time.monotonic() > end:
                return [f"no prediction within 5 s after the faults: {status} {text[:300]}"]
            time.sleep(0.1)

    def closed(self):
        """Ends the server and starts it anew."""
        found = self.served.stop() + self.check(None, self.served.folder)
        self.served.start()
        status, text = self.served.predict()
        return found + ([f"started anew it answers {status} {text[:300]}"] if status != 200 else [])

    def idle(self, name):
        """With a lasting fault and nothing to do it costs next to nothing."""
        served = self.served
        served.predict()
        served.switch.on(LASTING[name])
        for ask_it in (served.predict, lambda: served.deploy(served.fresh()), served.predict):
            ask_it()
        time.sleep(1)
        found = [f"disk {name}: {text}" for text in busy(served.process.pid)]
        served.switch.off()
        return found + [f"after a disk {name}: {text}" for text in self.predicts()]

    def end(self):
        try:
            found = self.served.stop()
            return found + self.check(None, self.served.folder)
        finally:
            self.served.kill()


class MovingScene(ServerScene):
    """Closed segments are moved into the lakehouse beside a server that logs, while kinds of calls fail in both."""

    short = 1

    def __init__(self, program, shim, scratch, estate):
        StateScene.__init__(self, "moving", program, shim, scratch, estate.folder, [Act("moves", [])])
        self.base = shutil.copytree(estate.folder, self.scratch / "served")
        self.served = Served(self, estate, self.base, "--workers", "0")
        self.served.lost = self.lost

    def count(self):
        self.served.start()
        return [StateCall(1, op, "", f"moves: {op}", self.acts[0])
                for op in ("write", "fsync", "fsync-directory", "open", "rename", "link", "unlink", "mkdir")]

    def lost(self):
        """Acknowledged predictions that are neither in a segment nor in the lakehouse, or twice in one of them."""
        segments, lake, twice = statecheck.logged(self.served.folder / ".martlet")
        gone = self.served.logged - segments - lake
        found = [f"{len(gone)} acknowledged predictions are lost, such as {min(gone)}"] if gone else []
        return found + ([f"{len(twice)} predictions are there twice, such as {twice[0]}"] if twice else [])

    def compact(self):
        return subprocess.run(
            [self.program.path, "predictions", "compact", "--json"], cwd=self.base, stdin=subprocess.DEVNULL,
            env=self.shim.environment(self.program.environment, self.base, switch=self.served.switch.path),
            capture_output=True, text=True, timeout=120)

    def fail(self, call, kind, number, rng):
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
        found = [*verdict(done), *self.predicts()]
        if status != 200 and not TOLD.search(text):
            found.append(f"an answer of another kind: {status} {text[:300]}")
        found += self.lost() + statecheck.sound(served.folder / ".martlet", live=True)
        again = self.compact()
        if again.returncode != 0:
            found.append(f"the next compaction gave exit code {again.returncode}: {again.stderr.strip()[:400]}")
        found += self.lost()
        if number % 8 == 7:
            found += self.closed()
        if found:
            found += served.stop()
        return found, "succeeded all the same" if done.returncode == 0 else "clear error", served.folder
