"""A server at full load whose champion is swapped 1,000 times, and whose workers are killed at their training: no request
may fail, no answer may be another version's, and p99 may at most double.

wrk checks each answer: the probability must be that of the version it names. After each acknowledged swap a client asks
once and must hear the new version. In the middle of a training, SIGKILL, SIGSEGV and SIGSTOP are sent to its process, then
to the worker; a training uses more memory than it may, and another runs into the kernel's out-of-memory killer (in a
control group of its own, where this account may make one; else it is told that this was not tried).

  --swaps N   (1000)
"""

import argparse
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
import urllib.request

from _bench import Report
from _serving import MARTLET, martlet, project

CHECK = """
local expected = EXPECTED
local threads = {}
wrong = 0
function setup(thread) table.insert(threads, thread) end
function response(status, headers, body)
  local version = body:match('"version":(%d+)')
  local probability = body:match('"probability":([^,}]+)')
  if status ~= 200 or not version or expected[version] ~= probability then wrong = wrong + 1 end
end
done = function(s, l, r)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("wrong") end
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", s.requests, s.duration, l:percentile(50), l:percentile(99),
    s.errors.status + s.errors.connect + s.errors.read + s.errors.timeout, bad))
end
"""


# What the queue must say of each training in the end: a worker that is stopped for a while comes back to it.
KINDS = {
    "SIGKILL": "job.signal", "SIGSEGV": "job.signal", "memory": "job.memory", "SIGSTOP": "job.silent",
    "kernel": "job.signal", "worker SIGKILL": "job.lost", "worker SIGSEGV": "job.lost", "worker SIGSTOP": "finished",
}


class Load:
    """wrk at full speed until it is told to stop."""

    last = None

    def __init__(self, server, script):
        self.process = subprocess.Popen(
            ["wrk", "-t1", "-c16", "-d3600s", "-s", str(script), server.url], stdout=subprocess.PIPE, text=True)
        Load.last = self.process

    def end(self):
        self.process.send_signal(signal.SIGINT)
        out = self.process.communicate(timeout=30)[0]
        requests, duration, p50, p99, errors, wrong = map(int, re.search(r"RESULT (.*)", out)[1].split())
        return {"requests": requests, "rate": requests / duration * 1e6, "p99": p99 / 1000, "errors": errors, "wrong": wrong}


def call(server, path, body=None):
    base = server.url.removesuffix("/predict")
    request = urllib.request.Request(
        base + path, None if body is None else json.dumps(body).encode(), server.headers)
    return json.loads(urllib.request.urlopen(request, timeout=60).read())


def second_version(folder):
    """Trains another model and registers it."""
    file = folder / "martlet.yaml"
    file.write_text(file.read_text().replace("learning_rate: 0.1", "learning_rate: 0.05"))
    subprocess.run([MARTLET, "run", "--project", str(folder)], check=True, capture_output=True)


def swap(server, count):
    """Swaps the champion so many times, ten a second; gives how many answers after a swap were by another version."""
    stale, begun = 0, time.monotonic()
    for index in range(count):
        version = 1 + index % 2
        time.sleep(max(0, index / 10 - (time.monotonic() - begun)))
        call(server, "/api/deploy", {"model": f"speed@{version}"})
        if json.loads(urllib.request.urlopen(server.request(), timeout=10).read())["version"] != version:
            stale += 1
        if (index + 1) % 100 == 0 and sys.stderr.isatty():
            print(f"\r{index + 1} swaps", end="", file=sys.stderr)
    return stale


