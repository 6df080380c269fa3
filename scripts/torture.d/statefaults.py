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
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import powercut
import shim as shims
import statecheck
from faults import TOLD, FaultResult
from project import Failure, Program, Progress
from serving import PredictionClient, ServedProject
from shim import Call, Shim

PASSWORD = "seven-geese-fly-north-2"
CRASH = re.compile(r"Fatal error|Illegal instruction|\*\*\* |Thread \d+ crashed|Swift/\w+\.swift:\d+")


class ScenarioCommand:
    """A command of a scenario: its arguments, its standard input, and what of the state it may change."""

    def __init__(
        self, name: str, words: list[str], said: str | None = None, tables: Collection[str] | None = None,
        check: Callable[[Path], bool] | None = None,
    ) -> None:
        self.name, self.words, self.said, self.tables, self.check = name, words, said, tables, check


@dataclass(frozen=True, order=True)
class StateCall(Call):
    """A call, and the command of the scenario that makes it."""

    act: ScenarioCommand = field(compare=False)


class Outcome:
    """How a command ended, and what was wrong with that besides."""

    def __init__(self, returncode: int, stdout: str, stderr: str, found: Iterable[str] = ()) -> None:
        self.returncode, self.stdout, self.stderr, self.found = returncode, stdout, stderr, list(found)


class StateScenario:
    """A project in some state, and commands that change it; a call of each command fails."""

    reads = False
    # How many faults the short form tries.
    short = 3
    least = 2
    # Flushes that do nothing, for the self-test.
    swallow: str | None = None

    def __init__(
        self, name: str, program: Program, shim: Shim, scratch: Path, base: Path, acts: list[ScenarioCommand],
    ) -> None:
        self.name, self.program, self.shim, self.acts = name, program, shim, acts
        self.scratch = Path(scratch) / f"scene-{name}"
        self.scratch.mkdir()
        self.base = base
        self.before: dict[str, list[str]] = {}
        self.full: dict[str, list[str]] = {}

    def copy_project(self, name: str) -> Path:
        return shutil.copytree(self.base, self.scratch / name)

    def run(self, act: ScenarioCommand, folder: Path, **settings: object) -> Outcome:
        environment = self.program.environment
        if settings:
            settings["reads"] = "1" if self.reads else None
            environment = self.shim.environment(environment, folder, swallow=self.swallow, **settings)
        done = subprocess.run(
            [self.program.path, *act.words], cwd=folder, env=environment, input=act.said or "", capture_output=True,
            text=True, timeout=120)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def view(self, act: ScenarioCommand, folder: Path) -> list[str]:
        """What counts of the state; two are equal when nothing else than times, ids and secrets differs."""
        return statecheck.snapshot(folder / ".martlet", self.raw, act.tables)

    def count(self) -> list[StateCall]:
        calls = []
        self.raw = statecheck.raw(self.base / ".martlet")
        for act in self.acts:
            folder = self.copy_project("count")
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

    def end(self) -> list[str]:
        """When the last fault was tried: differences that only show then."""
        return []

    def check(self, act: ScenarioCommand, folder: Path) -> list[str]:
        """What does not fit together, whatever the command did."""
        return statecheck.check_consistency(folder / ".martlet")

    def fail(self, call: StateCall, kind: str, number: int, rng: random.Random) -> FaultResult:
        act, folder = call.act, self.copy_project(f"fault-{number}")
        syncs = call.op.startswith("fsync")
        record = self.scratch / f"calls-{number}" if syncs else None
        done = self.run(act, folder, at=call.number, kind=kind, log=record)
        found = [*verdict(done), *self.check_result(act, done, folder)]
        if not found:
            found = self.repeat_without_faults(act, folder, record)
        if not found and record:
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

    def check_result(self, act: ScenarioCommand, done: Outcome, folder: Path) -> list[str]:
        found, now = self.check(act, folder), self.view(act, folder)
        before, full = self.before[act.name], self.full[act.name]
        if done.returncode == 0 and now != full:
            found.append(f"succeeded, and is not there: {statecheck.describe_difference(full, now)}")
        if done.returncode == 0 and now == full and act.check and not act.check(folder / ".martlet"):
            found.append("succeeded, and does not hold")
        if done.returncode != 0 and now not in (before, full):
            found.append(f"failed, and left a part: {statecheck.describe_difference(before, now)}")
        return found

    def repeat_without_faults(self, act: ScenarioCommand, folder: Path, record: Path | None) -> list[str]:
        """Without faults the same command succeeds, unless it has its effect already."""
        if self.view(act, folder) == self.full[act.name]:
            return []
        done = self.run(act, folder, **({"log": record} if record else {}))
        if done.returncode != 0:
            return [f"the repeated command gave exit code {done.returncode}: {done.stderr.strip()[-500:]}"]
        found, now = self.check(act, folder), self.view(act, folder)
        if now != self.full[act.name]:
            found.append(f"the repeated command left {statecheck.describe_difference(self.full[act.name], now)}")
        return found

    def cut(self, act: ScenarioCommand, folder: Path, record: Path, rng: random.Random) -> list[str]:
        """What is acknowledged by now is there even if the power fails."""
        for mode in ("nothing", "random"):
            disk = powercut.SimulatedDisk(folder, rng)
            disk.load(self.base)
            for entry in powercut.records(record):
                disk.replay(entry)
            target = Path(f"{folder}-cut")
            disk.cut(target, mode)
            found, now = self.check(act, target), self.view(act, target)
            if now != self.full[act.name]:
                found.append(statecheck.describe_difference(self.full[act.name], now))
            if found:
                return [f"after a failed fsync, the repeated command and a power cut ({mode}): {found[0]}"]
            shutil.rmtree(target)
        return []

    def doctor(self, folder: Path) -> list[str]:
        done = self.program.run(folder, "doctor", "--json", expect=None)
        return [] if done.returncode == 0 else [f"martlet doctor: {done.stdout[-500:]}{done.stderr[-300:]}"]


