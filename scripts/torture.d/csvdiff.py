"""Random CSV through every way in: `martlet ingest`, `martlet predict`, `/predict/batch` and `/invocations`.

Files are generated with what people send: line ends of all kinds, quotes where they belong and where they do not,
ragged and blank lines, byte order marks, long cells, NUL, bytes that are no UTF-8, other delimiters and encodings.
`records` below reads them by the rules of docs/serving.md, written down a second time. Then

- every record is taken, or in quarantine with its bytes, or answered, or answered with an error at its row and line;
- where Python's `csv.reader(strict=True)` accepts a file, so does our reader, with the same values, but for
  DIFFERENCES;
- the four ways agree on which records are good, and on their probabilities to the bit.

By hand: scripts/torture --only csv --files 20000 [--seed N]
"""

import csv
import http.client
import io
import json
import random
import re
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from project import Failure, Program, Progress

# Where Python's reader means something else than ours; such files, or rows, are not compared with it.
DIFFERENCES = {
    "lone CR": "ends a line for Python anywhere, for us only where it ends the first line",
    "NUL": "is a character for Python, for us no text: the row is quarantined",
    "blank line": "is an empty row for Python, no record for us",
    "field size limit": "Python's own, set out of the way",
    "byte order mark": "is part of the first name for Python",
}
HEADER = ["id", "x", "k", "note"]
# Name: delimiter, quote, encoding for Python, settings under csv:.
DIALECTS = {
    "comma": (",", '"', "utf-8", None),
    "semicolon": (";", "'", "utf-8", "{delimiter: \";\", quote: \"'\"}"),
    "tab": ("\t", '"', "utf-8", '{delimiter: "\\t"}'),
    "two": ("||", '"', "utf-8", '{delimiter: "||"}'),
    "windows": (";", '"', "cp1252", '{delimiter: ";", encoding: windows-1252}'),
    "utf16": (",", '"', "utf-16-le", "{encoding: utf-16}"),
}
PROJECT = """
name: diff
sources: {s: {}}
models:
  - name: m
    table: gold.t
    key: id
    target: {column: label, positive: "yes"}
    features: {exclude: [note]}
    learner: {kind: lightgbm, parameters: {num_leaves: 7, min_data_in_leaf: 10}, rounds: 20}
    bootstrap: {replicates: 100}
"""
CONTRACT = """
max_rejected: 1
columns:
  id: {type: text}
  x: {type: double}
  k: {type: text}
  note: {type: text}
  label: {type: text, optional: true}
"""
TEXTS = "max_rejected: 1\ncolumns:\n" + "".join(f"  {name}: {{type: text}}\n" for name in HEADER)


class Record:
    """One record of a CSV file: its line, bytes, cells and fault.

    `end`: its bytes with the line's end; `has_cr`: a lone CR that Python would take for the end of a line.
    """

    def __init__(
        self, line: int, raw: bytes, end: bytes, cells: list[bytes] | None, fault: str | None, has_cr: bool,
    ) -> None:
        self.line, self.raw, self.end, self.cells, self.fault, self.has_cr = line, raw, end, cells, fault, has_cr

    @property
    def is_good(self) -> bool:
        return self.fault is None


class Whole(NamedTuple):
    """A record that was read: where its bytes end, where its line does, its cells, and all that stands in plain
    ones."""

    content: int
    end: int
    cells: list[bytes]
    plain: bytes


class Broken(NamedTuple):
    """A record that cannot be read, and how far its fault reaches."""

    fault: str
    until: int


