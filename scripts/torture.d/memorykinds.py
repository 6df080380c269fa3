"""Thirteen kinds of request, small ones and ones at the limits, and their mutations."""

import gzip
import json
import random
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from memoryproject import NAMES, WIDE, WIDE_NAMES, Sample, moment, row

Rows = list[list[Any]]
JSON, CSV, LINES = "application/json", "text/csv", "application/x-ndjson"
PARQUET, BYTES = "application/vnd.apache.parquet", "application/octet-stream"
WIDE_PATH = "/projects/load/models/wide"
ROWS, REASONS, BODY = 10_000, 1_000, 16 << 20
# Of 10,000 requests so many are of a kind: single predictions are most of what a server gets, and what takes a process
# or scrypt is rare enough for a million to be over in minutes.
SHARES = {"record": 4300, "records": 900, "columns": 800, "reasons": 300, "tensors": 800, "binary": 900, "frames": 800,
          "csv": 400, "batch": 150, "parquet": 5, "process": 95, "management": 350, "packed": 200}
WORDS = [b"null", b"true", b"NaN", b"1e999", b"-0", b"{}", b"[]", b'"', b"\\ud800", b"\\u0000", b"\xff", b"\0", b",",
         b"\r\n", b"]", b"}", b"records", b"columns", b"explain", b"9" * 40, b'{"a":' * 70, b"[" * 600, b"\xef\xbb\xbf",
         b"datatype", b"shape", b"-1", b"FP64", b"BYTES", b"outputs", b"ward", b"f0", b"store", b"keys", b"label",
         b"2026-01-01 00:00:00"]


