"""Hooks of schemathesis for what JSON Schema cannot say of a body: that lists have the same length, that a tensor has
as many values as its shape says and the type that the model wants, that a file has the model's columns and those that
are to be kept, that an Idempotency-Key belongs to one request only. Bodies that are meant to be taken are made so;
those that are meant to be refused are left as they are.
"""
import functools
import itertools
import json
import os
import tempfile
import urllib.request
from typing import Any

import arro3.core
import arro3.io
import schemathesis
from schemathesis import GenerationMode

Column = dict[str, str]
counted = itertools.count()


@functools.cache
def inputs() -> list[Column]:
    """The model's columns, as the server tells them."""
    request = urllib.request.Request(
        os.environ["MARTLET_BASE"] + "/v2/models/" + os.environ["MARTLET_MODEL"],
        headers={"Authorization": "Bearer " + os.environ["MARTLET_TOKEN"]})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["inputs"]


def value(column: Column, row: int) -> str | float:
    return f"level {row}" if column["datatype"] == "BYTES" else row * 0.5


def tensors(body: dict[str, Any]) -> dict[str, Any]:
    rows = len(body.get("inputs", [])) % 4 + 1
    kept = {"id": body["id"]} if isinstance(body.get("id"), str) else {}
    return {**kept, "inputs": [
        {"name": column["name"], "datatype": column["datatype"], "shape": [rows],
         "data": [value(column, row) for row in range(rows)]} for column in inputs()]}


def invocation(body: dict[str, Any]) -> dict[str, Any]:
    names = [column["name"] for column in inputs()]
    rows = [[value(column, row) for column in inputs()] for row in range(2)]
    if "dataframe_split" in body:
        return {"dataframe_split": {"columns": names, "data": rows}}
    if "dataframe_records" in body:
        return body
    key = "instances" if "instances" in body else "inputs"
    return {key: [dict(zip(names, row, strict=True)) for row in rows]}


def parquet(rows: list[dict[str, str | float]]) -> bytes:
    table = arro3.core.Table.from_pydict({name: arro3.core.Array(
        [str(row[name]) if isinstance(row[name], str) else float(row[name]) for row in rows],
        type=arro3.core.DataType.utf8() if isinstance(rows[0][name], str) else arro3.core.DataType.float64())
        for name in rows[0]})
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        arro3.io.write_parquet(table, file.name)
        return open(file.name, "rb").read()


def fitting(path: str, media: str, body: Any) -> Any:
    if path.endswith("/infer"):
        made = tensors(body if isinstance(body, dict) else {})
        return made if media == "application/json" else json.dumps(made).encode()
    if media == "text/csv" and path.endswith(("/invocations", "/predict/batch")):
        lines = [[column["name"] for column in inputs()]]
        lines += [[str(value(column, row)) for column in inputs()] for row in range(3)]
        return "\n".join(",".join(line) for line in lines) + "\n"
    if media == "application/vnd.apache.parquet" and path.endswith("/predict/batch"):
        return parquet([{column["name"]: value(column, row) for column in inputs()} for row in range(3)])
    if path.endswith("/predict/batch"):
        rows = [{column["name"]: value(column, row) for column in inputs()} for row in range(3)]
        return "".join(json.dumps(row) + "\n" for row in rows)
    if path.endswith("/invocations"):
        return invocation(body) if isinstance(body, dict) else body
    if path.endswith("/predict") and isinstance(body, dict) and isinstance(body.get("columns"), dict):
        fewest = min((len(values) for values in body["columns"].values()), default=0)
        return {**body, "columns": {name: values[:fewest] for name, values in body["columns"].items()}}
    return body


@schemathesis.hook  # type: ignore[untyped-decorator]  # schemathesis is not installed where types are checked
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    generation = case.meta.generation if case.meta else None
    if generation is None or generation.mode != GenerationMode.POSITIVE:
        return
    body = fitting(case.operation.path, case.media_type, case.body)
    # What is assigned is judged anew, also a body that is left out.
    if body is not case.body:
        case.body = body
    if case.query and "keep" in case.query:
        case.query["keep"] = inputs()[0]["name"]
    key = case.headers.get("Idempotency-Key") if case.headers else None
    if isinstance(key, str) and len(key) < 100:
        case.headers["Idempotency-Key"] = f"{key}{next(counted)}"
