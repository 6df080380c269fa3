#!/usr/bin/env python3
"""Has promtool check a server's /metrics, and a Prometheus scrape them with a token.

    metrics.py PROGRAMS PORT TOKEN FOLDER
"""
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

PROGRAMS, PORT, TOKEN, FOLDER = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
AUTH = {"Authorization": "Bearer " + TOKEN}


def ask(
    method: str, path: str, body: str | None = None, headers: dict[str, str] = AUTH,
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer, answer.read()


def predict(times: int) -> None:
    row = {column["name"]: 1.5 for column in json.loads(ask("GET", "/v2/models/downtime")[1])["inputs"]}
    for _ in range(times):
        answer, content = ask(
            "POST", "/predict", json.dumps({"record": row}), {**AUTH, "Content-Type": "application/json"}
        )
        assert answer.status == 200, content
    assert ask("POST", "/predict", "{", {**AUTH, "Content-Type": "application/json"})[0].status == 400
    # By the router: with an Origin of its own site.
    answer, _ = ask("POST", "/predict", json.dumps({"records": [row] * 5}), {
        **AUTH, "Content-Type": "application/json", "Origin": f"http://127.0.0.1:{PORT}"})
    assert answer.status == 200


def main() -> None:
    assert ask("GET", "/metrics", headers={})[0].status == 401
    predict(30)
    answer, text = ask("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers["Content-Type"]
    lint = subprocess.run([PROGRAMS + "/promtool", "check", "metrics"], input=text, capture_output=True)
    assert lint.returncode == 0 and not lint.stderr, lint
    # It can also find something.
    planted = subprocess.run([PROGRAMS + "/promtool", "check", "metrics"], input=text + b"# TYPE x counter\nx 1\n",
                             capture_output=True)
    assert planted.returncode != 0, planted

    os.makedirs(FOLDER)
    with open(FOLDER + "/token", "w") as file:
        file.write(TOKEN)
    with open(FOLDER + "/prometheus.yml", "w") as file:
        file.write(f"""
scrape_configs:
  - job_name: martlet
    scrape_interval: 1s
    authorization: {{credentials_file: {FOLDER}/token}}
    static_configs: [{{targets: ["127.0.0.1:{PORT}"]}}]
""")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    with open(FOLDER + "/log", "w") as log:
        prometheus = subprocess.Popen(
            [PROGRAMS + "/prometheus", f"--config.file={FOLDER}/prometheus.yml", f"--storage.tsdb.path={FOLDER}/data",
             f"--web.listen-address=127.0.0.1:{own}"], stdout=log, stderr=log)

    def query(expression: str) -> list[float]:
        url = f"http://127.0.0.1:{own}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        result = json.load(urllib.request.urlopen(url, timeout=10))["data"]["result"]
        return [float(sample["value"][1]) for sample in result]

    wanted = {
        'up{job="martlet"}': 1,
        'martlet_predictions_total{project="downtime",model="downtime"}': 35,
        'martlet_http_requests_total{route="/predict",status="200",method="POST"}': 31,
        'martlet_http_requests_total{route="/predict",status="400",method="POST"}': 1,
        'martlet_http_request_duration_seconds_count{route="/predict",status="200"}': 31,
        'martlet_model_version{model="downtime"}': 1,
        'martlet_prediction_log_records_appended_total': 35,
        "martlet_build_info": 1,
    }
    found = None
    try:
        for _ in range(40):
            time.sleep(0.5)
            try:
                found = {expression: query(expression) for expression in wanted}
            except OSError:
                continue
            if all(found[expression] == [value] for expression, value in wanted.items()):
                break
        else:
            sys.exit(f"Prometheus has {found}\n" + pathlib.Path(FOLDER + "/log").read_text()[-2000:])
        for expression in [
            "process_resident_memory_bytes > 1e6",
            "process_open_fds > 5",
            "process_cpu_seconds_total > 0",
            "histogram_quantile(0.5, martlet_http_request_duration_seconds_bucket{route='/predict',status='200'}) < 1",
        ]:
            assert len(query(expression)) == 1, expression
    finally:
        prometheus.terminate()
        prometheus.wait()


main()
