"""A server at half of its full load whose champion is swapped 300 times among four versions, each of which is loaded,
its digests checked and its sample predictions verified every time, and whose workers are killed at their training: no
request may fail, no answer may be another version's, and p99 may at most double.

A server keeps the version before loaded, so of two versions that take turns none would be loaded again: of four, each
is. Every tenth version that is to be deployed is damaged before: a byte of its model or of its samples is another, its
file is cut off, or gone. It must be refused (409) while the one before goes on answering; then it is mended, and later
deployed. The last one stays damaged: after a restart the last good version must answer.

The open loop (openloop/openloop.c) checks each answer: the probability must be that of the version it names. After each
acknowledged swap a client asks once and must hear the new version. In the middle of a training, SIGKILL, SIGSEGV and
SIGSTOP are sent to its process, then to the worker; a training uses more memory than it may, and another runs into the
kernel's out-of-memory killer (in a control group of its own, where this account may make one; else it is told that this
was not tried).

  --swaps N     (300)
  --no-deaths   swaps only
"""

import argparse
import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

from _bench import Report
from _serving import MARTLET, Server, martlet, project, proportional_mib

T = TypeVar("T")

VERSIONS = 4
RATES = [0.1, 0.05, 0.2, 0.07]
DAMAGES = ["a byte of the model", "a byte of the samples", "half of the model", "no model"]

# What the queue must say of each training in the end: a worker that is stopped for a while comes back to it.
KINDS = {
    "SIGKILL": "job.signal", "SIGSEGV": "job.signal", "memory": "job.memory", "SIGSTOP": "job.silent",
    "kernel": "job.signal", "worker SIGKILL": "job.lost", "worker SIGSEGV": "job.lost", "worker SIGSTOP": "finished",
}


class RequestLoad:
    """Requests at a fixed rate until it is told to stop."""

    last: subprocess.Popen[str] | None = None

    def __init__(self, server: Server, rate: float, scratch: pathlib.Path, expected: pathlib.Path) -> None:
        self.process = server.at_rate(rate, scratch, seconds=3600, connections=32, expected=expected)
        RequestLoad.last = self.process

    def end(self) -> dict[str, float]:
        self.process.send_signal(signal.SIGINT)
        told = json.loads(self.process.communicate(timeout=60)[0])
        return {"requests": told["requests"], "rate": told["requests"] / told.seconds, "p99": told["p99"] / 1000,
                "errors": told.failed, "wrong": told["wrong"]}


def full_rate(server: Server, script: pathlib.Path) -> float:
    headers = "".join(f'wrk.headers["{name}"]="{value}" ' for name, value in server.headers.items())
    script.write_text(f'wrk.method="POST"; wrk.body=[==[{server.body}]==]; {headers}\n')
    out = subprocess.run(
        ["wrk", "-t1", "-c16", "-d5s", "-s", str(script), server.url], capture_output=True, text=True, check=True
    ).stdout
    return float(out.partition("Requests/sec:")[2].split()[0])


