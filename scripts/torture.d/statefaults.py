"""Calls that fail below registry, people, tokens, jobs, vacuum, compaction and the start of a server.

A scene is a project in some state, and commands that change it. Before the faults each command is executed once
undisturbed, which gives the state before and the state after. A command that succeeded beside a fault has left the
state after; one that failed has left the one or the other and nothing between, and then succeeds without faults.
"""

import copy
import random
import re
import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

import powercut
import shim as shims
import statecheck
from faults import TOLD
from project import Failure, Program
from serving import Client, House

StateCall = namedtuple("StateCall", "number op path site act")
PASSWORD = "seven-geese-fly-north-2"
CRASH = re.compile(r"Fatal error|Illegal instruction|\*\*\* |Thread \d+ crashed|Swift/\w+\.swift:\d+")


class Act:
    """A command of a scene: its words, what it reads, and what of the state counts."""

    def __init__(self, name, words, said=None, tables=None, check=None):
        self.name, self.words, self.said, self.tables, self.check = name, words, said, tables, check


class StateScene:
    reads = False
    # How many faults the short form tries.
    short = 3
    least = 2
    # Flushes that do nothing, for the self-test.
    swallow = None

    def __init__(self, name, program, shim, scratch, base, acts):
        self.name, self.program, self.shim, self.acts = name, program, shim, acts
        self.scratch = Path(scratch) / f"scene-{name}"
        self.scratch.mkdir()
        self.base = base
        self.before, self.full = {}, {}

    def again(self, name):
        return shutil.copytree(self.base, self.scratch / name)

    def run(self, act, folder, **settings):
        environment = self.program.environment
        if settings:
            settings["reads"] = "1" if self.reads else None
            environment = self.shim.environment(environment, folder, swallow=self.swallow, **settings)
        return subprocess.run(
            [self.program.path, *act.words], cwd=folder, env=environment, input=act.said or "", capture_output=True,
            text=True, timeout=120)

    def view(self, act, folder):
        """What counts of the state; two are equal when nothing else than times, ids and secrets differs."""
        return statecheck.snapshot(folder / ".martlet", self.raw, act.tables)

    def count(self):
        calls = []
        self.raw = statecheck.raw(self.base / ".martlet")
        for act in self.acts:
            folder = self.again("count")
            listed = self.scratch / "calls"
            listed.unlink(missing_ok=True)
            self.before[act.name] = self.view(act, folder)
            done = self.run(act, folder, count=listed)
            if done.returncode != 0:
                raise Failure(f"{self.name}, {act.name}: exit code {done.returncode}: {done.stderr[-800:]}")
            self.full[act.name] = self.view(act, folder)
            if self.full[act.name] == self.before[act.name]:
                raise Failure(f"{self.name}, {act.name}: succeeded and changed nothing")
            wrong = self.check(act, folder)
            if wrong:
                raise Failure(f"{self.name}, {act.name}, undisturbed: {wrong[0]}")
            shutil.rmtree(folder)
            calls += [StateCall(c.number, c.op, c.path, f"{act.name}: {c.site}", act) for c in shims.calls(listed)]
        return calls

    def end(self):
        """When the last fault was tried: differences that only show then."""
        return []

    def check(self, act, folder):
        """What does not fit together, whatever the command did."""
        return statecheck.sound(folder / ".martlet")

    def fail(self, call, kind, number, rng):
        act, folder = call.act, self.again(f"fault-{number}")
        syncs = call.op.startswith("fsync")
        record = self.scratch / f"calls-{number}" if syncs else None
        done = self.run(act, folder, at=call.number, kind=kind, log=record)
        found = [*verdict(done), *self.judge(act, done, folder)]
        if not found:
            found = self.settle(act, folder, record)
        if not found and syncs:
            found = self.cut(act, folder, record, rng)
        if not found and number % 10 == 0:
            found = self.doctor(folder)
        if not found:
            shutil.rmtree(folder)
        else:
            found.append(f"said {(done.stderr or done.stdout).strip()[:300]!r}")
        if record:
            record.unlink(missing_ok=True)
        return found, "succeeded all the same" if done.returncode == 0 else "clear error", folder

    def judge(self, act, done, folder):
        found, now = self.check(act, folder), self.view(act, folder)
        before, full = self.before[act.name], self.full[act.name]
        if done.returncode == 0 and now != full:
            found.append(f"succeeded, and is not there: {statecheck.differ(full, now)}")
        if done.returncode == 0 and now == full and act.check and not act.check(folder / ".martlet"):
            found.append("succeeded, and does not hold")
        if done.returncode != 0 and now not in (before, full):
            found.append(f"failed, and left a part: {statecheck.differ(before, now)}")
        return found

    def settle(self, act, folder, record):
        """Without faults the same command succeeds, unless it has its effect already."""
        if self.view(act, folder) == self.full[act.name]:
            return []
        done = self.run(act, folder, **({"log": record} if record else {}))
        if done.returncode != 0:
            return [f"the repeated command gave exit code {done.returncode}: {done.stderr.strip()[-500:]}"]
        found, now = self.check(act, folder), self.view(act, folder)
        if now != self.full[act.name]:
            found.append(f"the repeated command left {statecheck.differ(self.full[act.name], now)}")
        return found

    def cut(self, act, folder, record, rng):
        """What is acknowledged by now is there even if the power fails."""
        for mode in ("nothing", "random"):
            platter = powercut.Platter(folder, rng)
            platter.load(self.base)
            for entry in powercut.records(record):
                platter.play(entry)
            target = Path(f"{folder}-cut")
            platter.cut(target, mode)
            found, now = self.check(act, target), self.view(act, target)
            if now != self.full[act.name]:
                found.append(statecheck.differ(self.full[act.name], now))
            if found:
                return [f"after a failed fsync, the repeated command and a power cut ({mode}): {found[0]}"]
            shutil.rmtree(target)
        return []

    def doctor(self, folder):
        done = self.program.run(folder, "doctor", "--json", expect=None)
        return [] if done.returncode == 0 else [f"martlet doctor: {done.stdout[-500:]}{done.stderr[-300:]}"]


