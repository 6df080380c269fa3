"""The disk as a power cut may leave it, rebuilt from the shim's record of every call.

Sure is only what POSIX promises: a file's bytes up to its last fsync, and a directory's entries up to the last fsync of
the directory. All that came later survives in part: any subset of the writes, each torn at 512 bytes; any subset of
the changes to a directory, a rename being one change. After a failed fsync what it covered is lost, whatever a later
fsync says.
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from oracle import Oracle
from project import Failure, Program, Progress, content
from shim import Shim
from small import SOURCES, ExpectedProject, acknowledged

if TYPE_CHECKING:
    from cycles import Commands
    from flights import Reference

# A record of a call: process, call, flags, inode, offset, two paths, data.
Entry = tuple[int, int, int, int, int, str, str, bytes]
# Bytes at an offset, or a size and `None` for a truncation.
Write = tuple[int, bytes | None]
# ("set", name, what), ("unset", name, None) or ("rename", from, (to, what)).
Change = tuple[str, str, Any]
P = TypeVar("P")
HEADER = struct.Struct("<IIHHiQQIIQ")
OPEN, WRITE, TRUNCATE, SYNC, DIRSYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR, SAID, FAILEDSYNC = range(1, 13)
SECTOR = 512
# SQLite writes it by mmap and makes it anew when nobody has it open.
FORGOTTEN = re.compile(r"-shm$")
MODES = ("nothing", "everything", "random", "random", "prefix", "torn")


def records(path: Path) -> Iterator[Entry]:
    data = Path(path).read_bytes()
    at = 0
    while at + HEADER.size <= len(data):
        magic, process, op, flags, _, inode, offset, length, other, size = HEADER.unpack_from(data, at)
        if magic != 0x4D544F52:
            raise Failure("the record of calls is damaged")
        at += HEADER.size
        name = data[at:at + length].decode()
        at += length
        second = data[at:at + other].decode()
        at += other
        yield process, op, flags, inode, offset, name, second, data[at:at + size]
        at += size


class DiskFile:
    """A file: the bytes that are on the disk for sure, and the writes that may not be."""

    def __init__(self, content: bytes = b"") -> None:
        self.sure = bytes(content)
        self.pending: list[Write] = []

    def sync(self) -> None:
        self.sure = apply_writes(self.sure, self.pending)
        self.pending = []


class DiskFolder:
    """A directory: its entries on the disk for sure, as they are now, and the changes between."""

    def __init__(self) -> None:
        self.sure: Entries = {}
        self.now: Entries = {}
        self.pending: list[Change] = []
        # Names whose change a failed fsync has dropped: what stands there on the disk, or None.
        self.lost: Entries = {}

    def change(self, *changes: Change) -> None:
        for change in changes:
            self.pending.append(change)
            apply_change(self.now, change)
            for name in (change[1], change[2][0]) if change[0] == "rename" else (change[1],):
                self.lost.pop(name, None)

    def sync(self) -> None:
        self.sure = {**self.now, **{name: what for name, what in self.lost.items() if what}}
        for name in [n for n, what in self.lost.items() if not what]:
            self.sure.pop(name, None)
        self.pending = []


Entries = dict[str, DiskFile | DiskFolder | None]


def apply_change(entries: Entries, change: Change) -> None:
    kind, name, what = change
    if kind == "set":
        entries[name] = what
    elif kind == "unset":
        entries.pop(name, None)
    else:
        entries.pop(name, None)
        entries[what[0]] = what[1]


def apply_writes(content: bytes, writes: Iterable[Write]) -> bytes:
    made = bytearray(content)
    for offset, data in writes:
        if data is None:
            del made[offset:]
            made.extend(bytes(offset - len(made)))
        else:
            if len(made) < offset:
                made.extend(bytes(offset - len(made)))
            made[offset:offset + len(data)] = data
    return bytes(made)


class SimulatedDisk:
    """A model of the disk after the recorded calls so far: what is sure to be on it, and what is not."""

    def __init__(self, root: str | Path, rng: random.Random) -> None:
        self.root, self.rng = str(root), rng
        self.top = DiskFolder()
        self.inodes: dict[int, DiskFile] = {}
        self.said: dict[int, bytes] = {}
        self.unsure = 0

    def load(self, folder: Path) -> None:
        """Takes a folder as it is for sure, links of one file to another not being told apart."""
        def take(path: Path, into: DiskFolder) -> None:
            for entry in sorted(path.iterdir()):
                if entry.is_dir():
                    below = DiskFolder()
                    take(entry, below)
                    into.now[entry.name] = below
                else:
                    into.now[entry.name] = DiskFile(entry.read_bytes())
            into.sync()
        take(Path(folder), self.top)

    def find(self, path: str) -> DiskFile | DiskFolder | None:
        here: DiskFile | DiskFolder | None = self.top
        for part in self.parts(path):
            here = here.now.get(part) if isinstance(here, DiskFolder) else None
            if here is None:
                return None
        return here

    def parts(self, path: str) -> list[str]:
        return [p for p in path[len(self.root):].split("/") if p]

    def folder(self, path: str) -> tuple[DiskFolder, str]:
        *parents, name = self.parts(path)
        here = self.top
        for part in parents:
            below = here.now[part]
            if not isinstance(below, DiskFolder):
                raise Failure(f"the record of calls has no folder {part} for {path}")
            here = below
        return here, name

    def file(self, inode: int, path: str) -> DiskFile:
        if inode not in self.inodes:
            found = self.find(path)
            self.inodes[inode] = found if isinstance(found, DiskFile) else DiskFile()
        return self.inodes[inode]

    def replay(self, record: Entry) -> None:
        process, op, flags, inode, offset, path, other, data = record
        if op == OPEN:
            if flags & 1:
                self.inodes[inode] = DiskFile()
                folder, name = self.folder(path)
                folder.change(("set", name, self.inodes[inode]))
            elif flags & 2:
                self.file(inode, path).pending.append((0, None))
        elif op == WRITE:
            self.file(inode, path).pending.append((offset, data))
        elif op == TRUNCATE:
            self.file(inode, path).pending.append((offset, None))
        elif op == SYNC:
            self.file(inode, path).sync()
        elif op == DIRSYNC:
            found = self.find(path)
            if found:
                found.sync()
        elif op == FAILEDSYNC:
            self.fail(self.find(path) if flags else self.file(inode, path))
        elif op == RENAME:
            (a, from_name), (b, to_name) = self.folder(path), self.folder(other)
            what = a.now.get(from_name)
            if a is b:
                a.change(("rename", from_name, (to_name, what)))
            else:
                b.change(("set", to_name, what))
                a.change(("unset", from_name, None))
        elif op == LINK:
            folder, name = self.folder(other)
            folder.change(("set", name, self.find(path)))
        elif op in (UNLINK, RMDIR):
            folder, name = self.folder(path)
            folder.change(("unset", name, None))
        elif op == MKDIR:
            folder, name = self.folder(path)
            folder.change(("set", name, DiskFolder()))
        elif op == SAID:
            self.said[process] = self.said.get(process, b"") + data

    def fail(self, what: DiskFile | DiskFolder | None) -> None:
        """The kernel has told the error once, and holds the pages for clean: they will not be written any more."""
        if what is None:
            return
        keeps_some = self.rng.random() >= 0.5
        if isinstance(what, DiskFile):
            if keeps_some:
                what.sure = apply_writes(what.sure, [write for write in what.pending if self.rng.random() < 0.5])
            what.pending = []
        else:
            if keeps_some:
                for change in [change for change in what.pending if self.rng.random() < 0.5]:
                    apply_change(what.sure, change)
            what.pending = []
            # What the directory shows is still there to be seen, and a later fsync says that it is safe. It is not.
            for name in what.now.keys() | what.sure.keys():
                if what.now.get(name) is not what.sure.get(name):
                    what.lost[name] = what.sure.get(name)

    def survivors(self, pending: list[P], mode: str) -> list[P]:
        if mode == "nothing":
            return []
        if mode in ("everything", "torn"):
            return list(pending)
        if mode == "prefix":
            return pending[: self.rng.randint(0, len(pending))]
        p = self.rng.choice([0.2, 0.5, 0.8])
        return [c for c in pending if self.rng.random() < p]

    def torn(self, writes: list[Write]) -> list[Write]:
        """Each write reaches the disk by sectors, and some of them do not."""
        pieces: list[Write] = []
        for offset, data in writes:
            if data is None:
                pieces.append((offset, None))
                continue
            at = 0
            while at < len(data):
                end = min(len(data), (offset + at) // SECTOR * SECTOR + SECTOR - offset)
                if self.rng.random() < 0.7:
                    pieces.append((offset + at, data[at:end]))
                at = end
        return pieces

    def cut(self, target: Path, mode: str) -> None:
        """Writes the disk after the cut to `target`."""
        self.unsure = 0

        def put(folder: DiskFolder, path: Path) -> None:
            path.mkdir()
            entries = dict(folder.sure)
            for change in self.survivors(folder.pending, mode):
                apply_change(entries, change)
            self.unsure += len(folder.pending)
            for name, what in entries.items():
                if what is None or FORGOTTEN.search(name):
                    continue
                if isinstance(what, DiskFolder):
                    put(what, path / name)
                    continue
                writes = self.survivors(what.pending, mode)
                self.unsure += len(what.pending)
                if mode in ("random", "torn"):
                    writes = self.torn(writes)
                (path / name).write_bytes(apply_writes(what.sure, writes))
        put(self.top, Path(target))


class RecordedCommands:
    """One project under the shim: some commands, and the record of all that they did to the disk."""

    def __init__(
        self, program: Program, commands: Commands, shim: Shim, folder: Path, seed: str, days: int = 2,
        swallow: str | None = None,
    ) -> None:
        self.rng = random.Random(seed)
        self.program, self.shim = program, shim
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.project = ExpectedProject(self.folder, self.rng, rows=12)
        self.record = Path(f"{folder}.calls")
        self.swallow = swallow
        self.landed: dict[int, set[str]] = {}
        for day in range(days):
            for source in SOURCES:
                self.project.land(source)
            if self.rng.random() < 0.6:
                self.run_disturbed()
            self.run(["ingest", "--json"])
            if day % 2 == 0:
                self.run(["run", "--to", "transform", "--json"])
            for name in ("compact", "checkpoint"):
                if name in commands and self.rng.random() < 0.5:
                    self.run(commands[name])

    def run_disturbed(self) -> None:
        """An ingestion that is killed, or whose disk fails once, before the one that must go well."""
        if self.rng.random() < 0.5:
            # After the name was made and before its directory was synced is where a second run may trust too much.
            point = self.rng.choice(["*", "disk.create.after-link", "disk.directory.made"])
            times = self.rng.randint(1, {"*": 40, "disk.create.after-link": 3}.get(point, 10))
            self.run(["ingest", "--json"], expect=None, failpoint=f"{point}:kill@{times}")
        else:
            self.run(["ingest", "--json"], expect=None, at=self.rng.randint(1, 150), kind="SYNC")

    def run(
        self, arguments: list[str], expect: tuple[int, ...] | None = (0,), failpoint: str | None = None,
        **settings: object,
    ) -> int:
        environment = self.shim.environment(
            self.program.environment, self.folder, log=self.record, swallow=self.swallow, **settings)
        if failpoint:
            environment["MARTLET_FAILPOINT"] = failpoint
        process = subprocess.Popen(
            [self.program.path, *arguments], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.landed[process.pid] = self.project.landed()
        _, err = process.communicate(timeout=120)
        if expect and process.returncode not in expect:
            raise Failure(f"martlet {' '.join(arguments)} under the shim: {process.returncode}: {err[-800:]}")
        return process.returncode


def copy_base(recorded: RecordedCommands | RecordedRun) -> Path:
    """The folder as it was before the first command: the project's files and what landed, all of it safe."""
    return shutil.copytree(
        recorded.folder, Path(f"{recorded.folder}.base"), ignore=shutil.ignore_patterns(".martlet*"))


