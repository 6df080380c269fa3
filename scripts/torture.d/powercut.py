"""The disk as a power cut may leave it, rebuilt from the shim's record of every call.

Sure is only what POSIX promises: a file's bytes up to its last fsync, and a directory's entries up to the last fsync of
the directory. All that came later survives in part: any subset of the writes, each torn at 512 bytes; any subset of
the changes to a directory, a rename being one change. After a failed fsync what it covered is lost, whatever a later
fsync says.
"""

import itertools
import random
import re
import shutil
import struct
import subprocess
import time
from pathlib import Path

from oracle import Oracle
from project import Failure, content
from small import SOURCES, Small, acknowledged

HEADER = struct.Struct("<IIHHiQQIIQ")
OPEN, WRITE, TRUNCATE, SYNC, DIRSYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR, SAID, FAILEDSYNC = range(1, 13)
SECTOR = 512
# SQLite writes it by mmap and makes it anew when nobody has it open.
FORGOTTEN = re.compile(r"-shm$")
MODES = ("nothing", "everything", "random", "random", "prefix", "torn")


def records(path):
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


class File:
    def __init__(self, content=b""):
        self.sure = bytes(content)
        self.pending = []  # (offset, data), or (size, None) for a truncation

    def sync(self):
        self.sure = apply(self.sure, self.pending)
        self.pending = []


class Folder:
    def __init__(self):
        self.sure = {}
        self.now = {}
        self.pending = []  # ("set", name, what) | ("unset", name, None) | ("rename", from, (to, what))
        self.lost = {}  # names whose change a failed fsync has dropped: what stands there on the disk, or None

    def change(self, *changes):
        for change in changes:
            self.pending.append(change)
            alter(self.now, change)
            for name in (change[1], change[2][0]) if change[0] == "rename" else (change[1],):
                self.lost.pop(name, None)

    def sync(self):
        self.sure = {**self.now, **{name: what for name, what in self.lost.items() if what}}
        for name in [n for n, what in self.lost.items() if not what]:
            self.sure.pop(name, None)
        self.pending = []


def alter(entries, change):
    kind, name, what = change
    if kind == "set":
        entries[name] = what
    elif kind == "unset":
        entries.pop(name, None)
    else:
        entries.pop(name, None)
        entries[what[0]] = what[1]


def apply(content, writes):
    content = bytearray(content)
    for offset, data in writes:
        if data is None:
            del content[offset:]
            content.extend(bytes(offset - len(content)))
        else:
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset:offset + len(data)] = data
    return bytes(content)