def verdict(done):
    """What a command may do beside a fault: succeed, or tell that the machine failed."""
    said = done.stdout + done.stderr
    if CRASH.search(said):
        yield f"crashed: {said.strip()[-500:]}"
    elif done.returncode < 0:
        yield f"ended by signal {-done.returncode}"
    elif done.returncode not in (0, 1) or done.returncode == 1 and not TOLD.search(done.stderr):
        code = re.search(r"\[[a-z-]+\.[a-z-]+\]|\"code\":\"[^\"]+\"", done.stderr)
        yield f"exit code {done.returncode}, {code and code[0]}: {done.stderr.strip()[:500]}"


class Estate:
    """A served project with all that the scenes need: versions, people, tokens, jobs, logged predictions."""

    def __init__(self, program, scratch):
        # Other parts have houses of their own beside it.
        scratch = Path(scratch) / "estate"
        scratch.mkdir()
        self.program = program
        self.house = House(program, scratch)
        self.folder = self.house.folder
        # A project without people: its server prints a setup link.
        self.fresh = shutil.copytree(self.folder, scratch / "fresh")
        for seed in (2, 3, 4):
            self.say("run", "--from", "train", "--split-seed", f"{seed}")
        self.say("models", "approve", "downtime@2")
        self.say("models", "promote", "downtime@2")
        self.say("models", "promote", "downtime@1")
        for name, role in (("ada", "admin"), ("bob", "viewer"), ("cleo", "viewer")):
            self.say("users", "add", name, "--role", role, said=PASSWORD)
        self.say("users", "disable", "cleo")
        self.admin = self.say("tokens", "create", "hand", "--role", "admin")
        self.say("tokens", "create", "ci")
        self.queued, self.cancelled = (
            self.program.json(self.folder, "jobs", "submit", "verify", f"downtime@{n}")["id"] for n in (1, 2))
        self.say("jobs", "cancel", self.cancelled, "--reason", "not needed")

    def predict(self, folder, prefix, count):
        """Has a server answer so many predictions, and gives their ids."""
        served = copy.copy(self.house)
        served.folder = folder
        process, port = served.start("strict")
        ids = set()
        try:
            client = Client(served, port, prefix, 0)
            client.socket.setblocking(True)
            for _ in range(count):
                client.ask()
                answer = None
                while answer is None:
                    answer = client.hear()
                ids.add(answer[0])
        finally:
            process.terminate()
            process.wait(timeout=60)
        return ids

    def say(self, *words, said=None):
        done = subprocess.run([self.program.path, *words], cwd=self.folder, env=self.program.environment,
                              input=said or "", capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Failure(f"martlet {' '.join(words)}: exit code {done.returncode}: {done.stderr[-500:]}")
        return done.stdout.strip()


def registry(estate):
    yield Act("approve", ["models", "approve", "downtime@3", "--reason", "good"])
    yield Act("reject", ["models", "reject", "downtime@4", "--reason", "bad"])
    yield Act("promote", ["models", "promote", "downtime@2", "--reason", "better"])
    yield Act("rollback", ["models", "rollback", "downtime", "--reason", "worse"])


def training(estate):
    # A run that failed stays on record; what it registers is all or nothing.
    yield Act("run", ["run", "--from", "train", "--split-seed", "9", "--json"], tables=statecheck.MODELS)


def identity(estate):
    said = "other-geese-fly-south-3"
    yield Act("users add", ["users", "add", "dora", "--role", "viewer"], said=PASSWORD)
    yield Act("users role", ["users", "role", "bob", "operator"])
    yield Act("users password", ["users", "password", "bob"], said=said,
              check=lambda home: statecheck.password_holds(home, "bob", said))
    yield Act("users disable", ["users", "disable", "bob"])
    yield Act("users enable", ["users", "enable", "cleo"])
    yield Act("tokens create", ["tokens", "create", "new", "--role", "operator"])
    yield Act("tokens revoke", ["tokens", "revoke", "ci"])


def jobs(estate):
    yield Act("submit", ["jobs", "submit", "train", "--split-seed", "9"])
    yield Act("cancel", ["jobs", "cancel", estate.queued, "--reason", "too late"])
    yield Act("retry", ["jobs", "retry", estate.cancelled])


ACTS = {"registry": registry, "training": training, "identity": identity, "jobs": jobs}


def scenes(program, shim, scratch, only, one_of_the_long=None):
    """Those that are wanted; the project they stand on is made when there is one.

    `one_of_the_long`: a number; of those that take seconds to set up, the one that it falls on."""
    wanted = [name for name in NAMES if not only or name in only]
    if one_of_the_long is not None and not only:
        wanted = [*ACTS, LONG[one_of_the_long % len(LONG)]]
    if not wanted:
        return
    # Not at the top: they are made of this module's parts.
    import processfaults
    import serverfaults
    import tablefaults
    made = {"pinned": tablefaults.VacuumScene, "compaction": tablefaults.CompactionScene,
            "worker": processfaults.WorkerScene, "start": processfaults.StartScene,
            "server": serverfaults.ServerScene, "moving": serverfaults.MovingScene}
    estate = Estate(program, scratch)
    for name in wanted:
        if name in ACTS:
            yield StateScene(name, program, shim, scratch, estate.folder, list(ACTS[name](estate)))
        else:
            yield made[name](program, shim, scratch, estate)


LONG = ["pinned", "compaction", "worker", "start", "server", "moving"]
NAMES = [*ACTS, *LONG]


LIE = """#!/bin/bash
'{program}' "$@"
code=$?
[ "$1" = models ] && exit 0
exit $code
"""
REMOVES = """#!/bin/bash
if [ "$1 $2" = "lake vacuum" ]; then
    '{program}' "$@" || {{ '{program}' "$@" --including-lineage >/dev/null; exit 1; }}
    exit 0
fi
exec '{program}' "$@"
"""


def self_test(program, shim, scratch, seed, say):
    """What must be caught: success that is none, a vacuum that forgets the models when it fails, flushes left out."""
    import tablefaults
    estate, rng, missed = Estate(program, scratch), random.Random(seed), 0

    def lying(text, name):
        path = Path(scratch) / name
        path.write_text(text.format(program=program.path))
        path.chmod(0o755)
        return Program(path)

    def registry_scene(folder, by, swallow=None):
        scene = StateScene("registry", by, shim, folder, estate.folder, list(registry(estate)))
        scene.swallow = swallow
        return scene
    tests = {
        "a command that succeeds whatever fails": (
            lambda folder: registry_scene(folder, lying(LIE, "lie")), "write"),
        "a vacuum that forgets the models when a call fails": (
            lambda folder: tablefaults.VacuumScene(lying(REMOVES, "removes"), shim, folder, estate), "read"),
        "fsync of the registry left out": (
            lambda folder: registry_scene(folder, program, "database"), "fsync-directory"),
    }
    for number, (name, (make, op)) in enumerate(tests.items()):
        folder = Path(scratch) / f"planted-{number}"
        folder.mkdir()
        scene, found = make(folder), []
        calls = [call for call in scene.count() if call.op == op]
        for tried, call in enumerate(rng.sample(calls, min(20, len(calls)))):
            found = scene.fail(call, "EIO", tried + 1, rng)[0]
            # That a read error is told as damage is another matter.
            found = [text for text in found if not text.startswith(("exit code", "said"))]
            if found:
                break
        missed += not found
        say(f"{name}: {'caught: ' + found[0][:200] if found else 'NOT CAUGHT'}")
    return missed
