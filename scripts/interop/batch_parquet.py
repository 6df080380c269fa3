"""Sends batches as Parquet to a server and compares them with /predict on the same rows, to the bit.

usage: batch_parquet.py BASE TOKEN PID

The server serves the test project Wards; PID is its process. Parquet is written and read by arrow-rs. Prints what was
compared as JSON; ends with a message when something is not as it should be.
"""

import http.client
import json
import math
import pathlib
import random
import struct
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import arro3.core as arrow
import arro3.io

# Cells by column.
Columns = dict[str, list[Any]]

PARQUET, CSV, LINES = "application/vnd.apache.parquet", "text/csv", "application/x-ndjson"
BASE, TOKEN, PID = sys.argv[1], sys.argv[2], int(sys.argv[3])
TYPES = {"visit_id": arrow.DataType.int64(), "ward": arrow.DataType.utf8(), "weight": arrow.DataType.float64(),
         "readings": arrow.DataType.int32(), "weight_per_reading": arrow.DataType.float32()}


def bits(value: float | None) -> bytes | None:
    return None if value is None else struct.pack("<d", value)


def ask(path: str, body: bytes, media: str, accept: str | None = None) -> tuple[int, str, bytes]:
    request = urllib.request.Request(BASE + path, body, {
        "Authorization": f"Bearer {TOKEN}", "Content-Type": media, **({"Accept": accept} if accept else {})})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


def to_parquet(columns: Columns, types: dict[str, arrow.DataType] = TYPES) -> bytes:
    table = arrow.Table.from_pydict({name: arrow.Array(cells, type=types[name]) for name, cells in columns.items()})
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        arro3.io.write_parquet(table, file.name, max_row_group_size=1000)
        return open(file.name, "rb").read()


def from_parquet(data: bytes) -> tuple[Columns, dict[str, str]]:
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(data)
        file.flush()
        table = arro3.io.read_parquet(file.name).read_all()
    return {name: table[name].to_pylist() for name in table.column_names}, {
        name: str(table[name].type) for name in table.column_names}


def rows(count: int) -> Columns:
    """Rows with doubles that are hard to write down."""
    draw = random.Random(23)
    awkward = [0.0, -0.0, 0.1 + 0.2, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 2.0 ** 53 + 2, 1e22, 1e23,
               9007199254740993.0, 123456789012345680.0, 0.1, 1 / 3, 70.00000000000001, 4.35, -1e-7, 1e16, 1e17]

    def double() -> float | None:
        kind = draw.random()
        if kind < 0.1:
            return None
        if kind < 0.4:
            return draw.choice(awkward)
        if kind < 0.7:
            return draw.uniform(40, 120)
        while True:
            value = struct.unpack("<d", draw.randbytes(8))[0]
            if math.isfinite(value):
                return value

    def single() -> float | None:
        return struct.unpack("<f", struct.pack("<f", draw.uniform(0, 60)))[0] if draw.random() < 0.9 else None

    return {"visit_id": list(range(count)),
            "ward": [draw.choice(["north", "south", "east", "we\"st,\n", "", None]) for _ in range(count)],
            "weight": [double() for _ in range(count)],
            "readings": [draw.choice([None, 0, 1, 2, 7, -1]) for _ in range(count)],
            "weight_per_reading": [single() for _ in range(count)]}


def check(condition: object, what: str) -> None:
    if not condition:
        sys.exit(f"batch_parquet: {what}")


def without_empty_texts(columns: Columns) -> Columns:
    """The same where an empty text is no category but missing, as in files of CSV and Parquet."""
    return {**columns, "ward": [ward or None for ward in columns["ward"]]}


def single_answers(columns: Columns) -> list[dict[str, Any]]:
    names = [name for name in columns if name != "visit_id"]
    found = []
    for start in range(0, len(columns["ward"]), 5000):
        records = [{name: columns[name][row] for name in names}
                   for row in range(start, min(start + 5000, len(columns["ward"])))]
        status, _, body = ask("/predict", json.dumps({"records": records}).encode(), "application/json")
        check(status == 200, f"/predict: {status} {body[:300]!r}")
        found += json.loads(body)["predictions"]
    return found