def records(text: bytes, separator: str, mark: str) -> list[Record]:
    """The records of a text as bytes, the header first: lines, bytes without and with the line's end, cells, fault."""
    delimiter, quote = separator.encode(), mark.encode()
    found: list[Record] = []
    at, line, broken_until = 0, 1, 0
    has_cr: bool | None = None
    width: int | None = None

    def line_end(at: int) -> int:
        nonlocal has_cr
        if text[at:at + 1] == b"\n":
            has_cr = bool(has_cr)
            return 1
        if text[at:at + 1] != b"\r":
            return 0
        if at + 1 == len(text):
            return 1
        if text[at + 1:at + 2] == b"\n":
            has_cr = bool(has_cr)
            return 2
        has_cr = has_cr is not False
        return 1 if has_cr else 0

    def parse(start: int) -> Whole | Broken:
        at, cells, plain = start, [], b""
        while True:
            if text.startswith(quote, at):
                here = at + 1
                while True:
                    close = text.find(quote, here)
                    if close < 0:
                        return Broken("unclosed", len(text))
                    if not text.startswith(quote, close + 1):
                        break
                    here = close + 2
                cells.append(text[at + 1:close].replace(quote + quote, quote))
                at = close + 1
                if at == len(text):
                    return Whole(at, at, cells, plain)
                if text.startswith(delimiter, at):
                    at += len(delimiter)
                    continue
                end = line_end(at)
                if end:
                    return Whole(at, at + end, cells, plain)
                return Broken("text behind", at)
            here, end = at, 0
            while here < len(text) and not text.startswith(delimiter, here):
                if text[here] in b"\r\n":
                    end = line_end(here)
                    if end:
                        break
                here += 1
            cells.append(text[at:here])
            plain += cells[-1]
            if here == len(text) or end:
                return Whole(here, here + end, cells, plain)
            at = here + len(delimiter)

    while at < len(text):
        end = line_end(at)
        if end:
            at, line = at + end, line + 1
            continue
        result = parse(at)
        fault = None
        cells: list[bytes] | None = None
        if isinstance(result, Broken):
            fault = result.fault
            broken_until = max(broken_until, result.until)
        elif at < broken_until and (
                quote in result.plain or (width is not None and len(result.cells) != width)):
            fault = "inside"
        if fault:
            content = at
            while content < len(text) and not (text[content] in b"\r\n" and line_end(content)):
                content += 1
            end = content + (line_end(content) if content < len(text) else 0)
        elif isinstance(result, Whole):
            content, end, cells = result.content, result.end, result.cells
            if width is None:
                width = len(cells)
            elif len(cells) != width:
                fault = "ragged"
        raw = text[at:content]
        if not fault and not is_text(raw):
            fault = "no text"
        found.append(
            Record(
                line,
                raw,
                text[at:end],
                cells,
                fault,
                b"\r" in (result.plain if isinstance(result, Whole) and cells else raw),
            )
        )
        inside = raw.replace(b"\r\n", b"\n")
        line += 1 + (inside.count(b"\n") + (inside.count(b"\r") if has_cr else 0) if cells else 0)
        at = end
    return found


def is_text(raw: bytes) -> bool:
    try:
        return "\0" not in raw.decode()
    except UnicodeDecodeError:
        return False


