"""Connections that each have at most one request under way, driven by one loop; every answer is judged."""

import json
import re
import selectors
import socket
import time
from collections import Counter
from pathlib import Path

PATIENCE = 120
KEPT = 64 << 10
PIECE = 1 << 18
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.I)
CLOSES = re.compile(rb"\r\nconnection: *close\r\n", re.I)
RETRIES = re.compile(rb"\r\nretry-after: *\d+\r\n", re.I)
SPEAKS_JSON = re.compile(rb"\r\ncontent-type: *application/(?:problem\+)?json", re.I)


class Broken(Exception):
    """An answer that is no HTTP, or none."""


class Answer:
    """Reads one answer from pieces; keeps the first 64 KiB of its body."""

    def __init__(self, method):
        self.method, self.status, self.head, self.size, self.kept = method, 0, b"", 0, bytearray()
        self.unread, self.left, self.state = bytearray(), 0, "begin"

    def feed(self, piece):
        """Reads on; `state` says whether it is whole."""
        self.unread += piece
        while self.state != "whole" and getattr(self, self.state)():
            pass
        if self.state == "whole" and self.unread:
            raise Broken(f"bytes behind the answer: {bytes(self.unread[:80])!r}")

    def take(self, count):
        piece = self.unread[:count]
        del self.unread[:count]
        self.size += len(piece)
        if len(self.kept) < KEPT:
            self.kept += piece[:KEPT - len(self.kept)]
        return len(piece)

    def line(self):
        end = self.unread.find(b"\r\n")
        if end < 0:
            if len(self.unread) > 1 << 16:
                raise Broken("a line without an end")
            return None
        found = bytes(self.unread[:end])
        del self.unread[:end + 2]
        return found

    def head_end(self):
        end = self.unread.find(b"\r\n\r\n")
        if end < 0:
            return None
        found = bytes(self.unread[:end + 4])
        del self.unread[:end + 4]
        return found

    def begin(self):
        head = self.head_end()
        if head is None:
            return False
        if not head.startswith(b"HTTP/1.1 ") or not head[9:12].isdigit():
            raise Broken(f"no head of an answer: {head[:80]!r}")
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
            raise Broken(f"no length, or two: {head[:300]!r}")
        return True

    def fixed(self):
        self.left -= self.take(self.left)
        if self.left:
            return False
        self.state = "whole"
        return True

    def chunk(self):
        line = self.line()
        if line is None:
            return False
        try:
            self.left = int(line.split(b";")[0], 16)
        except ValueError:
            raise Broken(f"no size of a chunk: {line[:80]!r}") from None
        self.state = "inside" if self.left else "trailer"
        return True

    def inside(self):
        self.left -= self.take(self.left)
        if self.left or len(self.unread) < 2:
            return False
        if self.line() != b"":
            raise Broken("a chunk goes on behind its end")
        self.state = "chunk"
        return True

    def trailer(self):
        line = self.line()
        if line == b"":
            self.state = "whole"
        return line is not None


