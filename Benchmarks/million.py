"""million: a CSV file of 1,000,000 rows and 20 columns into bronze, against DuckDB's bare COPY from CSV to Parquet.

Usage: make bench NAME=million, or scripts/bench million [--rows 1000000] [--pairs 7]
The file is made up here, the same each time: clean, and with one row in a thousand broken (wrong cells, lines that are
too short, keys that come again). Contracts without a key, with one that rejects, and with one where the latest wins.
Ours is `martlet ingest` in a fresh project, process start and digest included. The peer copies the same file with
DuckDB of the same version and as many threads; it checks nothing, and its interpreter's start and import do not count.
Ours and peer's take turns.
"""
import argparse
import json
import pathlib
import sys

import _bench

COLUMNS = {
    "order_id": "bigint, nullable: false", "ordered_at": "timestamp", "customer_id": 'text, pattern: "C[0-9]{6}"',
    "region": "text, allowed: [north, south, east, west]", "product": "text", "quantity": "integer, min: 1, max: 20",
    "unit_price": "double, min: 0", "discount": "double, min: 0, max: 1", "lat": "double, min: -90, max: 90",
    "lon": "double, min: -180, max: 180", "express": "boolean", "due_on": "date", "note": "text", "reference": "text",
    "m1": "double", "m2": "double", "m3": "double", "m4": "double", "grade": "integer",
    "status": "text, allowed: [new, paid, sent, done]",
}
ROWS = """
    select i as order_id,
      strftime(timestamp '2024-01-01' + to_seconds((hash(i + 9) % 31536000)::bigint),
        '%Y-%m-%dT%H:%M:%S') as ordered_at,
      'C' || lpad((hash(i * 7) % 200000)::varchar, 6, '0') as customer_id,
      ['north', 'south', 'east', 'west'][1 + (hash(i * 11) % 4)::int] as region,
      'SKU-' || (hash(i * 13) % 5000)::varchar as product, (1 + hash(i * 17) % 20)::int as quantity,
      (hash(i * 19) % 100000)::int / 100.0 as unit_price, (hash(i * 23) % 1000)::int / 1000.0 as discount,
      (hash(i * 29) % 180000)::int / 1000.0 - 90 as lat, (hash(i * 31) % 360000)::int / 1000.0 - 180 as lon,
      hash(i * 37) % 2 = 0 as express, date '2024-01-01' + (hash(i * 41) % 366)::int as due_on,
      case when hash(i * 43) % 10 > 0 then 'note about order number ' || i || ', of the day' end as note,
      md5(i::varchar) as reference, (hash(i * 47) % 1000000)::int / 1000.0 as m1,
      (hash(i * 53) % 1000000)::int / 1000.0 as m2, (hash(i * 59) % 1000000)::int / 1000.0 as m3,
      (hash(i * 61) % 1000000)::int / 1000.0 as m4, (hash(i * 67) % 5)::int as grade,
      ['new', 'paid', 'sent', 'done'][1 + (hash(i * 71) % 4)::int] as status
    from range({rows}) as t(i)
"""
POLICIES = {
    "no key": "",
    "key, reject": "key: [order_id]\n",
    "key, latest-wins": "key: [order_id]\non_key_conflict: latest-wins\n",
}


def write(path: pathlib.Path, rows: int) -> None:
    import duckdb

    db = duckdb.connect(config={"threads": 1})
    db.execute(f"copy ({ROWS.format(rows=rows)}) to '{path}' (header)")


def write_faulty(clean: pathlib.Path, path: pathlib.Path) -> None:
    """Breaks one row in a thousand, in four ways that take turns."""
    with open(clean) as lines, open(path, "w") as out:
        out.write(next(lines))
        last: list[str] = []
        for number, line in enumerate(lines):
            if number % 1000 == 500:
                cells = line.split(",")
                way = number // 1000 % 4
                if way == 0:
                    cells[3] = "upwards"
                elif way == 1:
                    cells[8] = "123.4.5"
                elif way == 2:
                    cells = [*cells[:5], "\n"]
                else:
                    cells = last
                line = ",".join(cells)
            last = line.split(",")
            out.write(line)


def peer(file: pathlib.Path, out: pathlib.Path) -> None:
    """What is measured on the other side; prints its seconds."""
    import time

    import duckdb

    start = time.monotonic()
    db = duckdb.connect(config={"threads": 2})
    db.execute(f"copy (select * from read_csv('{file}')) to '{out}' (format parquet)")
    print(time.monotonic() - start)


def project(folder: pathlib.Path, file: pathlib.Path, policy: str) -> _bench.Project:
    folder = pathlib.Path(folder)
    (folder / "contracts").mkdir(parents=True)
    (folder / "martlet.yaml").write_text("name: million\nsources:\n  orders: {}\n")
    columns = "".join(f"  {name}: {{type: {kind}}}\n" for name, kind in COLUMNS.items())
    (folder / "contracts/orders.yaml").write_text(f"{policy}columns:\n{columns}")
    (folder / "landing/orders").mkdir(parents=True)
    (folder / "landing/orders/orders.csv").hardlink_to(file)
    return _bench.Project(folder)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=7)
    arguments = parser.parse_args()
    report = _bench.Report("million", data="synthetic")
    with _bench.scratch() as folder:
        clean, dirty = pathlib.Path(folder) / "clean.csv", pathlib.Path(folder) / "dirty.csv"
        write(clean, arguments.rows)
        write_faulty(clean, dirty)
        cases = [("clean", clean, policy) for policy in POLICIES]
        cases += [("0.1 % dirty", dirty, policy) for policy in ("no key", "key, reject")]
        for number, (what, file, policy) in enumerate(cases):
            ours, peers = [], []
            for pair in range(arguments.pairs):
                place = project(pathlib.Path(folder) / f"{number}-{pair}", file, POLICIES[policy])
                ours.append(place.martlet("ingest"))
                peers.append(_bench.measured([sys.executable, __file__, "--peer", clean, f"{folder}/peer.parquet"]))
            rows = place.martlet("lake", "sql", "--json", "SELECT count(*) AS n FROM bronze.orders").output
            name = f"{what}, {policy}"
            seconds = [float(one.output) for one in peers]
            report.paired_at_least(
                f"{name}: speed, peer's wall / ours",
                [theirs / mine.wall for mine, theirs in zip(ours, seconds, strict=True)],
                0.47,
            )
            report.add(f"{name}: wall s", min(one.wall for one in ours), min(seconds))
            report.add(f"{name}: CPU s", min(one.cpu for one in ours), min(one.cpu for one in peers))
            report.at_most(
                f"{name}: peak resident MB, largest", max(one.peak_mb for one in ours), 400,
                max(one.peak_mb for one in peers))
            report.add(f"{name}: rows in bronze", json.loads(rows)[0]["n"])
    report.end()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        peer(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    else:
        main()
