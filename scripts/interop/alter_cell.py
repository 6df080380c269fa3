"""Changes one cell of a Delta table behind its back: the data file is written anew under its old name.

usage: alter_cell.py TABLE COLUMN CONDITION EXPRESSION

TABLE is the folder of a table of one data file; in the rows of CONDITION the column becomes EXPRESSION (both SQL).
Prints how many cells changed.
"""

import pathlib
import shutil
import sys
import tempfile
import urllib.parse

from deltalake import DeltaTable, QueryBuilder, write_deltalake


def main() -> None:
    folder, column, condition, expression = sys.argv[1:5]
    table = DeltaTable(folder)
    files = [urllib.parse.unquote(uri.removeprefix("file://")) for uri in table.file_uris()]
    if len(files) != 1:
        raise SystemExit(f"{folder} has {len(files)} data files, not one")
    names = ['"' + field.name.replace('"', '""') + '"' for field in table.schema().fields]
    kinds = {field.name: getattr(field.type, "type", "string") for field in table.schema().fields}
    sql_type = {"long": "BIGINT", "integer": "INT", "double": "DOUBLE"}.get(kinds[column], "VARCHAR")
    cells = [
        f"CAST(CASE WHEN {condition} THEN {expression} ELSE {name} END AS {sql_type}) AS {name}"
        if name == f'"{column}"' else name
        for name in names
    ]
    with tempfile.TemporaryDirectory() as scratch:
        rows = QueryBuilder().register("t", table).execute(f"SELECT {', '.join(cells)} FROM t")
        write_deltalake(scratch, rows)
        written = list(pathlib.Path(scratch).glob("*.parquet"))
        if len(written) != 1:
            raise SystemExit(f"{len(written)} files were written, not one")
        counted = QueryBuilder().register("t", table).execute(f"SELECT count(*) FROM t WHERE {condition}")
        if hasattr(counted, "read_all"):
            counted = counted.read_all()
        batches = counted if isinstance(counted, list) else counted.to_batches()
        print(batches[0].column(0)[0].as_py())
        shutil.copyfile(written[0], files[0])


if __name__ == "__main__":
    main()