class CsvGenerator:
    """Generates the lines of random files of one dialect."""

    def __init__(self, rng: random.Random, dialect: str) -> None:
        self.rng = rng
        self.delimiter, self.quote, self.encoding, _ = DIALECTS[dialect]
        self.words = ["north", "a b", "5 pipe", "x", "0", "-", "'", "\\", "#", ";", "größe", "€"]
        if self.encoding != "cp1252":
            self.words += ["日本", "😀", "\u2028"]

    def enclosed(self, text: str) -> str:
        return self.quote + text.replace(self.quote, self.quote * 2) + self.quote

    def text(self) -> str:
        return "".join(self.rng.choice(self.words) for _ in range(self.rng.randint(0, 4)))

    def cell(self, kind: str, wild: bool) -> str | bytes:
        rng, q = self.rng, self.quote
        if wild and rng.random() < 0.06:
            odd: list[str | bytes] = [
                f"{q}50{q}7",
                f"{q}open",
                q,
                q * 3,
                q * 4,
                f"say {q}hi{q} you",
                f"5{q}",
                f"{q}a{q} ",
                f"a{q}{q}b",
                "a\rb",
                "\0",
                "a\x1ab",
                f"{q}a{self.delimiter}b",
                f" {q}a{q}",
                *([b"caf\xe9", b"\xff"] if self.encoding == "utf-8" else []),
            ]
            return rng.choice(odd)
        if kind == "x":
            value = rng.choice(["", "1", "2.5", "-3", "1e3", "0.1", "77"])
            return self.enclosed(value) if rng.random() < 0.2 else value
        if kind == "k":
            value = rng.choice(["a", "b", "c", f"5{q} pipe", ""])
            return self.enclosed(value) if rng.random() < 0.2 or value[:1] == q else value
        if rng.random() < 0.3:
            more = rng.choice(["\n", "\r\n", "\r", self.delimiter, q, ""])
            return self.enclosed(self.text() + more + self.text())
        if rng.random() < 0.004:
            return "long " * rng.randint(1000, 20000)
        text = self.text().replace(self.delimiter, "")
        return self.enclosed(text) if text.startswith(q) else text

    def file(self, number: int) -> list[bytes]:
        """A file's text, its first line first."""
        rng = self.rng
        ends = rng.choice([["\n"], ["\n"], ["\r\n"], ["\r"], ["\n", "\r\n"], ["\r", "\n"]])
        wild = rng.random() < 0.6
        first = ends[0]
        quoted = rng.random() < 0.3
        names = [self.enclosed(name) if quoted else name for name in HEADER]
        lines = [(self.delimiter.join(names) + first).encode()]
        for row in range(rng.randint(1, rng.choice([3, 12, 30]))):
            key = f"r{number}-{row}"
            cells = [self.enclosed(key) if rng.random() < 0.1 else key] + [self.cell(kind, wild) for kind in HEADER[1:]]
            if wild and rng.random() < 0.03:
                cells = cells[:-1] if rng.random() < 0.5 else [*cells, ""]
            line = self.delimiter.encode().join(cell if isinstance(cell, bytes) else cell.encode() for cell in cells)
            lines.append(line + rng.choice(ends).encode())
            if rng.random() < 0.05:
                lines.append(rng.choice(ends).encode())
        if rng.random() < 0.3:
            lines[-1] = lines[-1].rstrip(b"\r\n")
        return lines


class CsvFile:
    """A random file of one dialect: its bytes, and the records that they hold by our rules."""

    def __init__(self, number: int, dialect: str, rng: random.Random) -> None:
        self.number, self.dialect = number, dialect
        delimiter, quote, self.encoding, _ = DIALECTS[dialect]
        self.lines = CsvGenerator(rng, dialect).file(number)
        text = b"".join(self.lines)
        self.records = records(text, delimiter, quote)
        self.rows = self.records[1:]
        self.mark = rng.random() < 0.1 or self.encoding == "utf-16-le"
        self.text = text
        self.bytes = self.encoded(("\ufeff".encode() if self.mark and self.encoding != "cp1252" else b"") + text)
        self.name = f"{number:06d}.csv"

    def encoded(self, text: bytes) -> bytes:
        return text if self.encoding == "utf-8" else text.decode().encode(self.encoding)

    def against_python(self, tally: Counter[str]) -> str | None:
        """What differs between our rules and Python's reader in strict mode."""
        delimiter, quote, _, _ = DIALECTS[self.dialect]
        lone = b"\r" in self.text.replace(b"\r\n", b"") and not self.lines[0].endswith(b"\r")
        is_broken = any(record.cells is None for record in self.records)
        # Behind a broken quote a lone CR may close the quoted cell for Python.
        if any(record.has_cr for record in self.records) or (lone and is_broken):
            tally["lone CR"] += 1
            return None
        if len(delimiter) > 1 or not all(is_text(record.raw.replace(b"\0", b"")) for record in self.records):
            return None
        csv.field_size_limit(1 << 30)
        try:
            text = io.StringIO(self.text.decode(), newline="")
            theirs = [row for row in csv.reader(text, delimiter=delimiter, quotechar=quote, strict=True) if row]
        except csv.Error as error:
            if not is_broken:
                return f"Python's reader refuses what ours takes: {error}"
            return None
        if is_broken:
            return "Python's reader takes what ours refuses"
        ours = [[cell.decode() for cell in record.cells or []] for record in self.records]
        tally["files compared with Python's reader"] += 1
        if ours != theirs:
            return f"Python's reader has other values: {theirs} and {ours}"
        return None


