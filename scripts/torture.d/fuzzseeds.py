"""Valid examples for the fuzzers: requests written here, models trained by the libraries in .deps, and dictionaries."""

import ctypes
import json
import random
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

COLUMNS = ["age", "lab value", "unit", "ward"]
ROWS: list[list[Any]] = [[41, 0.5, "A", "icu"], [-1.5e-3, None, "rare", "é"]]


def text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def requests() -> Iterator[str]:
    records = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    columns = {name: [row[place] for row in ROWS] for place, name in enumerate(COLUMNS)}
    yield text({"record": {**records[0], "patient": "p-1"}, "explain": True})
    yield text({"records": records})
    yield text({"records": [{"unit": True, "ward": 7, "age": "x", "more": {"deep": [1, {}]}}, {}]})
    yield text({"columns": {**columns, "patient": ["a", 2]}, "explain": False})
    yield ('{ "records" : [ {"age":1e-7,"lab value":123456789012345678901234567890,"unit":1.5,'
           '"ward":"\\u00e9\\ud83d\\ude00\\n"} ] }')
    yield text({"dataframe_split": {"columns": [*COLUMNS[::-1], "patient"], "index": [0, 1],
                                    "data": [[*row[::-1], "p"] for row in ROWS]}})
    yield text({"dataframe_records": records, "params": {"a": 1}})
    yield text({"instances": ROWS})
    yield text({"instances": records})
    yield text({"inputs": columns})
    yield text({"inputs": records[0]})


def tables() -> Iterator[str]:
    yield "age,lab value,unit,ward\n41,0.5,A,icu\n-1e3,,rare,\"b,\"\"c\"\n"
    yield "\ufeffward,patient,unit,more,lab value,age\r\n\"icu\",p1,1.5,x,.5, 7 \r\nnan,,true,,+5.,NA\r\n"
    yield "\"unit\",\"age\"\nA,1\n\n\"B\n2\",0x1p3\n\"\",\n"
    yield "age,age\n1,2\n"


def tensors() -> Iterator[bytes]:
    def request(inputs: list[dict[str, Any]], **more: object) -> bytes:
        return text({"inputs": inputs, **more}).encode()

    def tensor(name: str, kind: str, data: list[Any], **more: object) -> dict[str, Any]:
        return {"name": name, "shape": [len(data), 1], "datatype": kind, "data": data, **more}
    columns = list(zip(*ROWS, strict=True))
    whole = request(
        [tensor(name, "BYTES" if place > 1 else "FP64", list(columns[place])) for place, name in enumerate(COLUMNS)],
        id="7", parameters={"binary_data_output": True, "explain": True},
        outputs=[{"name": "probability", "parameters": {"binary_data": False}}, {"name": "decision"}])
    yield b"\xff\xff" + whole
    yield b"\xff\xff" + request([{"name": "x", "shape": [2, 4], "datatype": "FP64", "data": ROWS}])
    yield b"\xff\xff" + request(
        [tensor("age", "INT32", [1, 2]), {**tensor("patient", "BYTES", ["a", "b"]), "shape": [2]}]
    )

    def binary(parts: list[tuple[str, str, list[int], bytes]]) -> bytes:
        inputs, tail = [], b""
        for name, kind, shape, data in parts:
            inputs.append(
                {"name": name, "shape": shape, "datatype": kind, "parameters": {"binary_data_size": len(data)}}
            )
            tail += data
        head = request(inputs)
        return struct.pack("<H", len(head)) + head + tail

    def texts(*items: bytes) -> bytes:
        return b"".join(struct.pack("<I", len(item)) + item for item in items)
    yield binary([
        ("age", "FP64", [2], struct.pack("<2d", 41, -2.5)), ("lab value", "FP32", [2, 1], struct.pack("<2f", 0.5, 1)),
        ("unit", "BYTES", [2], texts(b"A", b"rare")), ("ward", "BYTES", [2, 1], texts(b"icu", "é".encode()))])
    yield binary([
        ("age", "FP16", [2], b"\x00\x3c\xff\x7b"), ("lab value", "INT64", [2], struct.pack("<2q", -1, 1 << 60)),
        ("unit", "BOOL", [2], b"\x01\x00"), ("ward", "UINT8", [2], b"\x07\x08")])
    for kind, width in (("UINT16", 2), ("UINT32", 4), ("UINT64", 8), ("INT8", 1), ("INT16", 2), ("INT32", 4)):
        yield binary([("age", kind, [2], bytes(range(250 - 2 * width, 250)))])
    yield binary([("x", "FP32", [1, 4], struct.pack("<4f", 1, 2, 0, 1))])


