#!/usr/bin/env python3
"""Asks a running server for the same rows in every form that it speaks, with the real clients where there are some, and
compares the probabilities with those of its own form, to the bit.

    scoring.py BASE TOKEN MODEL
"""
import csv
import io
import json
import random
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Sequence
from typing import Any

import numpy
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

# Values by column.
Columns = dict[str, list[Any]]
BASE, TOKEN, MODEL = sys.argv[1:]
# Copied for each call of tritonclient, which writes into what it is given.
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ROWS = 50


def ask(path: str, body: object, media: str = "application/json") -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, content, {"Content-Type": media, **BEARER})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def check_equal(what: str, got: Iterable[object], wanted: Sequence[object]) -> None:
    if list(got) != wanted:
        sys.exit(f"scoring: {what} gave {list(got)[:3]}, not {wanted[:3]}")
    print(f"{what}: {len(wanted)} rows alike")


def columns(inputs: list[dict[str, str]]) -> Columns:
    """Values by column: awkward numbers, and categories that training may not have seen."""
    draw = random.Random(11)
    numbers = [0.0, -0.0, 1e-300, 5e-324, 0.1 + 0.2, 123456789.123456789, 2.0**53 + 2]
    return {
        column["name"]: [f"level {draw.randint(0, 3)}" for _ in range(ROWS)] if column["datatype"] == "BYTES"
        else [draw.choice(numbers) if draw.random() < 0.2 else draw.gauss(50, 40) for _ in range(ROWS)]
        for column in inputs}


def tensor(name: str, values: list[Any], kind: str, binary: bool) -> triton.InferInput:
    text = kind == "BYTES"
    array = numpy.array(values, dtype=object if text else numpy.float64).reshape(len(values), 1)
    made = triton.InferInput(name, list(array.shape), kind)
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def tensors(
    client: triton.InferenceServerClient, inputs: list[dict[str, str]], table: Columns, wanted: list[float],
    wanted_decisions: list[bool],
) -> None:
    kinds = {column["name"]: column["datatype"] for column in inputs}
    for binary in (True, False):
        made = [tensor(name, values, kinds[name], binary) for name, values in table.items()]
        for asked in (None, True, False):
            outputs = None if asked is None else [
                triton.InferRequestedOutput(name, binary_data=asked) for name in ("probability", "decision")]
            answer = client.infer(MODEL, made, outputs=outputs, request_id="abc", headers=dict(BEARER))
            if answer.get_response()["id"] != "abc":
                sys.exit("scoring: the id of the request is not in the answer")
            check_equal(
                f"tritonclient, binary in {binary}, out {asked}", answer.as_numpy("probability").flatten(), wanted
            )
            check_equal(
                "its decisions", [bool(each) for each in answer.as_numpy("decision").flatten()], wanted_decisions
            )
    try:
        client.infer(MODEL, [tensor("no such column", [1.0], "FP64", True)], headers=dict(BEARER))
        sys.exit("scoring: a request without the model's columns was answered")
    except InferenceServerException as error:
        print(f"refused: {error}")
    try:
        client.get_model_metadata("nobody", headers=dict(BEARER))
        sys.exit("scoring: a model that is not there has metadata")
    except InferenceServerException as error:
        print(f"refused: {error}")


def invocations(table: Columns, wanted: list[float]) -> None:
    names = list(table)
    rows = [list(row) for row in zip(*table.values(), strict=True)]
    records = [dict(zip(names, row, strict=True)) for row in rows]
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerows([names, *[[repr(cell) if isinstance(cell, float) else cell for cell in row] for row in rows]])
    forms = {
        "dataframe_split": {"columns": names, "index": list(range(ROWS)), "data": rows},
        "dataframe_records": records, "instances": records, "inputs": table}
    for form, value in forms.items():
        check_equal(f"/invocations, {form}", ask("/invocations", {form: value})["predictions"], wanted)
    backwards = {"columns": names[::-1], "data": [row[::-1] for row in rows]}
    check_equal(
        "/invocations, columns in another order",
        ask("/invocations", {"dataframe_split": backwards})["predictions"],
        wanted,
    )
    check_equal("/invocations, CSV", ask("/invocations", file.getvalue().encode(), "text/csv")["predictions"], wanted)


def main() -> None:
    client = triton.InferenceServerClient(urllib.parse.urlsplit(BASE).netloc)
    for what, said in [
        ("live", client.is_server_live(headers=dict(BEARER))),
        ("ready", client.is_server_ready(headers=dict(BEARER))),
        ("model", client.is_model_ready(MODEL, headers=dict(BEARER))),
    ]:
        if not said:
            sys.exit(f"scoring: {what} is not")
    metadata = client.get_model_metadata(MODEL, headers=dict(BEARER))
    table = columns(metadata["inputs"])
    predictions = ask("/predict", {"columns": table})["predictions"]
    wanted = [each["probability"] for each in predictions]
    if len(set(wanted)) < 3:
        sys.exit(f"scoring: the rows are all scored alike: {set(wanted)}")
    records = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    check_equal(
        "/predict, records",
        [each["probability"] for each in ask("/predict", {"records": records})["predictions"]],
        wanted,
    )
    tensors(client, metadata["inputs"], table, wanted, [each["decision"] for each in predictions])
    invocations(table, wanted)
    for each in ask("/predict", {"records": records[:5], "explain": True})["predictions"]:
        reasons = each["reasons"]
        total = reasons["base"] + sum(part["contribution"] for part in reasons["contributions"])
        if abs(total - reasons["margin"]) > 1e-9 * max(1, abs(reasons["margin"])):
            sys.exit(f"scoring: the reasons add up to {total}, not {reasons['margin']}")
    print("the reasons add up")


main()
