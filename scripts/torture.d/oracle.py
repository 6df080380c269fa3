"""Compares a project's tables, as delta-rs reads them, with what was acknowledged and with the files themselves."""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ["RUST_BACKTRACE"] = "0"  # a panic of delta-rs is told in the difference; its frames help nobody

from deltalake import DeltaTable, QueryBuilder

from small import ExpectedProject, Place


class Oracle:
    """Computes what the tables must hold, and compares.

    It keeps no more than the order in which files were taken; everything else it recomputes from the files.
    """

    def __init__(self, project: ExpectedProject) -> None:
        self.project = project
        self.order: dict[str, list[str]] = {"moves": [], "levels": []}
        self.replayed: set[Place] = set()  # corrected rows that a command said it has taken
        self.tables_read = 0
        self.found: list[str] = []

    def check(self, home: Path, acknowledged: set[str], settled: bool) -> list[str]:
        """Differences, as sentences. `settled`: a run has completed, so nothing may be half-way."""
        self.found = []
        self.lake = Path(home) / "lake"
        bronze = {source: self.read_log(source) for source in self.order}
        for source in self.order:
            self.compare_log(source, bronze[source])
        missing = [d for d in acknowledged if d not in {d for order in self.order.values() for d in order}]
        for digest in missing:
            self.add_difference(f"{self.file_name(digest)} was acknowledged and is not in bronze")
        replayed = self.replays()
        moves, refused = self.project.moves(self.order["moves"], replayed)
        levels = self.project.levels(self.order["levels"])
        self.compare("bronze.moves", moves, ("id", "place", "amount"))
        self.compare("bronze.levels", levels, ("place", "slot", "level"))
        self.compare_quarantine(refused, settled)
        if settled:
            left = self.project.landed() - {d for order in self.order.values() for d in order}
            for digest in left:
                self.add_difference(f"{self.file_name(digest)} has landed, and a completed run did not take it")
            self.compare("silver.moves", {(id,): (place, amount) for id, place, amount in moves.values()},
                         ("place", "amount"), key=("id",))
            wanted = {row[:1]: row[1:] for row in self.project.places(moves, levels)}
            self.compare("gold.places", wanted, ("moves", "amount", "level"), key=("place",))
            self.check_database(Path(home) / "martlet.db")
        return self.found

    def replays(self) -> set[Place]:
        """The bad rows that are in bronze: a replay takes all or none, and an acknowledged one cannot be undone."""
        bad = self.project.bad(self.order["moves"])
        found = {row for row in self.read("bronze.moves", ("_file", "_row")) if row in bad} if bad else set()
        if self.replayed - found:
            self.add_difference(f"bronze.moves: {len(self.replayed - found)} replayed rows are gone")
        return found

    def add_difference(self, text: str) -> None:
        self.found.append(text)

    def file_name(self, digest: str) -> str:
        file = self.project.files.get(digest)
        return f"{file.source}/{file.name} ({digest[:12]})" if file else digest

    def read_log(self, source: str) -> list[str]:
        """The files that each commit of a bronze table names, in order; a file may stand in one commit only."""
        taken = []
        for entry in sorted((self.lake / "bronze" / source / "_delta_log").glob("[0-9]*.json")):
            try:
                actions = [json.loads(line) for line in entry.read_text().splitlines()]
            except ValueError:
                self.add_difference(f"{source}: {entry.name} is torn")
                continue
            ids = [a["txn"]["appId"] for a in actions if a.get("txn")]
            digests = [i.removeprefix("martlet/file/") for i in ids if i.startswith("martlet/file/")]
            taken += sorted(digests, key=lambda d: self.project.files[d].name if d in self.project.files else d)
        for digest, times in Counter(taken).items():
            if times > 1:
                self.add_difference(f"{self.file_name(digest)} was committed {times} times")
            if digest not in self.project.files:
                self.add_difference(f"bronze.{source} took a file that never landed: {digest}")
        return [d for d in dict.fromkeys(taken) if d in self.project.files]

    def compare_log(self, source: str, taken: list[str]) -> None:
        """What was in the table once stays in it."""
        known = self.order[source]
        # Old entries of the log may have been cleaned away after a checkpoint.
        self.order[source] = known + [d for d in taken if d not in known]

    def reset_order(self) -> None:
        """Takes the order anew from the log, for a disk that went back in time."""
        for source in self.order:
            self.order[source] = []

    def open(self, table: str) -> DeltaTable | None:
        folder = self.lake / table.replace(".", "/")
        if not (folder / "_delta_log").is_dir() or not any((folder / "_delta_log").glob("[0-9]*.json")):
            return None
        try:
            return DeltaTable(str(folder))
        except BaseException as error:
            self.add_error(f"open {table}", error)
            return None

    def add_error(self, what: str, error: BaseException) -> None:
        """Whatever delta-rs has against a table is a finding; its panics are no `Exception`."""
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise error
        self.add_difference(f"delta-rs cannot {what}: {str(error)[:400]}")

    def read(self, table: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
        opened = self.open(table)
        if not opened:
            return []
        names = ", ".join(f'"{c}"' for c in columns)
        try:
            query = QueryBuilder().register("t", opened).execute(f"SELECT {names} FROM t")
            rows: list[tuple[Any, ...]] = []
            for batch in query:
                rows += zip(*(batch.column(i).to_pylist() for i in range(batch.num_columns)), strict=True)
        except BaseException as error:
            self.add_error(f"read {table}", error)
            return []
        self.tables_read += 1
        return rows

    def compare(
        self, table: str, wanted: Mapping[Any, tuple[Any, ...]], columns: tuple[str, ...],
        key: tuple[str, ...] = ("_file", "_row"),
    ) -> None:
        rows = self.read(table, (*key, *columns))
        width = len(key)
        found = Counter(row[:width] for row in rows)
        twice = [k for k, n in found.items() if n > 1]
        if twice:
            self.add_difference(f"{table}: {len(twice)} rows stand more than once, e.g. {twice[0]}")
        lacking, extra = wanted.keys() - found.keys(), found.keys() - wanted.keys()
        if lacking:
            self.add_difference(f"{table}: {len(lacking)} of {len(wanted)} rows are gone, e.g. {min(lacking)}")
        if extra:
            self.add_difference(f"{table}: {len(extra)} rows too many, e.g. {min(extra)}")
        wrong = [row for row in rows if row[:width] in wanted and row[width:] != wanted[row[:width]]]
        if wrong:
            self.add_difference(f"{table}: {len(wrong)} rows differ, e.g. {wrong[0]}, not {wanted[wrong[0][:width]]}")
        for index, name in enumerate(columns):
            values = [v[index] for v in wanted.values() if isinstance(v[index], int)]
            if values and sum(values) != sum(row[width + index] or 0 for row in rows):
                self.add_difference(f"{table}: the sum of {name} is not {sum(values)}")

    def compare_quarantine(self, refused: dict[str, set[Place]], settled: bool) -> None:
        rows = Counter(self.read_quarantine())
        for (digest, row, _), times in rows.items():
            if times > 1:
                self.add_difference(f"quarantine.moves: row {row} of {self.file_name(digest)} stands {times} times")
        by_file: dict[str, set[Place]] = {}
        for digest, row, _ in rows:
            by_file.setdefault(digest, set()).add((digest, row))
        for digest, found in by_file.items():
            file = self.project.files.get(digest)
            if file is None:
                self.add_difference(f"quarantine.moves: a file that never landed: {digest}")
            elif file.refused:
                if found != {(digest, None)}:
                    self.add_difference(
                        f"quarantine.moves: {self.file_name(digest)} was refused whole, and {found} stand there"
                    )
            elif digest not in refused and settled:
                self.add_difference(f"quarantine.moves: rows of {self.file_name(digest)}, which is not in bronze")
        for digest, wanted in refused.items():
            if wanted != by_file.get(digest, set()):
                self.add_difference(
                    f"quarantine.moves: {len(by_file.get(digest, set()))} rows of {self.file_name(digest)}, "
                    f"not {len(wanted)}")

    def read_quarantine(self) -> list[tuple[Any, ...]]:
        """(digest, row, attempt) of what is quarantined; an interrupted attempt that a later one took back is left
        out."""
        table = self.open("quarantine.moves")
        if not table:
            return []
        if "attempt" not in [field.name for field in table.schema().fields]:
            return [(*row, None) for row in self.read("quarantine.moves", ("file_digest", "row"))]
        rows = self.read("quarantine.moves", ("file_digest", "row", "attempt"))
        void = {
            (attempt, digest) for attempt, digest in {(row[2], row[0]) for row in rows}
            if table.transaction_version(f"martlet/void/{attempt}/{digest}") is not None}
        return [row for row in rows if (row[2], row[0]) not in void]

    def check_database(self, path: Path) -> None:
        if not path.exists():
            return
        connection = sqlite3.connect(path)
        try:
            answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if answer != "ok":
                self.add_difference(f"martlet.db: {answer}")
            if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'events'").fetchone()[0]:
                self.check_events(connection)
        finally:
            connection.close()

    def check_events(self, connection: sqlite3.Connection) -> None:
        """Every version of every table has its event, once; positions have no gaps."""
        events = connection.execute("SELECT position, id FROM events ORDER BY position").fetchall()
        if [position for position, _ in events] != list(range(1, len(events) + 1)):
            self.add_difference("events: the positions have gaps")
        told: dict[str, list[int]] = {}
        for _, id in events:
            if id.startswith("table/"):
                _, table, _, version = id.split("/")
                told.setdefault(table, []).append(int(version))
        for log in sorted(self.lake.glob("*/*/_delta_log")):
            name = f"{log.parent.parent.name}.{log.parent.name}"
            versions = {int(e.stem) for e in log.glob("[0-9]*.json")}
            have = told.pop(name, [])
            if len(have) != len(set(have)):
                self.add_difference(f"events: a version of {name} has two events")
            if versions - set(have):
                self.add_difference(f"events: versions {sorted(versions - set(have))[:5]} of {name} have no event")
            if have and max(have) > max(versions, default=-1):
                self.add_difference(f"events: version {max(have)} of {name} has an event and does not exist")
        for name in told:
            self.add_difference(f"events: {name} has events and does not exist")

    def check_versions(self, home: Path) -> int:
        """Every version of every table opens in delta-rs; gives how many."""
        count = 0
        for log in sorted(Path(home).glob("lake/*/*/_delta_log")):
            if not any(log.glob("[0-9]*.json")):
                continue  # killed before its first version: no table yet
            try:
                table = DeltaTable(str(log.parent))
                for version in range(table.version() + 1):
                    DeltaTable(str(log.parent), version=version)
                    count += 1
            except BaseException as error:
                self.add_error(f"open the versions of {log.parent.name}", error)
        return count
