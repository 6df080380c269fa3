#!/usr/bin/env python3
"""Clients as they are, against a running server: libraries with their own habits, and forms that ask for more than they
are.

    clients.py libraries PORT TOKEN MODEL          requests, pandas, mlflow, tritonclient, curl, ab
    clients.py forms PORT TOKEN MODEL              bodies and heads by hand: what is refused, and how
    clients.py batch PORT TOKEN MODEL PID          those that send a whole file before they read; one with
    --client-timeout 2 clients.py bounds PORT TOKEN MODEL LOG         one with --batch-rows 20000 --batch-log 4: rows,
    and the log in folder LOG clients.py rows PORT TOKEN MODEL               any clients.py parquet PORT TOKEN MODEL LOG
    any: a small file with many rows clients.py spool PORT TOKEN MODEL              one with --batch-spool 4
    --client-timeout 2

Exits with 0 when all is as docs/serving.md has it, else says what is not.
"""
import gzip
import http.client
import importlib.util
import io
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import types
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

Row = dict[str, object]

KIND, PORT, TOKEN, MODEL = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
BASE = f"http://127.0.0.1:{PORT}"
AUTH = {"Authorization": "Bearer " + TOKEN}
JSON = {**AUTH, "Content-Type": "application/json"}
CSV = {**AUTH, "Content-Type": "text/csv"}
INFER = f"/v2/models/{MODEL}/infer"


def check(holds: object, what: str, *facts: object) -> None:
    if not holds:
        sys.exit(f"{KIND}: {what}: {facts}"[:3000])


def ask(
    method: str, path: str, body: str | bytes | None = None, headers: dict[str, str] = AUTH, raw: bool = False,
) -> Any:
    link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    link.request(method, path, body, headers)
    answer = link.getresponse()
    content = answer.read()
    link.close()
    if raw:
        return answer, content
    return answer.status, json.loads(content) if content else None