def verdict(done: Outcome) -> Iterator[str]:
    """What a command may do beside a fault: succeed, or tell that the machine failed."""
    said = done.stdout + done.stderr
    if CRASH.search(said):
        yield f"crashed: {said.strip()[-500:]}"
    elif done.returncode < 0:
        yield f"ended by signal {-done.returncode}"
    elif done.returncode not in (0, 1) or (done.returncode == 1 and not TOLD.search(done.stderr)):
        code = re.search(r"\[[a-z-]+\.[a-z-]+\]|\"code\":\"[^\"]+\"", done.stderr)
        yield f"exit code {done.returncode}, {code and code[0]}: {done.stderr.strip()[:500]}"


class SharedProject:
    """The project that all scenarios start from: versions, people, tokens, jobs, logged predictions."""

    def __init__(self, program: Program, scratch: Path) -> None:
        # Other parts have houses of their own beside it.
        scratch = Path(scratch) / "estate"
        scratch.mkdir()
        self.program = program
        self.served = ServedProject(program, scratch)
        self.folder = self.served.folder
        # A project without people: its server prints a setup link.
        self.fresh = shutil.copytree(self.folder, scratch / "fresh")
        for seed in (2, 3, 4):
            self.martlet("run", "--from", "train", "--split-seed", f"{seed}")
        self.martlet("models", "approve", "downtime@2")
        self.martlet("models", "promote", "downtime@2")
        self.martlet("models", "promote", "downtime@1")
        for name, role in (("ada", "admin"), ("bob", "viewer"), ("cleo", "viewer")):
            self.martlet("users", "add", name, "--role", role, said=PASSWORD)
        self.martlet("users", "disable", "cleo")
        self.admin = self.martlet("tokens", "create", "hand", "--role", "admin")
        self.martlet("tokens", "create", "ci")
        self.queued, self.cancelled = (
            self.program.json(self.folder, "jobs", "submit", "verify", f"downtime@{n}")["id"] for n in (1, 2))
        self.martlet("jobs", "cancel", self.cancelled, "--reason", "not needed")

    def predict(self, folder: Path, prefix: str, count: int) -> set[str]:
        """Has a server answer so many predictions, and gives their ids."""
        served = copy.copy(self.served)
        served.folder = folder
        process, port = served.start("strict")
        ids = set()
        try:
            client = PredictionClient(served, port, prefix, 0)
            client.socket.setblocking(True)
            for _ in range(count):
                client.send_next()
                answer = None
                while answer is None:
                    answer = client.receive()
                if not answer:
                    raise Failure("the server ended a connection before its answer")
                ids.add(answer[0])
        finally:
            process.terminate()
            process.wait(timeout=60)
        return ids

    def martlet(self, *words: str, said: str | None = None) -> str:
        done = subprocess.run([self.program.path, *words], cwd=self.folder, env=self.program.environment,
                              input=said or "", capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Failure(f"martlet {' '.join(words)}: exit code {done.returncode}: {done.stderr[-500:]}")
        return done.stdout.strip()


def registry(estate: SharedProject) -> Iterator[ScenarioCommand]:
    yield ScenarioCommand("approve", ["models", "approve", "downtime@3", "--reason", "good"])
    yield ScenarioCommand("reject", ["models", "reject", "downtime@4", "--reason", "bad"])
    yield ScenarioCommand("promote", ["models", "promote", "downtime@2", "--reason", "better"])
    yield ScenarioCommand("rollback", ["models", "rollback", "downtime", "--reason", "worse"])


def training(estate: SharedProject) -> Iterator[ScenarioCommand]:
    # A run that failed stays on record; what it registers is all or nothing.
    yield ScenarioCommand("run", ["run", "--from", "train", "--split-seed", "9", "--json"], tables=statecheck.MODELS)


def identity(estate: SharedProject) -> Iterator[ScenarioCommand]:
    said = "other-geese-fly-south-3"
    yield ScenarioCommand("users add", ["users", "add", "dora", "--role", "viewer"], said=PASSWORD)
    yield ScenarioCommand("users role", ["users", "role", "bob", "operator"])
    yield ScenarioCommand("users password", ["users", "password", "bob"], said=said,
              check=lambda home: statecheck.password_holds(home, "bob", said))
    yield ScenarioCommand("users disable", ["users", "disable", "bob"])
    yield ScenarioCommand("users enable", ["users", "enable", "cleo"])
    yield ScenarioCommand("tokens create", ["tokens", "create", "new", "--role", "operator"])
    yield ScenarioCommand("tokens revoke", ["tokens", "revoke", "ci"])


def jobs(estate: SharedProject) -> Iterator[ScenarioCommand]:
    yield ScenarioCommand("submit", ["jobs", "submit", "train", "--split-seed", "9"])
    yield ScenarioCommand("cancel", ["jobs", "cancel", estate.queued, "--reason", "too late"])
    yield ScenarioCommand("retry", ["jobs", "retry", estate.cancelled])


ACTS = {"registry": registry, "training": training, "identity": identity, "jobs": jobs}


def scenes(
    program: Program, shim: Shim, scratch: Path, only: list[str] | None, one_of_the_long: int | None = None,
) -> Iterator[StateScenario]:
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
    made = {"pinned": tablefaults.VacuumScenario, "compaction": tablefaults.CompactionScenario,
            "worker": processfaults.WorkerScenario, "start": processfaults.StartScenario,
            "server": serverfaults.ServerScenario, "moving": serverfaults.MovingScenario}
    estate = SharedProject(program, scratch)
    for name in wanted:
        if name in ACTS:
            yield StateScenario(name, program, shim, scratch, estate.folder, list(ACTS[name](estate)))
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


def self_test(program: Program, shim: Shim, scratch: Path, seed: int, progress: Progress) -> int:
    """What must be caught: success that is none, a vacuum that forgets the models when it fails, flushes left out."""
    import tablefaults
    estate, rng, missed = SharedProject(program, scratch), random.Random(seed), 0

    def write_broken_program(text: str, name: str) -> Program:
        path = Path(scratch) / name
        path.write_text(text.format(program=program.path))
        path.chmod(0o755)
        return Program(path)

    def registry_scene(folder: Path, by: Program, swallow: str | None = None) -> StateScenario:
        scene = StateScenario("registry", by, shim, folder, estate.folder, list(registry(estate)))
        scene.swallow = swallow
        return scene
    tests = {
        "a command that succeeds whatever fails": (
            lambda folder: registry_scene(folder, write_broken_program(LIE, "lie")),
            "write",
        ),
        "a vacuum that forgets the models when a call fails": (
            lambda folder: tablefaults.VacuumScenario(write_broken_program(REMOVES, "removes"), shim, folder, estate),
            "read",
        ),
        "fsync of the registry left out": (
            lambda folder: registry_scene(folder, program, "database"),
            "fsync-directory",
        ),
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
        progress(f"{name}: {'caught: ' + found[0][:200] if found else 'NOT CAUGHT'}")
    return missed
