"""Memory of the server under requests of all kinds: small ones, many of them broken, and storms at the limits.

    scripts/torture.d/memory.py --program FILE --kinds reasons,parquet     storms of single kinds, each on a new server

Sixteen connections ask at once. Between the small requests come storms, in which all of them send requests of one kind
at once that are as large as the limits allow, and one in which they send of all kinds.
"""

import argparse
import http.client
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from memoryclients import Fleet
from memorykinds import SHARES, Kinds
from memoryproject import House
from memorywatch import Watch, cpu_share, lasting, open_files, shown, total
from project import Program

CLIENTS = 16
# MiB, and how much more the second part may take than the first.
MOST = 400
GROWTH = 1.05
# The default of MARTLET_MEMORY.
FEATURES = 2000
# Storms come once in so many requests, and between them such a share is large, too.
CALM, RARE = 500_000, 1 / 20_000
# Longer than the server waits before it gives free memory back.
REST = 40


class Run:
    def __init__(self, program, scratch, seed, say, short=False):
        self.say, self.short, self.found = say, short, []
        self.house = House(program, scratch, CLIENTS, *((4, 1000) if short else (CLIENTS, 2000)))
        self.kinds = Kinds(seed, self.house.samples, self.house.parquet, short)
        self.house.start()
        self.process = self.house.process.pid
        self.watch = Watch(self.process, 0.25 if short else 0.5)
        self.fleet = Fleet(self.house, CLIENTS, Path(scratch) / "requests", say)
        self.sent = self.next_probe = self.calm = 0
        self.spent = 0.0

    def probe(self):
        """A plain prediction and the probe of life, on a connection of their own."""
        request = self.kinds.plain()
        connection = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=30)
        try:
            connection.request("POST", "/predict", request.body, {
                "Content-Type": "application/json", "Authorization": f"Bearer {self.house.tokens[0]}"})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200 or f'"probability":{request.known!r},'.encode() not in said:
                self.found.append(f"a plain prediction was answered {answer.status}: {said[:300]!r}")
            connection.request("GET", "/health/live")
            answer = connection.getresponse()
            if answer.read() and answer.status != 200:
                self.found.append(f"/health/live was answered {answer.status}")
        except (OSError, http.client.HTTPException) as fault:
            if self.fleet.is_up():
                self.found.append(f"a plain prediction was not answered: {fault!r}")
        finally:
            connection.close()

    def small(self, count):
        self.watch.phase, begun, end, began = "mix", self.sent, self.sent + count, time.monotonic()
        draw = self.kinds.draw

        def following():
            if self.sent >= end:
                return None
            self.sent += 1
            if self.sent >= self.next_probe:
                self.next_probe = self.sent + 1000
                self.probe()
            if not self.short and draw.random() < RARE:
                return draw.choice(self.kinds.large(draw.choice(list(SHARES))))
            return self.kinds.one()
        self.fleet.run(following)
        self.calm += self.sent - begun
        self.spent += time.monotonic() - began

    def storm(self, kinds, each=1, phase=None):
        """All clients send large requests of these kinds at once; gives seconds."""
        large = [request for kind in kinds for request in self.kinds.large(kind)]
        left = [large[n % len(large)] for n in range(CLIENTS * each)]
        if len(kinds) > 1:
            self.kinds.draw.shuffle(left)
        self.watch.phase, began = phase or f"storm of {kinds[0]}", time.monotonic()
        self.sent += len(left)
        self.fleet.run(lambda: left.pop() if left else None)
        self.watch.sample()
        return time.monotonic() - began

    def storms(self):
        for kind in SHARES:
            self.storm([kind])
        self.storm(list(SHARES), 2, "storm of all")

    def part(self, count):
        """So many requests; gives the level of memory at their end and at rest."""
        end, began = self.sent + count, time.monotonic()
        storms = max(1, count // CALM)
        for turn in range(storms):
            self.small((end - self.sent) // (storms - turn + 1))
            if not self.fleet.is_up():
                break
            self.storms()
            self.say(f"  {self.sent} requests, between storms {self.calm / self.spent:.0f} a second, "
                     f"{shown(self.watch.samples[-1][2])}")
        last = time.monotonic()
        self.small(end - self.sent)
        over = time.monotonic()
        level = self.watch.level(last, over)
        time.sleep(REST)
        rest = self.watch.sample()
        self.say(f"after {self.sent} requests: {level:.0f} MiB of server and worker, at rest {shown(rest)}; "
                 f"{count / (over - began):.0f} requests a second")
        return level, lasting(rest)

    def long(self, count, parts):
        self.began = time.monotonic()
        levels = [self.part(count) for _ in range(parts) if self.fleet.is_up()]
        for number, what in enumerate(("at the end", "at rest")):
            sizes = [level[number] for level in levels]
            if len(sizes) > 1 and sizes[-1] > sizes[0] * GROWTH:
                self.found.append(
                    f"server and worker {what} grew from {sizes[0]:.1f} to {sizes[-1]:.1f} MiB in {count} requests")
        return self

    def brief(self, count, seconds):
        """Small ones, and storms at a tenth of the limits while there is time; none of Parquet, which takes seconds."""
        end = time.monotonic() + seconds
        for kind in self.kinds.draw.sample(list(SHARES), len(SHARES)):
            if kind != "parquet" and time.monotonic() < end:
                self.storm([kind])
        self.small(count)
        return self

    def end(self):
        """Judges the whole run; gives the differences."""
        if not self.fleet.is_up():
            self.found.append(f"the server ended with {self.house.process.returncode}: {self.house.said()[-500:]}")
        else:
            idle = cpu_share(self.process, 1 if self.short else 5)
            self.say(f"idle: {idle:.1%} of a processor, {open_files(self.process)} open files")
        self.watch.end()
        self.report()
        self.fleet.close()
        code = self.house.end()
        if code != 0:
            self.found.append(f"the server's exit code is {code}: {self.house.said()[-300:]}")
        return self.found + self.fleet.differences

    def report(self):
        moment, phase, sizes = self.watch.peak()
        self.say(f"peak: {shown(sizes)} in {phase}; {self.sent} requests, answers of {self.fleet.bytes >> 20} MiB, "
                 f"the largest {self.fleet.largest / (1 << 20):.1f} MiB")
        if total(sizes) > MOST:
            self.found.append(f"{total(sizes):.0f} MiB in {phase}, more than {MOST}: {shown(sizes)}")
        most = max(each[2].get("features", 0) for each in self.watch.samples)
        if most > FEATURES:
            self.found.append(f"feature workers took {most:.0f} MiB, more than {FEATURES}")
        if self.short:
            return
        for phase, sizes in sorted(self.watch.peaks().items(), key=lambda each: -total(each[1])):
            self.say(f"  {phase}: {shown(sizes)}")
        for kind in SHARES:
            statuses = {status: count for (name, status), count in self.fleet.counts.items() if name == kind}
            told = ", ".join(f"{status} {count}" for status, count in sorted(statuses.items(), key=str))
            self.say(f"  {kind}: {sum(statuses.values())} answers, slowest {self.fleet.slowest[kind]:.1f} s: {told}")


def torture(program, scratch, seed, say, short, count, seconds=8):
    run = Run(program, scratch, seed, say, short)
    # What was measured until then is told, in the background, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        try:
            run.brief(count or 2000, seconds) if short else run.long(count or 1_000_000, 2)
        except KeyboardInterrupt:
            run.found.append("interrupted")
        found = run.end()
    finally:
        if run.house.process.poll() is None:
            run.house.process.kill()
    say(f"{run.sent} requests of {len(SHARES)} kinds, {len(found)} differences")
    return found


def single(program, scratch, kinds, each, say):
    """Storms of one kind after the other, each on a new server; gives nothing, but says what memory they take."""
    for kind in kinds:
        folder = Path(scratch) / kind
        folder.mkdir()
        run = Run(program, folder, 1, lambda text: None)
        before = lasting(run.watch.sample())
        spent = [run.storm([kind], each) for _ in range(3)]
        run.watch.end()
        time.sleep(REST)
        rest = lasting(run.watch.sample())
        told = {status: n for (_, status), n in sorted(run.fleet.counts.items(), key=str)}
        say(f"{kind}: before {before:.0f} MiB, peak {shown(run.watch.peak()[2])}, at rest {rest:.0f} MiB, "
            f"{sum(spent):.1f} s, {told}, the largest answer {run.fleet.largest / (1 << 20):.1f} MiB")
        for difference in run.fleet.differences:
            say(f"- {difference}")
        run.fleet.close()
        run.house.end()
        run.house.remove()


def main():
    parser = argparse.ArgumentParser(description="Storms of single kinds, and what memory they take.")
    parser.add_argument("--program", required=True)
    parser.add_argument("--kinds", default=",".join(SHARES))
    parser.add_argument("--each", type=int, default=2, help="requests of each client in a storm")
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="martlet-memory-")
    single(Program(options.program), scratch, options.kinds.split(","), options.each,
           lambda text: print(text, flush=True))
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
