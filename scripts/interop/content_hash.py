"""Computes the content hash `h2` of Parquet files as docs/content-hash.md defines it.

usage: content_hash.py FILE...

Prints the hashes by file as one JSON object. It shares nothing with Martlet but that page, which the tests compare the
two by: XXH64 is spelled out here, and files are read by arro3, that is by Rust's Parquet reader.
"""

import json
import math
import struct
import sys
from collections.abc import Callable, Iterable
from decimal import Context, Decimal
from typing import Any

from arro3.core import DataType
from arro3.io import read_parquet

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
# Enough for the unscaled value of any decimal.
EXACT = Context(prec=80)


def rotated(value: int, bits: int) -> int:
    return (value << bits | value >> 64 - bits) & MASK


def round_(lane: int, word: int) -> int:
    return rotated((lane + word * P2) & MASK, 31) * P1 & MASK


def xxh64(data: bytes, seed: int) -> int:
    """XXH64, from the specification of xxHash."""
    at, size = 0, len(data)
    if size >= 32:
        lanes = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        while at + 32 <= size:
            lanes = [round_(lane, word) for lane, word in zip(lanes, struct.unpack_from("<4Q", data, at), strict=True)]
            at += 32
        value = sum(rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & MASK
        for lane in lanes:
            value = ((value ^ round_(0, lane)) * P1 + P4) & MASK
    else:
        value = (seed + P5) & MASK
    value = (value + size) & MASK
    while at + 8 <= size:
        value = (rotated(value ^ round_(0, struct.unpack_from("<Q", data, at)[0]), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= size:
        value = (rotated(value ^ struct.unpack_from("<I", data, at)[0] * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        value = rotated(value ^ byte * P5 & MASK, 11) * P1 & MASK
    value = (value ^ value >> 33) * P2 & MASK
    value = (value ^ value >> 29) * P3 & MASK
    return value ^ value >> 32


def counted(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + data


def text(value: str) -> bytes:
    return counted(value.encode("utf-8"))


def whole(value: int) -> bytes:
    return struct.pack("<q", value)


def floating(value: float) -> bytes:
    if math.isnan(value):
        return struct.pack("<Q", 0x7FF8 << 48)
    return struct.pack("<d", value if value != 0 else 0.0)


def unscaled(scale: int) -> Callable[[Decimal], bytes]:
    return lambda value: int(value.scaleb(scale, EXACT)).to_bytes(16, "little", signed=True)


def form(kind: DataType) -> tuple[str, DataType | None, Callable[[Any], bytes]]:
    """The Delta type of a column, the Arrow type in which its values are taken, and how one value is written."""
    integers = {
        DataType.int8(): "byte", DataType.int16(): "short", DataType.int32(): "integer", DataType.int64(): "long"}
    if kind in integers:
        return integers[kind], None, whole
    if DataType.is_boolean(kind):
        return "boolean", None, lambda value: bytes([value])
    if DataType.is_floating(kind):
        return ("float" if kind == DataType.float32() else "double"), None, floating
    if DataType.is_decimal(kind):
        precision, scale = str(kind).partition("(")[2].rstrip(")>\n ").split(",")[:2]
        return f"decimal({int(precision)},{int(scale)})", None, unscaled(int(scale))
    if DataType.is_date(kind):
        return "date", DataType.int32(), whole
    if DataType.is_timestamp(kind):
        return ("timestamp_ntz" if kind.tz is None else "timestamp"), DataType.int64(), whole
    if DataType.is_binary(kind) or DataType.is_large_binary(kind) or DataType.is_binary_view(kind):
        return "binary", None, counted
    if DataType.is_string(kind) or DataType.is_large_string(kind) or DataType.is_string_view(kind):
        return "string", None, text
    raise SystemExit(f"no table can hold {kind}")


def content_hash(file: str) -> str:
    table = read_parquet(file).read_all()
    schema = b""
    columns: list[Iterable[bytes]] = []
    for index, field in enumerate(table.schema):
        delta, as_type, write = form(field.type)
        schema += text(field.name) + text(delta)
        column = table.column(index)
        values = (column if as_type is None else column.cast(as_type)).to_pylist()
        columns.append([b"\0" if value is None else b"\1" + write(value) for value in values])
    seed = xxh64(schema, 0)
    rows, total, mixed = 0, 0, 0
    for cells in zip(*columns, strict=True):
        value = xxh64(b"".join(cells), seed)
        rows, total, mixed = rows + 1, (total + value) % (1 << 128), mixed ^ value
    return f"h2:{rows}-{total:x}-{mixed:x}"


json.dump({file: content_hash(file) for file in sys.argv[1:]}, sys.stdout)
