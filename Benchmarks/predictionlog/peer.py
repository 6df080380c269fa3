"""Logs predictions as a Python server would: KIND logging|sqlite, MODE, CONCURRENCY, RECORDS, FOLDER. Prints JSON."""
import json
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from typing import Any

kind, mode, folder = sys.argv[1], sys.argv[2], sys.argv[5]
concurrency, records = int(sys.argv[3]), int(sys.argv[4])
os.makedirs(folder)


def rows() -> Iterator[dict[str, Any]]:
    for number in range(records):
        yield {
            "request_id": f"r-{number}", "model": "model", "version": 1, "time": time.time(),
            "features": [float(number + place) for place in range(40)], "score": number % 1000 / 1000,
            "decision": number % 10 == 0, "latency_ms": 0.04}


def with_logging() -> None:
    handler = logging.FileHandler(f"{folder}/predictions.log")
    stream = handler.stream
    assert stream is not None
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("predictions")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    for number, row in enumerate(rows(), 1):
        logger.info(json.dumps(row))
        # Records that come at once may share an fsync here, too.
        if mode == "strict" and number % concurrency == 0:
            os.fsync(stream.fileno())
    os.fsync(stream.fileno())


def with_sqlite() -> None:
    database = sqlite3.connect(f"{folder}/predictions.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(f"PRAGMA synchronous = {'FULL' if mode == 'strict' else 'NORMAL'}")
    database.execute(
        "CREATE TABLE predictions (request_id TEXT, model TEXT, version INTEGER, time REAL, features TEXT, score REAL, "
        "decision INTEGER, latency_ms REAL)")
    for number, row in enumerate(rows(), 1):
        if number % concurrency == 1 or concurrency == 1:
            database.execute("BEGIN")
        row["features"] = json.dumps(row["features"])
        database.execute(
            "INSERT INTO predictions VALUES (:request_id, :model, :version, :time, :features, :score, :decision, "
            ":latency_ms)", row)
        if number % concurrency == 0:
            database.execute("COMMIT")
    if database.in_transaction:
        database.execute("COMMIT")


start, cpu = time.monotonic(), time.process_time()
{"logging": with_logging, "sqlite": with_sqlite}[kind]()
print(json.dumps({"records": records, "seconds": time.monotonic() - start, "cpu": time.process_time() - cpu}))
