#!/usr/bin/env python3
"""Clients that bring hundreds of megabytes with them, against a running server; each with its own Python (`make
interop`).

    heavy.py kserve PORT TOKEN MODEL      KServe's SDK, httpx and aiohttp      Python of scripts/venv kserve
    heavy.py mlserver PORT TOKEN MODEL    MLServer's types, codecs and batches Python of scripts/venv mlserver
    heavy.py mlflow PORT TOKEN MODEL      mlflow whole: payloads, evaluation   Python of scripts/venv mlflow

Every client must get the probabilities that /predict gives for the same rows. Exits with 0 when it does, else says
which does not.
"""
from __future__ import annotations

import asyncio
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas
    from kserve import InferInput

KIND, PORT, TOKEN, MODEL = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
BASE = f"http://127.0.0.1:{PORT}"
AUTH = {"Authorization": "Bearer " + TOKEN}
JSON = {**AUTH, "Content-Type": "application/json"}


def check(holds: object, what: str, *facts: object) -> None:
    if not holds:
        sys.exit(f"{KIND}: {what}: {facts}"[:3000])


def ask(path: str, body: object = None) -> Any:
    request = urllib.request.Request(BASE + path, None if body is None else json.dumps(body).encode(), JSON)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


INPUTS = ask(f"/v2/models/{MODEL}")["inputs"]
NAMES = [column["name"] for column in INPUTS]
FULL: dict[str, Any] = {column["name"]: "north" if column["datatype"] == "BYTES" else 1.5 for column in INPUTS}
ROWS: list[dict[str, Any]] = [FULL, {**FULL, NAMES[0]: None}, {name: None for name in NAMES}]
WANTED = [each["probability"] for each in ask("/predict", {"records": ROWS})["predictions"]]


def check_equal(what: str, got: Iterable[float]) -> None:
    got = [float(each) for each in got]
    check(got == WANTED, what, got, WANTED)


def frame() -> pandas.DataFrame:
    import pandas
    return pandas.DataFrame(ROWS, columns=NAMES)


async def kserve() -> None:
    import aiohttp
    import httpx
    import numpy
    from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=30))
    check(await client.is_server_live(BASE, headers=AUTH), "kserve: not live")
    check(await client.is_server_ready(BASE, headers=AUTH), "kserve: not ready")
    check(await client.is_model_ready(BASE, MODEL, headers=AUTH), "kserve: the model is not ready")

    def tensors(binary: bool) -> list[InferInput]:
        made = []
        for column in INPUTS:
            values = [row[column["name"]] for row in ROWS]
            one = InferInput(column["name"], [len(values)], column["datatype"])
            if column["datatype"] == "BYTES":
                array = numpy.array(["" if value is None else value for value in values], dtype=object)
            else:
                array = numpy.array([numpy.nan if value is None else value for value in values], dtype=numpy.float64)
            one.set_data_from_numpy(array, binary_data=binary)
            made.append(one)
        return made
    for binary in [False, True]:
        # The client writes the length of a binary head into the headers that it is given: each request gets its own.
        request = InferRequest(model_name=MODEL, infer_inputs=tensors(binary))
        answer = await client.infer(BASE, request, model_name=MODEL, headers=dict(AUTH))
        check_equal(f"kserve, binary {binary}", answer.outputs[0].as_numpy().tolist())
        check(answer.model_name == MODEL, "kserve: model_name", answer.model_name)
    # One request as a dictionary, and one that is wrong: the client must be able to tell why.
    answer = await client.infer(BASE, {"inputs": [
        {"name": column["name"], "shape": [1], "datatype": column["datatype"], "data": [FULL[column["name"]]]}
        for column in INPUTS]}, model_name=MODEL, headers=dict(AUTH))
    outputs = answer["outputs"] if isinstance(answer, dict) else answer.to_dict()["outputs"]
    check(outputs[0]["data"] == WANTED[:1], "kserve, dictionary", outputs)
    try:
        await client.infer(BASE, {"inputs": []}, model_name=MODEL, headers=dict(AUTH))
        check(False, "kserve: a request without inputs is answered")
    except httpx.HTTPStatusError as error:
        check(
            error.response.status_code == 400 and error.response.json()["error"], "kserve: error", error.response.text
        )
    await client.close()

    async with httpx.AsyncClient(base_url=BASE, headers=AUTH) as link:
        answers = await asyncio.gather(*[link.post("/predict", json={"records": ROWS}) for _ in range(40)])
        for answer in answers:
            check_equal("httpx", [each["probability"] for each in answer.json()["predictions"]])

        async def pieces() -> AsyncIterator[bytes]:
            yield (",".join(NAMES) + "\n").encode()
            for row in ROWS:
                await asyncio.sleep(0.01)
                yield (",".join("" if row[name] is None else str(row[name]) for name in NAMES) + "\n").encode()
        answer = await link.post("/predict/batch", content=pieces(), headers={"Content-Type": "text/csv"})
        check_equal("httpx, a batch in pieces", [line.split(",")[1] for line in answer.text.splitlines()[1:]])
    async with aiohttp.ClientSession(headers=AUTH) as link:
        async with link.post(BASE + "/predict", json={"records": ROWS}, compress="deflate") as answer:
            check_equal("aiohttp, deflate", [each["probability"] for each in (await answer.json())["predictions"]])
        async with link.post(BASE + "/predict", json={"records": ROWS}, expect100=True) as answer:
            check_equal("aiohttp, 100-continue", [each["probability"] for each in (await answer.json())["predictions"]])


