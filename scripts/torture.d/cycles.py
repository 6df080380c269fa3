"""Kill -9 in thousands of short cycles: at failpoints, at random instants, and with two processes at once."""

import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import points
from oracle import Oracle
from project import Failure, Program, Progress
from small import SOURCES, ExpectedProject, LandedFile, Place, acknowledged

# By name: the words of a command.
Commands = dict[str, list[str]]
# By failpoint: how often each command reaches it.
Reaches = dict[str, dict[str, int]]
# Commands that write, with what they are for; those that this program does not have are left out.
COMMANDS = {
    "ingest": ["ingest", "--json"],
    "again": ["ingest", "--again", "--json"],
    "run": ["run", "--to", "transform", "--json"],
    "compact": ["lake", "compact", "--json"],
    # Under the lock, which keeps all others out, nothing need stay behind.
    "vacuum": ["lake", "vacuum", "--retain", "0h", "--force", "--json"],
    "checkpoint": ["lake", "checkpoint", "--json"],
    "replay": [
        "quarantine", "fix", "moves", "--where", "amount=much", "--set", "amount=0", "--reason", "a slip", "--replay",
        "--json"],
}
# Failpoints that only other commands reach.
ELSEWHERE = {"disk.replace.before-rename", "disk.replace.after-rename"}
# Two of these may meet without the lock: a commit that lost must say so, not win anyway.
WITHOUT_LOCK = ("ingest", "run", "compact")
# What a command may answer when another one was faster.
LOST = ("project.busy", "lake.concurrent-write", "metadata.busy")
# In a sentence, or in an object where --json was asked for.
CODE = re.compile(r'(?:\[|"code":")([a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*)(?:\]|")')


class RunningCommand:
    """A command under way, and what the project held when it was started."""

    def __init__(
        self, process: subprocess.Popen[str], command: str, failpoint: str | None, landed: set[str], bad: set[Place],
    ) -> None:
        self.process, self.command, self.failpoint = process, command, failpoint
        self.landed, self.bad = landed, bad


def available(program: Program, folder: Path) -> Commands:
    """The commands of COMMANDS that the program has."""
    found = {}
    for name, arguments in COMMANDS.items():
        words = arguments[: 2 if arguments[0] in ("lake", "quarantine") else 1]
        help = program.run(folder, *words, "--help", expect=None)
        if help.returncode == 0 and f"martlet {' '.join(words)}" in help.stdout:
            found[name] = arguments
    return found


class Tally:
    """Counts of kills, races and comparisons, by failpoint and by command."""

    def __init__(self, names: Iterable[str]) -> None:
        self.hits = Counter({name: 0 for name in names})
        self.reached: Counter[str] = Counter()
        self.places: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.seconds = 0.0
        self.within_reach = set(names)

    def table(self) -> str:
        width = max([len(n) for n in self.hits] + [20])
        lines = [f"{'failpoint':{width}}  killed  reached"]
        lines += [f"{n:{width}}  {self.hits[n]:6}  {self.reached[n]:7}" for n in sorted(self.hits)]
        return "\n".join(lines)

    def line(self) -> str:
        c = self.counts
        places = ", ".join(f"{n} in {k}" for k, n in sorted(self.places.items()))
        return (
            f"{c['cycles']} cycles, {c['kills']} kills ({sum(self.hits.values())} at failpoints, {places} at random "
            f"instants), {c['races']} races ({c['met']} met, {c['unlocked']} without the lock), "
            f"{c['acknowledged']} files acknowledged, {c['tables']} tables read by delta-rs, "
            f"{c['differences']} differences, {self.seconds:.0f} s")


