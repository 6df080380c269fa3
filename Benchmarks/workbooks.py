"""workbooks: how a source of format excel reads workbooks, against openpyxl's values of the same cells.

Usage: make bench NAME=workbooks ARGS="FOLDER". Every sheet of every .xlsx and .xlsm file in FOLDER is taken without a
header, all columns as text, and each cell is compared: numbers as numbers, moments as moments, texts as they are. A
workbook that openpyxl cannot open must be refused, or its sheets are only counted. Exit code 1: a cell differs.
"""
import datetime
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from typing import Any

import duckdb
import openpyxl

import _bench

warnings.simplefilter("ignore")
ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def expected(value: Any) -> Any:
    """A value of openpyxl's as it is compared."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None, microsecond=round(value.microsecond / 1000) * 1000)
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)
    if isinstance(value, datetime.time):
        return datetime.timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    if isinstance(value, datetime.timedelta):
        return value
    return str(value).replace("\r\n", "\n")


def found(text: str | None, like: Any) -> Any:
    """A text of Martlet's in the type of the expected value."""
    if text is None:
        return None
    try:
        if isinstance(like, float):
            return float(text)
        if isinstance(like, datetime.datetime):
            return datetime.datetime.fromisoformat(text)
        if isinstance(like, datetime.timedelta):
            sign = -1 if text.startswith("-") else 1
            hours, minutes, seconds = text.lstrip("-").split(":")
            return sign * datetime.timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    except ValueError:
        return text
    return text.replace("\r\n", "\n")


def same(a: Any, b: Any) -> bool:
    if isinstance(a, datetime.timedelta) and isinstance(b, datetime.timedelta):
        return abs(a - b) < datetime.timedelta(milliseconds=2)
    if isinstance(a, datetime.datetime) and isinstance(b, datetime.datetime):
        return abs(a - b) < datetime.timedelta(milliseconds=2)
    if isinstance(a, str) and isinstance(b, str) and a != b:
        # openpyxl leaves the escapes of characters that XML does not have as they are.
        return a == ESCAPE.sub(lambda found: chr(int(found[1], 16)), b).replace("\r\n", "\n")
    return bool(a == b)


def taken(folder: pathlib.Path, book: pathlib.Path, sheet: str, width: int) -> tuple[list[list[str | None]], str]:
    """The rows that Martlet takes of a sheet, and what it says of the file otherwise."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "contracts").mkdir(parents=True)
    (folder / "transforms").mkdir()
    (folder / "landing/book").mkdir(parents=True)
    (folder / "martlet.yaml").write_text(
        "name: books\nsources:\n  book: {format: excel, excel: {header: false, sheet: "
        f"{json.dumps(sheet)}}}}}\n")
    (folder / "contracts/book.yaml").write_text(
        "max_rejected: 1\ncolumns:\n"
        + "".join(f"  c{place}: {{type: text, nullable: true, optional: true}}\n" for place in range(width)))
    shutil.copy(book, folder / "landing/book" / book.name)
    done = subprocess.run(
        [_bench.martlet(), "ingest", "--project", folder, "--json"], capture_output=True, text=True)
    files = [str(file) for file in (folder / ".martlet").glob("lake/bronze/book/*.parquet")]
    if not files:
        return [], done.stdout + done.stderr
    columns = ", ".join(f"c{place}" for place in range(width))
    rows = duckdb.execute(f"SELECT {columns} FROM read_parquet({files!r}) ORDER BY _row").fetchall()
    return [list(row) for row in rows], done.stdout + done.stderr


def main() -> int:
    books = sorted(path for path in pathlib.Path(sys.argv[1]).iterdir() if path.suffix in (".xlsx", ".xlsm"))
    counts = {"workbooks": 0, "sheets": 0, "cells": 0, "differences": 0, "unreadable for openpyxl": 0}
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "project"
        for book in books:
            try:
                workbook = openpyxl.load_workbook(book, data_only=True)
            except Exception as error:
                counts["unreadable for openpyxl"] += 1
                print(f"{book.name}: openpyxl: {type(error).__name__}: {error}"[:160])
                continue
            counts["workbooks"] += 1
            for sheet in workbook.worksheets:
                # A sheet that says it goes to the last row and column would take openpyxl hours.
                if sheet.max_row * sheet.max_column > 2_000_000:
                    continue
                table = [[expected(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
                table = [row for row in table if any(cell is not None for cell in row)]
                width = max((len(row) for row in table), default=0)
                if not table or width > 200:
                    continue
                counts["sheets"] += 1
                rows, said = taken(folder, book, sheet.title, width)
                if len(rows) != len(table):
                    counts["differences"] += 1
                    print(f"{book.name} [{sheet.title}]: {len(rows)} rows, expected {len(table)}: {said.strip()[:400]}")
                    continue
                for number, (row, wanted) in enumerate(zip(rows, table, strict=True), 1):
                    for place, value in enumerate(wanted):
                        counts["cells"] += 1
                        if not same(found(row[place], value), value):
                            counts["differences"] += 1
                            if counts["differences"] < 40:
                                print(f"{book.name} [{sheet.title}] row {number} column {place + 1}: "
                                      f"{row[place]!r}, expected {value!r}")
    print(", ".join(f"{name} {count:,}" for name, count in counts.items()))
    return 1 if counts["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