class Platter:
    """What the calls so far have made of the disk: what is sure, and what is not."""

    def __init__(self, root, rng):
        self.root, self.rng = str(root), rng
        self.top = Folder()
        self.inodes = {}
        self.said = {}
        self.unsure = 0

    def load(self, folder):
        """Takes a folder as it is for sure, links of one file to another not being told apart."""
        def take(path, into):
            for entry in sorted(path.iterdir()):
                if entry.is_dir():
                    child = Folder()
                    take(entry, child)
                else:
                    child = File(entry.read_bytes())
                into.now[entry.name] = child
            into.sync()
        take(Path(folder), self.top)

    def find(self, path):
        here = self.top
        for part in self.parts(path):
            here = here.now.get(part) if isinstance(here, Folder) else None
            if here is None:
                return None
        return here

    def parts(self, path):
        return [p for p in path[len(self.root):].split("/") if p]

    def folder(self, path):
        *parents, name = self.parts(path)
        here = self.top
        for part in parents:
            here = here.now[part]
        return here, name

    def file(self, inode, path):
        if inode not in self.inodes:
            found = self.find(path)
            self.inodes[inode] = found if isinstance(found, File) else File()
        return self.inodes[inode]

    def play(self, record):
        process, op, flags, inode, offset, path, other, data = record
        if op == OPEN:
            if flags & 1:
                self.inodes[inode] = File()
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
            self.fail(self.find(path) if flags else self.file(inode, path), flags)
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
            folder.change(("set", name, Folder()))
        elif op == SAID:
            self.said[process] = self.said.get(process, b"") + data

    def fail(self, what, is_folder):
        """The kernel has told the error once, and holds the pages for clean: they will not be written any more."""
        if what is None:
            return
        if self.rng.random() < 0.5:
            what.pending = []
        else:
            kept = [c for c in what.pending if self.rng.random() < 0.5]
            what.pending = []
            if is_folder:
                for change in kept:
                    alter(what.sure, change)
            else:
                what.sure = apply(what.sure, kept)
        if is_folder:
            # What the directory shows is still there to be seen, and a later fsync says that it is safe. It is not.
            for name in what.now.keys() | what.sure.keys():
                if what.now.get(name) is not what.sure.get(name):
                    what.lost[name] = what.sure.get(name)

    def survivors(self, pending, mode):
        if mode == "nothing":
            return []
        if mode in ("everything", "torn"):
            return list(pending)
        if mode == "prefix":
            return pending[: self.rng.randint(0, len(pending))]
        p = self.rng.choice([0.2, 0.5, 0.8])
        return [c for c in pending if self.rng.random() < p]

    def torn(self, writes):
        """Each write reaches the disk by sectors, and some of them do not."""
        pieces = []
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

    def cut(self, target, mode):
        """Writes the disk after the cut to `target`."""
        self.unsure = 0

        def put(folder, path):
            path.mkdir()
            entries = dict(folder.sure)
            for change in self.survivors(folder.pending, mode):
                alter(entries, change)
            self.unsure += len(folder.pending)
            for name, what in entries.items():
                if what is None or FORGOTTEN.search(name):
                    continue
                if isinstance(what, Folder):
                    put(what, path / name)
                    continue
                writes = self.survivors(what.pending, mode)
                self.unsure += len(what.pending)
                if mode in ("random", "torn"):
                    writes = self.torn(writes)
                (path / name).write_bytes(apply(what.sure, writes))
        put(self.top, Path(target))


class Evening:
    """One project under the shim: some commands, and the record of all that they did to the disk."""

    def __init__(self, program, commands, shim, folder, seed, days=2, swallow=None):
        self.rng = random.Random(seed)
        self.program, self.shim = program, shim
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.project = Small(self.folder, self.rng, rows=12)
        self.record = Path(f"{folder}.calls")
        self.swallow = swallow
        self.landed = {}
        for day in range(days):
            for source in SOURCES:
                self.project.land(source)
            if self.rng.random() < 0.6:
                self.disturb()
            self.run(["ingest", "--json"])
            if day % 2 == 0:
                self.run(["run", "--to", "transform", "--json"])
            for name in ("compact", "checkpoint"):
                if name in commands and self.rng.random() < 0.5:
                    self.run(commands[name])

    def disturb(self):
        """An ingestion that is killed, or whose disk fails once, before the one that must go well."""
        if self.rng.random() < 0.5:
            # After the name was made and before its directory was synced is where a second run may trust too much.
            point = self.rng.choice(["*", "disk.create.after-link", "disk.directory.made"])
            times = self.rng.randint(1, {"*": 40, "disk.create.after-link": 3}.get(point, 10))
            self.run(["ingest", "--json"], expect=None, failpoint=f"{point}:kill@{times}")
        else:
            self.run(["ingest", "--json"], expect=None, at=self.rng.randint(1, 150), kind="SYNC")

    def run(self, arguments, expect=(0,), failpoint=None, **settings):
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


def base(evening):
    """The folder as it was before the first command: the project's files and what landed, all of it safe."""
    return shutil.copytree(
        evening.folder, f"{evening.folder}.base", ignore=shutil.ignore_patterns(".martlet*"))


