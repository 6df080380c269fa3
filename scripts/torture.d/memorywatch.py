"""What the processes of a server take: proportional set sizes by role, CPU time, open files."""

import os
import re
import statistics
import threading
import time
from collections import defaultdict

MIB = 1024


def stats():
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


def processes(root):
    """The process, its session's and all that descend from them: {process: ticks}."""
    known = stats()
    found, more = set(), {each for each, (_, session, _) in known.items() if each == root or session == root}
    while more:
        found |= more
        more = {each for each, (parent, _, _) in known.items() if parent in found} - found
    return {each: known[each][2] for each in found}


def role(process):
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


def proportional(process):
    try:
        with open(f"/proc/{process}/smaps_rollup") as file:
            return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M)[1]) / MIB
    except (OSError, TypeError):
        return 0.0


class Watch:
    """Samples on a thread of its own: [(moment, what is being sent, {role: MiB})]."""

    def __init__(self, root, seconds):
        self.root, self.seconds, self.samples, self.phase = root, seconds, [], "mix"
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            self.sample()
            self.over.wait(self.seconds)

    def sample(self):
        sizes = defaultdict(float)
        for process in processes(self.root):
            name = role(process)
            if name:
                sizes[name] += proportional(process)
        self.samples.append((time.monotonic(), self.phase, dict(sizes)))
        return dict(sizes)

    def end(self):
        self.over.set()
        self.thread.join()

    def peak(self):
        return max(self.samples, key=lambda sample: total(sample[2]))

    def peaks(self):
        """The most of each phase."""
        found = {}
        for _, phase, sizes in self.samples:
            if total(sizes) >= total(found.get(phase, {})):
                found[phase] = sizes
        return found

    def level(self, since, until):
        """The median of what was sampled between two moments, of processes that stay."""
        within = [lasting(sizes) for moment, _, sizes in self.samples if since <= moment <= until]
        return statistics.median(within or [lasting(self.samples[-1][2])])


def total(sizes):
    """Of all processes but feature workers, which have a limit of their own (MARTLET_MEMORY)."""
    return sum(size for name, size in sizes.items() if name != "features")


def lasting(sizes):
    """Of the server and its worker: jobs and converters come and go."""
    return sizes.get("serve", 0) + sizes.get("worker", 0)


def shown(sizes):
    return f"{total(sizes):.0f} MiB (" + ", ".join(f"{name} {size:.0f}" for name, size in sorted(sizes.items())) + ")"


def cpu_share(root, seconds):
    """CPU of all processes while nobody asks, as a share of one processor."""
    before, began = processes(root), time.monotonic()
    time.sleep(seconds)
    # What a process had used that has ended meanwhile is not known any more.
    ticks = sum(ticks - before.get(process, 0) for process, ticks in processes(root).items())
    return ticks / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)


def open_files(root):
    return len(os.listdir(f"/proc/{root}/fd"))