def disk_after(recorded: RecordedCommands | RecordedRun, rng: random.Random, position: int) -> SimulatedDisk:
    """The disk as it stands after so many calls."""
    disk = SimulatedDisk(recorded.folder, rng)
    disk.load(Path(f"{recorded.folder}.base"))
    for record in itertools.islice(records(recorded.record), position):
        disk.replay(record)
    return disk


class RecordedRun:
    """A whole run with a model under the shim, after an undisturbed one that tells what must come out."""

    def __init__(
        self, program: Program, reference: Reference, shim: Shim, folder: Path, swallow: str | None = None,
    ) -> None:
        self.program, self.reference, self.folder = program, reference, Path(folder)
        self.record = Path(f"{folder}.calls")
        reference.recipe.begin(self.folder)
        reference.recipe.land(self.folder, 0)
        shimmed = Program(program.path)
        shimmed.environment = shim.environment(program.environment, self.folder, log=self.record, swallow=swallow)
        shimmed.run(self.folder, "run", "--json")
        self.calls = sum(1 for _ in records(self.record))

    def cut_and_check(self, seed: str, number: int, target: Path) -> tuple[list[str], str]:
        rng = random.Random(f"{seed}-{number}")
        # Training writes nothing for long; what comes after it is a few calls at the end.
        position = rng.randint(0, self.calls) if rng.random() < 0.5 else self.calls - rng.randint(0, 60)
        mode = rng.choice(MODES)
        disk = disk_after(self, rng, max(0, position))
        disk.cut(target, mode)
        expected = self.reference.days[0]["content"]
        output = b"".join(disk.said.values())
        found = []
        if output.rstrip().endswith(b"}"):
            there = content(self.program, target)
            found = [f"{k} was acknowledged, and is {there.get(k)}" for k in expected if there.get(k) != expected[k]]
        done = self.program.run(target, "run", expect=None)
        if done.returncode != 0:
            found.append(f"the next run gave exit code {done.returncode}: {done.stderr.strip()[-600:]}")
        else:
            there = content(self.program, target)
            found += [f"{k} is {there.get(k)}, not {expected[k]}" for k in expected if there.get(k) != expected[k]]
            verified = self.program.run(target, "verify", f"{self.reference.recipe.model}@1", expect=None)
            if verified.returncode != 0:
                found.append(f"verify: {(verified.stdout + verified.stderr).strip()[-400:]}")
        return found, f"call {position} of {self.calls}, {mode}, {disk.unsure} unsure"