def samples(rows: int, columns: int, rng: random.Random) -> tuple[list[list[float]], list[float]]:
    values, labels = [], []
    for _ in range(rows):
        row = [rng.uniform(-1, 1), round(rng.uniform(-1, 1), 1), rng.choice([0.0, rng.uniform(-1, 1)]),
               float(rng.randrange(40))][:columns]
        labels.append(1.0 if row[0] * 3 + (1 if row[3] % 3 == 0 else -1) * row[1] + rng.uniform(-1, 1) > 0 else 0.0)
        values.append([float("nan") if rng.random() < 0.05 else value for value in row])
    return values, labels


def lightgbm(library: ctypes.CDLL, parameters: str, rounds: int, rng: random.Random) -> bytes:
    values, labels = samples(200, 4, rng)
    flat = (ctypes.c_double * 800)(*[value for row in values for value in row])
    marks = (ctypes.c_float * 200)(*labels)
    common = (
        "verbose=-1 num_threads=1 seed=7 min_data_in_leaf=3 min_data_per_group=5 cat_smooth=1 categorical_feature=3 "
    )
    words = (common + parameters).encode()
    data, booster, done, length = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int64()

    def check(status: int) -> None:
        if status:
            library.LGBM_GetLastError.restype = ctypes.c_char_p
            raise RuntimeError(library.LGBM_GetLastError())
    check(library.LGBM_DatasetCreateFromMat(flat, 1, 200, 4, 1, words, None, ctypes.byref(data)))
    check(library.LGBM_DatasetSetField(data, b"label", marks, 200, 0))
    check(library.LGBM_BoosterCreate(data, words, ctypes.byref(booster)))
    for _ in range(rounds):
        check(library.LGBM_BoosterUpdateOneIter(booster, ctypes.byref(done)))
    out = ctypes.create_string_buffer(1 << 20)
    check(library.LGBM_BoosterSaveModelToString(booster, 0, -1, 0, ctypes.c_int64(1 << 20), ctypes.byref(length), out))
    # The library's parameters and importances follow, which nobody reads.
    return out.value.split(b"\nfeature_importances")[0] + b"\n"


def xgboost(
    library: ctypes.CDLL, parameters: dict[str, str], rounds: int, rng: random.Random, categorical: bool,
) -> Iterator[bytes]:
    values, labels = samples(200, 4, rng)
    flat = (ctypes.c_float * 800)(*[value for row in values for value in row])
    marks = (ctypes.c_float * 200)(*labels)
    data, booster = ctypes.c_void_p(), ctypes.c_void_p()

    def check(status: int) -> None:
        if status:
            library.XGBGetLastError.restype = ctypes.c_char_p
            raise RuntimeError(library.XGBGetLastError())
    check(library.XGDMatrixCreateFromMat(
        flat, ctypes.c_uint64(200), ctypes.c_uint64(4), ctypes.c_float(float("nan")), ctypes.byref(data)))
    kinds = (ctypes.c_char_p * 4)(b"float", b"float", b"float", b"c" if categorical else b"float")
    check(library.XGDMatrixSetStrFeatureInfo(data, b"feature_type", kinds, ctypes.c_uint64(4)))
    check(library.XGDMatrixSetFloatInfo(data, b"label", marks, ctypes.c_uint64(200)))
    check(library.XGBoosterCreate(ctypes.byref(data), ctypes.c_uint64(1), ctypes.byref(booster)))
    for name, value in {"nthread": "1", "verbosity": "0", "max_cat_to_onehot": "3", **parameters}.items():
        check(library.XGBoosterSetParam(booster, name.encode(), value.encode()))
    for number in range(rounds):
        check(library.XGBoosterUpdateOneIter(booster, ctypes.c_int(number), data))
    for form in ("json", "ubj"):
        length, out = ctypes.c_uint64(), ctypes.c_void_p()
        check(library.XGBoosterSaveModelToBuffer(
            booster, b'{"format": "%s"}' % form.encode(), ctypes.byref(length), ctypes.byref(out)))
        yield ctypes.string_at(out, length.value)


def models(root: Path) -> Iterator[bytes]:
    rng = random.Random(4)
    libraries = root / ".deps/lib"
    for name in libraries.glob("libgomp*"):
        ctypes.CDLL(str(name), mode=ctypes.RTLD_GLOBAL)
    light = ctypes.CDLL(str(libraries / "lib_lightgbm.so"))
    for parameters in (
            "objective=binary num_leaves=4", "objective=binary num_leaves=8 sigmoid=0.7 zero_as_missing=true",
            "objective=binary boosting=rf bagging_freq=1 bagging_fraction=0.6 num_leaves=6",
            "objective=regression num_leaves=2 use_missing=false"):
        yield lightgbm(light, parameters, 2, rng)
    boost = ctypes.CDLL(str(libraries / "libxgboost.so"))
    for settings, categorical in (
            ({"objective": "binary:logistic", "max_depth": "2"}, False),
            ({"objective": "binary:logistic", "max_depth": "3"}, True),
            ({"objective": "reg:squarederror", "max_depth": "1", "booster": "dart", "rate_drop": "0.4"}, True)):
        yield from xgboost(boost, settings, 2, rng, categorical)


