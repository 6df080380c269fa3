"""What the processes of a server take: proportional set sizes by role, CPU time, open files."""

import os
import re
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Mapping

MIB = 1024
# A moment, what is being sent, and MiB by role.
Sample = tuple[float, str, dict[str, float]]


def stats() -> dict[int, tuple[int, int, int]]:
    """(parent, session, ticks of CPU) of each process."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            found[int(entry)] = (int(fields[1]), int(fields[3]), int(fields[11]) + int(fields[12]))
    return found


def processes(root: int) -> dict[int, int]:
    """The process, its session's and all that descend from them: {process: ticks}."""
    known = stats()
    found, more = set(), {each for each, (_, session, _) in known.items() if each == root or session == root}
    while more:
        found |= more
        more = {each for each, (parent, _, _) in known.items() if parent in found} - found
    return {each: known[each][2] for each in found}


def role(process: int) -> str | None:
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        return None
    if words[0].endswith(b"martlet-serve"):
        return "serve"
    name = words[1].decode(errors="replace") if len(words) > 1 else ""
    # An attempt at a job is a worker's child: `martlet worker --attempt …`.
    return name if name in ("worker", "features", "convert") and b"--attempt" not in words else "job"


def proportional_set_size(process: int) -> float:
    try:
        with open(f"/proc/{process}/smaps_rollup") as file:
            found = re.search(r"^Pss:\s+(\d+)", file.read(), re.M)
    except OSError:
        return 0.0
    return int(found[1]) / MIB if found else 0.0


class MemorySampler:
    """Samples the memory of a server's processes on a thread of its own."""

    def __init__(self, root: int, seconds: float) -> None:
        self.root, self.seconds, self.phase = root, seconds, "mix"
        self.samples: list[Sample] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while not self.over.is_set():
            self.sample()
            self.over.wait(self.seconds)

    def sample(self) -> dict[str, float]:
        sizes: defaultdict[str, float] = defaultdict(float)
        for process in processes(self.root):
            name = role(process)
            if name:
                sizes[name] += proportional_set_size(process)
        self.samples.append((time.monotonic(), self.phase, dict(sizes)))
        return dict(sizes)

    def end(self) -> None:
        self.over.set()
        self.thread.join()

    def peak(self) -> Sample:
        return max(self.samples, key=lambda sample: total_mib(sample[2]))

    def peaks(self) -> dict[str, dict[str, float]]:
        """The most of each phase."""
        found: dict[str, dict[str, float]] = {}
        for _, phase, sizes in self.samples:
            if total_mib(sizes) >= total_mib(found.get(phase, {})):
                found[phase] = sizes
        return found

    def level(self, since: float, until: float) -> float:
        """The median of what was sampled between two moments, of processes that stay."""
        within = [server_and_worker(sizes) for moment, _, sizes in self.samples if since <= moment <= until]
        return statistics.median(within or [server_and_worker(self.samples[-1][2])])


def total_mib(sizes: Mapping[str, float]) -> float:
    """Of all processes but feature workers, which have a limit of their own (MARTLET_MEMORY)."""
    return sum(size for name, size in sizes.items() if name != "features")


def server_and_worker(sizes: Mapping[str, float]) -> float:
    """Of the server and its worker: jobs and converters come and go."""
    return sizes.get("serve", 0) + sizes.get("worker", 0)


def format_sizes(sizes: Mapping[str, float]) -> str:
    return (
        f"{total_mib(sizes):.0f} MiB (" + ", ".join(f"{name} {size:.0f}" for name, size in sorted(sizes.items())) + ")"
    )


def cpu_share(root: int, seconds: float) -> float:
    """CPU of all processes while nobody asks, as a share of one processor."""
    before, began = processes(root), time.monotonic()
    time.sleep(seconds)
    # What a process had used that has ended meanwhile is not known any more.
    ticks = sum(ticks - before.get(process, 0) for process, ticks in processes(root).items())
    return ticks / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)


def open_files(root: int) -> int:
    return len(os.listdir(f"/proc/{root}/fd"))