def cut_and_check(
    recorded: RecordedCommands, seed: str, number: int, target: Path, program: Program, finish: bool = True,
) -> tuple[list[str], str]:
    """One power cut: gives the differences, and what was cut."""
    rng = random.Random(f"{seed}-{number}")
    total = sum(1 for _ in records(recorded.record))
    position = rng.randint(0, total)
    mode = rng.choice(MODES)
    disk = disk_after(recorded, rng, position)
    disk.cut(target, mode)
    said = set()
    for process, output in disk.said.items():
        said |= acknowledged(output.decode(errors="replace"), 0, recorded.landed.get(process, set()))
    oracle = Oracle(recorded.project)
    found = oracle.check(target / ".martlet", said, settled=False)
    if not found and finish:
        done = program.run(target, "run", "--to", "transform", "--json", expect=None)
        if done.returncode != 0:
            found = [f"the next run gave exit code {done.returncode}: {done.stderr.strip()[-600:]}"]
        else:
            found = oracle.check(target / ".martlet", said, settled=True)
    return found, f"call {position} of {total}, {mode}, {len(said)} files acknowledged, {disk.unsure} unsure"


def loop(
    program: Program, commands: Commands, shim: Shim, scratch: Path, seed: int, go_on: Callable[[int], bool],
    progress: Progress = print, swallow: str | None = None, cuts_per_recording: int = 30, most: int = 5,
    reference: Reference | None = None,
) -> tuple[int, list[str], float]:
    """Records runs of commands and cuts the power in each; every fourth is a whole run if there is a reference for it.

    Gives (cuts, failures, seconds).
    """
    cuts, recording = 0, 0
    failures: list[str] = []
    begun = time.monotonic()
    while go_on(cuts) and len(failures) < most:
        recording += 1
        folder = Path(scratch) / f"recorded-{recording}"
        own = f"{seed}-{recording}"
        if reference and recording % 4 == 0:
            recorded: RecordedCommands | RecordedRun = RecordedRun(program, reference, shim, folder, swallow)
        else:
            recorded = RecordedCommands(program, commands, shim, folder, own, swallow=swallow)
        copy_base(recorded)
        for number in range(cuts_per_recording):
            if not go_on(cuts) or len(failures) >= most:
                break
            target = Path(scratch) / f"cut-{recording}-{number}"
            if isinstance(recorded, RecordedRun):
                found, where = recorded.cut_and_check(own, number, target)
            else:
                found, where = cut_and_check(recorded, own, number, target, program, finish=number % 3 == 0)
            cuts += 1
            if found:
                failures.append(f"recording {recording}, cut {number} ({where}): {'; '.join(found[:3])}")
                progress(f"DIFFERENCE after a power cut: {failures[-1]}\n  folder: {target}")
            else:
                shutil.rmtree(target)
        if not failures:
            for path in (folder, Path(f"{folder}.base")):
                shutil.rmtree(path)
            recorded.record.unlink()
    return cuts, failures, time.monotonic() - begun