def attempts(server):
    """Processes of the server's session that are at work on a job."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = open(f"/proc/{entry}/cmdline").read().split("\0")
        except OSError:
            continue
        if "--attempt" in words and any(str(server.home) in word for word in words):
            found.append(int(entry))
    return found


def worker(server):
    """The worker that is the server's child."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                words = open(f"/proc/{entry}/cmdline").read().split("\0")
                parent = int(open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if parent == server.process.pid and "--attached" in words:
                return int(entry)
    sys.exit("swaps: the server has no worker")


class KernelLimit:
    """A control group in which the kernel ends whoever wants more memory."""

    def __init__(self):
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

    def take(self, process):
        (self.folder / "cgroup.procs").write_text(str(process))

    def count(self):
        return int(re.search(r"oom_kill (\d+)", (self.folder / self.events).read_text())[1])

    def kills(self):
        return self.count() - self.before

    def end(self):
        try:
            self.folder.rmdir()
        except OSError:
            pass


def until(begun, what, look, pause=0.02):
    while not (found := look()):
        if time.monotonic() - begun > 120:
            sys.exit(f"swaps: {what}")
        time.sleep(pause)
    return found


def job(server, name):
    told = json.loads(subprocess.run(
        [MARTLET, "jobs", "show", name, "--project", str(server.folder), "--json"], check=True, capture_output=True,
        text=True).stdout)
    return told.get("job", told)


def murder(server, how, seed, kernel):
    """Queues a training on another split, whose process or worker gets a signal in the middle, or too little memory; gives
    the attempt's end as the queue tells it."""
    more = ["--memory-limit", "20MB"] if how == "memory" else []
    name = json.loads(subprocess.run(
        [MARTLET, "jobs", "submit", "train", "--project", str(server.folder), "--split-seed", str(seed), "--max-attempts", "1", "--json", *more],
        check=True, capture_output=True, text=True).stdout)["id"]
    begun = time.monotonic()
    if how != "memory":
        found = until(begun, "no worker took the job", lambda: attempts(server))
        time.sleep(0.7)
        try:
            if how == "kernel":
                for process in found:
                    kernel.take(process)
                until(begun, "the kernel ended nothing", kernel.kills)
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
    last = until(begun, f"the job of {how} does not end",
                 lambda: (told := job(server, name))["state"] not in ("queued", "running") and told, pause=1)
    return last.get("error_code") or last["state"]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--swaps", type=int, default=1000)
    options = options.parse_args()
    if not shutil.which("wrk"):
        sys.exit("swaps: needs wrk (Debian: apt-get install wrk)")
    report = Report("swaps")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        row, _ = project(scratch / "speed")
        second_version(scratch / "speed")
        server, kernel = martlet(scratch, row, role="admin"), None
        server.folder, server.home = scratch / "speed", scratch / "speed/.martlet"
        try:
            expected = {}
            for version in [1, 2]:
                call(server, "/api/deploy", {"model": f"speed@{version}"})
                raw = urllib.request.urlopen(server.request()).read().decode()
                expected[re.search(r'"version":(\d+)', raw)[1]] = re.search(r'"probability":([^,}]+)', raw)[1]
            if len(expected) != 2 or len(set(expected.values())) != 2:
                sys.exit(f"swaps: two versions that differ are needed: {expected}")
            table = "{" + ",".join(f'["{version}"]="{value}"' for version, value in expected.items()) + "}"
            headers = "".join(f'wrk.headers["{name}"]="{value}" ' for name, value in server.headers.items())
            script = scratch / "check.lua"
            script.write_text(
                f'wrk.method="POST"; wrk.body=[==[{server.body}]==]; {headers}\n' + CHECK.replace("EXPECTED", table))
            liar = scratch / "liar.lua"
            liar.write_text(script.read_text().replace(expected["2"], "0.5"))
            load = Load(server, liar)
            time.sleep(1)
            if load.end()["wrong"] == 0:
                sys.exit("swaps: the check of the answers does not see a wrong probability")

            load = Load(server, script)
            time.sleep(15)
            quiet = load.end()
            load, begun = Load(server, script), time.monotonic()
            stale = swap(server, options.swaps)
            seconds = time.monotonic() - begun
            swapped = load.end()
            load, ends = Load(server, script), {}
            kernel = KernelLimit()
            for seed, how in enumerate(KINDS, 100):
                ends[how] = murder(server, how, seed, kernel) if how != "kernel" or not kernel.why else kernel.why
            killed = load.end()
        finally:
            kernel and kernel.end()
            Load.last and Load.last.kill()
            server.end()
    report.add("requests/s, nothing else", quiet["rate"])
    report.add("p99 ms, nothing else", quiet["p99"])
    report.add("swaps", options.swaps)
    report.add("swaps a second", options.swaps / seconds)
    report.at_most("answers by the old version after a swap", stale, 0)
    for name, load in [("swaps", swapped), ("killed trainings", killed)]:
        report.add(f"{name}: requests", load["requests"])
        report.at_most(f"{name}: failed requests", load["errors"] + quiet["errors"], 0)
        report.at_most(f"{name}: wrong answers", load["wrong"] + quiet["wrong"], 0)
        report.ratio_at_most(f"{name}: p99 ms", load["p99"], quiet["p99"], 2)
    for how, end in ends.items():
        if how == "kernel" and kernel.why:
            print(f"swaps: the kernel's out-of-memory killer: {kernel.why}")
        else:
            report.equal(f"end of a training: {how}", end, KINDS[how])
    report.end()


main()
