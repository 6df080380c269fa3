"""Kill -9 at random instants, run again, compare."""

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import points
from project import Content, Failure, History, Program, Recipe, check_with_delta_rs, content, history, tables, trace

# Steps that only report and are done on every run.
REPORTS = ("gates:", "leaks:")


# So many steps told in the trace, and then so many seconds.
Instant = tuple[int, float]


class Day(TypedDict):
    """What an undisturbed run of one day leaves, and how long it takes."""

    history: History
    content: Content
    steps: list[tuple[str, float]]
    start: float
    wall: float
    points: int


class Reference:
    """An undisturbed run of a recipe: what each day leaves, and how long its steps take."""

    def __init__(self, program: Program, recipe: Recipe, folder: Path) -> None:
        self.recipe = recipe
        self.days: list[Day] = []
        recipe.begin(folder)
        for day in range(len(recipe.days)):
            recipe.land(folder, day)
            known = len(trace(folder))
            log = points.FailpointLog(Path(folder).with_suffix(".points"))
            started = time.monotonic()
            program.run(folder, "run", MARTLET_FAILPOINT_LOG=str(log.path))
            wall = time.monotonic() - started
            reached = log.take()
            steps = [(e["step"], e["seconds"]) for e in trace(folder)[known:]]
            self.days.append({
                "history": history(folder), "content": content(program, folder), "steps": steps,
                "start": max(0.02, wall - sum(s for _, s in steps)), "wall": wall, "points": sum(reached.values()),
            })


class Tally:
    """Counts of kills and of files left behind, and the differences found."""

    def __init__(self) -> None:
        self.kills: Counter[str] = Counter()
        self.runs = 0
        self.too_late = 0
        self.tables_read = 0
        self.leftovers: Counter[str] = Counter()
        self.differences: list[str] = []

    def difference(self, text: str) -> None:
        self.differences.append(text)
        print(f"DIFFERENCE: {text}", flush=True)

    def line(self) -> str:
        order = ["start", "ingest", "transform", "train", "gates", "register", "predict", "end", "failpoints"]
        spread = ", ".join(f"{self.kills[k]} in {k}" for k in order if self.kills[k])
        text = f"{sum(self.kills.values())} kills: {spread or 'none'}; {self.runs} projects completed"
        if self.tables_read:
            text += f"; delta-rs read {self.tables_read} tables"
        leftovers = ", ".join(f"{n} {what}" for what, n in sorted(self.leftovers.items()) if n)
        if leftovers:
            text += f"; left behind by the killed: {leftovers}"
        return f"{text}; {len(self.differences)} differences"


def run_with_kills(
    program: Program, reference: Reference, folder: Path, rng: random.Random, tally: Tally, go_on: Callable[[], bool],
    python: str | None,
) -> None:
    """One project from its first file to its last day, killed again and again; `False` when time ran out before."""
    recipe = reference.recipe
    recipe.begin(folder)
    for day, expected in enumerate(reference.days):
        recipe.land(folder, day)
        start = len(trace(folder))
        while True:
            before = len(trace(folder))
            finished = {e["step"] for e in trace(folder)[start:] if not e["step"].startswith(REPORTS)}
            instant = choose_instant(expected, finished, rng) if go_on() and rng.random() < 0.9 else None
            point = None
            if instant and rng.random() < 0.4:
                # One failpoint after another, whatever its name: more come than time can hit.
                instant, point = None, f"*:kill@{rng.randint(1, max(2, expected['points'] // (1 + len(finished))))}"
            killed = attempt(program, folder, instant, expected, before, tally, point)
            if killed:
                check_after_kill(program, folder, expected["history"], recipe, tally)
            if not killed:
                break
        check_day(program, folder, expected, start, f"{recipe.name}, day {day + 1}", tally)
    if python:
        tally.tables_read += check_with_delta_rs(python, program, folder)
    count_leftovers(folder, tally)
    tally.runs += 1


def choose_instant(expected: Day, finished: set[str], rng: random.Random) -> Instant | None:
    """An instant: so many steps told in the trace, and then so many seconds.

    Every second time any instant of what is left, so that long steps are hit as often as they are long; else any step
    that is left, so that short ones are hit as well.
    """
    left = [
        (i, seconds) for i, (name, seconds) in enumerate(expected["steps"])
        if name not in finished and not name.startswith(REPORTS)]
    if not left:
        return None
    if rng.random() < 0.5:
        return 0, rng.uniform(0, 1.05 * (expected["start"] + sum(seconds for _, seconds in left)))
    step, seconds = rng.choice(left)
    return step, rng.uniform(0, seconds * 1.1 + (expected["start"] if step == 0 else 0.003))


