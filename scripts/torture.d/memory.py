"""Memory of the server under requests of all kinds: small ones, many of them broken, and storms at the limits.

    scripts/torture.d/memory.py --program FILE --kinds reasons,parquet     storms of single kinds, each on a new server

Sixteen connections ask at once. Between the small requests come storms, in which all of them send requests of one kind
at once that are as large as the limits allow, and one in which they send of all kinds.
"""

from __future__ import annotations

import argparse
import http.client
import shutil
import signal
import tempfile
import time
from pathlib import Path

from memoryclients import ClientPool
from memorykinds import SHARES, Request, RequestGenerator
from memoryproject import LoadServer
from memorywatch import MemorySampler, cpu_share, format_sizes, open_files, server_and_worker, total_mib
from project import Program, Progress

CLIENTS = 16
# MiB, and how much more the second part may take than the first.
MOST = 400
GROWTH = 1.05
# Storms leave their mark for so many requests: what fewer of them end with tells nothing of growth.
SETTLED = 100_000
# The default of MARTLET_MEMORY.
FEATURES = 2000
# Storms come once in so many requests, and between them such a share is large, too.
CALM, RARE = 500_000, 1 / 20_000
# Longer than the server waits before it gives free memory back.
REST = 40


class MemoryTest:
    """A server, its clients and the samples of its memory, from the first request to the verdict."""

    def __init__(self, program: Program, scratch: Path, seed: int, progress: Progress, short: bool = False) -> None:
        self.progress, self.short = progress, short
        self.found: list[str] = []
        self.server = LoadServer(program, scratch, CLIENTS, *((4, 1000) if short else (CLIENTS, 2000)))
        self.requests = RequestGenerator(seed, self.server.samples, self.server.parquet, short)
        self.server.start()
        self.process = self.server.process.pid
        self.sampler = MemorySampler(self.process, 0.25 if short else 0.5)
        self.pool = ClientPool(self.server, CLIENTS, Path(scratch) / "requests", progress)
        self.sent = self.next_probe = self.calm = 0
        self.spent = 0.0

    def probe(self) -> None:
        """A plain prediction and the probe of life, on a connection of their own."""
        request = self.requests.random_plain()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.request("POST", "/predict", request.body, {
                "Content-Type": "application/json", "Authorization": f"Bearer {self.server.tokens[0]}"})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200 or f'"probability":{request.known!r},'.encode() not in said:
                self.found.append(f"a plain prediction was answered {answer.status}: {said[:300]!r}")
            connection.request("GET", "/health/live")
            answer = connection.getresponse()
            if answer.read() and answer.status != 200:
                self.found.append(f"/health/live was answered {answer.status}")
        except (OSError, http.client.HTTPException) as fault:
            if self.pool.is_up():
                self.found.append(f"a plain prediction was not answered: {fault!r}")
        finally:
            connection.close()

    def run_small(self, count: int) -> None:
        self.sampler.phase, begun, end, began = "mix", self.sent, self.sent + count, time.monotonic()
        draw = self.requests.draw

        def following() -> Request | None:
            if self.sent >= end:
                return None
            self.sent += 1
            if self.sent >= self.next_probe:
                self.next_probe = self.sent + 1000
                self.probe()
            if not self.short and draw.random() < RARE:
                return draw.choice(self.requests.large(draw.choice(list(SHARES))))
            return self.requests.random_small()
        self.pool.run(following)
        self.calm += self.sent - begun
        self.spent += time.monotonic() - began

    def storm(self, kinds: list[str], each: int = 1, phase: str | None = None) -> float:
        """All clients send large requests of these kinds at once; gives seconds."""
        large = [request for kind in kinds for request in self.requests.large(kind)]
        left = [large[n % len(large)] for n in range(CLIENTS * each)]
        if len(kinds) > 1:
            self.requests.draw.shuffle(left)
        self.sampler.phase, began = phase or f"storm of {kinds[0]}", time.monotonic()
        self.sent += len(left)
        self.pool.run(lambda: left.pop() if left else None)
        self.sampler.sample()
        return time.monotonic() - began

    def storms(self) -> None:
        for kind in SHARES:
            self.storm([kind])
        self.storm(list(SHARES), 2, "storm of all")

    def part(self, count: int) -> tuple[float, float]:
        """So many requests; gives the level of memory at their end and at rest."""
        end, began = self.sent + count, time.monotonic()
        storms = max(1, count // CALM)
        for turn in range(storms):
            self.run_small((end - self.sent) // (storms - turn + 1))
            if not self.pool.is_up():
                break
            self.storms()
            self.progress(f"  {self.sent} requests, between storms {self.calm / self.spent:.0f} a second, "
                          f"{format_sizes(self.sampler.samples[-1][2])}")
        last = time.monotonic()
        self.run_small(end - self.sent)
        over = time.monotonic()
        level = self.sampler.level(last, over)
        time.sleep(REST)
        rest = self.sampler.sample()
        self.progress(
            f"after {self.sent} requests: {level:.0f} MiB of server and worker, at rest {format_sizes(rest)}; "
            f"{count / (over - began):.0f} requests a second"
        )
        return level, server_and_worker(rest)

    def run_long(self, count: int, parts: int) -> MemoryTest:
        self.began = time.monotonic()
        levels = [self.part(count) for _ in range(parts) if self.pool.is_up()]
        for number, what in enumerate(("at the end", "at rest")):
            if number == 0 and count < SETTLED:
                continue
            sizes = [level[number] for level in levels]
            if len(sizes) > 1 and sizes[-1] > sizes[0] * GROWTH:
                self.found.append(
                    f"server and worker {what} grew from {sizes[0]:.1f} to {sizes[-1]:.1f} MiB in {count} requests")
        return self

    def run_short(self, count: int, seconds: float) -> MemoryTest:
        """Small ones, and storms at a tenth of the limits while there is time; none of Parquet, which takes seconds."""
        end = time.monotonic() + seconds
        for kind in self.requests.draw.sample(list(SHARES), len(SHARES)):
            if kind != "parquet" and time.monotonic() < end:
                self.storm([kind])
        self.run_small(count)
        return self

    def end(self) -> list[str]:
        """Judges the whole run; gives the differences."""
        if not self.pool.is_up():
            self.found.append(
                f"the server ended with {self.server.process.returncode}: {self.server.stderr_text()[-500:]}"
            )
        else:
            idle = cpu_share(self.process, 1 if self.short else 5)
            self.progress(f"idle: {idle:.1%} of a processor, {open_files(self.process)} open files")
        self.sampler.end()
        self.report()
        self.pool.close()
        code = self.server.end()
        if code != 0:
            self.found.append(f"the server's exit code is {code}: {self.server.stderr_text()[-300:]}")
        return self.found + self.pool.differences

    def report(self) -> None:
        _, phase, sizes = self.sampler.peak()
        self.progress(
            f"peak: {format_sizes(sizes)} in {phase}; {self.sent} requests, answers of {self.pool.bytes >> 20} MiB, "
            f"the largest {self.pool.largest / (1 << 20):.1f} MiB"
        )
        if total_mib(sizes) > MOST:
            self.found.append(f"{total_mib(sizes):.0f} MiB in {phase}, more than {MOST}: {format_sizes(sizes)}")
        most = max(each[2].get("features", 0) for each in self.sampler.samples)
        if most > FEATURES:
            self.found.append(f"feature workers took {most:.0f} MiB, more than {FEATURES}")
        if self.short:
            return
        for phase, sizes in sorted(self.sampler.peaks().items(), key=lambda each: -total_mib(each[1])):
            self.progress(f"  {phase}: {format_sizes(sizes)}")
        for kind in SHARES:
            statuses = {status: count for (name, status), count in self.pool.counts.items() if name == kind}
            told = ", ".join(f"{status} {count}" for status, count in sorted(statuses.items(), key=str))
            self.progress(
                f"  {kind}: {sum(statuses.values())} answers, slowest {self.pool.slowest[kind]:.1f} s: {told}"
            )


def torture(
    program: Program, scratch: Path, seed: int, progress: Progress, short: bool, count: int, seconds: float = 8,
) -> list[str]:
    test = MemoryTest(program, scratch, seed, progress, short)
    # What was measured until then is told, in the background, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        try:
            if short:
                test.run_short(count or 2000, seconds)
            else:
                test.run_long(count or 1_000_000, 2)
        except KeyboardInterrupt:
            test.found.append("interrupted")
        found = test.end()
    finally:
        if test.server.process.poll() is None:
            test.server.process.kill()
    progress(f"{test.sent} requests of {len(SHARES)} kinds, {len(found)} differences")
    return found


def run_single_kinds(program: Program, scratch: Path, kinds: list[str], each: int, progress: Progress) -> None:
    """Storms of one kind after the other, each on a new server; gives nothing, but says what memory they take."""
    for kind in kinds:
        folder = Path(scratch) / kind
        folder.mkdir()
        test = MemoryTest(program, folder, 1, lambda text: None)
        before = server_and_worker(test.sampler.sample())
        spent = [test.storm([kind], each) for _ in range(3)]
        test.sampler.end()
        time.sleep(REST)
        rest = server_and_worker(test.sampler.sample())
        told = {status: n for (_, status), n in sorted(test.pool.counts.items(), key=str)}
        progress(
            f"{kind}: before {before:.0f} MiB, peak {format_sizes(test.sampler.peak()[2])}, at rest {rest:.0f} MiB, "
            f"{sum(spent):.1f} s, {told}, the largest answer {test.pool.largest / (1 << 20):.1f} MiB"
        )
        for difference in test.pool.differences:
            progress(f"- {difference}")
        test.pool.close()
        test.server.end()
        test.server.remove()


def main() -> None:
    parser = argparse.ArgumentParser(description="Storms of single kinds, and what memory they take.")
    parser.add_argument("--program", required=True)
    parser.add_argument("--kinds", default=",".join(SHARES))
    parser.add_argument("--each", type=int, default=2, help="requests of each client in a storm")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="martlet-memory-"))
    run_single_kinds(Program(options.program), scratch, options.kinds.split(","), options.each,
           lambda text: print(text, flush=True))
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