def mlserver() -> None:
    from mlserver.codecs import PandasCodec
    from mlserver.types import InferenceRequest, InferenceResponse, MetadataModelResponse

    MetadataModelResponse.model_validate(ask(f"/v2/models/{MODEL}"))
    # Its codec knows neither pandas' type of texts nor null among them; an empty text is none.
    table = frame()
    for column in INPUTS:
        if column["datatype"] == "BYTES":
            table[column["name"]] = table[column["name"]].fillna("").astype(object)
    request = PandasCodec.encode_request(table, use_bytes=False)
    answer = InferenceResponse.model_validate(
        ask(f"/v2/models/{MODEL}/infer", json.loads(request.model_dump_json(exclude_none=True))))
    check_equal("mlserver, a frame by its codec", answer.outputs[0].data.root)
    with tempfile.TemporaryDirectory() as made:
        scratch = pathlib.Path(made)
        # A complete row: its own types take no null among numbers.
        line = json.dumps({"inputs": [
            {"name": column["name"], "shape": [1], "datatype": column["datatype"], "data": [FULL[column["name"]]]}
            for column in INPUTS]})
        InferenceRequest.model_validate_json(line)
        lines = [line] * 20
        (scratch / "in.jsonl").write_text("\n".join(lines) + "\n")
        done = subprocess.run(
            [sys.executable, "-c", "from mlserver.cli import main; main()", "infer",
             "-u", f"127.0.0.1:{PORT}", "-m", MODEL, "-i", "in.jsonl", "-o", "out.jsonl", "-w", "4", "-s", "1",
             "-H", f"Authorization: Bearer {TOKEN}"], cwd=scratch, capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, "mlserver infer", done.stdout[-1000:], done.stderr[-1000:])
        told = [json.loads(line) for line in (scratch / "out.jsonl").read_text().splitlines()]
        check(len(told) == len(lines) and all(each["outputs"][0]["data"] == WANTED[:1] for each in told),
              "mlserver infer: answers", told[:2])


def mlflow() -> None:
    import mlflow as whole
    import numpy
    import requests
    from mlflow.models.utils import convert_input_example_to_serving_input
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    original = requests.Session.request
    requests.Session.request = lambda self, method, url, **more: original(
        self, method, url, **{**more, "headers": {**(more.get("headers") or {}), **AUTH}})
    client = ScoringServerClient("127.0.0.1", PORT)
    client.wait_server_ready(timeout=10)
    check_equal("mlflow's client", client.invoke(frame()).get_predictions().iloc[:, 0])
    # What mlflow stores beside a model as an example of a request.
    for what, example in [("a frame", frame()), ("records", [dict(FULL)])]:
        payload = convert_input_example_to_serving_input(example)
        got = requests.post(
            BASE + "/invocations", data=payload, headers={"Content-Type": "application/json"}, timeout=30
        )
        check(got.status_code == 200, f"mlflow's example, {what}", got.status_code, got.text, payload[:300])
        check(
            got.json()["predictions"] == WANTED[: len(got.json()["predictions"])], f"mlflow's example, {what}", got.text
        )
    # Its evaluation, by a function that asks the server. It takes no texts among the features.
    if any(column["datatype"] == "BYTES" for column in INPUTS):
        return
    table = frame()
    table["label"] = [1, 0, 1]
    with tempfile.TemporaryDirectory() as scratch:
        whole.set_tracking_uri("sqlite:///" + os.path.join(scratch, "runs.db"))
        whole.set_experiment("interop")
        with whole.start_run():
            found = whole.models.evaluate(
                lambda data: numpy.array(client.invoke(data).get_predictions().iloc[:, 0]), table, targets="label",
                model_type="regressor", evaluators="default", evaluator_config={"log_explainer": False})
    error = sum((wanted - label) ** 2 for wanted, label in zip(WANTED, [1, 0, 1], strict=True)) / 3
    check(abs(found.metrics["mean_squared_error"] - error) < 1e-12, "mlflow's evaluation", found.metrics, error)


if KIND == "kserve":
    asyncio.run(kserve())
else:
    {"mlserver": mlserver, "mlflow": mlflow}[KIND]()
