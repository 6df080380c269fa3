"""What a project's registry, people, tokens, jobs and audit say, read from its files without Martlet."""

import hashlib
import json
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from deltalake import DeltaTable, QueryBuilder

import predictions

# Digests of landed files and stamps of tables are notes about this copy of the folder, not state.
# By table: the names of its columns, and its rows.
Tables = dict[str, tuple[list[str], list[tuple[Any, ...]]]]
NOTES = {"files", "table_offsets", "schema_migrations", "effects"}
MODELS = ("registered_models", "model_versions", "approvals", "aliases", "model_history", "audit")
# What differs from one undisturbed execution to the next: times, ids, secrets.
VARIES = [
    (re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b20\d\d-\d\d-\d\dT[0-9:.]+Z"), "TIME"),
    (re.compile(r"martlet_[A-Za-z0-9_-]{4,}"), "TOKEN"),
    (re.compile(r"^[0-9a-f]{64}$"), "DIGEST"),
]
# In microseconds since 1970; nothing else that is kept is as large.
TIMES = 10**15


@contextmanager
def opened(home: Path, live: bool = False) -> Iterator[sqlite3.Connection]:
    """The database. A copy of it, unless a server has it open: a reader of WAL files mends and moves them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(home) / "martlet.db"
        if not live:
            for name in ("martlet.db", "martlet.db-wal"):
                if path.with_name(name).exists():
                    shutil.copyfile(path.with_name(name), Path(folder) / name)
            path = Path(folder) / "martlet.db"
        with closing(sqlite3.connect(path, timeout=10)) as base:
            yield base


def raw(home: Path, live: bool = False) -> Tables:
    """{table: (columns, rows)} of a project's `martlet.db`, in the order of writing."""
    with opened(home, live) as base:
        names = [name for name, in base.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        found = {}
        for name in names:
            cursor = base.execute(f'SELECT * FROM "{name}"')
            found[name] = ([column[0] for column in cursor.description], cursor.fetchall())
        return found


def plain(value: object) -> object:
    if isinstance(value, int) and value > TIMES:
        return "TIME"
    if isinstance(value, str):
        for pattern, word in VARIES:
            value = pattern.sub(word, value)
    return value


def snapshot(
    home: Path, before: Tables | None = None, tables: Collection[str] | None = None, live: bool = False,
) -> list[str]:
    """The state, without what varies. `before`: `raw` of the state before, to tell new passwords from old ones."""
    old = {row[0]: row[3] for row in before["users"][1]} if before else {}
    lines = []
    for name, (columns, rows) in raw(home, live).items():
        if name in NOTES or (tables and name not in tables):
            continue
        for row in rows:
            cells = dict(zip(columns, row, strict=True))
            if name == "users":
                cells["password"] = "new" if cells["password"] != old.get(cells["id"]) else "old"
            lines.append(f"{name} " + json.dumps({k: plain(v) for k, v in cells.items()}))
    return lines


def describe_difference(wanted: list[str], found: list[str]) -> str:
    """A few words on what is too much and too little."""
    less, more = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
    return "; ".join([f"not there: {line[:300]}" for line in list(less)[:3]]
                     + [f"too much: {line[:300]}" for line in list(more)[:3]])


def rows(tables: Tables, name: str) -> list[dict[str, Any]]:
    columns, found = tables[name]
    return [dict(zip(columns, row, strict=True)) for row in found]


def check_consistency(home: Path, live: bool = False) -> list[str]:
    """What does not fit together: file, history, aliases, approvals, audit, events, jobs, artifacts."""
    home = Path(home)
    with opened(home, live) as base:
        found = [f"martlet.db: {text}" for text, in base.execute("PRAGMA quick_check(3)") if text != "ok"]
        found += [f"martlet.db: a foreign key of {row[0]} names nothing" for row in
                  base.execute("PRAGMA foreign_key_check").fetchmany(3)]
    if found:
        return found
    tables = raw(home, live)
    return [
        *check_positions(tables),
        *check_aliases(tables),
        *check_model_versions(tables, home),
        *check_users(tables),
        *check_jobs(tables),
    ]


def check_positions(tables: Tables) -> Iterator[str]:
    for name in ("audit", "events", "model_history"):
        counts: Counter[str | None] = Counter()
        for row in sorted(rows(tables, name), key=lambda row: row["position"]):
            key = row.get("model") if name == "model_history" else None
            counts[key] += 1
            if row["position"] != counts[key]:
                yield f"{name}: position {row['position']} comes after {counts[key] - 1}"


def check_aliases(tables: Tables) -> Iterator[str]:
    """Aliases and approvals are what the history says; each move is in the audit and in the events."""
    aliases, states = {}, {}
    wanted: Counter[tuple[str, str]] = Counter()
    for row in sorted(rows(tables, "model_history"), key=lambda row: row["position"]):
        model, version, alias = row["model"], row["version"], row["alias"]
        place = f"models/{model}/" + (f"aliases/{alias}" if alias else f"versions/{version}")
        wanted[{"registered": "version.registered", "approved": "version.approved", "rejected": "version.rejected",
                "alias-set": "alias.moved", "alias-removed": "alias.removed"}[row["event"]], place] += 1
        if row["event"] == "alias-set":
            aliases[model, alias] = version
        elif row["event"] == "alias-removed":
            aliases.pop((model, alias), None)
        elif row["event"] in ("approved", "rejected"):
            states[model, version] = row["event"]
    now = {(row["model"], row["alias"]): row["version"] for row in rows(tables, "aliases")}
    if now != aliases:
        yield f"aliases are {now}, the history says {aliases}"
    decided = {(row["model"], row["version"]): row["state"] for row in rows(tables, "approvals")
               if row["state"] in ("approved", "rejected")}
    if decided != states:
        yield f"approvals are {decided}, the history says {states}"
    for name, kind in (("audit", "action"), ("events", "type")):
        told: Counter[tuple[str, str]] = Counter()
        for row in rows(tables, name):
            what = row[kind].removeprefix("dev.martlet.")
            if what.split(".")[0] in ("version", "alias") and row["subject"].startswith("models/"):
                told[what, row["subject"]] += 1
        if told != wanted:
            yield f"{name} and history differ: {list((told - wanted) + (wanted - told))[:3]}"


def check_model_versions(tables: Tables, home: Path) -> Iterator[str]:
    runs = {row["id"]: row for row in rows(tables, "runs")}
    artifacts: dict[str, list[dict[str, Any]]] = {}
    for row in rows(tables, "run_artifacts"):
        artifacts.setdefault(row["run"], []).append(row)
    for version in rows(tables, "model_versions"):
        name = f"{version['model']}@{version['version']}"
        run = runs.get(version["run"])
        if not run or run["status"] != "finished":
            yield f"{name} stands on a run that is {run and run['status']}"
        if not artifacts.get(version["run"]):
            yield f"{name} has no artifacts"
        for artifact in artifacts.get(version["run"], []):
            path = home / "artifacts" / artifact["digest"][:2] / artifact["digest"]
            if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != artifact["digest"]:
                yield f"{name}: {artifact['name']} is not there, or not what was stored"


def check_users(tables: Tables) -> Iterator[str]:
    audit = rows(tables, "audit")
    names = {"users": "user.added", "api_tokens": "token.created"}
    for table, action in names.items():
        told = sorted(row["subject"].split("/", 1)[1] for row in audit if row["action"] == action)
        there = sorted(row["name"] for row in rows(tables, table))
        if told != there:
            yield f"{table} are {there}, the audit says {told}"
    gone = {row["subject"].split("/", 1)[1] for row in audit if row["action"] == "token.revoked"}
    for row in rows(tables, "api_tokens"):
        if (row["revoked"] is not None) != (row["name"] in gone):
            yield f"token {row['name']}: revoked is {row['revoked']}, the audit says {row['name'] in gone}"
    last = {row["subject"].split("/", 1)[1]: row["action"] for row in audit
            if row["action"] in ("user.disabled", "user.enabled")}
    for row in rows(tables, "users"):
        if (row["disabled"] is not None) != (last.get(row["name"]) == "user.disabled"):
            yield f"{row['name']}: disabled is {row['disabled']}, the audit says {last.get(row['name'])}"


def check_jobs(tables: Tables) -> Iterator[str]:
    states = {row["id"]: row["state"] for row in rows(tables, "jobs")}
    # Those that a server queues for itself are nobody's act.
    own = {row["id"] for row in rows(tables, "jobs") if row["kind"] == "compact-predictions"}
    told = Counter(row["subject"].split("/")[-1] for row in rows(tables, "audit") if row["action"] == "job.submitted")
    if set(told) - own != set(states) - own or any(count > 1 for count in told.values()):
        yield f"{len(states)} jobs are there, the audit says {sum(told.values())} were submitted"
    for row in rows(tables, "job_attempts"):
        if row["outcome"] == "running" and states[row["job"]] != "running":
            yield f"job {row['job'][:12]} is {states[row['job']]} and its attempt {row['attempt']} is running"


def password_holds(home: Path, name: str, password: str) -> bool:
    """Whether it is this password that the person has."""
    import base64
    stored = next(row["password"] for row in rows(raw(home), "users") if row["name"] == name)
    _, kind, costs, salt, digest = stored.split("$")
    n, r, p = (int(part.split("=")[1]) for part in costs.split(","))
    salt, digest = (base64.b64decode(text + "=" * (-len(text) % 4)) for text in (salt, digest))
    made = hashlib.scrypt(password.encode(), salt=salt, n=2**n, r=r, p=p, dklen=len(digest), maxmem=2**27)
    return kind == "scrypt" and made == digest


def data_files(home: Path) -> set[str]:
    lake = Path(home) / "lake"
    return {str(path.relative_to(lake)) for path in lake.rglob("*.parquet") if "_delta_log" not in path.parts}


def files_of_models(home: Path) -> tuple[set[str], set[tuple[str, int | None]]]:
    """The data files of each version of a table that a registered model stands on, and of the latest versions."""
    tables, lake, files = raw(home), Path(home) / "lake", set()
    runs = {row["run"] for row in rows(tables, "model_versions")}
    wanted = {(row["name"], row["snapshot"]) for row in rows(tables, "run_tables") if row["run"] in runs}
    wanted |= {(f"{path.parent.parent.name}.{path.parent.name}", None) for path in lake.glob("*/*/_delta_log")}
    for name, version in wanted:
        folder = lake / name.replace(".", "/", 1)
        files |= {str((folder / Path(uri).name).relative_to(lake)) for uri in
                  DeltaTable(str(folder), version=version).file_uris()}
    return files, wanted


def logged(home: Path) -> tuple[set[str], set[str], list[str]]:
    """Ids of logged predictions: (those in segments, those in the lakehouse, what comes twice)."""
    segments = Counter(id for path in sorted((Path(home) / "predictions").glob("*.segment"))
                       for id, _, _ in predictions.segment(path)[0])
    lake: Counter[str] = Counter()
    for log in (Path(home) / "lake" / "monitoring").glob("predictions_*/_delta_log"):
        if any(log.glob("[0-9]*.json")):
            query = QueryBuilder().register("t", DeltaTable(str(log.parent))).execute("SELECT request_id FROM t")
            lake.update(row.as_py() for batch in query for row in batch.column("request_id"))
    twice = [id for found in (segments, lake) for id, count in found.items() if count > 1]
    return set(segments), set(lake), twice
