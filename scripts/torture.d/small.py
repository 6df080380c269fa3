"""A project small enough for thousands of cycles, whose every table can be computed from its files without Martlet."""

import hashlib
import json
import random
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

# Where a row came from: the digest of its file, and its number in it.
Place = tuple[str, int | None]
Move = tuple[int, str, int]
Level = tuple[str, int, int]

FILES = {
    "martlet.yaml": """
name: torture
sources:
  moves: {}
  levels: {}
""",
    "contracts/moves.yaml": """
description: a key that comes again is refused
key: [id]
max_rejected: 1
on_key_conflict: reject
columns:
  id: {type: bigint, nullable: false}
  place: {type: text, allowed: [a, b, c, d, e]}
  moved: {type: timestamp}
  amount: {type: bigint, min: -1000000, max: 1000000}
""",
    "contracts/levels.yaml": """
description: a key that comes again replaces the earlier row
key: [place, slot]
max_rejected: 1
on_key_conflict: latest-wins
columns:
  place: {type: text, nullable: false}
  slot: {type: integer, nullable: false}
  level: {type: bigint}
""",
    "transforms/silver/moves.sql": """
SELECT id, place, moved, amount FROM bronze.moves
""",
    "transforms/gold/places.sql": """
SELECT moves.place, moves.moves, moves.amount, coalesce(levels.level, 0) AS level
FROM (SELECT place, count(*) AS moves, sum(amount)::BIGINT AS amount FROM silver.moves GROUP BY place) AS moves
LEFT JOIN (SELECT place, sum(level)::BIGINT AS level FROM bronze.levels GROUP BY place) AS levels USING (place)
""",
}
PLACES = "abcde"
SOURCES = ("moves", "levels")


class LandedFile:
    """One file that landed, and what its rows must become."""

    def __init__(
        self, source: str, name: str, lines: list[str], rows: list[tuple[Any, ...]], refused: bool = False,
    ) -> None:
        self.source, self.name, self.rows, self.refused = source, name, rows, refused
        self.bytes = "".join(lines).encode()
        self.digest = hashlib.sha256(self.bytes).hexdigest()