def played(evening, rng, position):
    """The disk as it stands after so many calls."""
    platter = Platter(evening.folder, rng)
    platter.load(f"{evening.folder}.base")
    for record in itertools.islice(records(evening.record), position):
        platter.play(record)
    return platter


class Flight:
    """A whole run with a model under the shim, after an undisturbed one that tells what must come out."""

    def __init__(self, program, reference, shim, folder, swallow=None):
        self.program, self.reference, self.folder = program, reference, Path(folder)
        self.record = Path(f"{folder}.calls")
        reference.recipe.begin(self.folder)
        reference.recipe.land(self.folder, 0)
        program.run(self.folder, "run", "--json", **shim.environment(
            {}, self.folder, log=self.record, swallow=swallow))
        self.calls = sum(1 for _ in records(self.record))

    def cut_and_check(self, seed, number, target):
        rng = random.Random(f"{seed}-{number}")
        # Training writes nothing for long; what comes after it is a few calls at the end.
        position = rng.randint(0, self.calls) if rng.random() < 0.5 else self.calls - rng.randint(0, 60)
        mode = rng.choice(MODES)
        platter = played(self, rng, max(0, position))
        platter.cut(target, mode)
        expected = self.reference.days[0]["content"]
        output = b"".join(platter.said.values())
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
        return found, f"call {position} of {self.calls}, {mode}, {platter.unsure} unsure"


def cut_and_check(evening, seed, number, target, program, finish=True):
    """One power cut: gives the differences, and what was cut."""
    rng = random.Random(f"{seed}-{number}")
    total = sum(1 for _ in records(evening.record))
    position = rng.randint(0, total)
    mode = rng.choice(MODES)
    platter = played(evening, rng, position)
    platter.cut(target, mode)
    said = set()
    for process, output in platter.said.items():
        said |= acknowledged(output.decode(errors="replace"), 0, evening.landed.get(process, ()))
    oracle = Oracle(evening.project)
    found = oracle.check(target / ".martlet", said, settled=False)
    if not found and finish:
        done = program.run(target, "run", "--to", "transform", "--json", expect=None)
        if done.returncode != 0:
            found = [f"the next run gave exit code {done.returncode}: {done.stderr.strip()[-600:]}"]
        else:
            found = oracle.check(target / ".martlet", said, settled=True)
    return found, f"call {position} of {total}, {mode}, {len(said)} files acknowledged, {platter.unsure} unsure"


def loop(program, commands, shim, scratch, seed, go_on, say=print, swallow=None, cuts_an_evening=30, most=5,
         reference=None):
    """Evenings, and power cuts in each; every fourth is a flight when there is a reference for it.

    Gives (cuts, failures, seconds).
    """
    cuts, failures, evening_number = 0, [], 0
    begun = time.monotonic()
    while go_on(cuts) and len(failures) < most:
        evening_number += 1
        folder = Path(scratch) / f"evening-{evening_number}"
        own = f"{seed}-{evening_number}"
        if reference and evening_number % 4 == 0:
            evening = Flight(program, reference, shim, folder, swallow)
        else:
            evening = Evening(program, commands, shim, folder, own, swallow=swallow)
        base(evening)
        for number in range(cuts_an_evening):
            if not go_on(cuts) or len(failures) >= most:
                break
            target = Path(scratch) / f"cut-{evening_number}-{number}"
            if isinstance(evening, Flight):
                found, where = evening.cut_and_check(own, number, target)
            else:
                found, where = cut_and_check(evening, own, number, target, program, finish=number % 3 == 0)
            cuts += 1
            if found:
                failures.append(f"evening {evening_number}, cut {number} ({where}): {'; '.join(found[:3])}")
                say(f"DIFFERENCE after a power cut: {failures[-1]}\n  folder: {target}")
            else:
                shutil.rmtree(target)
        if not failures:
            for path in (folder, Path(f"{folder}.base")):
                shutil.rmtree(path)
            evening.record.unlink()
    return cuts, failures, time.monotonic() - begun
