#!/usr/bin/env python3
"""Asks every operation of a running server's OpenAPI document as everybody, through both ways in: plainly, which the
fast path in front of the router may answer, and with an Origin of the server's own site, which only the router answers.

    access.py PORT MODEL   with JSON on standard input: {"least": {id: role}, "nobody": [id], "no_project": [id],
                           "tokens": {role or "elsewhere": token}}

Prints each cell that is wrong, and exits with 1 when there is one.
"""
import http.client
import json
import re
import sys
from typing import Any, NoReturn

PORT, MODEL = int(sys.argv[1]), sys.argv[2]
ROLES = ["viewer", "operator", "approver", "admin"]


def ask(method: str, path: str, headers: dict[str, str], body: str = "{}") -> tuple[int, str]:
    """The status and the code of the refusal. What streams is not read to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    try:
        connection.request(
            method, path, body if method == "POST" else None, {"Content-Type": "application/json", **headers}
        )
        answer = connection.getresponse()
        if answer.getheader("Content-Type", "").startswith("text/event-stream"):
            return answer.status, ""
        try:
            told = json.loads(answer.read())
        except ValueError:
            told = None
        return answer.status, told.get("code", "") if isinstance(told, dict) else ""
    finally:
        connection.close()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def main() -> NoReturn:
    given = json.load(sys.stdin)
    least, nobody, tokens = given["least"], set(given["nobody"]), given["tokens"]
    faults, cells = [], 0

    def read(path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        connection.request("GET", path, headers=bearer(tokens["admin"]))
        return json.loads(connection.getresponse().read())

    operations = [
        (method.upper(), path, operation) for path, methods in read("/openapi.json")["paths"].items()
        for method, operation in methods.items() if method in ("get", "post", "put", "patch", "delete")]
    known = {operation["operationId"] for _, _, operation in operations}
    for name in sorted(known ^ (set(least) | nobody)):
        faults.append(f"{name}: {'has no line in LeastRole' if name in known else 'is not in the document'}")

    # A request that is right is answered by both ways.
    row = {column["name"]: 1.5 for column in read(f"/v2/models/{MODEL}")["inputs"]}
    own = {"Origin": f"http://127.0.0.1:{PORT}"}
    ways: list[dict[str, str]] = [{}, own]
    for way in ways:
        for path in ["/predict", f"/projects/{MODEL}/models/{MODEL}/predict"]:
            status, _ = ask("POST", path, {**bearer(tokens["viewer"]), **way}, json.dumps({"record": row}))
            if status != 200:
                faults.append(f"a right request to {path} {way}: {status}")

    # Some of what an admin may do changes what the next one would find: the model of these does not exist.
    values = {"project": MODEL, "model": MODEL, "job": "abcdef", "version": "1"}
    callers: dict[str, dict[str, str]] = {
        "nobody": {},
        "invented": bearer("martlet_" + "x" * 43),
        "not a token": {"Authorization": "Basic YTpi"},
    }
    callers.update({name: bearer(token) for name, token in tokens.items()})
    for method, template, operation in operations:
        name = operation["operationId"]
        values["id"] = "nothing" if name == "listVersions" else "nothing@1"
        path = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "x"), template)
        for caller, headers in callers.items():
            for named, more in zip(["plain", "router"], ways, strict=True):
                status, code = ask(method, path, {**headers, **more})
                cells += 1
                cell = f"{caller} {named} {method} {path} ({name}): {status} {code}"
                if status >= 500 and status != 503:
                    faults.append(cell)
                elif name in nobody:
                    if status == 403 or code.startswith("access.role"):
                        faults.append(f"{cell}; anyone may")
                elif caller not in tokens:
                    if status != 401:
                        faults.append(f"{cell}; 401 is right")
                elif caller == "elsewhere":
                    right = [403] if "{project}" in template else [403, 404, 422]
                    if name not in given["no_project"] and status not in right:
                        faults.append(f"{cell}; a token of another project")
                elif name in least and (status == 403) != (ROLES.index(caller) < ROLES.index(least[name])):
                    faults.append(f"{cell}; {least[name]} may")
                elif status == 401:
                    faults.append(f"{cell}; the token is known")
    print("\n".join([*faults, f"{cells} cells, {len(faults)} wrong"]))
    sys.exit(1 if faults or cells < 500 else 0)


main()