def attempt(
    program: Program, folder: Path, instant: Instant | None, expected: Day, before: int, tally: Tally,
    point: str | None = None,
) -> bool:
    """Starts `martlet run` and kills it at an instant or at a failpoint; `False` when it came to its end."""
    process = program.start(folder, "run", **({"MARTLET_FAILPOINT": point} if point else {}))
    begun = time.monotonic()
    try:
        if instant is None:
            output, _ = process.communicate(timeout=900)
        else:
            steps, delay = instant
            while steps and process.poll() is None and len(trace(folder)) - before < steps:
                time.sleep(0.002)
            output, _ = process.communicate(timeout=delay)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        if process.returncode == -signal.SIGKILL:
            done = len(trace(folder)) - before
            names = [name for name, _ in expected["steps"]]
            if done == 0 and time.monotonic() - begun < expected["start"]:
                place = "start"
            else:
                place = names[done].split(":")[0] if done < len(names) else "end"
            tally.kills[place] += 1
            return True
    if point and process.returncode == -signal.SIGKILL:
        tally.kills["failpoints"] += 1
        return True
    if process.returncode != 0:
        raise Failure(f"martlet run gave exit code {process.returncode}:\n{output.decode(errors='replace')[-3000:]}")
    if instant is not None:
        tally.too_late += 1
    return False


def check_after_kill(program: Program, folder: Path, expected: History, recipe: Recipe, tally: Tally) -> None:
    """After a kill every table still reads, and is at one of the versions that the undisturbed run made."""
    if (Path(folder) / ".martlet/martlet.db").exists():
        program.run(folder, "lake", "tables")
    for table, versions in history(folder).items():
        if versions != expected.get(table, [])[: len(versions)]:
            tally.difference(f"{recipe.name}: after a kill {table} has {versions}, not {expected.get(table)}")


def check_day(program: Program, folder: Path, expected: Day, start: int, where: str, tally: Tally) -> None:
    if history(folder) != expected["history"]:
        tally.difference(f"{where}: table versions {history(folder)} are not {expected['history']}")
    found = content(program, folder)
    for name in sorted(set(found) | set(expected["content"])):
        if found.get(name) != expected["content"].get(name):
            tally.difference(f"{where}: {name} is {found.get(name)}, not {expected['content'].get(name)}")
    times_done = Counter(
        e["step"] for e in trace(folder)[start:] if e["outcome"] == "done" and not e["step"].startswith(REPORTS))
    for step, times in times_done.items():
        if times > 1:
            tally.difference(f"{where}: {step} was done {times} times, though it had finished")
    before = len(trace(folder))
    program.run(folder, "run")
    for entry in trace(folder)[before:]:
        if entry["outcome"] != "skipped" and not entry["step"].startswith(REPORTS):
            tally.difference(f"{where}: with nothing new, {entry['step']} was {entry['outcome']}")


def count_leftovers(folder: Path, tally: Tally) -> None:
    """Files that a killed run left and nothing refers to: they cost disk, not truth."""
    home = Path(folder) / ".martlet"
    for table in tables(folder):
        log = "".join(p.read_text() for p in (table / "_delta_log").glob("[0-9]*.json"))
        tally.leftovers["data files"] += sum(p.name not in log for p in table.glob("*.parquet"))
        tally.leftovers["log temporaries"] += sum(1 for _ in (table / "_delta_log").glob(".*"))
    for name in ("scratch", "spill"):
        tally.leftovers[f"{name} entries"] += len(list((home / name).glob("*")))
    tally.leftovers["artifact temporaries"] += sum(p.name.startswith(".") for p in (home / "artifacts").rglob("*"))


def race(program: Program, reference: Reference, folder: Path, tally: Tally) -> str:
    """Two runs at once: the lock refuses one, and nothing is broken."""
    reference.recipe.begin(folder)
    reference.recipe.land(folder, 0)
    both = [program.start(folder, "run") for _ in range(2)]
    outputs = [p.communicate(timeout=900)[0].decode(errors="replace") for p in both]
    codes = sorted(p.returncode for p in both)
    if codes == [0, 1]:
        refused = outputs[0] if both[0].returncode == 1 else outputs[1]
        if "project.busy" not in refused:
            tally.difference(f"the second run was refused without [project.busy]: {refused.strip()[-300:]}")
    elif codes != [0, 0]:  # the first may have finished before the second began
        tally.difference(f"two runs at once gave the exit codes {codes}: {outputs}")
    check_day(program, folder, reference.days[0], 0, "two runs at once", tally)
    return "one was refused" if codes == [0, 1] else "they did not meet"