def text(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class Request:
    """A request before its head is written: what is mutated are parts of it."""

    __slots__ = ("body", "changed", "kind", "known", "method", "more", "path", "type")

    def __init__(
        self, kind: str, path: str, body: bytes | None = None, type: str = JSON, method: str | None = None,
        more: str = "", known: float | None = None,
    ) -> None:
        self.kind, self.path, self.body, self.type, self.more, self.known = kind, path, body, type, more, known
        self.changed = False
        self.method = method or ("GET" if body is None else "POST")

    def bytes(self, token: str) -> bytes:
        head = (f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {token}\r\n{self.more}")
        if self.body is None:
            return f"{head}\r\n".encode("latin-1", "replace")
        return (f"{head}Content-Type: {self.type}\r\nContent-Length: {len(self.body)}\r\n\r\n").encode(
            "latin-1", "replace") + self.body


def rows_of(draw: random.Random, count: int) -> Rows:
    return [row(draw) for _ in range(count)]


def wide_rows(draw: random.Random, count: int, digits: int = 1) -> Rows:
    return [[draw.randrange(10 ** digits) for _ in range(WIDE)] for _ in range(count)]


def records_of(rows: Rows, names: list[str] = NAMES) -> list[dict[str, Any]]:
    return [dict(zip(names, each, strict=True)) for each in rows]


def columns_of(rows: Rows, names: list[str] = NAMES) -> dict[str, list[Any]]:
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def csv_of(rows: Rows, names: list[str] = NAMES) -> bytes:
    return (",".join(names) + "\n" + "".join(",".join(map(str, each)) + "\n" for each in rows)).encode()


def tensors_of(rows: Rows, **more: object) -> bytes:
    columns = columns_of(rows)
    return text({"inputs": [
        {"name": name, "shape": [len(rows), 1][:1 + (number % 2)], "datatype": "BYTES" if name == "ward" else "FP64",
         "data": data} for number, (name, data) in enumerate(columns.items())], **more})


def outputs(binary: bool) -> list[dict[str, Any]]:
    return [{"name": name, "parameters": {"binary_data": binary}} for name in ("probability", "decision", "band")]


def binary_of(
    inputs: list[tuple[str, str, list[int], bytes]], path: str, **more: object,
) -> Request:
    """`inputs`: (name, type, shape, bytes)."""
    head = text({"inputs": [
        {"name": name, "datatype": type, "shape": shape, "parameters": {"binary_data_size": len(data)}}
        for name, type, shape, data in inputs], **more})
    return Request("binary", path, head + b"".join(each[3] for each in inputs), BYTES,
                   more=f"Inference-Header-Content-Length: {len(head)}\r\n")


def narrow_binary(rows: Rows, **more: object) -> Request:
    inputs = []
    for name, values in columns_of(rows).items():
        if name == "ward":
            data = b"".join(struct.pack("<I", len(each.encode())) + each.encode() for each in values)
            inputs.append((name, "BYTES", [len(rows)], data))
        else:
            inputs.append((name, "FP64", [len(rows)], struct.pack(f"<{len(rows)}d", *values)))
    return binary_of(inputs, "/v2/models/narrow/infer", **more)


def raw_rows(draw: random.Random, count: int, first: int) -> list[dict[str, Any]]:
    return [{"id": first + n, "seen_at": moment(first + n), "label": None, **dict(zip(NAMES, row(draw), strict=True))}
            for n in range(count)]


def management() -> Iterator[Request]:
    """Mostly refused: unknown models and jobs, wrong members; some of it done."""
    def post(path: str, value: object, method: str = "POST") -> Request:
        return Request("management", path, text(value), method=method)
    yield post("/api/deploy", {"model": "narrow@1", "reason": "again"})
    yield post("/api/deploy", {"model": "narrow@9"})
    yield post("/api/deploy/rollback", {"model": "narrow", "reason": "x" * 300})
    yield post("/api/models/narrow@1/promote", {"reason": "better"}, "PUT")
    yield post("/api/models/wide@7/approve", {"reason": "looks well"})
    yield post("/api/models/narrow/reject", {})
    yield post("/api/models", {"run": "r-0", "model": "narrow"})
    yield post("/api/training/start", {"kind": "nothing", "priority": 1})
    yield post("/retraining", {"kind": "train", "split_sed": 7})
    yield post("/api/session", {"name": "ada", "password": "wrong horse battery staple"})
    yield post("/api/session", {"name": "ada"})
    yield post("/api/setup", {"secret": "AAAA", "name": "ada", "password": "correct horse battery staple"})
    yield Request("management", "/api/session", method="DELETE")
    for path in ("/api/session", "/api/models?limit=2", "/api/models/narrow", "/api/models/wide@1/versions?limit=1",
                 "/api/deploy/status?project=load", "/api/training/status/nothing", "/api/training/logs/none?from=7",
                 "/api/training/events/none", "/api/monitoring/metrics", "/api/monitoring/alerts", "/metrics",
                 "/version", "/api/audit?limit=200", "/api/audit?since=2026-01-01&actor=a&action=b", "/openapi.json",
                 "/health", "/health/ready", "/v2", "/v2/models/wide", "/v2/models/load.narrow/versions/1", "/setup",
                 "/ping", "/no"):
        yield Request("management", path)


class RequestGenerator:
    """Generates small and large requests of each kind from the seed."""

    def __init__(self, seed: int, samples: list[Sample], parquet: list[bytes], short: bool = False) -> None:
        self.seed, self.draw, self.samples, self.parquet = seed, random.Random(seed), samples, parquet
        self.share = 10 if short else 1
        self.count = ROWS // self.share
        self.built: dict[str, list[Request]] = {}
        self.narrow: Rows = []
        self.wide: Rows = []
        self.small: dict[str, list[Request]] = {kind: [] for kind in SHARES}
        self.build_small()
        self.picks = [kind for kind, share in SHARES.items() for _ in range(share)]

    def build_small(self) -> None:
        draw, small = self.draw, self.small
        for record, probability in self.samples:
            small["record"].append(Request("record", "/predict", text({"record": record}), known=probability))
        for place in range(12):
            rows = rows_of(draw, place % 6 + 1)
            records = records_of(rows)
            small["records"].append(Request("records", "/projects/load/predict", text({"records": records})))
            small["columns"].append(Request("columns", "/api/predict", text({"columns": columns_of(rows)})))
            small["reasons"].append(Request("reasons", "/predict", text({"records": records[:2], "explain": True})))
            small["tensors"].append(Request("tensors", "/v2/models/narrow/infer", tensors_of(
                rows, id=str(place), outputs=outputs(False), parameters={"explain": place == 0})))
            small["binary"].append(narrow_binary(rows, outputs=outputs(place % 2 == 0)))
            split = {"columns": NAMES, "index": list(range(len(rows))), "data": rows}
            small["frames"] += [Request("frames", "/invocations", text(value)) for value in (
                {"dataframe_split": split}, {"dataframe_records": records, "params": {"a": 1}},
                {"inputs": columns_of(rows)}, {"instances": records})]
            small["csv"].append(Request("csv", "/invocations", csv_of(rows), CSV))
            bad = "&on_error=" + draw.choice(["report", "skip", "reject"])
            small["batch"] += [
                Request("batch", f"/predict/batch?keep=f0,ward{bad}", csv_of(rows * 3), CSV),
                Request("batch", f"/predict/batch?keep=f1{bad}", b"\n".join(map(text, records * 3)), LINES,
                        more=f"Accept: {draw.choice([CSV, LINES])}\r\n")]
            small["process"].append(Request("process", "/process", text(
                {"rows": {"rows": raw_rows(draw, 1 + place % 3, 100_000 + place)}, "store": place == 0,
                 "explain": place == 1, "features": place % 2 == 0})))
            packed = text({"records": records})
            small["packed"] += [
                Request("packed", "/predict", gzip.compress(packed, 6), more="Content-Encoding: gzip\r\n"),
                Request("packed", "/invocations", zlib.compress(csv_of(rows)), CSV,
                        more="Content-Encoding: deflate\r\n")]
        small["process"].append(Request("process", "/process", text(
            {"rows": {}, "keys": ["1", "2", "77"], "store": False})))
        small["management"] += management()
        small["parquet"].append(Request("parquet", "/predict/batch?keep=id", self.parquet[0], PARQUET))

    def large(self, kind: str) -> list[Request]:
        """Those at the limits, made when they are first asked for."""
        if kind not in self.built:
            if not self.narrow:
                draw = random.Random(self.seed + 1)
                self.narrow = rows_of(draw, self.count)
                # Single digits, since 4,000,000 values are to stand in 16 MiB.
                self.wide = wide_rows(draw, self.count)
            self.built[kind] = list(getattr(self, f"large_{kind}")())
        return self.built[kind]

    def large_record(self) -> Iterator[Request]:
        size = BODY // self.share
        odd = {
            **dict(zip(NAMES, self.narrow[0], strict=True)),
            **{f"unknown {n:07}": n for n in range(self.count * 60)},
        }
        for record in (odd, {**self.samples[0][0], "ward": "x" * (size - 4000)}):
            body = text({"record": record})
            yield Request("record", "/predict", body[:-1] + b" " * (size - len(body)) + b"}")

    def unseen_values(self) -> bytes:
        """Values that training did not see: the most that can be told of each row."""
        return text({"records": [{**each, "ward": f"level {n}", "f0": 1e9, "more": None}
                                 for n, each in enumerate(records_of(self.narrow))]})

    def large_records(self) -> Iterator[Request]:
        yield Request("records", "/predict", text({"records": records_of(self.narrow)}))
        yield Request("records", "/predict", self.unseen_values())

    def large_columns(self) -> Iterator[Request]:
        yield Request("columns", f"{WIDE_PATH}/predict", text({"columns": columns_of(self.wide, WIDE_NAMES)}))
        yield Request("columns", "/predict", text({"columns": columns_of(self.narrow)}))

    def large_reasons(self) -> Iterator[Request]:
        few = REASONS // self.share
        wide = columns_of(self.wide[:few], WIDE_NAMES)
        yield Request("reasons", f"{WIDE_PATH}/predict", text({"columns": wide, "explain": True}))
        yield Request("reasons", "/predict", text({"records": records_of(self.narrow[:few]), "explain": True}))

    def large_tensors(self) -> Iterator[Request]:
        yield Request("tensors", "/v2/models/wide/infer", text({"inputs": [
            {"name": "x", "shape": [self.count, WIDE], "datatype": "FP64", "data": self.wide}],
            "outputs": outputs(False)}))
        yield Request("tensors", "/v2/models/narrow/infer", tensors_of(self.narrow))

    def large_binary(self) -> Iterator[Request]:
        flat = [value for each in self.wide for value in each]
        data = struct.pack(f"<{len(flat)}f", *flat)
        for flag in (True, False):
            yield binary_of([("x", "FP32", [self.count, WIDE], data)], "/v2/models/wide/infer", outputs=outputs(flag))

    def large_frames(self) -> Iterator[Request]:
        yield Request("frames", f"{WIDE_PATH}/invocations", text(
            {"dataframe_split": {"columns": WIDE_NAMES, "data": self.wide}}))
        yield Request("frames", "/invocations", text({"dataframe_records": records_of(self.narrow)}))

    def large_csv(self) -> Iterator[Request]:
        yield Request("csv", f"{WIDE_PATH}/invocations", csv_of(self.wide, WIDE_NAMES), CSV)
        yield Request("csv", "/invocations", csv_of(self.narrow), CSV)

    def large_batch(self) -> Iterator[Request]:
        keep = ",".join(WIDE_NAMES)
        yield Request("batch", f"{WIDE_PATH}/predict/batch?keep={keep}", csv_of(self.wide, WIDE_NAMES), CSV,
                      more=f"Accept: {LINES}\r\n")
        yield Request("batch", f"/predict/batch?keep={','.join(NAMES)}",
                      b"\n".join(map(text, records_of(self.narrow))) * 2, LINES)

    def large_parquet(self) -> Iterator[Request]:
        keep = ",".join(WIDE_NAMES)
        yield Request("parquet", f"{WIDE_PATH}/predict/batch?keep={keep}", self.parquet[1], PARQUET)
        yield Request("parquet", f"{WIDE_PATH}/predict/batch?keep={keep}", csv_of(self.wide, WIDE_NAMES), CSV,
                      more=f"Accept: {PARQUET}\r\n")

    def large_process(self) -> Iterator[Request]:
        draw = random.Random(self.seed + 2)
        yield Request("process", "/process", text(
            {"rows": {"rows": raw_rows(draw, 100, 200_000)}, "store": False, "features": True, "explain": True}))
        yield Request("process", "/process", text(
            {"rows": {"rows": raw_rows(draw, min(self.count, 6000), 300_000)}, "keys": ["300007"], "store": False}))

    def large_management(self) -> Iterator[Request]:
        for path in ("/openapi.json", "/api/audit?limit=200", "/metrics", "/api/models/wide"):
            yield Request("management", path)
        yield Request("management", "/api/deploy", text({"model": "narrow@1", "reason": "x" * 65000}))

    def large_packed(self) -> Iterator[Request]:
        gzipped = "Content-Encoding: gzip\r\n"
        yield Request("packed", "/predict", gzip.compress(self.unseen_values(), 1), more=gzipped)
        single = b" " * ((15 << 20) // self.share) + text({"record": self.samples[0][0]})
        yield Request("packed", "/predict", gzip.compress(single, 6), more=gzipped)
        blank = csv_of(self.narrow) + b"\n" * ((60 << 20) // self.share)
        yield Request("packed", "/predict/batch", gzip.compress(blank, 6), CSV, more=gzipped)

    def random_plain(self) -> Request:
        return self.draw.choice(self.small["record"])

    def random_small(self) -> Request:
        """A small request, half of them mutated."""
        draw = self.draw
        request = draw.choice(self.small[self.picks[int(draw.random() * len(self.picks))]])
        return mutated(request, draw) if draw.random() < 0.5 else request


def mutated(request: Request, draw: random.Random) -> Request:
    copy = Request(request.kind, request.path, request.body, request.type, request.method, request.more)
    copy.changed = True
    if copy.body is None or draw.random() < 0.1:
        mutate_head(copy, draw)
    else:
        for _ in range(draw.choice((1, 1, 2, 4))):
            copy.body = mutate(copy.body, draw)
    return copy


def mutate(body: bytes, draw: random.Random) -> bytes:
    """One change of some bytes: put, taken away, doubled, swapped for a word, cut off."""
    size = len(body)
    if not size:
        return draw.choice(WORDS)
    at = int(draw.random() * size)
    way = int(draw.random() * 6)
    if way == 0:
        return body[:at] + bytes((int(draw.random() * 256),)) + body[at + 1:]
    span = min(size - at, 1 + int(draw.random() ** 3 * 200))
    if way == 1:
        return body[:at] + body[at + span:]
    if way == 2:
        return body[:at + span] + body[at:]
    if way == 3:
        return body[:at] if draw.random() < 0.3 else body[:at] + draw.choice(WORDS) + body[at + span:]
    return body[:at] + draw.choice(WORDS) + body[at:]


def mutate_head(request: Request, draw: random.Random) -> None:
    """Path, query, kind of content, method or another header; never the length, which would join two requests."""
    way = draw.randrange(6)
    if way == 0:
        at = draw.randrange(1, len(request.path) + 1)
        request.path = request.path[:at] + draw.choice(
            ["/", "%00", "%zz", "..", "?", "&limit=9999", "?cursor=%22", "?project=none", "x", "@", "?keep=f0,f0", "é",
             "?on_error=x", "%C3%A9"]) + request.path[at:]
    elif way == 1:
        request.type = draw.choice([JSON, CSV, LINES, PARQUET, BYTES, "text/plain", "text/csv; charset=x", "", "/"])
    elif way == 2 and request.kind != "management":
        request.method = draw.choice(["PUT", "DELETE", "PATCH", "OPTIONS"])
    elif way == 3:
        request.more += draw.choice(["Content-Encoding: gzip\r\n", "Content-Encoding: br\r\n", "Accept: x/y\r\n"])
    elif way == 4:
        request.more += draw.choice(["Idempotency-Key: k\r\n", "X-Request-ID: \"\r\n", "Origin: http://evil\r\n"])
    else:
        request.more += draw.choice(["Inference-Header-Content-Length: 7\r\n", f"X-Long: {'x' * 9000}\r\n"])