class CsvProject:
    """A project folder with one source of text columns, or with a model."""

    def __init__(self, program: Program, folder: Path, settings: str | None, model: bool = False) -> None:
        self.program, self.folder = program, Path(folder)
        for name in ("contracts", "transforms/gold", "landing/s"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if model:
            (self.folder / "martlet.yaml").write_text(PROJECT.lstrip())
            (self.folder / "contracts/s.yaml").write_text(CONTRACT.lstrip())
            (self.folder / "transforms/gold/t.sql").write_text("SELECT id, x, k, note, label FROM bronze.s\n")
        else:
            source = f"{{csv: {settings}}}" if settings else "{}"
            (self.folder / "martlet.yaml").write_text(f"name: diff\nsources:\n  s: {source}\n")
            (self.folder / "contracts/s.yaml").write_text(TEXTS)

    def sql(self, text: str) -> list[dict[str, Any]]:
        return json.loads(self.program.run(self.folder, "lake", "sql", text, "--limit", "10000000", "--json").stdout)


def compare_ingest(
    program: Program, folder: Path, dialect: str, files: list[CsvFile], tally: Counter[str],
) -> list[str]:
    """Ingests the files and compares bronze and quarantine with what they must hold. Gives the differences."""
    project, found = CsvProject(program, folder, DIALECTS[dialect][3]), []
    for file in files:
        (project.folder / "landing/s" / file.name).write_bytes(file.bytes)
    done = program.run(project.folder, "ingest", "--json", expect=None)
    try:
        told = {entry["name"]: entry for report in json.loads(done.stdout) for entry in report["files"]}
    except ValueError:
        return [f"{dialect}: ingest gave {done.returncode} and no report: {done.stderr[-500:]}"]
    bronze, quarantined = {}, {}
    digests = {entry["digest"]: name for name, entry in told.items()}
    if any(entry["outcome"] == "ingested" for entry in told.values()):
        for row in project.sql(f'SELECT _file, _row, {", ".join(HEADER)} FROM bronze.s'):
            bronze[digests[row["_file"]], row["_row"]] = [row[name] for name in HEADER]
    has_bytes = False
    if any(entry.get("rows_rejected") for entry in told.values()):
        has_bytes = "bytes" in project.sql("SELECT * FROM quarantine.s LIMIT 1")[0]
        column = "hex(bytes)" if has_bytes else "''"
        for row in project.sql(f'SELECT file_name, "row", {column} AS raw FROM quarantine.s WHERE "row" IS NOT NULL'):
            quarantined[row["file_name"].split("/")[-1], row["row"]] = bytes.fromhex(row["raw"] or "")
    for file in files:
        entry = told.get(file.name, {"outcome": "not named in the report"})
        if entry["outcome"] != "ingested":
            found.append(f"{dialect}/{file.name}: {entry['outcome']}: {entry.get('refusal')}")
            continue
        good = {row: record for row, record in enumerate(file.rows, 1) if record.is_good}
        if entry["rows_accepted"] + entry["rows_rejected"] != len(file.rows) or entry["rows_accepted"] != len(good):
            found.append(
                f"{dialect}/{file.name}: {len(file.rows)} rows, {len(good)} good; {entry['rows_accepted']} taken, "
                f"{entry['rows_rejected']} quarantined")
            continue
        for number, record in enumerate(file.rows, 1):
            tally["rows ingested"] += 1
            place = (file.name, number)
            if record.is_good:
                want = [cell.decode() or None for cell in record.cells or []]
                if bronze.get(place) != want:
                    found.append(f"{dialect}/{file.name} row {number}: bronze has {bronze.get(place)}, not {want}")
            elif place not in quarantined:
                found.append(
                    f"{dialect}/{file.name} row {number} ({record.fault}): neither in bronze nor in quarantine"
                )
            elif has_bytes and quarantined[place] not in (file.encoded(record.raw), file.encoded(record.end)):
                found.append(
                    f"{dialect}/{file.name} row {number}: quarantine has {quarantined[place][:80]!r}, "
                    f"not {record.raw[:80]!r}"
                )
    if not has_bytes and quarantined:
        tally["quarantine has no column bytes: not compared"] += 1
    return found


class CsvServer:
    """A server process with a model of two features, and a connection to it."""

    def __init__(self, program: Program, folder: Path) -> None:
        project = CsvProject(program, folder, None, model=True)
        self.program, self.folder = program, project.folder
        rows = ["id,x,k,note,label"]
        for row in range(1200):
            x, kind = row * 7919 % 1000 / 10, ["a", "b", '"5"" pipe"'][row % 3]
            rows.append(f"t{row},{x},{kind},,{'yes' if x + 30 * (row % 3 == 0) + row * 17 % 20 > 80 else 'no'}")
        (self.folder / "landing/s/first.csv").write_text("\n".join(rows) + "\n")
        program.run(self.folder, "run")
        token = program.run(self.folder, "tokens", "create", "csv", "--role", "viewer").stdout.strip()
        self.headers = {
            "Authorization": f"Bearer {token}", "Content-Type": "text/csv", "Accept": "application/x-ndjson"}
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        self.process = subprocess.Popen(
            [program.path, "serve", "--port", str(port), "--workers", "0", "--rate-limit", "none"], cwd=self.folder,
            env=program.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        end = time.monotonic() + 60
        while True:
            try:
                if self.ask("GET", "/health/ready")[0] == 200:
                    return
            except OSError:
                self.connection.close()
            if self.process.poll() is not None or time.monotonic() > end:
                self.close()
                raise Failure("the server of the CSV differential does not answer")
            time.sleep(0.05)

    def ask(self, method: str, path: str, body: bytes | Iterator[bytes] | None = None) -> tuple[int, bytes]:
        try:
            self.connection.request(
                method, path, body, self.headers, encode_chunked=body is not None and not isinstance(body, bytes))
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            self.connection.close()
            raise OSError(str(error)) from error

    def close(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait()


def random_chunks(rng: random.Random, data: bytes) -> Iterator[bytes]:
    """The bytes, cut at random."""
    at = 0
    while at < len(data):
        size = rng.choice([1, 2, 3, 17, 100, 5000])
        yield data[at:at + size]
        at += size


NUMBER = re.compile(rb"-?[0-9]+(\.[0-9]+)?(e[0-9]+)?|")
KEY = re.compile("r[0-9]+-[0-9]+")


def compare_server(
    server: CsvServer, rng: random.Random, files: list[CsvFile], tally: Counter[str],
) -> tuple[list[str], dict[str, float]]:
    """Asks for the files as batches and as invocations. Gives the differences, and probabilities by id."""
    found, scores = [], {}
    for file in files:
        chunked = len(file.bytes) < 20_000 and rng.random() < 0.5
        body = random_chunks(rng, file.bytes) if chunked else file.bytes
        status, answer = server.ask("POST", "/predict/batch?keep=id,note", body)
        if status != 200:
            found.append(f"{file.name}: /predict/batch gave {status}: {answer[:300]!r}")
            continue
        try:
            answers = [json.loads(line) for line in answer.decode().split("\n") if line]
        except ValueError as fault:
            found.append(f"{file.name}: the answer is no JSON in UTF-8: {fault}")
            continue
        if len(answers) != len(file.rows):
            found.append(f"{file.name}: {len(file.rows)} rows in, {len(answers)} answers out")
            continue
        first = None
        for row, (record, one) in enumerate(zip(file.rows, answers, strict=True), 1):
            tally["rows answered"] += 1
            place = f"row {row}, line {record.line}"
            error = one.get("error")
            if error and first is None:
                first = place
            if record.fault is not None or record.cells is None:
                if not error or error["path"] != place:
                    found.append(f"{file.name} {place} ({record.fault}): answered {one}")
                continue
            id, x, _, note = record.cells
            if bool(error) == bool(NUMBER.fullmatch(x)):
                found.append(f"{file.name} {place}: answered {one}")
            elif (one.get("note") or "") != note.decode() or (one.get("id") or "") != id.decode():
                found.append(f"{file.name} {place}: passed through as {one}, not {record.cells}")
            elif not error:
                scores[id.decode()] = one["probability"]
        status, answer = server.ask("POST", "/invocations", file.bytes)
        if first:
            if status != 400 or first not in answer.decode():
                found.append(f"{file.name}: /invocations gave {status}, and does not name {first}: {answer[:300]!r}")
        elif status != 200 or json.loads(answer)["predictions"] != [one["probability"] for one in answers]:
            found.append(f"{file.name}: /invocations gave {status}, not what /predict/batch has: {answer[:300]!r}")
    return found, scores


def compare_predict(
    server: CsvServer, number: int, files: list[CsvFile], scores: dict[str, float], tally: Counter[str],
) -> list[str]:
    """Scores the rows of many files as one file: whatever is broken in one must not touch the others."""
    found = []
    files = [file for file in files if file.lines[0].endswith(b"\n")]
    text = b"".join([b",".join(name.encode() for name in HEADER) + b"\n"] + [
        line if line.endswith(b"\n") or place + 1 < len(file.lines) else line + b"\n"
        for file in files for place, line in enumerate(file.lines) if place])
    rows = records(text, ",", '"')[1:]
    path = server.folder / f"predict-{number}.csv"
    path.write_bytes(text)
    summary = server.program.json(server.folder, "predict", str(path), "-o", f"{path}.json")
    scored = {one["id"]: one["probability"] for one in json.loads(Path(f"{path}.json").read_text())}
    good = {row.cells[0].decode() for row in rows if row.is_good and row.cells and NUMBER.fullmatch(row.cells[1])}
    good = {id for id in good if KEY.fullmatch(id)}
    tally["rows predicted"] += len(rows)
    out = summary["rejected"] + summary["scored"] + summary.get("left_out", 0)
    if summary["records"] != len(rows) or out != len(rows):
        found.append(f"predict: {len(rows)} rows in {path}: {summary['records']} read, {out} scored or refused")
    differ = {id for id in scored if KEY.fullmatch(id or "")} ^ good
    if differ:
        some = sorted(differ)[:5]
        found.append(f"predict: {len(scored)} rows scored, {len(good)} are good: {some} in {path}")
    other = [id for id in scored if id in scores and scores[id] != scored[id]]
    if other:
        found.append(f"predict and /predict/batch differ about {other[:5]}")
    return found


def torture(
    program: Program, scratch: Path, seed: int, go_on: Callable[[int], int], progress: Progress, chunk: int = 2000,
    ways: tuple[str, ...] = ("ingest", "predict", "server"),
) -> list[str]:
    """Files by the chunk until it is enough (`go_on(files so far)` gives how many more). Gives the differences."""
    found: list[str] = []
    tally: Counter[str] = Counter()
    server, done = None, 0
    folder = Path(scratch) / "csv"
    folder.mkdir()
    try:
        if "server" in ways:
            server = CsvServer(program, folder / "served")
        while (count := min(chunk, go_on(done))) > 0 and len(found) < 20:
            files = []
            for number in range(done, done + count):
                rng = random.Random(f"{seed}-{number}")
                # Half of them in the form that a server reads.
                files.append(CsvFile(number, "comma" if number % 2 else rng.choice(list(DIALECTS)), rng))
            for file in files:
                differs = file.against_python(tally)
                found += [f"{file.name} ({file.dialect}): {differs}"] if differs else []
            by_dialect = {name: [file for file in files if file.dialect == name] for name in DIALECTS}
            if "ingest" in ways:
                for name, some in by_dialect.items():
                    if some:
                        found += compare_ingest(program, folder / f"{name}-{done}", name, some, tally)
                        shutil.rmtree(folder / f"{name}-{done}")
            if server:
                some = by_dialect["comma"]
                differences, scores = compare_server(server, random.Random(f"{seed}-{done}-cuts"), some, tally)
                found += differences
                if "predict" in ways:
                    for start in range(0, len(some), 500):
                        found += compare_predict(server, done + start, some[start:start + 500], scores, tally)
            done += count
            tally["files"] = done
    finally:
        if server:
            server.close()
    progress("csv: " + ", ".join(f"{count} {name}" for name, count in tally.items()) + f", {len(found)} differences")
    return found
