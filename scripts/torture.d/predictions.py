"""The prediction log: killed under load, and its power cut, against what was acknowledged.

The load is a hidden command that appends records and prints the id of each that was acknowledged, with the time. What
is left in the folder is read here, by a reader of the format of its own (docs/predictions.md).
"""

import json
import random
import shutil
import signal
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from faults import KINDS, TOLD, chosen
from powercut import MODES, SimulatedDisk, records
from project import Failure, Program, Progress
from shim import Shim
from shim import calls as calls_of

HEADER = 64
FEATURES = 2
# What a power cut may take in mode `written`, in microseconds; and what a busy machine may add between the
# acknowledgement and the line that tells of it.
WINDOW = 100_000
LATE = 50_000

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = 0x82F63B78 ^ (byte >> 1) if byte & 1 else byte >> 1
    TABLE.append(byte)


def crc32c(data: bytes, crc: int = 0) -> int:
    crc ^= 0xFFFFFFFF
    table = TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def segment(path: Path) -> tuple[list[tuple[str, tuple[float, ...], float]], bool]:
    """The records of a segment in order, up to the first that is not whole: {id: (features, score)}; and whether it was
    closed."""
    data = Path(path).read_bytes()
    if len(data) < HEADER or data[:8] != b"MTLPRED1":
        return [], False
    if crc32c(data[:60]) != struct.unpack_from("<I", data, 60)[0]:
        return [], False
    salt = crc32c(data[8:32])
    at, found = HEADER, list[tuple[str, tuple[float, ...], float]]()
    while at + 16 <= len(data):
        length, told = struct.unpack_from("<II", data, at)
        if length < 8 or length % 8 or at + 8 + length > len(data):
            break
        payload = data[at + 8:at + 8 + length]
        if crc32c(data[at:at + 4] + payload, salt) != told:
            break
        at += 8 + length
        if payload[0] == 3:
            return found, True
        # Predictions of version 1 and 2: what is read here stands at the same places.
        if payload[0] in (2, 4):
            score, = struct.unpack_from("<d", payload, 16)
            features, request = struct.unpack_from("<HH", payload, 32)
            values = struct.unpack_from(f"<{features}d", payload, 40)
            start = 40 + 8 * features
            found.append((payload[start:start + request].decode(), values, score))
    return found, False


def check(
    folder: Path, acknowledged: Iterable[str], recovered: bool, known: dict[str, list[str]] | None = None,
) -> tuple[list[str], list[str]]:
    """Differences between what is in the folder and what was acknowledged; and which ids are there."""
    found = []
    there: Counter[str] = Counter()
    for path in sorted(Path(folder).glob("*.segment")):
        if known is not None and path.name in known:
            there.update(known[path.name])
            continue
        rows, closed = segment(path)
        if recovered and not closed:
            found.append(f"{path.name} was not closed by recovery")
        for id, values, score in rows:
            number = int(id.rsplit("-", 1)[1])
            if values != tuple(float(number + place) for place in range(FEATURES)) or score != number % 1000 / 1000:
                found.append(f"{id} is not what was logged")
        ids = [row[0] for row in rows]
        there.update(ids)
        if known is not None and closed:
            known[path.name] = ids
    double = [id for id, count in there.items() if count > 1]
    if double:
        found.append(f"{len(double)} records twice, such as {double[0]}")
    lost = [id for id in acknowledged if id not in there]
    return found, lost


def parse_acknowledged(output: str) -> dict[str, int]:
    """What was acknowledged, with its time: whole lines only."""
    said = {}
    for line in output[: output.rfind("\n") + 1].splitlines():
        id, stamp = line.split(" ")
        said[id] = int(stamp)
    return said