def exchange(data: bytes) -> tuple[bytes, bool]:
    """All that is answered to some bytes, and whether the other side closed in time."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=5) as link:
        try:
            link.sendall(data)
            text = b""
            while piece := link.recv(65536):
                text += piece
            return text, True
        except TimeoutError:
            return text, False
        except ConnectionResetError:
            return text, True


INPUTS = ask("GET", f"/v2/models/{MODEL}")[1]["inputs"]
NAMES = [column["name"] for column in INPUTS]
ROW: Row = {column["name"]: "north" if column["datatype"] == "BYTES" else 1.5 for column in INPUTS}


def table(rows: int, of: Row = ROW) -> dict[str, list[object]]:
    return {name: [value] * rows for name, value in of.items()}


def score(row: Row = ROW) -> float:
    status, told = ask("POST", "/predict", json.dumps({"record": row}), JSON)
    check(status == 200, "no prediction", status, told)
    return told["predictions"][0]["probability"]


def without_values(names: list[str] | None = None) -> Row:
    return {name: None if names is None or name in names else value for name, value in ROW.items()}


def tensor(name: str, values: Sequence[object], kind: str) -> dict[str, Any]:
    return {"name": name, "shape": [len(values)], "datatype": kind, "data": values}


def tensors(rows: int = 1, row: Row = ROW) -> list[dict[str, Any]]:
    return [tensor(column["name"], [row[column["name"]]] * rows, column["datatype"]) for column in INPUTS]


def infer(body: object) -> tuple[int, Any]:
    return ask("POST", INFER, json.dumps(body), JSON)


def forms() -> None:
    # The answer is bounded by what is asked: each output once, and those that there are.
    for outputs, word in [([{"name": "probability"}] * 2, "twice"), ([{"name": "probability"}] * 20_000, "twice"),
                          ([{"name": f"o{n}"} for n in range(2000)], "At most"), ([{"name": "other"}], "no output")]:
        status, told = infer({"inputs": tensors(), "outputs": outputs})
        check(status == 400 and word in told["error"], "outputs", outputs[:2], status, str(told)[:300])
    for parameters in [{"classification": 3}, {"shared_memory_region": "a", "shared_memory_byte_size": 8}]:
        status, told = infer({"inputs": tensors(), "outputs": [{"name": "probability", "parameters": parameters}]})
        check(status == 400 and "classification" in told["error"], "an output's parameters", status, told)
    status, told = infer({"inputs": tensors(), "outputs": [{"name": "decision"}, {"name": "probability"}]})
    check(
        status == 200 and [each["name"] for each in told["outputs"]] == ["decision", "probability"], "two outputs", told
    )

    # What stands for no value.
    unknown = score(without_values())
    for word in ["NaN", "Infinity", "-Infinity"]:
        values = ",".join([word] * len(NAMES))
        split = f'{{"dataframe_split":{{"columns":{json.dumps(NAMES)},"data":[[{values}]]}}}}'
        cells = ",".join(f"{json.dumps(name)}:{word}" for name in NAMES)
        records = f'{{"dataframe_records":[{{{cells}}}]}}'
        for frame in [split, records]:
            status, told = ask("POST", "/invocations", frame, JSON)
            check(status == 200 and told["predictions"] == [unknown], "not finite", word, status, told)
        asked = json.dumps({"inputs": tensors(row=dict.fromkeys(NAMES, 0.125))}).replace("0.125", word)
        status, told = ask("POST", INFER, asked, JSON)
        check(status == 200 and told["outputs"][0]["data"] == [unknown], "not finite in tensors", word, status, told)
        status, told = ask("POST", "/predict", f'{{"record":{{"{NAMES[0]}":{word}}}}}', JSON)
        check(status == 400 and "NaN" in told["detail"], "the native form is strict", word, status, told)
    quoted = ",".join(NAMES) + "\n" + ",".join(['""'] * len(NAMES)) + "\n"
    check(ask("POST", "/invocations", quoted, CSV)[1]["predictions"] == [unknown], "quoted empty text at /invocations")
    lines = ask("POST", "/predict/batch", quoted, CSV, raw=True)[1].decode().splitlines()
    check(float(lines[1].split(",")[1]) == unknown, "quoted empty text in a batch", lines)
    texts = struct.pack("<I", 0)
    named = [{"name": name, "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 4}} for name in NAMES]
    head = json.dumps({"inputs": named}).encode()
    status, told = ask("POST", INFER, head + texts * len(NAMES),
                       {**AUTH, "Inference-Header-Content-Length": str(len(head))})
    check(status == 200 and told["outputs"][0]["data"] == [unknown], "empty texts as bytes", status, told)
    status, told = infer({"inputs": [tensor(name, [""], "BYTES") for name in NAMES]})
    check(status == 200 and told["outputs"][0]["data"] == [unknown], "empty texts as JSON", status, told)

    # What probes of the protocol say, and how it says no.
    check(ask("GET", "/v2/health/ready") == (200, {"ready": True}), "ready")
    check(ask("GET", "/v2/health/live") == (200, {"live": True}), "live")
    check(ask("GET", f"/v2/models/{MODEL}/ready") == (200, {"name": MODEL, "ready": True}), "model ready")
    for path, headers, wanted in [(f"/v2/models/{MODEL}", {}, 401), ("/v2/models/nobody", AUTH, 404),
                                  ("/v2/nothing", AUTH, 404), (INFER, AUTH, 405)]:
        status, told = ask("GET", path, headers=headers)
        check(
            status == wanted and isinstance(told.get("error"), str) and len(told) == 1,
            "how it says no",
            path,
            status,
            told,
        )

    for path, headers, wanted, error_code in [
        ("/invocations", {}, 405, "BAD_REQUEST"), ("/invocations/nothing", AUTH, 404, "ENDPOINT_NOT_FOUND")]:
        status, told = ask("GET", path, headers=headers)
        check(status == wanted and told.keys() == {"error_code", "message"} and told["error_code"] == error_code,
              "how MLflow's form says no", path, status, told)
    status, told = ask("POST", "/invocations", "{}", {"Content-Type": "application/json"})
    check(status == 401 and told["error_code"] == "UNAUTHENTICATED", "nobody at /invocations", status, told)
    status, told = ask("GET", "/api/predict/health", headers={})
    check(status == 200 and told["status"] == "healthy" and told["version"] >= 1, "the probe of predictions", told)

    # Media types, packings, keys.
    body = json.dumps({"record": ROW}).encode()
    rows = (",".join(NAMES) + "\n" + ",".join(map(str, ROW.values())) + "\n").encode()
    whole = score()
    for kind in ["Text/CSV", "text/csv; charset=utf-8", "application/csv"]:
        status, told = ask("POST", "/invocations", rows, {**AUTH, "Content-Type": kind})
        check(status == 200 and told["predictions"] == [whole], "CSV", kind, status, told)
    for path, kind, sent in [("/predict", "text/plain", body), ("/predict", "Text/CSV", rows),
                                ("/invocations", "application/xml", body), (INFER, "text/csv", rows),
                                ("/predict", "text/plain", body + b" " * 70_000), ("/process", "text/html", b"{}")]:
        status, told = ask("POST", path, sent, {**AUTH, "Content-Type": kind})
        check(status == 415, "another media type", path, kind, status, told)
    for kind in ["Application/JSON; charset=utf-8", "application/x-www-form-urlencoded", "application/vnd.own+json"]:
        check(ask("POST", "/predict", body, {**AUTH, "Content-Type": kind})[0] == 200, "JSON", kind)
    for path in ["/invocations", "/predict/batch"]:
        status, told = ask("POST", path, b"", CSV)
        check(status in (400, 422), "an empty body of CSV", path, status, told)
    bare = zlib.compressobj(wbits=-15)
    packings = {
        "gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "Deflate": bare.compress(body) + bare.flush(),
        "x-gzip": gzip.compress(body[:9]) + gzip.compress(body[9:]),
        "identity": body,
    }
    for coding, packed in packings.items():
        status, told = ask("POST", "/predict", packed, {**JSON, "Content-Encoding": coding})
        check(status == 200 and told["predictions"][0]["probability"] == whole, "packed", coding, status, told)
    answer, content = ask("POST", "/predict/batch", gzip.compress(rows), {**CSV, "Content-Encoding": "gzip"}, raw=True)
    check(answer.status == 200 and len(content.splitlines()) == 2, "a packed batch", answer.status, content)
    answer, content = ask("POST", "/predict", body, {**JSON, "Content-Encoding": "br"}, raw=True)
    check(
        answer.status == 415 and answer.headers["Accept-Encoding"] == "gzip, deflate",
        "unknown packing",
        answer.status,
        content,
    )
    for broken in [b"not packed at all", gzip.compress(body)[:-9], gzip.compress(body) + b"more"]:
        status, told = ask("POST", "/predict", broken, {**JSON, "Content-Encoding": "gzip"})
        check(status == 400 and told["code"] == "body.packing", "broken packing", broken[:20], status, told)
    bomb = gzip.compress(b" " * (20 << 20), 1)
    status, told = ask("POST", "/predict", bomb, {**JSON, "Content-Encoding": "gzip"})
    check(status == 413, "a body that unpacks to more than 16 MiB", status, told)
    answer, content = ask("POST", "/predict/batch?on_error=reject", gzip.compress(rows + b"\n" * (90 << 20)),
                          {**CSV, "Content-Encoding": "gzip"}, raw=True)
    check(
        answer.status == 413 and b"body.unpacked" in content,
        "a batch that unpacks without end",
        answer.status,
        content[:200],
    )
    for path in ["/predict", "/invocations", INFER, "/process", "/predict/batch"]:
        status, told = ask("POST", path, rows if "batch" in path else b"{}",
                           {**(CSV if "batch" in path else JSON), "Idempotency-Key": "not a key"})
        check(status == 400 and "Idempotency-Key" in str(told), "an invalid key", path, status, told)

    # Names of members as any writer may spell them.
    spelt = json.dumps({"record": ROW}).replace('"record"', '"\\u0072ecord"')
    check(ask("POST", "/predict", spelt, JSON)[0] == 200, "a member's name with escapes")
    split = json.dumps({"dataframe_split": {"columns": NAMES, "data": [list(ROW.values())]}})
    for name in ["columns", "data", "dataframe_split"]:
        split = split.replace(f'"{name}"', f'"\\u{ord(name[0]):04x}{name[1:]}"')
    check(ask("POST", "/invocations", split, JSON)[0] == 200, "members of a split frame with escapes")

    # Heads.
    host = b"Host: localhost\r\n"
    auth = b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
    get = b"GET /version HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n"
    for uri, code in [(b"http://evil.example/version", b"421"), (b"http://localhost/version", b"200"),
                        (b"HTTP://127.0.0.1:1/version", b"200"), (b"http://a@localhost/version", b"421"),
                        (b"ftp://localhost/version", b"400"), (b"version", b"400"), (b"http:///version", b"400")]:
        text, _ = exchange(get.replace(b"/version", uri))
        check(text.split(b" ")[1:2] == [code], "an absolute target", uri, text[:200])
    post = (
        b"POST /predict HTTP/1.1\r\n"
        + host
        + auth
        + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        + body
    )
    check(exchange(post)[0].split(b" ")[1] == b"200", "a prediction by hand")
    check(
        exchange(post.replace(auth, auth + auth.replace(b"Bearer", b"Basic")))[0].split(b" ")[1] == b"401",
        "two fields of Authorization",
    )
    check(
        exchange(post.replace(auth, b"Authorization: Basic x\r\n" + auth))[0].split(b" ")[1] == b"401",
        "two fields of Authorization",
    )
    for target in [b"/predict", b"/process", b"/predict/batch", b"/api/session"]:
        start = b"POST " + target + b" HTTP/1.1\r\n" + host + auth + b"Content-Type: text/csv\r\n"
        start = start if b"batch" in target else start.replace(b"text/csv", b"application/json")
        for chunks in [b"ZZ\r\n", b"3\r\n{}\r\n0\r\n\r\n\r\n", b"2\r\n{}xx\r\n"]:
            text, closed = exchange(start + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
            check(text.startswith(b"HTTP/1.1 400") and closed, "broken chunks", target, chunks, text[:300], closed)
    for start, code in [(get.replace(b"/version", b"/" + b"v" * 200_000), b"414"),
                         (get.replace(host, host + b"X-Long: " + b"x" * 200_000 + b"\r\n"), b"431"),
                         (get.replace(host, host + b"X: y\r\n" * 3000), b"431")]:
        text, closed = exchange(start)
        check(text.split(b" ")[1:2] == [code] and closed, "a head that is too large", code, text[:200])
    text, closed = exchange(get.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"close", b"keep-alive"))
    check(
        text.startswith(b"HTTP/1.1 200") and b"connection: close" in text.lower() and closed, "HTTP/1.0", text, closed
    )
    old = (
        b"POST /predict/batch HTTP/1.0\r\n"
        + auth
        + host
        + b"Content-Type: text/csv\r\nContent-Length: %d\r\n\r\n" % len(rows)
    )
    text, closed = exchange(old + rows)
    check(
        text.startswith(b"HTTP/1.0 200") and b"chunked" not in text.lower() and closed, "HTTP/1.0 has no chunks", text
    )
    check(text.partition(b"\r\n\r\n")[2].startswith(b"row,"), "the answer itself", text)


def resident(pid: str) -> int:
    with open(f"/proc/{pid}/status") as status:
        found = re.search(r"VmRSS:\s+(\d+)", status.read())
    check(found, "no VmRSS in the status of the server", pid)
    return int(found[1]) >> 10 if found else 0


def batch() -> None:
    """Files far larger than what the system holds for a connection, sent whole before anything is read."""
    import requests

    pid = sys.argv[5]
    note = "n" * 2000
    line = (",".join(map(str, ROW.values())) + "," + note + "\n").encode()
    count = (96 << 20) // len(line)
    # Enough once for what the process keeps.
    ask(
        "POST",
        "/predict/batch",
        (",".join(NAMES) + "\n").encode() + line.replace(b"," + note.encode(), b"") * 50_000,
        CSV,
        raw=True,
    )
    before = resident(pid)
    with tempfile.TemporaryFile() as file:
        file.write((",".join(NAMES) + ",note\n").encode())
        for _ in range(count):
            file.write(line)
        for accept in ["text/csv", "application/x-ndjson"]:
            file.seek(0)
            length = os.fstat(file.fileno()).st_size
            link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
            link.putrequest("POST", "/predict/batch?keep=note")
            for name, value in {**CSV, "Accept": accept, "Content-Length": str(length)}.items():
                link.putheader(name, value)
            link.endheaders()
            while piece := file.read(1 << 20):
                link.send(piece)
            # A moment of its own after the last byte, shorter than the server's patience.
            time.sleep(1)
            answer = link.getresponse()
            lines, last = 0, b""
            while piece := answer.read(1 << 20):
                lines, last = lines + piece.count(b"\n"), piece
            check(
                lines == count + (accept == "text/csv"),
                "an answer that was read at the end",
                accept,
                lines,
                count,
                last[-200:],
            )
            link.close()
        file.seek(0)
        answer = requests.post(BASE + "/predict/batch?keep=note", data=file, headers=CSV, timeout=60)
        check(answer.status_code == 200 and answer.content.count(b"\n") == count + 1, "requests", answer.status_code)
    grown = resident(pid) - before
    check(grown < 64, "memory grew with the file", grown)


def bounds() -> None:
    log = sys.argv[5]

    def logged() -> int:
        return sum(os.path.getsize(os.path.join(log, name)) for name in os.listdir(log))

    # The documented most of rows, and one more.
    status, told = ask("POST", "/predict", json.dumps({"columns": table(10_000)}), JSON)
    check(status == 200 and len(told["predictions"]) == 10_000, "10,000 rows", status, str(told)[:300])
    status, told = ask("POST", "/predict", json.dumps({"columns": table(10_001)}), JSON)
    check(status == 422 and "10000" in str(told), "10,001 rows", status, str(told)[:300])
    # Rows of a batch, and what batches may add to the log in an hour.
    line = (",".join(map(str, ROW.values())) + "\n").encode()
    head = (",".join(NAMES) + "\n").encode()
    answer, content = ask("POST", "/predict/batch?on_error=reject", head + line * 20_001, CSV, raw=True)
    check(answer.status == 413 and b"batch.too-many-rows" in content, "rows of a batch", answer.status, content[:300])
    statuses: list[int] = []
    while len(statuses) < 5 and 429 not in statuses:
        answer, content = ask("POST", "/predict/batch?on_error=reject", head + line * 15_000, CSV, raw=True)
        statuses.append(answer.status)
    check(
        answer.status == 429 and b"batch.quota" in content and int(answer.headers["Retry-After"]) > 0,
        "bytes in an hour",
        statuses,
        content[:300],
    )
    answer, content = ask("POST", "/predict/batch", head + line, CSV, raw=True)
    check(answer.status == 429, "the next one", answer.status, content[:300])
    score()
    check(logged() < 64 << 20, "the log grew", logged())


def rows() -> None:
    """The documented most, of a wide model, with warnings for each row."""
    status, told = ask("POST", "/predict", json.dumps({"columns": table(10_000)}), JSON)
    check(
        status == 200 and len(told["predictions"]) == 10_000 and told["warnings"],
        "10,000 wide rows",
        status,
        str(told)[:300],
    )
    status, told = infer({"inputs": tensors(10_000)})
    check(
        status == 200 and told["outputs"][0]["shape"] == [10_000],
        "10,000 wide rows as tensors",
        status,
        str(told)[:300],
    )
    few = json.dumps({"records": [{}] * 10_001})
    status, told = ask("POST", "/predict", few, JSON)
    check(status == 422, "10,001 rows", status, str(told)[:300])


def parquet() -> None:
    import numpy
    from arro3.core import Array, Table
    from arro3.io import write_parquet

    log = sys.argv[5]
    rows = 3_000_000
    packed = io.BytesIO()
    column = Array.from_numpy(numpy.full(rows, 1.5))
    write_parquet(Table.from_pydict({name: column for name in NAMES}), packed, compression="zstd(3)")
    answer, content = ask(
        "POST",
        "/predict/batch",
        packed.getvalue(),
        {**AUTH, "Content-Type": "application/vnd.apache.parquet"},
        raw=True,
    )
    check(
        answer.status == 413 and b"batch.too-many-rows" in content,
        "a small file with many rows",
        len(packed.getvalue()),
        answer.status,
        content[:300],
    )
    grown = sum(os.path.getsize(os.path.join(log, name)) for name in os.listdir(log))
    check(grown < 1 << 20, "rows were logged", grown)


def spool() -> None:
    """A client that sends for ever and never reads: what waits for it has a bound, and it is ended."""
    link = socket.create_connection(("127.0.0.1", PORT), timeout=30)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    head = f"POST /predict/batch?keep=note HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    link.sendall((head + "Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
    link.sendall(b"%x\r\n%s\r\n" % (len(",".join(NAMES)) + 6, (",".join(NAMES) + ",note\n").encode()))
    line = (",".join(map(str, ROW.values())) + "," + "n" * 60_000 + "\n").encode()
    began, sent, ended = time.monotonic(), 0, False
    link.settimeout(1)
    while not ended and time.monotonic() - began < 240:
        try:
            link.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            sent += len(line)
        except TimeoutError:
            # The server does not read: it must end this, and not only leave it alone.
            pass
        except OSError:
            ended = True
    check(sent < 128 << 20, "what is not read has no bound", sent)
    check(ended, "it was not ended", sent)
    score()


def libraries() -> None:
    # mlflow looks for scipy.sparse, without which it does; looking inside a package that is not there is an error.
    if importlib.util.find_spec("scipy") is None:
        sys.modules["scipy"] = types.ModuleType("scipy")
        sys.modules["scipy"].__path__ = []
    import mlflow.pyfunc.scoring_server.client as scoring
    import pandas
    import requests
    import tritonclient.http as triton

    rows = [dict(ROW), without_values(), without_values(NAMES[:1])]
    wanted = [score(row) for row in rows]
    frame = pandas.DataFrame(rows, columns=NAMES)

    def check_equal(what: str, got: Iterable[float]) -> None:
        check(list(got) == wanted, what, list(got), wanted)

    # requests and pandas.
    check_equal("requests", [each["probability"] for each in requests.post(
        BASE + "/predict", json={"records": rows}, headers=AUTH, timeout=30).json()["predictions"]])
    for quoting in [0, 1]:
        text = frame.to_csv(index=False, quoting=quoting)
        check_equal(f"pandas, quoting {quoting}", requests.post(
            BASE + "/invocations", data=text, headers=CSV, timeout=30).json()["predictions"])
        answer = requests.post(BASE + "/predict/batch", data=text.encode(), headers=CSV, timeout=30)
        check_equal(
            f"pandas to a batch and back, quoting {quoting}", pandas.read_csv(io.StringIO(answer.text))["probability"]
        )
    split = frame.to_json(orient="split", double_precision=15)
    check_equal("pandas, split", requests.post(
        BASE + "/invocations", data=f'{{"dataframe_split": {split}}}', headers=JSON, timeout=30).json()["predictions"])
    # MLflow's own client writes NaN.
    client = scoring.ScoringServerClient("127.0.0.1", PORT)
    check(
        "NaN" in scoring.dump_input_data(frame) if hasattr(scoring, "dump_input_data") else True,
        "mlflow writes no NaN any more",
    )
    original = requests.Session.request
    requests.Session.request = lambda self, method, url, **more: original(
        self, method, url, **{**more, "headers": {**(more.get("headers") or {}), **AUTH}})
    try:
        told = client.invoke(frame).get_predictions()
    finally:
        requests.Session.request = original
    check_equal("mlflow", told.iloc[:, 0] if hasattr(told, "iloc") else told)
    # Triton's, packed and not.
    remote = triton.InferenceServerClient(f"127.0.0.1:{PORT}")
    check(remote.is_server_ready(headers=dict(AUTH)) and remote.is_server_live(headers=dict(AUTH)), "triton: not ready")
    import numpy
    made = []
    for column in INPUTS:
        values = [row[column["name"]] for row in rows]
        isText = column["datatype"] == "BYTES"
        array = numpy.array(["" if value is None else value for value in values] if isText else [
            numpy.nan if value is None else value for value in values], dtype=object if isText else numpy.float64)
        made.append(triton.InferInput(column["name"], list(array.shape), column["datatype"]))
        made[-1].set_data_from_numpy(array, binary_data=True)
    for packing in [None, "gzip", "deflate"]:
        answer = remote.infer(MODEL, made, headers=dict(AUTH), request_compression_algorithm=packing)
        check_equal(f"tritonclient, {packing}", [float(each) for each in answer.as_numpy("probability")])
    # curl and ab.
    if shutil.which("curl"):
        with tempfile.NamedTemporaryFile() as file:
            file.write(frame.to_csv(index=False).encode())
            file.flush()
            done = subprocess.run(
                [
                    "curl",
                    "-sS",
                    "--fail",
                    "-H",
                    f"Authorization: Bearer {TOKEN}",
                    "-H",
                    "Content-Type: text/csv",
                    "-T",
                    file.name,
                    "-X",
                    "POST",
                    BASE + "/predict/batch",
                ],
                capture_output=True,
                text=True,
            )
        check_equal("curl", [float(line.split(",")[1]) for line in done.stdout.splitlines()[1:]])
        done = subprocess.run(
            [
                "curl",
                "-sS",
                "--fail",
                "-H",
                f"Authorization: Bearer {TOKEN}",
                "-d",
                json.dumps({"record": ROW}),
                BASE + "/predict",
            ],
            capture_output=True,
            text=True,
        )
        check(done.returncode == 0, "curl -d", done.stderr)
    check(shutil.which("ab"), "ab is not there: scripts/setup installs it (Debian: apache2-utils)")
    for keep in [[], ["-k"]]:
        done = subprocess.run(
            ["ab", "-q", *keep, "-s", "10", "-n", "50", "-c", "5", BASE + "/version"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        check(done.returncode == 0 and re.search(r"Complete requests:\s+50", done.stdout)
              and re.search(r"Failed requests:\s+0", done.stdout), "ab", keep, done.stdout[-800:], done.stderr)


{
    "libraries": libraries,
    "forms": forms,
    "batch": batch,
    "bounds": bounds,
    "rows": rows,
    "parquet": parquet,
    "spool": spool,
}[KIND]()
