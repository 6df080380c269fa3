#!/usr/bin/env python3
"""Asks a running server everything that its OpenAPI document promises, with schemathesis and all of its checks.

    openapi.py BASE TOKEN MODEL [--examples N] [--seed N] [--plant]

Bodies are made to fit MODEL where JSON Schema cannot say what fits (openapi_bodies.py). With --plant the answers come
through a proxy that adds one field to each object: a check that does not find it is none. Exits with schemathesis's own
code: 0 when every route keeps what the document says.
"""
import argparse
import http.client
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from collections.abc import Callable
from typing import NoReturn


def proxy(base: str) -> str:
    target = urllib.parse.urlsplit(base)

    class Handler(http.server.BaseHTTPRequestHandler):
        """Passes a request on to the server, and adds a field to each JSON object that it answers with 200."""

        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
            }
            connection.request(self.command, self.path, body, {**headers, "Host": target.netloc})
            response = connection.getresponse()
            content = response.read()
            if response.status == 200 and response.headers.get("Content-Type") == "application/json":
                value = json.loads(content)
                if self.path != "/openapi.json" and isinstance(value, dict):
                    content = json.dumps({**value, "planted": 1}).encode()
            self.send_response(response.status)
            for name, value in response.headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding", "date"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def main() -> NoReturn:
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("token")
    parser.add_argument("model")
    parser.add_argument("--examples", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--plant", action="store_true")
    options = parser.parse_args()
    base = proxy(options.base) if options.plant else options.base
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        f"{base}/openapi.json",
        "--url",
        base,
        "--header",
        f"Authorization: Bearer {options.token}",
        "--checks",
        "all",
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        str(options.examples),
        "--seed",
        str(options.seed),
        "--generation-database",
        "none",
        "--no-color",
        "--request-timeout",
        "20",
        "--output-sanitize",
        "false",
        "--suppress-health-check",
        "all",
    ]
    if options.plant:
        # One is enough; each is first made as small as it can be.
        command += ["--max-failures", "1"]
    here = os.path.dirname(os.path.abspath(__file__))
    environment = {
        **os.environ, "SCHEMATHESIS_HOOKS": "openapi_bodies", "PYTHONPATH": here, "PYTHONDONTWRITEBYTECODE": "1",
        "MARTLET_BASE": options.base, "MARTLET_TOKEN": options.token, "MARTLET_MODEL": options.model,
    }
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(subprocess.run(command, env=environment, cwd=folder).returncode)


main()
