"""Opens every Delta table of a lake with delta-rs and prints what it sees as one JSON object.

usage: read_tables.py LAKE

For each table, named layer.name: its version, the versions of its history, its columns with their types, the count
of its rows, and for each number column its sum and for each time column its smallest and largest value as text.
"""

import json
import pathlib
import sys
from typing import Any

from deltalake import DeltaTable, QueryBuilder

NUMBERS = {"byte", "short", "integer", "long", "float", "double"}
TIMES = {"timestamp", "timestamp_ntz", "date"}


def first_row(table: DeltaTable, select: str) -> list[Any]:
    """The only row of a query over the table t."""
    reader = QueryBuilder().register("t", table).execute(f"SELECT {select} FROM t")
    if hasattr(reader, "read_all"):
        reader = reader.read_all()
    batches = reader if isinstance(reader, list) else reader.to_batches()
    for batch in batches:
        if batch.num_rows:
            return [batch.column(index)[0].as_py() for index in range(batch.num_columns)]
    raise SystemExit(f"no row from: {select}")


def describe(folder: pathlib.Path) -> dict[str, Any]:
    table = DeltaTable(str(folder))
    fields = [(field.name, getattr(field.type, "type", str(field.type))) for field in table.schema().fields]
    numbers = [name for name, kind in fields if kind in NUMBERS]
    times = [name for name, kind in fields if kind in TIMES]
    quoted = {name: '"' + name.replace('"', '""') + '"' for name, _ in fields}
    wanted = ["count(*)"]
    wanted += [f"sum(CAST({quoted[name]} AS DOUBLE))" for name in numbers]
    wanted += [f"CAST({end}({quoted[name]}) AS VARCHAR)" for name in times for end in ("min", "max")]
    row = first_row(table, ", ".join(wanted))
    sums = dict(zip(numbers, row[1:1 + len(numbers)], strict=True))
    rest = row[1 + len(numbers):]
    return {
        "version": table.version(),
        "history": [entry.get("version", index) for index, entry in enumerate(table.history())],
        "columns": dict(fields),
        "rows": row[0],
        "sums": sums,
        "times": {name: rest[2 * index:2 * index + 2] for index, name in enumerate(times)},
    }


def main() -> None:
    lake = pathlib.Path(sys.argv[1])
    found = {}
    for log in sorted(lake.glob("*/*/_delta_log")):
        folder = log.parent
        found[f"{folder.parent.name}.{folder.name}"] = describe(folder)
    json.dump(found, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