def segments() -> Iterator[bytes]:
    def prediction(features: list[float], *texts: bytes) -> bytes:
        head = struct.pack("<BHIqdQHHHH", 29, 0, 1, 1_700_000_000_000_000, 0.5, 1000, len(features), *map(len, texts))
        payload = head + struct.pack(f"<{len(features)}d", *features) + b"".join(texts) + struct.pack("<H", 3) + b"odd"
        size = (len(payload) + 1 + 7) // 8
        return bytes([size, 2]) + payload.ljust(8 * size - 1, b"\0")
    end = bytes([2, 3]) + bytes(15)
    yield b"\0" + prediction([1.5, 2], b"request", b"key", b"p-1") + prediction([], b"r", b"", b"") + end
    yield b"\1" + bytes(64)


WORDS = {
    "json": [
        "record",
        "records",
        "columns",
        "explain",
        "dataframe_split",
        "dataframe_records",
        "instances",
        "inputs",
        "params",
        "data",
        "index",
        "true",
        "false",
        "null",
        "NaN",
        "Infinity",
        *COLUMNS,
        "patient",
        "missing",
        "rare",
        "1.5",
        "7",
        "\\ud83d\\ude00",
        "\\u0000",
        "1e308",
        "4.9e-324",
        "9007199254740993",
        "-0",
        "\":",
        "\",",
        "},{",
        "],[",
    ],
    "csv": [
        *COLUMNS,
        "patient",
        "\"\"",
        "\r\n",
        ",,",
        "nan",
        "NA",
        "null",
        "+1.5",
        ".5",
        "5.",
        "0x1p3",
        "\ufeff",
        "1e308",
        "A",
        "icu",
        "rare",
        "é",
    ],
    "oip": [
        "inputs",
        "outputs",
        "parameters",
        "binary_data_size",
        "binary_data_output",
        "binary_data",
        "explain",
        "id",
        "name",
        "shape",
        "datatype",
        "data",
        "BOOL",
        "UINT8",
        "UINT16",
        "UINT32",
        "UINT64",
        "INT8",
        "INT16",
        "INT32",
        "INT64",
        "FP16",
        "FP32",
        "FP64",
        "BYTES",
        *COLUMNS,
        "patient",
        "probability",
        "decision",
        "[2,1]",
        "[2]",
        "[1,4]",
    ],
    "models": [
        "tree\n",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "max_feature_idx=",
        "objective=binary sigmoid:1",
        "average_output",
        "feature_names=",
        "Tree=",
        "num_leaves=",
        "num_cat=",
        "split_feature=",
        "threshold=",
        "decision_type=",
        "left_child=",
        "right_child=",
        "leaf_value=",
        "leaf_count=",
        "internal_count=",
        "cat_boundaries=",
        "cat_threshold=",
        "is_linear=0",
        "tree_sizes=",
        "end of trees\n",
        "inf",
        "-inf",
        "nan",
        "1e-35",
        "learner",
        "gradient_booster",
        "gbtree",
        "dart",
        "model",
        "trees",
        "tree_info",
        "weight_drop",
        "learner_model_param",
        "num_feature",
        "base_score",
        "feature_names",
        "objective",
        "binary:logistic",
        "left_children",
        "right_children",
        "split_indices",
        "split_conditions",
        "default_left",
        "sum_hessian",
        "split_type",
        "categories",
        "categories_nodes",
        "categories_segments",
        "categories_sizes",
        "[$d#L",
        "[$l#L",
        "[$U#L",
        "[#L",
        "{L",
        "SL",
        "1E39",
        "-1E39",
        "16777215",
    ],
    "segments": ["project", "model", "version", "signature", "columns", "levels", "name"],
}


def write(root: Path, surface: str, folder: Path) -> Path:
    """The examples as files in a folder, and its dictionary beside it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    makers: dict[str, Callable[[], Iterable[str | bytes]]] = {
        "json": requests, "csv": lambda: ("\x10" + table for table in tables()), "oip": tensors,
        "models": lambda: models(root), "segments": segments}
    for number, item in enumerate(makers[surface]()):
        (folder / f"example-{number}").write_bytes(item.encode() if isinstance(item, str) else item)
    words = folder.parent / f"{surface}.dict"
    with open(words, "w") as out:
        for word in WORDS[surface]:
            escaped = "".join(
                chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\x{b:02x}" for b in word.encode())
            out.write(f'"{escaped}"\n')
    return words