def call(server: Server, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
    """The status and the answer."""
    base = server.url.removesuffix("/predict")
    request = urllib.request.Request(
        base + path, None if body is None else json.dumps(body).encode(), server.headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def one_group(pattern: str, text: str) -> str:
    """What stands in an answer for the group of a pattern."""
    found = re.search(pattern, text)
    if not found:
        sys.exit(f"swaps: an answer without {pattern}: {text[:200]}")
    return found[1]


def more_versions(folder: pathlib.Path) -> None:
    """Trains other models and registers them."""
    file = folder / "martlet.yaml"
    for before, after in itertools.pairwise(RATES):
        file.write_text(file.read_text().replace(f"learning_rate: {before}", f"learning_rate: {after}"))
        subprocess.run([MARTLET, "run", "--project", str(folder)], check=True, capture_output=True)


class DamagedFile:
    """A file of a version that is not what was registered, until it is mended."""

    def __init__(self, folder: pathlib.Path, version: int, kind: str) -> None:
        told = json.loads(subprocess.run(
            [MARTLET, "models", "show", f"speed@{version}", "--project", str(folder), "--json"], check=True,
            capture_output=True, text=True).stdout)
        name = "samples.json" if "samples" in kind else "model.txt"
        digest = next(each["digest"] for each in told["artifacts"] if each["name"] == name)
        self.path = folder / ".martlet/artifacts" / digest[:2] / digest
        self.kept = self.path.with_suffix(".kept")
        content = bytearray(self.path.read_bytes())
        self.path.rename(self.kept)
        if kind.startswith("a byte"):
            # A digit stays a digit: the file still reads well, and only its digest, or its scores, tell.
            place = next(at for at in range(len(content) // 2, len(content)) if content[at:at + 1].isdigit())
            content[place] = ord("1") if content[place] != ord("1") else ord("2")
            self.path.write_bytes(content)
        elif kind.startswith("half"):
            self.path.write_bytes(content[:len(content) // 2])

    def mend(self) -> None:
        self.kept.replace(self.path)


@dataclasses.dataclass
class Swaps:
    """What became of the swaps: counts, what was wrong, seconds of each and of all."""

    stale: int = 0
    taken: int = 0
    refused: int = 0
    not_refused: list[str] = dataclasses.field(default_factory=list)
    failed: list[str] = dataclasses.field(default_factory=list)
    seconds: list[float] = dataclasses.field(default_factory=list)
    champion: int = 1
    all: float = 0.0


def swap(server: Server, folder: pathlib.Path, count: int) -> Swaps:
    """Swaps the champion so many times, ten a second; gives what became of them."""
    told = Swaps()
    begun, champion, turn = time.monotonic(), 1, 0
    for index in range(count):
        version = champion % VERSIONS + 1
        damage = None
        if index % 10 == 9:
            kind = DAMAGES[turn % len(DAMAGES)]
            turn += 1
            damage = DamagedFile(folder, version, kind)
        time.sleep(max(0, index / 10 - (time.monotonic() - begun)))
        moment = time.monotonic()
        status, answer = call(server, "/api/deploy", {"model": f"speed@{version}"})
        told.seconds.append(time.monotonic() - moment)
        if damage:
            if status == 409:
                told.refused += 1
            else:
                told.not_refused.append(f"{kind}: {status} {str(answer)[:200]}")
                # So that what comes next is the same.
                call(server, "/api/deploy", {"model": f"speed@{champion}"})
        elif status == 200:
            champion = version
            told.taken += 1
        else:
            told.failed.append(f"{status} {str(answer)[:200]}")
        if json.loads(urllib.request.urlopen(server.request(), timeout=10).read())["version"] != champion:
            told.stale += 1
        # The last one stays as it is. Another one comes next, and the mended one in its turn.
        if damage and index < count - 1:
            damage.mend()
            other = version % VERSIONS + 1
            if call(server, "/api/deploy", {"model": f"speed@{other}"})[0] == 200:
                champion = other
                told.taken += 1
        if (index + 1) % 100 == 0 and sys.stderr.isatty():
            print(f"\r{index + 1} swaps", end="", file=sys.stderr)
    told.champion, told.all = champion, time.monotonic() - begun
    return told


def loads(log: pathlib.Path) -> int:
    """How many versions the server says that it loaded and verified."""
    return sum(
        ('"version tried"' in line or '"model loaded"' in line) and "sample predictions" in line and '"no:' not in line
        for line in log.read_text().splitlines()
    )


def lengthen_training(folder: pathlib.Path) -> None:
    """Trainings from here on take long enough to be ended in the middle."""
    file = folder / "martlet.yaml"
    file.write_text(file.read_text().replace("rounds: 200", "rounds: 1000"))


def attempts(name: str) -> list[int]:
    """Processes that are at work on this job, no other: the prediction log is compacted by jobs too."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = pathlib.Path(f"/proc/{entry}/cmdline").read_text().split("\0")
        except OSError:
            continue
        if "--attempt" in words and name in words:
            found.append(int(entry))
    return found


def worker(server: Server) -> int:
    """The worker that is the server's child."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                words = pathlib.Path(f"/proc/{entry}/cmdline").read_text().split("\0")
                parent = int(pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if parent == server.process.pid and "--attached" in words:
                return int(entry)
    sys.exit("swaps: the server has no worker")


class KernelLimit:
    """A control group in which the kernel ends whoever wants more memory."""

    def __init__(self) -> None:
        v1, v2 = pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")
        self.folder, limit, self.events = (
            (v1, "memory.limit_in_bytes", "memory.oom_control") if v1.is_dir() else (v2, "memory.max", "memory.events"))
        self.folder = self.folder / "martlet-bench"
        try:
            self.folder.mkdir(exist_ok=True)
            # Memory that a process has when it comes in does not count.
            (self.folder / limit).write_text("1000000")
            if not v1.is_dir() and (self.folder / "memory.swap.max").exists():
                (self.folder / "memory.swap.max").write_text("0")
            self.before, self.why = self.count(), None
        except OSError as error:
            self.why = f"not tried ({error.strerror})"

    def take(self, process: int) -> None:
        (self.folder / "cgroup.procs").write_text(str(process))

    def count(self) -> int:
        found = re.search(r"oom_kill (\d+)", (self.folder / self.events).read_text())
        return int(found[1]) if found else 0

    def kills(self) -> int:
        return self.count() - self.before

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def wait_until(begun: float, what: str, look: Callable[[], T | None], pause: float = 0.02) -> T:
    while not (found := look()):
        if time.monotonic() - begun > 120:
            sys.exit(f"swaps: {what}")
        time.sleep(pause)
    return found


def job(folder: pathlib.Path, name: str) -> dict[str, Any]:
    told = json.loads(subprocess.run(
        [MARTLET, "jobs", "show", name, "--project", str(folder), "--json"], check=True, capture_output=True,
        text=True).stdout)
    return told.get("job", told)


def ended_job(folder: pathlib.Path, name: str) -> dict[str, Any] | None:
    told = job(folder, name)
    return None if told["state"] in ("queued", "running") else told


def end_training(server: Server, folder: pathlib.Path, how: str, seed: int, kernel: KernelLimit) -> str:
    """Queues a training on another split, whose process or worker gets a signal in the middle, or too little memory;
    gives the attempt's end as the queue tells it."""
    more = ["--memory-limit", "20MB"] if how == "memory" else []
    name = json.loads(
        subprocess.run(
            [
                MARTLET,
                "jobs",
                "submit",
                "train",
                "--project",
                str(folder),
                "--split-seed",
                str(seed),
                "--max-attempts",
                "1",
                "--json",
                *more,
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )["id"]
    begun = time.monotonic()
    if how != "memory":
        found = wait_until(begun, "no worker took the job", lambda: attempts(name))
        time.sleep(0.7)
        try:
            if how == "kernel":
                for process in found:
                    kernel.take(process)
                wait_until(begun, "the kernel ended nothing", kernel.kills)
            elif how.startswith("worker"):
                victim = worker(server)
                os.kill(victim, getattr(signal, how.split()[1]))
                if how == "worker SIGSTOP":
                    time.sleep(5)
                    os.kill(victim, signal.SIGCONT)
            else:
                for process in found:
                    os.kill(process, getattr(signal, how))
        except ProcessLookupError:
            sys.exit("swaps: the training was over before it could be ended")
    # Seldom: each look is a process of its own, at the cost of the load.
    last = wait_until(begun, f"the job of {how} does not end", lambda: ended_job(folder, name), pause=1)
    return last.get("error_code") or last["state"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--swaps", type=int, default=300)
    parser.add_argument("--no-deaths", action="store_true")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("swaps: needs wrk (Debian: apt-get install wrk)")
    report = Report("swaps", data="synthetic")
    with tempfile.TemporaryDirectory() as made:
        scratch = pathlib.Path(made)
        row, _ = project(scratch / "speed")
        more_versions(scratch / "speed")
        log = scratch / "serve.log"
        server, kernel = martlet(scratch, row, role="admin", log=log), KernelLimit()
        try:
            expected = {}
            for version in range(1, VERSIONS + 1):
                status, answer = call(server, "/api/deploy", {"model": f"speed@{version}"})
                if status != 200:
                    sys.exit(f"swaps: speed@{version} is not deployed: {status} {answer}")
                raw = urllib.request.urlopen(server.request()).read().decode()
                expected[one_group(r'"version":(\d+)', raw)] = one_group(r'"probability":([^,}]+)', raw)
            call(server, "/api/deploy", {"model": "speed@1"})
            if len(expected) != VERSIONS or len(set(expected.values())) != VERSIONS:
                sys.exit(f"swaps: {VERSIONS} versions that differ are needed: {expected}")
            table, liar = scratch / "expected", scratch / "liar"
            table.write_text("".join(f"{version} {value}\n" for version, value in expected.items()))
            liar.write_text("".join(f"{version} 0.5\n" for version in expected))
            rate = full_rate(server, scratch / "full.lua") / 2
            load = RequestLoad(server, rate, scratch, liar)
            time.sleep(1)
            if load.end()["wrong"] == 0:
                sys.exit("swaps: the check of the answers does not see a wrong probability")

            load = RequestLoad(server, rate, scratch, table)
            time.sleep(15)
            quiet = load.end()
            before = loads(log)
            load = RequestLoad(server, rate, scratch, table)
            told = swap(server, scratch / "speed", options.swaps)
            swapped = load.end()
            loaded = loads(log) - before
            memory = proportional_mib(server.process.pid)
            after = [("swaps", swapped)]
            server.end()
            server = martlet(scratch, row, role="admin", log=log)
            restarted, ends = server.answer["version"], {}
            if not options.no_deaths:
                lengthen_training(scratch / "speed")
                load = RequestLoad(server, rate, scratch, table)
                for seed, how in enumerate(KINDS, 100):
                    ends[how] = (
                        end_training(server, scratch / "speed", how, seed, kernel)
                        if how != "kernel" or not kernel.why
                        else kernel.why
                    )
                after.append(("killed trainings", load.end()))
        finally:
            kernel.end()
            if RequestLoad.last:
                RequestLoad.last.kill()
            server.end()
    for what, lines in [("failed", told.failed), ("not refused", told.not_refused)]:
        for line in lines[:5]:
            print(f"swaps: {what}: {line}")
    report.add("requests/s, half of the most", rate)
    report.add("p99 ms, nothing else", quiet["p99"])
    report.add("swaps", options.swaps)
    report.add("swaps a second", options.swaps / told.all)
    report.add("seconds of a swap, median", sorted(told.seconds)[len(told.seconds) // 2])
    report.at_most("versions in order that were not taken", len(told.failed), 0)
    report.at_least("versions loaded and verified, by the server's log", loaded, told.taken)
    report.equal("damaged versions refused", told.refused, options.swaps // 10)
    report.at_most("answers by another version after a swap or a refusal", told.stale, 0)
    report.equal("after a restart answers version", restarted, told.champion)
    report.add("memory of all processes after the swaps, MiB", memory)
    for name, figures in after:
        report.add(f"{name}: requests", figures["requests"])
        report.at_most(f"{name}: failed requests", figures["errors"] + quiet["errors"], 0)
        report.at_most(f"{name}: wrong answers", figures["wrong"] + quiet["wrong"], 0)
        report.ratio_at_most(f"{name}: p99 ms", figures["p99"], quiet["p99"], 2)
    for how, end in ends.items():
        if how == "kernel" and kernel.why:
            print(f"swaps: the kernel's out-of-memory killer: {kernel.why}")
        else:
            report.equal(f"end of a training: {how}", end, KINDS[how])
    report.end()


main()
