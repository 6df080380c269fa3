"""The server: killed under load over HTTP, and what its prediction log holds against what clients were answered.

Clients are connections of this process that ask one prediction after the other, each under an id of its own, and write
down every answer that came whole. After each kill the log's files are read by the reader of `predictions`; the server
is started anew on the same folder, so that it recovers what the one before left.
"""

import contextlib
import json
import random
import re
import selectors
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import predictions
from project import Failure, Program, Progress, small_downtime

CONNECTIONS = 16
# By file of the log: its size and time of change, and the id and probability of each record.
Segments = dict[str, tuple[tuple[int, int], list[tuple[str, float]]]]


class ServedProject:
    """A project with a champion, a token, and requests whose answers are known."""

    def __init__(self, program: Program, scratch: Path) -> None:
        self.program, self.folder = program, Path(scratch) / "served"
        recipe = small_downtime(program, Path(scratch) / "served-recipe")
        recipe.begin(self.folder)
        recipe.land(self.folder, 0)
        program.run(self.folder, "run")
        if program.json(self.folder, "models", "list")[0].get("champion") is None:
            program.run(self.folder, "models", "approve", f"{recipe.model}@1")
        self.token = program.run(self.folder, "tokens", "create", "torture", "--role", "viewer").stdout.strip()
        self.samples = next(
            json.loads(path.read_text()) for path in sorted((self.folder / ".martlet/artifacts").rglob("*"))
            if path.is_file() and path.read_bytes()[:20].lstrip(b"{ \n").startswith(b'"probabilities"'))

    def start(self, mode: str) -> tuple[subprocess.Popen[bytes], int]:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        process = subprocess.Popen(
            [self.program.path, "serve", "--port", str(port), "--log", mode, "--workers", "0", "--rate-limit", "none"],
            cwd=self.folder, env=self.program.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return process, port
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    process.kill()
                    raise Failure(f"the server does not listen: {stderr_of(process)[-500:]}") from None
                time.sleep(0.01)


def stderr_of(process: subprocess.Popen[bytes]) -> str:
    """What a process that has ended wrote to its pipe, which is closed."""
    return process.communicate()[1].decode()


class PredictionClient:
    """One connection: at most one request under way, and the answers that came whole."""

    def __init__(self, project: ServedProject, port: int, prefix: str, number: int) -> None:
        self.project, self.prefix, self.number, self.count = project, f"{prefix}-{number}", number, 0
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.setblocking(False)
        self.unread = b""

    def send_next(self) -> None:
        place = (self.number * 7 + self.count) % len(self.project.samples["records"])
        self.id, self.expected = f"{self.prefix}-{self.count}", self.project.samples["probabilities"][place]
        body = json.dumps({"record": self.project.samples["records"][place]})
        self.count += 1
        self.socket.sendall(
            (
                f"POST /predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.project.token}\r\n"
                f"Content-Type: application/json\r\nX-Request-ID: {self.id}\r\n"
                f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
            ).encode()
        )

    def receive(self) -> tuple[str, float] | Literal[False] | None:
        """The answer, if it is whole: (id, probability). `False` when the connection has ended."""
        try:
            more = self.socket.recv(65536)
        except OSError:
            return False
        if not more:
            return False
        self.unread += more
        head, gap, rest = self.unread.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        if not gap or not length or len(rest) < int(length[1]):
            return None
        if not head.startswith(b"HTTP/1.1 200"):
            raise Failure(f"{self.id} was answered {head.splitlines()[0].decode()}: {rest[:300].decode()}")
        answer = json.loads(rest[:int(length[1])])
        self.unread = rest[int(length[1]):]
        probability = answer["predictions"][0]["probability"]
        if probability != self.expected or answer["request_id"] != self.id:
            raise Failure(f"{self.id} was answered {rest[:300].decode()}, not {self.expected}")
        return self.id, probability


def kill_under_load(
    project: ServedProject, process: subprocess.Popen[bytes], port: int, prefix: str, seconds: float,
) -> dict[str, float]:
    """Asks on all connections and kills the server after so long. Gives the answers."""
    answered = {}
    chooser = selectors.DefaultSelector()
    for number in range(CONNECTIONS):
        client = PredictionClient(project, port, prefix, number)
        client.send_next()
        chooser.register(client.socket, selectors.EVENT_READ, client)
    end, killed = None, False
    while chooser.get_map():
        for key, _ in chooser.select(0.01):
            said = key.data.receive()
            if said is False:
                chooser.unregister(key.fileobj)
                key.data.socket.close()
            elif said:
                answered[said[0]] = said[1]
                end = end or time.monotonic() + seconds
                with contextlib.suppress(OSError):
                    key.data.send_next()
        if end and not killed and time.monotonic() >= end:
            process.kill()
            killed = True
        if not end and process.poll() is not None:
            break
    process.wait()
    return answered


def logged_predictions(folder: Path, known: Segments) -> tuple[dict[str, float], int]:
    """What the log's segments hold: {id: probability}; whole files that did not change are not read again."""
    found, double = {}, 0
    for path in sorted(Path(folder).glob("*.segment")):
        stamp = (path.stat().st_size, path.stat().st_mtime_ns)
        if known.get(path.name, (None,))[0] != stamp:
            known[path.name] = (stamp, [(id, score) for id, _, score in predictions.segment(path)[0]])
        for id, score in known[path.name][1]:
            double += id in found
            found[id] = score
    return found, double


def torture(
    program: Program, scratch: Path, seed: int, go_on: Callable[[int], bool], progress: Progress,
    modes: tuple[str, ...] = ("strict", "written"),
) -> list[str]:
    """Kills until it is enough. Gives the differences."""
    rng = random.Random(seed)
    project = ServedProject(program, scratch)
    logged = project.folder / ".martlet/predictions"
    found: list[str] = []
    tally: Counter[str] = Counter()
    answered: dict[str, float] = {}
    known: Segments = {}
    while go_on(tally["kills"]) and len(found) < 5:
        mode = rng.choice(modes)
        process, port = project.start(mode)
        said = kill_under_load(project, process, port, f"{seed}-{tally['kills']}", rng.uniform(0.02, 0.4))
        if process.returncode != -signal.SIGKILL:
            found.append(f"the server ended with {process.returncode}: {stderr_of(process)[-500:]}")
            break
        if process.stderr:
            process.stderr.close()
        tally["kills"] += 1
        tally["answers"] += len(said)
        answered.update(said)
        rows, double = logged_predictions(logged, known)
        lost = [id for id in answered if id not in rows]
        other = [id for id, score in answered.items() if rows.get(id, score) != score]
        if lost:
            found.append(f"mode {mode}: {len(lost)} answered predictions are not in the log, such as {lost[0]}")
        if other:
            found.append(f"{len(other)} answers differ from the log, such as {other[0]}")
        if double:
            found.append(f"{double} predictions are in the log twice")
        if tally["kills"] % 100 == 0:
            progress(f"so far: {tally['kills']} kills of the server, {tally['answers']} answers")
    progress(
        f"{tally['kills']} kills of the server under load, {tally['answers']} predictions answered, "
        f"{len(found)} differences"
    )
    return found


def self_test(program: Program, scratch: Path, seed: int, progress: Progress) -> bool:
    """A server that answers before its log has the record must be caught."""
    found = torture(program, scratch, seed, lambda kills: kills < 20, lambda _: None, modes=("best-effort",))
    progress(f"a server that answers before it logs: {'caught: ' + found[0][:160] if found else 'NOT CAUGHT'}")
    return not found
