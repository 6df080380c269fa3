"""verify: rebuilding versions gives the same tables and models whatever the threads, and notices one altered cell.

Usage: make bench NAME=verify, or scripts/bench verify [--rebuilds 20]
Three versions (readmission on two splits, downtime) are rebuilt with 1, 2 and 4 engine threads and 1 and 2 training
threads: 18 pairs of version and threads, then from the beginning. Then cells of the bronze file are altered: the file
is written again by another Parquet library with one value changed. Written again unchanged, it must still verify.
"""
import argparse
import json
import pathlib
import statistics
from collections.abc import Callable
from typing import Any

import _bench

parser = argparse.ArgumentParser()
parser.add_argument("--rebuilds", type=int, default=20)
arguments = parser.parse_args()

THREADS = [(engine, training) for engine in (1, 2, 4) for training in (1, 2)]
readmission_file = _bench.data(_bench.READMISSION)
downtime_file = _bench.data(_bench.DOWNTIME)
report = _bench.Report("verify", data="public")


def rewrite(
    file: str | pathlib.Path, column: str | None = None, row: int = 0,
    change: Callable[[Any], Any] = lambda value: value,
) -> None:
    """Writes a Parquet file again in its place, with one value changed if a column is given."""
    import arro3.core
    import arro3.io

    table = arro3.io.read_parquet(str(file)).read_all()
    if column is not None:
        place = table.column_names.index(column)
        field = table.schema.field(place)
        values = table.column(column).to_pylist()
        values[row] = change(values[row])
        altered = arro3.core.ChunkedArray([arro3.core.Array(values, type=field.type)])
        table = table.set_column(place, field, altered)
    arro3.io.write_parquet(table, str(file))


with _bench.scratch() as folder:
    readmission = _bench.Project.from_template(f"{folder}/readmission", "readmission", readmission_file)
    readmission.run("--engine-threads", 2, "--training-threads", 2)
    readmission.run("--split-seed", 1, "--engine-threads", 1, "--training-threads", 1)
    downtime = _bench.Project.from_template(f"{folder}/downtime", "downtime", downtime_file)
    downtime.run()
    versions = [(readmission, "readmission@1"), (readmission, "readmission@2"), (downtime, "downtime@1")]

    equal, checks, seconds = 0, 0, []
    for place in range(arguments.rebuilds):
        project, version = versions[place % len(versions)]
        engine, training = THREADS[place // len(versions) % len(THREADS)]
        usage = project.martlet(
            "verify", version, "--engine-threads", engine, "--training-threads", training, "--json", codes=(0, 2))
        answer = json.loads(usage.output)
        # Bronze, silver, gold and the model must all have been rebuilt, and found equal.
        kinds = {check["what"].split(".")[0] for check in answer["checks"] if check["equal"] and check["rebuilt"]}
        equal += usage.code == 0 and answer["equal"] and kinds == {"bronze", "silver", "gold", "model"}
        checks += len(answer["checks"])
        seconds.append(usage.wall)
    report.equal(f"rebuilds equal, of {arguments.rebuilds}", equal, arguments.rebuilds)
    report.add("hashes compared", checks)
    report.add("wall s of a rebuild, median", statistics.median(seconds))

    cells: list[tuple[_bench.Project, str, str, str | None, Callable[[Any], Any]]] = [
        (downtime, "downtime@1", "bronze.readings", None, lambda value: value),
        (downtime, "downtime@1", "bronze.readings", "torque", lambda value: (value or 0) + 1e-9),
        (readmission, "readmission@1", "bronze.encounters", "num_medications", lambda value: value + 1),
        # No transform reads this one.
        (readmission, "readmission@2", "bronze.encounters", "weight", lambda value: None if value else "[75-100)"),
    ]
    for project, version, table, column, change in cells:
        file = pathlib.Path(project.table_files(table)[0])
        original = file.read_bytes()
        rewrite(file, column, 1234, change)
        usage = project.martlet("verify", version, "--json", codes=(0, 2))
        file.write_bytes(original)
        answer = json.loads(usage.output)
        if column is None:
            report.equal(f"{table} written again unchanged: exit code", usage.code, 0)
        else:
            report.equal(f"{table}.{column} altered: exit code", usage.code, 2)
            report.equal(f"{table}.{column} altered: first difference", answer["first_difference"], table)
    usage = readmission.martlet("verify", "readmission@1", "--json", codes=(0, 2))
    report.equal("original bytes restored: exit code", usage.code, 0)
report.end()