class Client:
    def __init__(self, fleet, number, token):
        self.fleet, self.number, self.token = fleet, number, token
        self.request = self.socket = None
        self.open()

    def open(self):
        if self.socket:
            self.fleet.chooser.unregister(self.socket)
            self.socket.close()
        self.socket = socket.create_connection(("127.0.0.1", self.fleet.port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.events = selectors.EVENT_READ
        self.fleet.chooser.register(self.socket, self.events, self)

    def ask(self, request):
        self.request, self.answer, self.began = request, Answer(request.method), time.monotonic()
        self.raw = request.bytes(self.token)
        self.unsent = memoryview(self.raw)
        self.push()

    def push(self):
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
            self.fleet.chooser.modify(self.socket, events, self)

    def pull(self):
        try:
            piece = self.socket.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if self.request is None:
            if piece:
                self.fleet.differ("bytes that nobody asked for", None, piece[:200])
            return self.open()
        if not piece:
            return self.cut()
        try:
            self.answer.feed(piece)
        except Broken as fault:
            self.fleet.differ(str(fault), self, bytes(self.answer.head))
            return self.finish(True)
        self.conclude()

    def conclude(self):
        """Judges a whole answer; one that came before the request was sent lets the rest of that be sent first."""
        closes = self.answer.head and CLOSES.search(self.answer.head)
        if self.answer.state == "whole" and (closes or not self.unsent):
            self.fleet.judge(self)
            self.finish(bool(closes))

    def cut(self):
        """The connection has ended before the answer did: so batches say that they cannot go on with a broken body."""
        kind, answer = self.request.kind, self.answer
        if answer.status == 200 and "/batch" in self.request.path and self.request.changed:
            self.fleet.counts[kind, "cut"] += 1
        elif not answer.status and len(self.raw) > 1 << 16 and self.fleet.is_up():
            # Refused while it still sent: the refusal may be lost with the connection.
            self.fleet.counts[kind, "reset"] += 1
        else:
            self.fleet.differ(f"the connection ended in an answer {answer.status} of {answer.size} bytes", self)
        self.finish(True)

    def finish(self, anew):
        self.request = self.raw = self.unsent = None
        self.fleet.done += 1
        if anew and self.fleet.is_up():
            self.open()


class Fleet:
    def __init__(self, house, count, kept, say):
        self.house, self.port, self.kept, self.say = house, house.port, Path(kept), say
        self.chooser = selectors.DefaultSelector()
        self.counts, self.differences, self.seen, self.done = Counter(), [], Counter(), 0
        self.bytes = self.largest = 0
        self.slowest = Counter()
        self.clients = [Client(self, number, house.tokens[number]) for number in range(count)]

    def is_up(self):
        return self.house.process.poll() is None

    def differ(self, what, client, answer=b""):
        """A difference: each sort of it once in words, with the request's bytes in a file."""
        kind = client.request.kind if client else "-"
        sort = (kind, re.sub(r"\d+", "N", what)[:60])
        self.seen[sort] += 1
        if self.seen[sort] > 1:
            return
        self.kept.mkdir(exist_ok=True)
        file = self.kept / f"request-{len(self.differences)}"
        if client and client.raw is not None:
            file.write_bytes(client.raw)
        self.differences.append(f"{kind}: {what}; {file}: {bytes(answer[:300])!r}")
        self.say(f"difference: {self.differences[-1]}")

    def judge(self, client):
        answer, request = client.answer, client.request
        self.counts[request.kind, answer.status] += 1
        self.bytes += answer.size
        self.largest = max(self.largest, answer.size)
        self.slowest[request.kind] = max(self.slowest[request.kind], time.monotonic() - client.began)
        if answer.status >= 500 and not (answer.status == 503 and RETRIES.search(answer.head)):
            self.differ(f"answered {answer.status}", client, answer.kept)
        if answer.size < KEPT and SPEAKS_JSON.search(answer.head):
            try:
                told = json.loads(answer.kept)
            except ValueError:
                return self.differ("an answer that is no JSON", client, answer.kept)
            if answer.status >= 400 and b"problem" in answer.head and told.get("status") != answer.status:
                self.differ("a problem with another status", client, answer.kept)
        if request.known is not None and f'"probability":{request.known!r},'.encode() not in answer.kept:
            self.differ("a plain prediction is wrong", client, answer.kept)

    def run(self, next_request):
        """Asks until there are no more requests (`None`), and all have been answered."""
        more, checked = True, time.monotonic()
        # Connections that nobody used for a while were ended by the server.
        for key, _ in self.chooser.select(0):
            if key.data.request is None:
                key.data.pull()
        for client in self.clients:
            more = more and self.give(client, next_request)
        while any(client.request for client in self.clients):
            for key, events in self.chooser.select(1):
                client = key.data
                if events & selectors.EVENT_WRITE and client.request and client.unsent:
                    client.push()
                    client.conclude()
                if events & selectors.EVENT_READ:
                    client.pull()
                if more and client.request is None and self.is_up():
                    more = self.give(client, next_request)
            if not self.is_up():
                return
            if time.monotonic() - checked > 5:
                checked = time.monotonic()
                self.hurry(checked)

    def hurry(self, now):
        for client in self.clients:
            if client.request and now - client.began > PATIENCE:
                self.differ(f"no answer in {PATIENCE} s", client)
                client.finish(True)

    def give(self, client, next_request):
        request = next_request()
        if request is not None:
            client.ask(request)
        return request is not None

    def close(self):
        for client in self.clients:
            self.chooser.unregister(client.socket)
            client.socket.close()
        self.chooser.close()
