"""Connections that each have at most one request under way, driven by one loop; every answer is judged."""

from __future__ import annotations

import json
import re
import selectors
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from memorykinds import Request
from memoryproject import LoadServer
from project import Progress

TIMEOUT = 120
KEPT = 64 << 10
PIECE = 1 << 18
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.I)
CLOSES = re.compile(rb"\r\nconnection: *close\r\n", re.I)
RETRIES = re.compile(rb"\r\nretry-after: *\d+\r\n", re.I)
SPEAKS_JSON = re.compile(rb"\r\ncontent-type: *application/(?:problem\+)?json", re.I)


class ProtocolError(Exception):
    """An answer that is not valid HTTP."""


class ResponseParser:
    """An incremental parser of one HTTP response; keeps the first 64 KiB of its body."""

    def __init__(self, method: str) -> None:
        self.method, self.status, self.head, self.size, self.kept = method, 0, b"", 0, bytearray()
        self.unread, self.left, self.state = bytearray(), 0, "begin"

    def feed(self, piece: bytes) -> None:
        """Reads on; `state` says whether it is whole."""
        self.unread += piece
        while self.state != "whole" and getattr(self, self.state)():
            pass
        if self.state == "whole" and self.unread:
            raise ProtocolError(f"bytes behind the answer: {bytes(self.unread[:80])!r}")

    def take(self, count: int) -> int:
        piece = self.unread[:count]
        del self.unread[:count]
        self.size += len(piece)
        if len(self.kept) < KEPT:
            self.kept += piece[:KEPT - len(self.kept)]
        return len(piece)

    def line(self) -> bytes | None:
        end = self.unread.find(b"\r\n")
        if end < 0:
            if len(self.unread) > 1 << 16:
                raise ProtocolError("a line without an end")
            return None
        found = bytes(self.unread[:end])
        del self.unread[:end + 2]
        return found

    def head_end(self) -> bytes | None:
        end = self.unread.find(b"\r\n\r\n")
        if end < 0:
            return None
        found = bytes(self.unread[:end + 4])
        del self.unread[:end + 4]
        return found

    def begin(self) -> bool:
        head = self.head_end()
        if head is None:
            return False
        if not head.startswith(b"HTTP/1.1 ") or not head[9:12].isdigit():
            raise ProtocolError(f"no head of an answer: {head[:80]!r}")
        status = int(head[9:12])
        if status < 200:
            return True
        self.status, self.head = status, head
        length, chunked = LENGTH.findall(head), CHUNKED.search(head)
        if self.method == "HEAD" or status in (204, 304):
            self.state = "whole"
        elif chunked and not length:
            self.state = "chunk"
        elif len(length) == 1 and not chunked:
            self.left = int(length[0])
            self.state = "fixed" if self.left else "whole"
        else:
            raise ProtocolError(f"no length, or two: {head[:300]!r}")
        return True

    def fixed(self) -> bool:
        self.left -= self.take(self.left)
        if self.left:
            return False
        self.state = "whole"
        return True

    def chunk(self) -> bool:
        line = self.line()
        if line is None:
            return False
        try:
            self.left = int(line.split(b";")[0], 16)
        except ValueError:
            raise ProtocolError(f"no size of a chunk: {line[:80]!r}") from None
        self.state = "inside" if self.left else "trailer"
        return True

    def inside(self) -> bool:
        self.left -= self.take(self.left)
        if self.left or len(self.unread) < 2:
            return False
        if self.line() != b"":
            raise ProtocolError("a chunk goes on behind its end")
        self.state = "chunk"
        return True

    def trailer(self) -> bool:
        line = self.line()
        if line == b"":
            self.state = "whole"
        return line is not None


class Client:
    """A connection, and the request under way on it."""

    def __init__(self, pool: ClientPool, number: int, token: str) -> None:
        self.pool, self.number, self.token = pool, number, token
        self.request: Request | None = None
        self.answer, self.began = ResponseParser("GET"), 0.0
        self.raw, self.unsent = b"", memoryview(b"")
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.pool.port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.events = selectors.EVENT_READ
        self.pool.chooser.register(self.socket, self.events, self)

    def reopen(self) -> None:
        self.pool.chooser.unregister(self.socket)
        self.socket.close()
        self.open()

    def ask(self, request: Request) -> None:
        self.request, self.answer, self.began = request, ResponseParser(request.method), time.monotonic()
        self.raw = request.bytes(self.token)
        self.unsent = memoryview(self.raw)
        self.write()

    def write(self) -> None:
        try:
            while self.unsent:
                self.unsent = self.unsent[self.socket.send(self.unsent[:PIECE]):]
        except BlockingIOError:
            pass
        except OSError:
            self.unsent = self.unsent[:0]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
        if events != self.events:
            self.events = events
            self.pool.chooser.modify(self.socket, events, self)

    def read(self) -> None:
        try:
            piece = self.socket.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if self.request is None:
            if piece:
                self.pool.add_difference("bytes that nobody asked for", None, piece[:200])
            return self.reopen()
        if not piece:
            return self.connection_lost()
        try:
            self.answer.feed(piece)
        except ProtocolError as fault:
            self.pool.add_difference(str(fault), self, bytes(self.answer.head))
            return self.finish(True)
        self.conclude()

    def conclude(self) -> None:
        """Judges a whole answer; one that came before the request was sent lets the rest of that be sent first."""
        closes = self.answer.head and CLOSES.search(self.answer.head)
        if self.answer.state == "whole" and (closes or not self.unsent):
            self.pool.judge(self)
            self.finish(bool(closes))

    def connection_lost(self) -> None:
        """The connection has ended before the answer did: so batches say that they cannot go on with a broken body."""
        request, answer = self.request, self.answer
        if request is None:
            return
        kind = request.kind
        if answer.status == 200 and "/batch" in request.path and request.changed:
            self.pool.counts[kind, "cut"] += 1
        elif not answer.status and len(self.raw) > 1 << 16 and self.pool.is_up():
            # Refused while it still sent: the refusal may be lost with the connection.
            self.pool.counts[kind, "reset"] += 1
        else:
            self.pool.add_difference(f"the connection ended in an answer {answer.status} of {answer.size} bytes", self)
        self.finish(True)

    def finish(self, anew: bool) -> None:
        self.request, self.raw, self.unsent = None, b"", memoryview(b"")
        self.pool.done += 1
        if anew and self.pool.is_up():
            self.reopen()


