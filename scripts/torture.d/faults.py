"""Every call that changes files fails once, in every way that it can fail."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import powercut
import shim as shims
from cycles import Commands
from oracle import Oracle
from project import Failure, Program, Progress
from shim import Call, Shim
from small import SOURCES, ExpectedProject, acknowledged

# How a call can fail. With a plus: and every later one that needs room, or the disk, fails as well.
KINDS = {
    "open": ("EIO", "ENOSPC", "EMFILE", "EINTR"),
    "write": ("EIO", "ENOSPC", "EDQUOT", "EINTR", "SHORT", "ENOSPC+", "EIO+"),
    "truncate": ("EIO", "EINTR"),
    "allocate": ("ENOSPC",),
    "fsync": ("EIO", "ENOSPC"),
    "fsync-directory": ("EIO",),
    "rename": ("EIO", "ENOSPC"),
    "link": ("EIO", "ENOSPC"),
    "unlink": ("EIO",),
    "mkdir": ("EIO", "ENOSPC"),
    "rmdir": ("EIO",),
    # Where the shim is told to count what only looks.
    "open-read": ("EIO", "EMFILE"),
    "read": ("EIO", "EIO+"),
    "stat": ("EIO",),
    "opendir": ("EIO", "EMFILE"),
    "readdir": ("EIO",),
}
# What a person may be told: that the machine failed. Never that the program or the data are at fault.
TOLD = re.compile(
    r'(\[|"code":")(disk\.|metadata\.(full|failed|readonly|busy)|engine\.(start|memory)|file\.unreadable)'
)


# Differences, what became of the command, and the folder that it worked in.
FaultResult = tuple[list[str], str, Path]
CallT = TypeVar("CallT", bound=Call)


class Scenario(Protocol):
    """What `run_all` needs of a scenario. It gets back the calls that it has counted, which may know more than a
    `Call`."""

    name: str
    short: int
    least: int

    def count(self) -> Sequence[Call]: ...

    def fail(self, call: Any, kind: str, number: int, rng: random.Random) -> FaultResult: ...

    def end(self) -> list[str]: ...


class CommandScenario:
    """A project in some state, and a command that changes it."""

    # How many faults the short form tries.
    short = 8
    # How many are tried where the time is over before.
    least = 6

    def __init__(
        self, name: str, program: Program, shim: Shim, scratch: Path, arguments: list[str],
        prepare: list[str | list[str]],
    ) -> None:
        self.name, self.program, self.shim, self.arguments = name, program, shim, arguments
        self.scratch = Path(scratch) / f"scene-{name}"
        self.scratch.mkdir()
        rng = random.Random(name)
        self.project = ExpectedProject(self.scratch / "project", rng, rows=12)
        self.acknowledged = set()
        for step in prepare:
            if step == "land":
                for source in SOURCES:
                    self.project.land(source)
            else:
                landed = self.project.landed()
                done = program.run(self.project.folder, *step)
                self.acknowledged |= acknowledged(done.stdout, done.returncode, landed)

    def copy_project(self, name: str) -> Path:
        target = self.scratch / name
        shutil.copytree(self.project.folder, target)
        return target

    def end(self) -> list[str]:
        """When the last fault was tried: differences that only show then."""
        return []

    def run(self, folder: Path, expect: int | None = None, **settings: object) -> subprocess.CompletedProcess[str]:
        environment = self.shim.environment(self.program.environment, folder, **settings)
        process = subprocess.run(
            [self.program.path, *self.arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=300)
        if expect is not None and process.returncode != expect:
            raise Failure(f"{self.name}: exit code {process.returncode} under the shim: {process.stderr[-800:]}")
        return process

    def count(self) -> Sequence[Call]:
        folder = self.copy_project("count")
        self.run(folder, expect=0, count=self.scratch / "calls")
        shutil.rmtree(folder)
        return shims.calls(self.scratch / "calls")

    def fail(self, call: Call, kind: str, number: int, rng: random.Random) -> FaultResult:
        """One fault; gives the differences and what the program said of it."""
        folder = self.copy_project(f"fault-{number}")
        base = None
        if call.op.startswith("fsync"):
            base = self.scratch / f"base-{number}"
            shutil.copytree(folder, base)
        record = self.scratch / f"calls-{number}" if base else None
        done = self.run(folder, at=call.number, kind=kind, log=record)
        said = self.acknowledged | acknowledged(done.stdout, done.returncode, self.project.landed())
        oracle = Oracle(self.project)
        found = list(self.verdict(done))
        found += oracle.check(folder / ".martlet", said, settled=False)
        if not found:
            found = self.repeat(folder, said, oracle, record)
        if not found and base and record:
            found = self.cut(base, folder, record, said, rng)
        if not found:
            shutil.rmtree(folder)
        if base and record:
            shutil.rmtree(base)
            record.unlink()
        return found, "succeeded all the same" if done.returncode == 0 else "clear error", folder

    def verdict(self, done: subprocess.CompletedProcess[str]) -> Iterator[str]:
        if done.returncode == 0:
            return
        if done.returncode < 0:
            yield f"ended by signal {-done.returncode}"
        elif done.returncode != 1 or not TOLD.search(done.stderr):
            yield f"exit code {done.returncode}: {done.stderr.strip()[-500:]}"

    def repeat(self, folder: Path, said: set[str], oracle: Oracle, record: Path | None) -> list[str]:
        """Without faults the same command succeeds, and so does a whole run, with exact tables."""
        self.after = set(said)
        done = (
            self.run(folder, log=record) if record else self.program.run(folder, *self.arguments, expect=None))
        if done.returncode != 0:
            return [f"the repeated command gave exit code {done.returncode}: {done.stderr.strip()[-500:]}"]
        self.after |= acknowledged(done.stdout, 0, self.project.landed())
        found = oracle.check(folder / ".martlet", self.after, settled=False)
        if found or record:
            return found
        done = self.program.run(folder, "run", "--to", "transform", "--json", expect=None)
        if done.returncode != 0:
            return [f"the next run gave exit code {done.returncode}: {done.stderr.strip()[-500:]}"]
        return oracle.check(folder / ".martlet", said, settled=True)

    def cut(self, base: Path, folder: Path, record: Path, said: set[str], rng: random.Random) -> list[str]:
        """After a failed fsync: what the repeated command acknowledged is there even if the power fails then."""
        for mode in ("nothing", "random"):
            disk = powercut.SimulatedDisk(folder, rng)
            disk.load(base)
            for entry in powercut.records(record):
                disk.replay(entry)
            target = Path(f"{folder}-cut")
            disk.cut(target, mode)
            found = Oracle(self.project).check(target / ".martlet", self.after, settled=False)
            if found:
                return [f"after a failed fsync, the repeated command and a power cut: {f}" for f in found]
            shutil.rmtree(target)
        return []


def scenes(
    program: Program, commands: Commands, shim: Shim, scratch: Path, only: list[str] | None = None,
    one_of_the_long: int | None = None,
) -> Iterator[Scenario]:
    run, ingest = ["run", "--to", "transform", "--json"], ["ingest", "--json"]
    made: list[tuple[str, list[str], list[str | list[str]]]] = [
        ("first", run, ["land", "land"]),
        ("second", run, ["land", run, "land", "land"]),
        ("ingest", ingest, ["land", "land", ingest, "land"]),
    ]
    for name in ("compact", "checkpoint", "vacuum"):
        if name in commands:
            made.append((name, commands[name], ["land", run, "land", run, "land", run]))
    # Not at the top: they are made of this module's parts.
    import statefaults
    names = [name for name, _, _ in made] + statefaults.NAMES
    unknown = set(only or ()) - set(names)
    if unknown:
        raise Failure(f"there is no scene {', '.join(sorted(unknown))}: {', '.join(names)}")
    for name, arguments, prepare in made:
        if only and name not in only:
            continue
        yield CommandScenario(name, program, shim, scratch, arguments, prepare)
    yield from statefaults.scenes(program, shim, scratch, only, one_of_the_long)


def chosen(calls: Sequence[CallT], rng: random.Random, every: bool) -> Sequence[CallT]:
    """All calls, or of each place in the code the first, the last and one between."""
    if every:
        return calls
    places = defaultdict(list)
    for call in calls:
        places[call.op, call.site].append(call)
    picked: set[CallT] = set()
    for found in places.values():
        picked |= {found[0], found[-1], rng.choice(found)}
    return sorted(picked)


def run_all(
    program: Program, commands: Commands, shim: Shim, scratch: Path, seed: int, progress: Progress = print,
    every: bool = False, only: list[str] | None = None, short: bool = False, seconds: float | None = None,
) -> tuple[int, list[str]]:
    """Gives (faults, failures); prints a line a scene."""
    rng = random.Random(seed)
    total, seen = 0, set()
    failures: list[str] = []
    made = list(scenes(program, commands, shim, scratch, only, seed if short else None))
    for index, scene in enumerate(made):
        begun = time.monotonic()
        share = seconds and seconds / (len(made) - index)
        calls = scene.count()
        places = {(c.op, c.site) for c in calls}
        plan = [(call, kind) for call in chosen(calls, rng, every) for kind in KINDS[call.op]]
        whole = len(plan)
        rng.shuffle(plan)
        plan = plan[:scene.short if short else None]
        outcomes: Counter[str] = Counter()
        covered = set()
        for number, (call, kind) in enumerate(plan):
            if (share and number >= scene.least and time.monotonic() - begun > share) or len(failures) >= 10:
                break
            if number and number % 100 == 0:
                progress(f"faults in {scene.name}: {number} of {whole} so far")
            found, outcome, folder = scene.fail(call, kind, number, rng)
            covered.add((call.op, call.site))
            outcomes["difference" if found else outcome] += 1
            total += 1
            kind_of = (scene.name, call.op, re.sub(r"\S*[/\d]\S*", "#", found[0])[:80]) if found else None
            # One of a sort is told.
            if found and kind_of not in seen:
                seen.add(kind_of)
                what = f"{scene.name}: {kind} at call {call.number} ({call.op} {call.path}, {call.site[:120]})"
                failures.append(f"{what}: {'; '.join(found[:3])}")
                progress(f"DIFFERENCE: {failures[-1]}\n  folder: {folder}")
        for text in scene.end():
            failures.append(f"{scene.name}, at its end: {text}")
            progress(f"DIFFERENCE: {failures[-1]}")
        seconds = seconds and seconds - (time.monotonic() - begun)
        told = ", ".join(f"{n} {what}" for what, n in outcomes.items())
        progress(
            f"faults in {scene.name}: {len(calls)} calls from {len(places)} places; "
            f"{sum(outcomes.values())} of {whole} faults tried, at {len(covered)} places: {told}"
        )
    return total, failures