def compare(count: int) -> int:
    columns = rows(count)
    wanted = single_answers(without_empty_texts(columns))
    file = to_parquet(columns)
    status, media, body = ask("/predict/batch?keep=visit_id,weight,ward", file, PARQUET)
    check(status == 200 and media == PARQUET, f"Parquet to Parquet: {status} {media} {body[:300]!r}")
    answer, types = from_parquet(body)
    check(list(answer) == ["row", "visit_id", "weight", "ward", "probability", "decision", "band", "error", "warnings"],
         f"columns {list(answer)}")
    for name, kind in [("row", "Int64"), ("probability", "Float64"), ("decision", "Boolean"), ("band", "Utf8"),
                       ("error", "Utf8")]:
        check(kind in types[name], f"{name} is {types[name]}")
    check(answer["row"] == list(range(1, count + 1)), "rows are not numbered in order")
    check(answer["visit_id"] == [str(value) for value in columns["visit_id"]], "visit_id")
    check([bits(None if text is None else float(text)) for text in answer["weight"]]
         == [bits(value) for value in columns["weight"]], "a double did not arrive as it is")
    check(answer["ward"] == columns["ward"], "a text did not arrive as it is")
    for row, one in enumerate(wanted):
        check(bits(answer["probability"][row]) == bits(one["probability"]), f"probability of row {row}")
        check(
            answer["decision"][row] == one["decision"] and answer["band"][row] == one["band"], f"decision of row {row}"
        )
    check(set(answer["error"]) == {None}, "errors")
    # The other ways in and out.
    status, media, csv = ask("/predict/batch", file, PARQUET, CSV)
    check(status == 200 and media == CSV, f"Parquet to CSV: {status} {csv[:300]!r}")
    cells = [line.split(",") for line in csv.decode().splitlines()[1:]]
    check([bits(float(cell[1])) for cell in cells] == [bits(one["probability"]) for one in wanted], "Parquet to CSV")
    status, media, lines = ask("/predict/batch", file, PARQUET, LINES)
    check([bits(json.loads(line)["probability"]) for line in lines.splitlines()]
         == [bits(one["probability"]) for one in wanted], "Parquet to JSON Lines")
    sent = without_empty_texts(columns)
    records = "".join(json.dumps({name: sent[name][row] for name in sent}) + "\n" for row in range(count))
    status, media, body = ask("/predict/batch", records.encode(), LINES, PARQUET)
    check(status == 200 and media == PARQUET, f"JSON Lines to Parquet: {status} {body[:300]!r}")
    check(
        [bits(value) for value in from_parquet(body)[0]["probability"]] == [bits(one["probability"]) for one in wanted],
        "JSON Lines to Parquet",
    )
    return count


def check_problem(path: str, body: bytes, status: int, words: list[str]) -> None:
    got, media, text = ask(path, body, PARQUET)
    check(got == status and media == "application/problem+json" and all(word in text.decode() for word in words),
         f"{path}: {got} {text[:400]!r}")


def converters() -> list[str]:
    """The server's converters that live."""
    found = []
    for task in pathlib.Path(f"/proc/{PID}/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                if b"convert" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(child)
            except OSError:
                pass
    return found


def check_disconnect(count: int) -> None:
    """A client that goes away while its batch is converted and answered."""
    file = to_parquet(rows(count))
    url = urllib.parse.urlparse(BASE)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    connection.request("POST", "/predict/batch?keep=ward,weight", file, {
        "Authorization": f"Bearer {TOKEN}", "Content-Type": PARQUET, "Accept": "text/csv"})
    begun = time.monotonic()
    while not converters() and time.monotonic() - begun < 10:
        time.sleep(0.01)
    check(converters(), "no converter was seen")
    connection.sock.close()
    connection.close()
    while converters() and time.monotonic() - begun < 30:
        time.sleep(0.05)
    check(not converters(), "the converter outlives the client")


def main() -> None:
    told = {"rows": compare(20_000)}
    check_problem("/predict/batch", b"ward,weight\nnorth,1\n", 422, ["batch.parquet", "Parquet"])
    check_problem("/predict/batch", b"", 422, ["batch.parquet"])
    file = to_parquet(rows(2_000))
    check_problem("/predict/batch", file[: len(file) // 2], 422, ["batch.parquet"])
    check_problem("/predict/batch", to_parquet({"weight": [1.0]}), 422, ["serving.missing-column", "ward"])
    check_problem("/predict/batch?keep=nope", file, 422, ["serving.missing-column", "nope"])
    # Damage in the middle: the directory is whole, the pages are not.
    spoilt = bytearray(file)
    spoilt[2000 : len(file) // 2] = bytes(len(file) // 2 - 2000)
    try:
        status, _, body = ask("/predict/batch", bytes(spoilt), PARQUET, CSV)
        check(status == 422 and b"batch.parquet" in body, f"damaged pages: {status} {body[:300]!r}")
    except http.client.IncompleteRead:
        pass
    status, _, body = ask("/predict/batch?on_error=reject", file, PARQUET)
    check(
        status == 200 and len(from_parquet(body)[0]["row"]) == 2000, f"reject with good rows: {status} {body[:300]!r}"
    )
    empty = to_parquet({name: [] for name in TYPES})
    status, _, body = ask("/predict/batch", empty, PARQUET)
    check(status == 200 and from_parquet(body)[0]["row"] == [], f"no rows: {status} {body[:300]!r}")
    check_disconnect(300_000)
    check(ask("/predict/batch", file, PARQUET)[0] == 200, "the server does not go on")
    maps = pathlib.Path(f"/proc/{PID}/maps").read_text().lower()
    check("duckdb" not in maps, "an SQL engine is in the serving process")
    told["children"] = len(converters())
    print(json.dumps(told))


if __name__ == "__main__":
    main()