class ClientPool:
    """All connections, what was answered on them, and what was wrong with that."""

    def __init__(self, server: LoadServer, count: int, kept: Path, progress: Progress) -> None:
        self.server, self.port, self.kept, self.progress = server, server.port, Path(kept), progress
        self.chooser = selectors.DefaultSelector()
        # By kind and status, or what became of the answer; by sort of difference.
        self.counts: Counter[tuple[str, int | str]] = Counter()
        self.seen: Counter[tuple[str, str]] = Counter()
        self.differences: list[str] = []
        self.done = 0
        self.bytes = self.largest = 0
        self.slowest: defaultdict[str, float] = defaultdict(float)
        self.clients = [Client(self, number, server.tokens[number]) for number in range(count)]

    def is_up(self) -> bool:
        return self.server.process.poll() is None

    def add_difference(self, what: str, client: Client | None, answer: bytes | bytearray = b"") -> None:
        """A difference: each sort of it once in words, with the request's bytes in a file."""
        kind = client.request.kind if client and client.request else "-"
        sort = (kind, re.sub(r"\d+", "N", what)[:60])
        self.seen[sort] += 1
        if self.seen[sort] > 1:
            return
        self.kept.mkdir(exist_ok=True)
        file = self.kept / f"request-{len(self.differences)}"
        if client and client.raw:
            file.write_bytes(client.raw)
        self.differences.append(f"{kind}: {what}; {file}: {bytes(answer[:300])!r}")
        self.progress(f"difference: {self.differences[-1]}")

    def judge(self, client: Client) -> None:
        answer, request = client.answer, client.request
        if request is None:
            return
        self.counts[request.kind, answer.status] += 1
        self.bytes += answer.size
        self.largest = max(self.largest, answer.size)
        self.slowest[request.kind] = max(self.slowest[request.kind], time.monotonic() - client.began)
        if answer.status >= 500 and not (answer.status == 503 and RETRIES.search(answer.head)):
            self.add_difference(f"answered {answer.status}", client, answer.kept)
        if answer.size < KEPT and SPEAKS_JSON.search(answer.head):
            try:
                told = json.loads(answer.kept)
            except ValueError:
                return self.add_difference("an answer that is no JSON", client, answer.kept)
            if answer.status >= 400 and b"problem" in answer.head and told.get("status") != answer.status:
                self.add_difference("a problem with another status", client, answer.kept)
        if request.known is not None and f'"probability":{request.known!r},'.encode() not in bytes(answer.kept):
            self.add_difference("a plain prediction is wrong", client, answer.kept)

    def run(self, next_request: Callable[[], Request | None]) -> None:
        """Asks until there are no more requests (`None`), and all have been answered."""
        more, checked = True, time.monotonic()
        # Connections that nobody used for a while were ended by the server.
        for key, _ in self.chooser.select(0):
            if key.data.request is None:
                key.data.read()
        for client in self.clients:
            more = more and self.send_next(client, next_request)
        while any(client.request for client in self.clients):
            for key, events in self.chooser.select(1):
                client = key.data
                if events & selectors.EVENT_WRITE and client.request and client.unsent:
                    client.write()
                    client.conclude()
                if events & selectors.EVENT_READ:
                    client.read()
                if more and client.request is None and self.is_up():
                    more = self.send_next(client, next_request)
            if not self.is_up():
                return
            if time.monotonic() - checked > 5:
                checked = time.monotonic()
                self.check_timeouts(checked)

    def check_timeouts(self, now: float) -> None:
        for client in self.clients:
            if client.request and now - client.began > TIMEOUT:
                self.add_difference(f"no answer in {TIMEOUT} s", client)
                client.finish(True)

    def send_next(self, client: Client, next_request: Callable[[], Request | None]) -> bool:
        request = next_request()
        if request is not None:
            client.ask(request)
        return request is not None

    def close(self) -> None:
        for client in self.clients:
            self.chooser.unregister(client.socket)
            client.socket.close()
        self.chooser.close()
