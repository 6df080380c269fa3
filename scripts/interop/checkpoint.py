"""Reads, appends to and checkpoints one Delta table with delta-rs.

usage: checkpoint.py read|append|checkpoint TABLE

Prints version, rows, files and the version of the transaction martlet/file/1 as one JSON object. append adds one row
in which the column a is "theirs" and every other column is null; checkpoint writes a checkpoint of the newest version.
"""

import json
import sys
from typing import Any

from deltalake import DeltaTable, QueryBuilder, write_deltalake


def query(table: DeltaTable, select: str) -> Any:
    reader = QueryBuilder().register("t", table).execute(select)
    return reader.read_all() if hasattr(reader, "read_all") else reader


def main() -> None:
    action, folder = sys.argv[1:3]
    table = DeltaTable(folder)
    if action == "append":
        columns = ", ".join(
            "'theirs' AS a" if field.name == "a" else f'CAST(NULL AS TIMESTAMP) AS "{field.name}"'
            for field in table.schema().fields
        )
        write_deltalake(folder, query(table, f"SELECT {columns}"), mode="append")
        table = DeltaTable(folder)
    elif action == "checkpoint":
        table.create_checkpoint()
    rows = query(table, "SELECT count(*) AS n FROM t")
    batches = rows if isinstance(rows, list) else rows.to_batches()
    print(json.dumps({
        "version": table.version(),
        "rows": batches[0].column(0)[0].as_py(),
        "files": table.file_uris(),
        "transaction": table.transaction_version("martlet/file/1"),
    }))


if __name__ == "__main__":
    main()