class KillSession:
    """One project whose commands are killed again and again, from its creation to a last comparison."""

    def __init__(
        self, program: Program, commands: Commands, folder: Path, seed: str | int, tally: Tally, reaches: Reaches,
    ) -> None:
        self.program, self.commands, self.tally, self.reaches = program, commands, tally, reaches
        self.rng = random.Random(seed)
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.home = self.folder / ".martlet"
        self.project = ExpectedProject(self.folder, self.rng)
        self.oracle = Oracle(self.project)
        self.acknowledged: set[str] = set()
        self.log = points.FailpointLog(self.folder / "failpoints.log")
        self.history: list[str] = []
        self.sources: set[str] = set()
        self.refused: LandedFile | None = None

    # One process

    def start(self, command: str, failpoint: str | None = None, home: Path | None = None) -> RunningCommand:
        environment = {**self.program.environment, "MARTLET_FAILPOINT_LOG": str(self.log.path)}
        if failpoint:
            environment["MARTLET_FAILPOINT"] = failpoint
        arguments = [self.program.path, *self.commands[command]]
        if home:
            arguments += ["--home", str(home)]
        process = subprocess.Popen(
            arguments, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.history.append(f"{command} {failpoint or ''}".strip())
        return RunningCommand(
            process, command, failpoint, self.project.landed(), self.project.bad(self.oracle.order["moves"]))

    def finish(self, running: RunningCommand, seconds: float = 120, killing: bool = False) -> bool:
        """Waits, and kills at the end of the time when that is wanted. Gives whether the process was killed."""
        ours = False
        try:
            out, err = running.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            running.process.kill()
            out, err = running.process.communicate()
            if not killing:
                raise Failure(f"martlet {running.command} did not end in {seconds} s") from None
            ours = True
        code = running.process.returncode
        said = acknowledged(out, code, running.landed)
        self.tally.counts["acknowledged"] += len(said - self.acknowledged)
        self.acknowledged |= said
        if running.command == "replay" and code == 0:
            self.oracle.replayed |= running.bad
        if code == -signal.SIGKILL:
            self.tally.counts["kills"] += 1
            self.history[-1] += " (killed)"
            if ours:
                self.tally.places[running.command] += 1
            elif running.failpoint:
                self.tally.hits[running.failpoint.split(":")[0].split("@")[0]] += 1
            return True
        self.verdict(running, code, err)
        return False

    def verdict(self, running: RunningCommand, code: int, err: str) -> None:
        codes = CODE.findall(err)
        allowed = set(LOST)
        if any(f.refused for f in self.project.files.values()):
            allowed.add("ingest.refused")
        if running.command == "replay":
            allowed.add("quarantine.no-match")
        if ":error" in (running.failpoint or ""):
            allowed.add("failpoint.error")
        if code != 0 and (code != 1 or not codes or set(codes) - allowed):
            raise Failure(f"martlet {running.command} gave exit code {code}: {err.strip()[-1500:]}")
        self.tally.counts["lost"] += any(c in LOST for c in codes)

    # One cycle

    def cycle(self) -> None:
        for source in SOURCES:
            if not self.project.files or source not in self.sources or self.rng.random() < 0.8:
                self.sources.add(source)
                self.project.land(source)
        if not self.refused and self.rng.random() < 0.04:
            self.refused = self.project.land("moves", refused=True)
        kind = self.rng.random()
        if kind < 0.5:
            self.kill_at_point()
        elif kind < 0.65:
            self.kill_at_instant()
        else:
            self.race()
        self.tally.counts["cycles"] += 1
        self.compare(settled=False)
        if self.rng.random() < 0.5:
            self.recover()

    def wanted_point(self) -> tuple[str, str, int]:
        """The point that was hit least, a command that reaches it, and at which time to hit it."""
        known = [p for p in self.reaches if self.tally.hits[p] < 10**6]
        least = min(self.tally.hits[p] for p in known)
        point = self.rng.choice([p for p in known if self.tally.hits[p] <= least + 2])
        command = self.rng.choice(sorted(self.reaches[point]))
        times = self.reaches[point][command]
        nth = 1 if self.rng.random() < 0.6 else self.rng.randint(1, times)
        return command, point, nth

    def kill_at_point(self) -> None:
        command, point, nth = self.wanted_point()
        if self.rng.random() < 0.1:
            self.finish(self.start(command, f"{point}:error@{nth}"))
        elif not self.finish(self.start(command, f"{point}:kill@{nth}")) and nth > 1:
            self.finish(self.start(command, f"{point}:kill"))

    def kill_at_instant(self) -> None:
        command = self.rng.choice(["ingest", "run", "run", *self.commands])
        self.finish(self.start(command), self.rng.uniform(0.005, 0.3), killing=True)

    def race(self) -> None:
        """Two at once; one of them, or both, are killed. Without the lock only the log keeps them apart."""
        self.tally.counts["races"] += 1
        unlocked = self.rng.random() < 0.5 and (self.home / "lake/bronze").is_dir()
        names = [n for n in self.commands if n in WITHOUT_LOCK or not unlocked]
        other = self.second_home() if unlocked else None
        command, point, nth = self.wanted_point()
        if command not in names:
            command, point, nth = "run", "delta.commit.before", 1
        first = self.start(command, f"{point}:kill@{nth}" if self.rng.random() < 0.6 else f"{point}:delay=60@{nth}")
        if self.rng.random() < 0.5:
            time.sleep(self.rng.uniform(0, 0.08))
        second = self.start(self.rng.choice(names), home=other)
        lost = self.tally.counts["lost"]
        if self.rng.random() < 0.3:
            self.finish(second, self.rng.uniform(0.02, 0.3), killing=True)
        else:
            self.finish(second)
        self.finish(first)
        self.tally.counts["met"] += self.tally.counts["lost"] > lost
        self.tally.counts["unlocked"] += unlocked

    def second_home(self) -> Path:
        """The same tables and the same registry under another folder, which has a lock of its own."""
        other = self.folder / ".martlet-too"
        other.mkdir(exist_ok=True)
        for name in ("lake", "martlet.db", "logs", "artifacts", "cards"):
            if name != "martlet.db":
                # A link to nothing is neither a folder nor a free name.
                (self.home / name).mkdir(parents=True, exist_ok=True)
            if not (other / name).is_symlink():
                (other / name).symlink_to(self.home / name)
        return other

    def recover(self) -> None:
        """The repeated command completes, and everything is exact."""
        self.finish(self.start("run"))
        self.tally.counts["recoveries"] += 1
        self.compare(settled=True)
        if self.refused:
            self.project.withdraw(self.refused)
            self.refused = None

    def compare(self, settled: bool) -> None:
        for name, times in self.log.take().items():
            self.tally.reached[name] += times
        found = self.oracle.check(self.home, self.acknowledged, settled)
        self.tally.counts["tables"] += self.oracle.tables_read
        self.oracle.tables_read = 0
        if found:
            self.tally.counts["differences"] += len(found)
            raise Failure("; ".join(found[:5]) + f"\n  after: {' | '.join(self.history[-4:])}")

    def end(self) -> None:
        self.recover()
        self.oracle.found = []
        self.oracle.check_versions(self.home)
        if self.oracle.found:
            self.tally.counts["differences"] += len(self.oracle.found)
            raise Failure("; ".join(self.oracle.found[:5]))


def discover(program: Program, commands: Commands, scratch: Path) -> Reaches:
    """Which command reaches which failpoint how often, in a life without kills."""
    reaches: Reaches = {}
    life = KillSession(program, commands, Path(scratch) / "discovery", 1, Tally([]), {})
    for _ in range(3):
        for command in commands:
            for source in SOURCES:
                life.project.land(source)
            life.finish(life.start(command))
            for point, times in life.log.take().items():
                reaches.setdefault(point, {})
                reaches[point][command] = max(times, reaches[point].get(command, 0))
    life.compare(settled=False)
    shutil.rmtree(life.folder)
    return reaches


def loop(
    program: Program, scratch: Path, commands: Commands, seed: str, tally: Tally, go_on: Callable[[Tally], bool],
    only: int | None = None, cycles_a_life: int = 12, progress: Progress = print,
) -> list[tuple[int, str, Path | None]]:
    """Lives until `go_on` says no; gives the failures as (life, text, folder)."""
    reaches = discover(program, commands, scratch)
    tally.within_reach = set(reaches)
    progress(f"commands: {', '.join(commands)}; {len(reaches)} of {len(tally.hits)} failpoints are on their path")
    failures: list[tuple[int, str, Path | None]] = []
    missing = tally.hits.keys() - reaches.keys() - ELSEWHERE
    if missing:
        failures.append((0, f"no command here reaches the failpoints {', '.join(sorted(missing))}", None))
    number = only or 1
    begun = time.monotonic()
    while go_on(tally) and len(failures) < 5:
        folder = Path(scratch) / f"life-{number}"
        life = KillSession(program, commands, folder, f"{seed}-{number}", tally, reaches)
        try:
            for _ in range(cycles_a_life):
                if not go_on(tally):
                    break
                life.cycle()
            life.end()
            shutil.rmtree(folder)
        except Failure as failure:
            failures.append((number, str(failure), folder))
            progress(f"DIFFERENCE in life {number}: {failure}\n  folder: {folder}\n  "
                     f"again: scripts/torture --seed {seed} --life {number}")
        tally.seconds = time.monotonic() - begun
        if number % 10 == 0:
            progress(f"so far: {tally.line()}")
        number += 1
        if only:
            break
    return failures