class ExpectedProject:
    """The project's files on disk, and what its tables must hold, computed from all that landed."""

    def __init__(self, folder: Path, rng: random.Random, rows: int = 30) -> None:
        self.folder, self.rng, self.size = Path(folder), rng, rows
        self.files: dict[str, LandedFile] = {}
        self.next_id = 0
        self.good_ids: list[int] = []
        self.number = 0
        for name, text in FILES.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.lstrip())
        for source in SOURCES:
            (self.folder / "landing" / source).mkdir(parents=True)

    def land(self, source: str, refused: bool = False) -> LandedFile:
        self.number += 1
        # Files are taken by name, and do not arrive in that order.
        name = f"{self.rng.randrange(1000):03d}-{self.number}.csv"
        file = self.make_refused(name) if refused else getattr(self, f"make_{source}")(name)
        self.files[file.digest] = file
        target = self.folder / "landing" / source / name
        # Not there until it is whole, as a careful sender does it.
        hidden = target.with_name("." + name)
        hidden.write_bytes(file.bytes)
        hidden.rename(target)
        return file

    def withdraw(self, file: LandedFile) -> None:
        (self.folder / "landing" / file.source / file.name).unlink()

    def landed(self) -> set[str]:
        """Digests of the files that lie in the landing folders now, refused ones left out."""
        return {
            f.digest for f in self.files.values()
            if not f.refused and (self.folder / "landing" / f.source / f.name).exists()}

    def make_moves(self, name: str) -> LandedFile:
        lines, rows = ["id,place,moved,amount\n"], []
        for row in range(1, self.rng.randint(2, self.size) + 1):
            place, amount, bad = self.rng.choice(PLACES), self.rng.randint(-1_000_000, 1_000_000), None
            kind = self.rng.random()
            if kind < 0.06 and self.good_ids:
                id = self.rng.choice(self.good_ids)  # a key that came before, in this file or an earlier one
            else:
                id = self.next_id
                self.next_id += 1
                if kind > 0.97 or (row == 2 and self.number < 3):
                    bad = "amount"
                else:
                    self.good_ids.append(id)
            text = "much" if bad else amount
            lines.append(f"{id},{place},2025-01-01 00:{row // 60 % 60:02d}:{row % 60:02d},{text}\n")
            rows.append((row, id, place, amount, bad))
        return LandedFile("moves", name, lines, rows)

    def make_levels(self, name: str) -> LandedFile:
        keys = [(place, slot) for place in PLACES for slot in range(6)]
        chosen = self.rng.sample(keys, self.rng.randint(2, min(len(keys), self.size)))
        rows = [(row, place, slot, self.rng.randint(0, 1000)) for row, (place, slot) in enumerate(chosen, 1)]
        return LandedFile(
            "levels", name, ["place,slot,level\n", *(f"{p},{s},{level}\n" for _, p, s, level in rows)], rows)

    def make_refused(self, name: str) -> LandedFile:
        """A file without a column that must be there."""
        lines = ["id,place,moved\n", f"{self.next_id},a,2025-01-01 00:00:{self.number % 60:02d}\n"]
        self.next_id += 1
        return LandedFile("moves", name, lines, [], refused=True)

    # What the tables must hold when the given files were taken in the given order.

    def moves(
        self, order: list[str], replayed: Collection[Place] = (),
    ) -> tuple[dict[Place, Move], dict[str, set[Place]]]:
        """({(digest, row): (id, place, amount)}, {(digest, row)} of what is refused, by file).

        `replayed`: bad rows that were corrected to an amount of 0 and are in bronze by now.
        """
        taken: dict[Place, Move] = {}
        refused: dict[str, set[Place]] = {}
        seen = set()
        for digest in order:
            refused[digest] = set()
            for row, id, place, amount, bad in self.files[digest].rows:
                if bad or id in seen:
                    refused[digest].add((digest, row))
                    if (digest, row) in replayed:
                        taken[digest, row] = (id, place, 0)
                else:
                    seen.add(id)
                    taken[digest, row] = (id, place, amount)
        return taken, refused

    def bad(self, order: list[str]) -> set[Place]:
        """Rows that a correction of their amount makes good."""
        return {(digest, row) for digest in order for row, _, _, _, bad in self.files[digest].rows if bad}

    def levels(self, order: list[str]) -> dict[Place, Level]:
        latest = {}
        for digest in order:
            for row, place, slot, level in self.files[digest].rows:
                latest[place, slot] = (digest, row, level)
        return {(digest, row): (place, slot, level) for (place, slot), (digest, row, level) in latest.items()}

    @staticmethod
    def places(moves: dict[Place, Move], levels: dict[Place, Level]) -> list[tuple[str, int, int, int]]:
        totals: dict[str, tuple[int, int]] = {}
        for _, place, amount in moves.values():
            count, sum = totals.get(place, (0, 0))
            totals[place] = (count + 1, sum + amount)
        level = {place: 0 for place in totals}
        for place, _, value in levels.values():
            if place in level:
                level[place] += value
        return sorted((place, count, sum, level[place]) for place, (count, sum) in totals.items())


def acknowledged(output: str, returncode: int, landed: Iterable[str]) -> set[str]:
    """The digests that a command said it has taken: what `--json` names, or all that had landed when `run`
    succeeded."""
    try:
        answer = json.loads(output)
    except ValueError:
        return set()
    if isinstance(answer, list):
        return {
            file["digest"] for report in answer for file in report.get("files", [])
            if file["outcome"] in ("ingested", "already-known")}
    return set(landed) if returncode == 0 and isinstance(answer, dict) and "steps" in answer else set()