class LogLoad:
    """The command that writes to a prediction log and prints what was acknowledged."""

    def __init__(self, program: Program, mode: str, lie: bool = False) -> None:
        self.program, self.mode, self.lie = program, mode, lie

    def words(self, folder: Path, prefix: str, *more: str) -> list[str]:
        return ["predictions", "load", "--folder", str(folder), "--mode", self.mode, "--features", str(FEATURES),
                "--segment-bytes", "100000", "--prefix", prefix, "--say", *(["--lie"] if self.lie else []), *more]

    def start(self, folder: Path, prefix: str, concurrency: int, **environment: str) -> subprocess.Popen[str]:
        words = self.words(folder, prefix, "--concurrency", str(concurrency))
        return subprocess.Popen(
            [self.program.path, *words], env={**self.program.environment, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def recover(self, folder: Path) -> dict[str, Any]:
        """Opens the log and closes it again; gives what recovery said."""
        done = self.program.run(
            Path(folder).parent, *self.words(folder, "recovery", "--records", "0"), expect=0)
        return json.loads(done.stderr)


def kills(
    program: Program, scratch: Path, rng: random.Random, mode: str, points: list[str],
    go_on: Callable[[Counter[str]], bool], tally: Counter[str], lie: bool = False,
) -> list[str]:
    """Kill -9 at random instants and at failpoints; a folder lives for some cycles. Gives the differences."""
    load = LogLoad(program, mode, lie)
    found: list[str] = []
    life = 0
    while go_on(tally) and len(found) < 5:
        folder = Path(scratch) / f"log-{mode}-{life}" / "predictions"
        folder.mkdir(parents=True)
        acknowledged: dict[str, int] = {}
        known: dict[str, list[str]] = {}
        for cycle in range(20):
            if not go_on(tally):
                break
            prefix = f"{life}-{cycle}"
            environment = {}
            point = rng.choice(points) if rng.random() < 0.6 else None
            if point:
                most = 40 if "write" in point or "sync" in point else 4
                environment["MARTLET_FAILPOINT"] = f"{point}:kill@{rng.randint(1, most)}"
            process = load.start(folder, prefix, rng.choice([1, 4, 64]), **environment)
            # Reading must go on meanwhile, or the pipe is full and the load waits for it.
            killer = subprocess.Popen(
                ["sleep", f"{rng.uniform(0.05, 0.4) if not point else 2:.3f}"], stdin=subprocess.DEVNULL)
            out, err = collect(process, killer)
            if process.returncode != -signal.SIGKILL:
                found.append(f"{mode} {prefix}: the load ended with {process.returncode}: {err[-300:]}")
                break
            said = parse_acknowledged(out)
            acknowledged.update(said)
            tally["cycles"] += 1
            tally["acknowledged"] += len(said)
            if point:
                tally[f"at {point}"] += 1
            report = load.recover(folder)
            tally["recovered"] += report["recovered_records"]
            tally["torn bytes"] += report["torn_bytes"]
            wrong, lost = check(folder, acknowledged, True, known)
            found += [f"{mode} {prefix}: {text}" for text in wrong + [f"set aside: {n}" for n in report["set_aside"]]]
            if lost:
                found.append(f"{mode} {prefix}: {len(lost)} acknowledged records are lost, such as {lost[0]}")
            if wrong or lost:
                break
        if not found:
            shutil.rmtree(folder.parent)
        life += 1
    return found


def collect(process: subprocess.Popen[str], killer: subprocess.Popen[bytes]) -> tuple[str, str]:
    """The output of a process that is killed when the killer ends; also when it ends by itself."""
    import threading

    def end() -> None:
        killer.wait()
        if process.poll() is None:
            process.kill()
    thread = threading.Thread(target=end)
    thread.start()
    out, err = process.communicate()
    if killer.poll() is None:
        killer.kill()
    thread.join()
    return out, err


def cuts(
    program: Program, shim: Shim, scratch: Path, seed: int, mode: str, go_on: Callable[[Counter[str]], bool],
    tally: Counter[str], swallow: str | None = None, cuts_a_load: int = 30,
) -> list[str]:
    """A load under the shim, and the disk as a power cut may have left it, at random calls. Gives the differences."""
    found: list[str] = []
    number = 0
    load = LogLoad(program, mode)
    while go_on(tally) and len(found) < 5:
        rng = random.Random(f"{seed}-{mode}-{number}")
        parent = Path(scratch) / f"cut-{mode}-{number}"
        folder = parent / "predictions"
        parent.mkdir()
        calls = Path(f"{parent}.calls")
        words = load.words(
            folder, f"{number}", "--concurrency", str(rng.choice([1, 4])), "--seconds", f"{rng.uniform(0.3, 0.8):.2f}",
            "--segment-bytes", "20000")
        done = subprocess.run(
            [program.path, *words], env=shim.environment(program.environment, parent, log=calls, swallow=swallow),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            return [f"the load under the shim ended with {done.returncode}: {done.stderr[-300:]}"]
        written = list(records(calls))
        for cut in range(cuts_a_load):
            if not go_on(tally) or len(found) >= 5:
                break
            rng = random.Random(f"{seed}-{mode}-{number}-{cut}")
            position = rng.randint(0, len(written))
            disk = SimulatedDisk(parent, rng)
            for record in written[:position]:
                disk.replay(record)
            target = Path(scratch) / f"after-{mode}-{number}-{cut}"
            kind = rng.choice(MODES)
            disk.cut(target, kind)
            said = parse_acknowledged(b"".join(disk.said.values()).decode())
            where = f"{mode}, load {number}, call {position} of {len(written)}, {kind}"
            (target / "predictions").mkdir(exist_ok=True)
            report = load.recover(target / "predictions")
            wrong, lost = check(target / "predictions", said, True)
            found += [f"{where}: {text}" for text in wrong]
            tally["cuts"] += 1
            tally["acknowledged before cuts"] += len(said)
            tally["lost in cuts"] += len(lost)
            tally["set aside"] += len(report["set_aside"])
            if lost and mode == "strict":
                found.append(f"{where}: {len(lost)} of {len(said)} acknowledged records are lost, such as {lost[0]}")
            elif lost:
                age = max(said.values()) - min(said[id] for id in lost)
                tally["longest"] = max(tally["longest"], age)
                if age > WINDOW + LATE:
                    found.append(
                        f"{where}: a record is lost that was acknowledged {age / 1000:.0f} ms before the last one"
                    )
            shutil.rmtree(target)
        shutil.rmtree(parent)
        calls.unlink()
        number += 1
    return found


def faults(
    program: Program, shim: Shim, scratch: Path, seed: int, mode: str, go_on: Callable[[Counter[str]], bool],
    tally: Counter[str], most: int | None = None,
) -> list[str]:
    """Each call of a load fails once, in each way, of files and of the folder. Gives the differences.

    What was acknowledged is there when the log is opened again; in mode `strict` also when the power fails right after
    a failed fsync, which dropped what it covered. What a full disk or a broken one cost stands in the report."""
    found: list[str] = []
    rng = random.Random(f"faults-{seed}-{mode}")
    load = LogLoad(program, mode)
    words = ["--records", "120", "--concurrency", "4", "--segment-bytes", "4000", "--seconds", "3"]

    def run(name: str, prefix: str, **settings: object) -> tuple[Path, subprocess.CompletedProcess[str]]:
        parent = Path(scratch) / name
        parent.mkdir()
        done = subprocess.run(
            [program.path, *load.words(parent / "predictions", prefix, *words)],
            env=shim.environment(program.environment, parent, **settings), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120)
        return parent, done

    listed = Path(scratch) / f"fault-calls-{mode}"
    parent, done = run(f"count-{mode}", "count", count=listed)
    if done.returncode != 0:
        return [f"the load ended with {done.returncode}: {done.stderr[-300:]}"]
    shutil.rmtree(parent)
    plan = [(call, kind) for call in chosen(calls_of(listed), rng, False) for kind in KINDS[call.op]]
    rng.shuffle(plan)
    for number, (call, kind) in enumerate(plan[:most]):
        if (number >= 8 and not go_on(tally)) or len(found) >= 5:
            break
        record = Path(scratch) / f"fault-log-{mode}-{number}" if call.op.startswith("fsync") else None
        parent, done = run(f"fault-{mode}-{number}", f"{number}", at=call.number, kind=kind, log=record)
        where = f"{mode}: {kind} at call {call.number} ({call.op} {call.path}, {call.site[:120]})"
        said = parse_acknowledged(done.stdout)
        tally["faults"] += 1
        tally["acknowledged beside faults"] += len(said)
        if done.returncode not in (0, 1) or (done.returncode == 1 and not (
                TOLD.search(done.stderr) or "[predictions." in done.stderr or '"code":"predictions.' in done.stderr)):
            found.append(f"{where}: exit code {done.returncode}: {done.stderr[-300:]}")
        if record and mode == "strict":
            disk = SimulatedDisk(parent, rng)
            for entry in records(record):
                disk.replay(entry)
            target = Path(scratch) / f"fault-cut-{mode}-{number}"
            disk.cut(target, "nothing")
            (target / "predictions").mkdir(exist_ok=True)
            load.recover(target / "predictions")
            wrong, lost = check(target / "predictions", said, True)
            found += [f"{where}, and a power cut: {text}" for text in wrong]
            if lost:
                found.append(f"{where}, and a power cut: {len(lost)} of {len(said)} acknowledged records are lost")
            shutil.rmtree(target)
        (parent / "predictions").mkdir(exist_ok=True)
        load.recover(parent / "predictions")
        wrong, lost = check(parent / "predictions", said, True)
        found += [f"{where}: {text}" for text in wrong]
        if lost:
            found.append(f"{where}: {len(lost)} of {len(said)} acknowledged records are lost, such as {lost[0]}")
        if not found:
            shutil.rmtree(parent)
        if record:
            record.unlink(missing_ok=True)
    return found


def line(tally: Counter[str]) -> str:
    points = sum(n for name, n in tally.items() if name.startswith("at "))
    return (
        f"{tally['cycles']} kills ({points} at failpoints), {tally['acknowledged']} predictions acknowledged, "
        f"{tally['recovered']} recovered, {tally['torn bytes']} torn bytes; {tally['cuts']} power cuts after "
        f"{tally['acknowledged before cuts']} acknowledgements, {tally['lost in cuts']} lost by mode written, "
        f"the oldest {tally['longest'] / 1000:.0f} ms before the last; {tally['faults']} failing calls beside "
        f"{tally['acknowledged beside faults']} acknowledgements")


def until(end: float, name: str, least: int) -> Callable[[Counter[str]], bool]:
    """Whether to go on: until a time, and until so many were counted."""
    return lambda tally: time.monotonic() < end or tally[name] < least


def at_most(name: str, most: int) -> Callable[[Counter[str]], bool]:
    """Whether to go on: until so many were counted, however long that takes."""
    return lambda tally: tally[name] < most


def torture(
    program: Program, shim: Shim, scratch: Path, root: Path, seed: int, seconds: float, wanted: int, points: list[str],
    progress: Progress, swallow: str | None = None,
) -> tuple[list[str], Counter[str]]:
    """All of it: modes take turns. Gives the differences."""
    rng = random.Random(seed)
    found: list[str] = []
    total: Counter[str] = Counter()
    share = seconds / 6
    for part in ("kill", "cut", "fault"):
        for mode in ("strict", "written"):
            tally: Counter[str] = Counter()
            end = time.monotonic() + share
            most = wanted // 2 if part == "kill" else 0

            if part == "kill":
                go_on = until(end, "cycles", 4) if most == 0 else at_most("cycles", most)
                found += kills(program, scratch, rng, mode, points, go_on, tally)
            elif part == "fault":
                found += faults(program, shim, scratch, seed, mode, until(end, "faults", 0), tally)
            else:
                found += cuts(program, shim, scratch, seed, mode, until(end, "cuts", 10), tally, swallow)
            longest = max(total["longest"], tally["longest"])
            total.update(tally)
            total["longest"] = longest
    progress(line(total))
    return found, total


def self_test(program: Program, shim: Shim, scratch: Path, seed: int, progress: Progress) -> int:
    """What must be caught: an acknowledgement before its time, and an fsync that does nothing."""
    missed = 0

    def few(name: str, most: int) -> Callable[[Counter[str]], bool]:
        soon = time.monotonic() + 60
        return lambda tally: tally[name] < most and time.monotonic() < soon
    tests = {
        "a log that acknowledges before it writes": lambda folder: kills(
            program, folder, random.Random(seed), "strict", ["predictions.write.before"], few("cycles", 20), Counter(),
            lie=True),
        "strict, fsync of files left out": lambda folder: cuts(
            program, shim, folder, seed, "strict", few("cuts", 60), Counter(), swallow="file"),
        "strict, fsync of directories left out": lambda folder: cuts(
            program, shim, folder, seed, "strict", few("cuts", 60), Counter(), swallow="directory"),
        "written, fsync left out": lambda folder: cuts(
            program, shim, folder, seed, "written", few("cuts", 60), Counter(), swallow="all"),
    }
    for name, test in tests.items():
        folder = Path(scratch) / name.replace(" ", "-").replace(",", "")
        folder.mkdir()
        try:
            found = test(folder)
        except Failure as failure:
            found = [str(failure)]
        missed += not found
        progress(f"{name}: {'caught: ' + found[0][:160] if found else 'NOT CAUGHT'}")
    return missed
