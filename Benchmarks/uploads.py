"""A file of 1 GiB through /predict/batch, by three clients as people write them: `requests.post(data=file)`, `curl -T`,
and one that sends all of it before it reads anything. Each must get a line for each row, none of them failed, and the
server's memory must be what a file of a sixteenth needs. Its workers are left out: what they do with the prediction log
afterwards has memory of its own.

  --mib N   (1024)
"""

import argparse
import functools
import http.client
import os
import pathlib
import random
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable

from _bench import ROOT, Report
from _serving import FEATURES, Server, martlet, project

REQUESTS = """
import requests, sys
url, token, source, target = sys.argv[1:]
with open(source, "rb") as file, open(target, "wb") as out:
    headers = {"Authorization": "Bearer " + token, "Content-Type": "text/csv"}
    answer = requests.post(url, data=file, headers=headers, stream=True)
    answer.raise_for_status()
    for piece in answer.iter_content(1 << 20):
        out.write(piece)
"""


def rows(path: pathlib.Path, size: int) -> int:
    """A CSV of so many bytes; gives its rows. A block of rows is written again and again under ids of its own."""
    draw, names = random.Random(3), [f"f{index}" for index in range(FEATURES)]
    tails = [",".join(repr(round(draw.gauss(0, 1), 6)) for _ in names) for _ in range(1_000)]
    count = 0
    with open(path, "w") as file:
        file.write("id," + ",".join(names) + "\n")
        while file.tell() < size:
            file.write("".join(f"{count + place},{tail}\n" for place, tail in enumerate(tails)))
            count += len(tails)
    return count


def by_requests(url: str, token: str, source: pathlib.Path, target: pathlib.Path) -> int:
    python = subprocess.run(
        [ROOT / "scripts/venv", "interop"], check=True, capture_output=True, text=True
    ).stdout.strip()
    return subprocess.run([python, "-c", REQUESTS, url, token, source, target]).returncode


def by_curl(url: str, token: str, source: pathlib.Path, target: pathlib.Path) -> int:
    return subprocess.run(
        ["curl", "-sS", "--fail", "-X", "POST", "-T", source, "-H", f"Authorization: Bearer {token}", "-H",
         "Content-Type: text/csv", "-o", target, url]).returncode


def sending_first(url: str, token: str, source: pathlib.Path, target: pathlib.Path) -> int:
    """Nothing is read before the last byte has been taken."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, port = host.split(":")
    with socket.create_connection((name, int(port))) as one, open(source, "rb") as file, open(target, "wb") as out:
        one.settimeout(300)
        one.sendall(
            (
                f"POST /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: text/csv\r\n"
                f"Content-Length: {os.path.getsize(source)}\r\nConnection: close\r\n\r\n"
            ).encode()
        )
        while piece := file.read(1 << 20):
            one.sendall(piece)
        answer = http.client.HTTPResponse(one)
        answer.begin()
        while piece := answer.read(1 << 20):
            out.write(piece)
    return 0


def answered(path: pathlib.Path, count: int) -> int:
    """How many of the rows have a line with a score."""
    good, wanted = 0, 0
    with open(path, "rb") as file:
        for line in file:
            cells = line.rstrip(b"\r\n").split(b",")
            if cells[0].isdigit() and len(cells) > 2 and int(cells[0]) == wanted + 1:
                wanted += 1
                good += 0 < float(cells[2]) < 1
    return min(good, count)


def measured(server: Server, call: Callable[[], int]) -> tuple[int, float, float]:
    """What a call gives, its seconds, and the server's memory at most."""
    peaks, over = [server.memory()], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            peaks.append(server.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun = time.monotonic()
    try:
        code = call()
    finally:
        over.set()
        watcher.join()
    return code, time.monotonic() - begun, max(peaks)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=1024)
    options = parser.parse_args()
    report = Report("uploads", data="synthetic")
    with tempfile.TemporaryDirectory() as made:
        scratch = pathlib.Path(made)
        row, _ = project(scratch / "speed")
        small, large, target = scratch / "small.csv", scratch / "large.csv", scratch / "answer.csv"
        rows(small, (options.mib << 20) // 16)
        count = rows(large, options.mib << 20)
        report.add("rows", count)
        for name, client in [("requests", by_requests), ("curl", by_curl), ("sends all first", sending_first)]:
            server = martlet(scratch, row, more=["--workers", "0"])
            url, token = server.url + "/batch?keep=id", server.headers["Authorization"].removeprefix("Bearer ")
            try:
                time.sleep(1)
                _, _, little = measured(server, functools.partial(client, url, token, small, target))
                code, seconds, peak = measured(server, functools.partial(client, url, token, large, target))
            finally:
                server.end()
            report.equal(f"{name}: exit code", code, 0)
            report.equal(f"{name}: rows with a score", answered(target, count), count)
            report.add(f"{name}: MiB/s", options.mib / seconds)
            report.at_most(
                f"{name}: memory of all processes, most MiB (peer: a sixteenth of the file)", peak, little + 32, little
            )
    report.end()


if __name__ == "__main__":
    main()
