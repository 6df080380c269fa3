#!/usr/bin/env python3
"""Sends raw rows of the ward project to a running server, and kills its feature worker in between.

    process.py BASE TOKEN VIEWER SERVER_PID

Exits with 1 at the first thing that is not as docs/process.md says.
"""
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
from typing import Any

BASE, TOKEN, VIEWER, SERVER = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])


def ask(
    path: str, body: object, method: str = "POST", token: str | None = TOKEN,
) -> tuple[int, Any, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection(BASE.hostname or "", BASE.port, timeout=60)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(method, path, body if isinstance(body, str) else json.dumps(body), headers)
    response = connection.getresponse()
    content = json.loads(response.read())
    connection.close()
    return response.status, content, response.headers


def check(what: str, condition: object, *shown: object) -> None:
    if not condition:
        sys.exit(f"{what}: {shown}")


def worker() -> int | None:
    found = subprocess.run(
        ["pgrep", "-P", str(SERVER), "-f", "features"], capture_output=True, text=True
    ).stdout.split()
    return int(found[0]) if found else None


def ask_until_available(body: object) -> tuple[int, Any]:
    """The answer, once it is not that the worker is away."""
    for _ in range(300):
        status, answer, headers = ask("/process", body)
        if status != 503:
            return status, answer
        check("503 says when to come again", int(headers["Retry-After"]) >= 1, answer)
        check("503 says why", answer["code"] == "process.unavailable", answer)
        time.sleep(0.2)
    sys.exit(f"never answered: {answer}")


def visit(key: int, **more: object) -> dict[str, Any]:
    return {"visit_id": key, "seen_at": "2026-03-30 08:00:00", "ward": "north", "weight": 91.5, "readings": 4,
            "note": "plain", **more}


# A new visit: its features, its score, the same as that of the features alone.
status, answer = ask_until_available({"rows": {"visits": [visit(5000)]}, "features": True, "explain": True})
check("a new row is scored", status == 200 and answer["stored"] == 1, status, answer)
made = answer["predictions"][0]
check("the key and the moment", made["key"] == "5000" and made["moment"] == "2026-03-30 08:00:00", made)
check("the project's SQL", made["features"]["weight_per_reading"] == 91.5 / 4, made)
check("reasons", abs(made["reasons"]["base"] + sum(
    each["contribution"] for each in made["reasons"]["contributions"]) - made["reasons"]["margin"]) < 1e-9, made)
record = {name: made["features"][name] for name in ("ward", "weight", "readings", "weight_per_reading")}
status, alone, _ = ask("/predict", {"record": record})
check("/predict", status == 200, status, alone)
check("one model, one score", alone["predictions"][0]["probability"] == made["probability"], alone, made)

# Faults: the whole request is refused, each with its place.
status, answer, _ = ask("/process", {"rows": {"visits": [visit(5001), visit(5002, weight=900, ward="west")]}})
places = sorted(error["path"] for error in answer.get("errors", []))
check("faults", status == 422 and answer["code"] == "process.row", status, answer)
check("their places", places == ["$.rows.visits[1].ward", "$.rows.visits[1].weight"], places)
status, answer = ask_until_available({"rows": {}, "keys": [5001], "score": False})
check("nothing of it is kept", status == 200 and "reason" in answer["predictions"][0], answer)
for body, wanted in [("{", 400), ({}, 422), ({"rows": []}, 422), ({"rows": {}, "more": 1}, 422),
                     ({"rows": {"nobody": [{}]}}, 422), ({"rows": {"visits": [{"visit_id": [1]}]}}, 422),
                     ({"rows": {}, "keys": list(range(101))}, 422)]:
    status, answer, _ = ask("/process", body)
    check(f"{body} is refused with {wanted}", status == wanted, status, answer)
status, answer, _ = ask("/process", {"rows": {}}, token=None)
check("nobody is let in without a token", status == 401, status, answer)
status, answer = ask_until_available({"rows": {"visits": [visit(5003)]}, "store": False})
check("asked only", status == 200 and answer["stored"] == 0, answer)
status, answer, _ = ask("/projects/wards/models/stay/process", {"rows": {"visits": [visit(5004)]}, "score": False})
check("features alone", status == 200 and "probability" not in answer["predictions"][0], answer)

# What is refused leaves nothing behind.
status, answer, _ = ask("/process", {"rows": {"visits": [visit(8000 + n) for n in range(101)]}})
check("too many records", status != 200 and answer["code"] == "process.too-many-records", status, answer)
status, answer = ask_until_available({"rows": {}, "keys": [8000], "score": False})
check("nothing of them is kept", "reason" in answer["predictions"][0], answer)

# Who may only predict keeps nothing.
status, answer, _ = ask("/process", {"rows": {"visits": [visit(5005)]}, "store": True}, token=VIEWER)
check("rows for others need a permission", status == 403 and answer["code"] == "access.role", status, answer)
status, answer, _ = ask("/process", {"rows": {"visits": [visit(5005)]}}, token=VIEWER)
check("scored, and not kept", status == 200 and answer["stored"] == 0, status, answer)
status, answer = ask_until_available({"rows": {}, "keys": [5005], "score": False})
check("nothing of a viewer's is kept", "reason" in answer["predictions"][0], answer)

# The worker dies between calls, again and again: predictions go on, and what was acknowledged is still known.
for key, how in [(6000, signal.SIGKILL), (6001, signal.SIGSEGV)]:
    status, answer = ask_until_available({"rows": {"visits": [visit(key)]}})
    check("stored", status == 200 and answer["stored"] == 1, status, answer)
    process = worker()
    check("the worker lives", process is not None)
    os.kill(process or 0, how)
    status, answer, _ = ask("/process", {"rows": {"visits": [visit(key + 100)]}})
    check("it is away, or back already", status in (200, 503), status, answer)
    status, alone, _ = ask("/predict", {"record": record})
    check("/predict goes on", status == 200, status, alone)
    status, answer = ask_until_available({"rows": {}, "keys": ["5000", key], "features": True})
    check("what was acknowledged is known", status == 200 and len(answer["predictions"]) == 2, answer)
    again = [each.get("features") for each in answer["predictions"]]
    check("with the same features", again[0] == made["features"] and again[1], again)
print("ok")
