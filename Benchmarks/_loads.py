"""What others do to a server while it is measured: each a process of its own, niced, that goes on until it is ended.

A load tells what it was answered, so that a report shows that it was let in, and what was refused."""

import collections
import contextlib
import http.client
import json
import multiprocessing
import os
import pathlib
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

SLOW = 520  # bytes a second, just above the least that a body may have


def _head(method: str, path: str, token: str | None, **headers: object) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *([f"Authorization: Bearer {token}"] if token else []),
             *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class _SlowConnections:
    """Connections that send a head, then a few bytes each second; one that is ended is opened anew."""

    def __init__(self, port: int, heads: list[bytes], told: collections.Counter[str]) -> None:
        self.port, self.heads, self.told = port, heads, told
        self.open: dict[int, tuple[socket.socket, int]] = {}
        for place in range(len(heads)):
            self.begin(place)

    def begin(self, place: int) -> None:
        one = socket.create_connection(("127.0.0.1", self.port))
        one.sendall(self.heads[place])
        one.setblocking(False)
        self.open[one.fileno()] = (one, place)

    def second(self) -> None:
        for one, _ in list(self.open.values()):
            with contextlib.suppress(OSError):
                one.send(b"1," * (SLOW // 2))
        until = time.monotonic() + 1
        while (left := until - time.monotonic()) > 0:
            for number in select.select(list(self.open), [], [], left)[0]:
                one, place = self.open.pop(number)
                try:
                    start = one.recv(4096)
                except OSError:
                    start = b""
                self.told[start[9:12].decode() or "closed"] += 1
                one.close()
                time.sleep(0.01)
                self.begin(place)


def listeners(
    port: int, tokens: list[str], told: collections.Counter[str], stop: Callable[[], bool], job: str,
    rows: list[dict[str, float]], file: pathlib.Path,
) -> None:
    """64 who follow one job."""
    head = _head("GET", f"/api/training/events/{job}", tokens[0])
    open_ones = []
    for _ in range(64):
        one = socket.create_connection(("127.0.0.1", port))
        one.sendall(head)
        open_ones.append(one)
    for one in open_ones:
        told[one.recv(64)[9:12].decode()] += 1
    while not stop():
        for one in select.select(open_ones, [], [], 1)[0]:
            if not one.recv(65536):
                told["ended"] += 1
                open_ones.remove(one)


def reasons(
    port: int, tokens: list[str], told: collections.Counter[str], stop: Callable[[], bool], job: str,
    rows: list[dict[str, float]], file: pathlib.Path,
) -> None:
    """8 clients that ask reasons for as many rows as a request may have."""
    body = json.dumps({"records": rows, "explain": True})

    def ask(token: str) -> None:
        one = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while not stop():
            one.request(
                "POST", "/predict", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            )
            answer = one.getresponse()
            answer.read()
            told[str(answer.status)] += 1
            if answer.status != 200:
                time.sleep(0.2)

    _threads(8, lambda place: ask(tokens[0]))


def slow_bodies(
    port: int, tokens: list[str], told: collections.Counter[str], stop: Callable[[], bool], job: str,
    rows: list[dict[str, float]], file: pathlib.Path,
) -> None:
    """270 bodies at 520 bytes a second: logins without a token, predictions with one, small and large."""
    heads = [
        _head("POST", "/api/session", None, Content_Type="application/json", Content_Length=65000),
        _head("POST", "/predict", tokens[0], Content_Type="application/json", Content_Length=65000),
        _head("POST", "/predict", tokens[0], Content_Type="application/json", Content_Length=15_000_000)]
    slow = _SlowConnections(port, heads * 90, told)
    while not stop():
        slow.second()


def idle_uploads(
    port: int, tokens: list[str], told: collections.Counter[str], stop: Callable[[], bool], job: str,
    rows: list[dict[str, float]], file: pathlib.Path,
) -> None:
    """8 batches of three clients whose rows hardly come."""
    heads = [_head("POST", "/predict/batch", tokens[3 + place % 3], Content_Type="text/csv", Content_Length=1_000_000)
             for place in range(8)]
    slow = _SlowConnections(port, [head + ",".join(rows[0]).encode() + b"\n" for head in heads], told)
    while not stop():
        slow.second()


def batches(
    port: int, tokens: list[str], told: collections.Counter[str], stop: Callable[[], bool], job: str,
    rows: list[dict[str, float]], file: pathlib.Path,
) -> None:
    """4 files at full speed, of two clients."""
    content = file.read_bytes()

    def send(token: str) -> None:
        while not stop():
            one = socket.create_connection(("127.0.0.1", port))
            sender = threading.Thread(target=_quietly(one.sendall), args=(
                _head("POST", "/predict/batch", token, Content_Type="text/csv", Content_Length=len(content),
                      Connection="close") + content,))
            sender.start()
            start, last = b"", b""
            try:
                while part := one.recv(1 << 18):
                    start, last = start or part[:64], (last + part)[-64:]
            except OSError as error:
                last = str(error).encode()
            sender.join()
            one.close()
            status = start[9:12].decode()
            told[status if status not in ("", "200") or b"Martlet-Failed-Rows: 0" in last else "cut off"] += 1
            if status != "200":
                time.sleep(0.2)

    _threads(4, lambda place: send(tokens[1 + place % 2]))


LOADS = {"64 listeners": listeners, "8 clients with reasons": reasons, "270 slow bodies": slow_bodies,
         "8 idle uploads": idle_uploads, "4 batches": batches}


def _quietly(call: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def made(*arguments: bytes) -> None:
        with contextlib.suppress(OSError):
            call(*arguments)
    return made


def _threads(count: int, work: Callable[[int], None]) -> None:
    all_of_them = [threading.Thread(target=work, args=(place,), daemon=True) for place in range(count)]
    for each in all_of_them:
        each.start()
    for each in all_of_them:
        each.join()


class LoadProcess:
    """One of LOADS at work."""

    def __init__(self, name: str, *arguments: Any) -> None:
        self.answers: multiprocessing.Queue[dict[str, int]] = multiprocessing.Queue()
        self.over = multiprocessing.Event()
        self.process = multiprocessing.Process(target=self.work, args=(LOADS[name], arguments), daemon=True)
        self.process.start()

    def work(self, load: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.nice(19)
        told: collections.Counter[str] = collections.Counter()

        def watch() -> None:
            self.over.wait()
            time.sleep(0.2)
            self.answers.put(dict(told))
            self.answers.close()
            self.answers.join_thread()
            os._exit(0)

        threading.Thread(target=watch, daemon=True).start()
        port, tokens, *others = arguments
        load(port, tokens, told, self.over.is_set, *others)
        self.over.wait()
        time.sleep(5)

    def end(self) -> collections.Counter[str]:
        """How often it was answered what."""
        self.over.set()
        told = self.answers.get(timeout=30)
        self.process.join(30)
        return collections.Counter(told)
