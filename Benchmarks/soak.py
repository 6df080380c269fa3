"""The server at half of its full load for a long time: its memory must not grow by 1 % once it is warm, and its open
files must stay as many.

  --minutes N   (30) of which the first fifth, at most 5 minutes, is warm-up
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from _bench import Report
from _serving import Server, martlet, project


def full_rate(server: Server, script: pathlib.Path) -> float:
    headers = "".join(f'wrk.headers["{name}"]="{value}" ' for name, value in server.headers.items())
    script.write_text(f'wrk.method="POST"; wrk.body=[==[{server.body}]==]; {headers}\n')
    out = subprocess.run(
        ["wrk", "-t1", "-c16", "-d5s", "-s", str(script), server.url], capture_output=True, text=True, check=True
    ).stdout
    return float(out.partition("Requests/sec:")[2].split()[0])


def half_load(server: Server, script: pathlib.Path, rate: float, seconds: float) -> subprocess.Popen[str]:
    """wrk that waits, so that its connections together ask so often; wrk has no rate of its own."""
    connections = 16
    headers = "".join(f'wrk.headers["{name}"]="{value}" ' for name, value in server.headers.items())
    script.write_text(
        f'wrk.method="POST"; wrk.body=[==[{server.body}]==]; {headers}\n'
        f"function delay() return math.random(0, {2 * 1000 * connections / rate:.3f} * 1000) / 1000 end\n"
        'done = function(s, l, r) io.write(string.format("RESULT %d %d %d\\n", s.requests, s.duration, '
        "s.errors.status + s.errors.connect + s.errors.read + s.errors.timeout)) end\n")
    return subprocess.Popen(
        ["wrk", "-t1", f"-c{connections}", f"-d{int(seconds)}s", "-s", str(script), server.url],
        stdout=subprocess.PIPE, text=True)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=30)
    minutes = options.parse_args().minutes
    report = Report("soak", data="synthetic")
    with tempfile.TemporaryDirectory() as made:
        scratch = pathlib.Path(made)
        row, _ = project(scratch / "speed")
        server = martlet(scratch, row)
        try:
            full = full_rate(server, scratch / "full.lua")
            load = half_load(server, scratch / "half.lua", full / 2, minutes * 60)
            begun, samples = time.monotonic(), []
            while load.poll() is None:
                time.sleep(2)
                files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
                samples.append((time.monotonic() - begun, server.memory(), files))
            requests, duration, errors = map(int, load.communicate()[0].partition("RESULT ")[2].splitlines()[0].split())
        finally:
            server.end()
    warm = [sample for sample in samples if sample[0] > min(300, minutes * 12)]
    part = max(1, len(warm) // 5)
    first, last = (statistics.median(each[1] for each in some) for some in (warm[:part], warm[-part:]))
    report.add("requests/s at full load", full)
    report.add("requests/s", requests / duration * 1e6)
    report.add("requests", requests)
    report.at_most("failed requests", errors, 0)
    report.add("memory of all processes when warm, MiB", first)
    report.at_most("growth of memory after that, %", (last / first - 1) * 100, 1)
    report.add("open files when warm", warm[0][2])
    report.at_most(
        "further open files at the end", max(each[2] for each in warm[-part:]) - max(each[2] for each in warm[:part]), 0
    )
    report.end()


main()
