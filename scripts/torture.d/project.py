"""Projects to torture, and what can be known of one from outside: its Delta logs, its trace, the program's answers."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Prints a line about how far a part has come.
Progress = Callable[[str], None]
# By table: versions with the content hash of their commit, or with the count of rows it added.
History = dict[str, list[tuple[int, str | int]]]
# By table or model version: what identifies its content.
Content = dict[str, tuple[Any, ...]]


class Failure(Exception):
    """The program did something that it must not do."""


class Program:
    """The binary under test, and the environment that it is started in."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self.environment = {k: v for k, v in os.environ.items() if k != "MARTLET_HOME"}

    def start(self, folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self.path, *arguments], cwd=folder, env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(
        self, folder: Path, *arguments: str, expect: int | None = 0, **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.path, *arguments], cwd=folder, env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=900)
        if expect is not None and done.returncode != expect:
            raise Failure(
                f"martlet {' '.join(arguments)} gave exit code {done.returncode}, not {expect}:\n"
                f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def json(self, folder: Path, *arguments: str) -> Any:
        return json.loads(self.run(folder, *arguments, "--json").stdout)


class Recipe:
    """A project's files, and the files that land on each day."""

    def __init__(self, name: str, model: str, template: Path, landing: str, days: list[list[Path]]) -> None:
        self.name, self.model, self.template, self.landing, self.days = name, model, template, landing, days

    def begin(self, folder: Path) -> None:
        shutil.copytree(self.template, folder)

    def land(self, folder: Path, day: int) -> None:
        target = Path(folder) / self.landing
        target.mkdir(parents=True, exist_ok=True)
        for file in self.days[day]:
            shutil.copyfile(file, target / Path(file).name)


def small_readmission(program: Program, scratch: Path) -> Recipe:
    """3,000 rows and 300 without outcome; on the second day 900 rows more, some of them under keys that are known."""
    files = Path(scratch) / "readmission-files"
    files.mkdir()
    template = Path(scratch) / "readmission-template"
    program.run(scratch, "init", str(template), "--template", "readmission")
    for name, options in {
        "first": ["--rows", "3000", "--seed", "1"],
        "open": ["--rows", "300", "--seed", "2", "--unlabelled"],
        "second": ["--rows", "900", "--seed", "3"],
    }.items():
        program.run(scratch, "generate", "readmission", *options, "-o", str(files / f"{name}.csv"))
    first = (files / "first.csv").read_text().splitlines(keepends=True)
    # Rows that bronze refuses: a key that is no number, and a line with too few cells.
    with open(files / "first.csv", "a") as file:
        file.write(re.sub(r"^[^,]*", "unknown", first[1]))
        file.write("1,2,3\n")
    with open(files / "second.csv", "a") as file:
        file.writelines(first[1:200])
    relax_gates(template, gates="roc_auc, at_least: 0.1")
    replace_in_file(
        template / "martlet.yaml", ("rounds: 2000", "rounds: 60"), ("early_stopping: 100", "early_stopping: 20")
    )
    replace_in_file(template / "contracts/encounters.yaml", ("on_key_conflict: reject", "on_key_conflict: latest-wins"))
    return Recipe(
        "readmission", "readmission", template, "landing/encounters",
        [[files / "first.csv", files / "open.csv"], [files / "second.csv"]])


def small_downtime(program: Program, scratch: Path) -> Recipe:
    """2,500 readings; 500 more on the second day."""
    files = Path(scratch) / "downtime-files"
    files.mkdir(parents=True)
    template = Path(scratch) / "downtime-template"
    program.run(scratch, "init", str(template), "--template", "downtime")
    program.run(scratch, "generate", "downtime", "--rows", "2500", "--seed", "1", "-o", str(files / "first.csv"))
    program.run(scratch, "generate", "downtime", "--rows", "500", "--seed", "2", "-o", str(files / "second.csv"))
    relax_gates(template, gates="roc_auc, at_least: 0.1")
    replace_in_file(template / "martlet.yaml", ("n_estimators: 200", "n_estimators: 20"))
    return Recipe("downtime", "downtime", template, "landing/readings", [[files / "first.csv"], [files / "second.csv"]])


def real_readmission(program: Program, scratch: Path, data: str) -> Recipe:
    template = Path(scratch) / "readmission-template"
    program.run(scratch, "init", str(template), "--template", "readmission")
    return Recipe("readmission (real)", "readmission", template, "landing/encounters", [[Path(data).resolve()]])


def relax_gates(template: Path, gates: str) -> None:
    """Gates that anything passes, and fewer replicates: the model's quality is not the question here."""
    path = template / "martlet.yaml"
    text = re.sub(r"(?m)^    gates:\n(      .*\n)+", f"    gates:\n      - {{metric: {gates}}}\n", path.read_text())
    path.write_text(re.sub(r"(?m)^    gates:", "    bootstrap: {replicates: 100}\n    gates:", text))


def replace_in_file(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in changes:
        if old not in text:
            raise Failure(f"{path.name} of the template no longer has {old!r}: adapt scripts/torture.d/project.py")
        text = text.replace(old, new)
    path.write_text(text)


def tables(folder: Path) -> list[Path]:
    lake = Path(folder) / ".martlet/lake"
    return sorted(p.parent for p in lake.glob("*/*/_delta_log") if any(p.glob("[0-9]*.json")))


def history(folder: Path) -> History:
    """Every version of every table: the content hash that its commit carries, or the rows that it added."""
    found = {}
    for table in tables(folder):
        versions = []
        for entry in sorted((table / "_delta_log").glob("[0-9]*.json")):
            hash, rows = None, 0
            for line in entry.read_text().splitlines():
                action = json.loads(line)
                hash = action.get("commitInfo", {}).get("martlet", {}).get("contentHash", hash)
                if "add" in action:
                    rows += json.loads(action["add"]["stats"])["numRecords"]
            versions.append((int(entry.stem), hash or rows))
        found[f"{table.parent.name}.{table.name}"] = versions
    return found


def content(program: Program, folder: Path) -> Content:
    """Rows and a hash of them, computed from the data files; and every model version."""
    found: Content = {}
    for table in program.json(folder, "lake", "tables"):
        name = table["table"]
        # An attempt at a file has another id each time.
        rows = f"(SELECT COLUMNS(c -> c <> 'attempt') FROM {name})"
        query = f"SELECT count(*) AS rows, bit_xor(hash(t)) AS hash FROM {rows} AS t"
        found[name] = (table["version"], program.json(folder, "lake", "sql", query)[0])
    for model in program.json(folder, "models", "list"):
        for version in range(1, model["versions"] + 1):
            shown = program.json(folder, "models", "show", f"{model['model']}@{version}")
            found[f"model {model['model']}@{version}"] = (
                shown["model_hash"], shown["aliases"], shown["approval"]["state"],
                sorted((t["name"], t["snapshot"], t["hash"]) for t in shown["lineage"]["tables"]),
                sorted((f["digest"], f["rows"], f["rejected"]) for f in shown["lineage"]["files"]))
    return found


def trace(folder: Path) -> list[dict[str, Any]]:
    path = Path(folder) / ".martlet/logs/trace.jsonl"
    text = path.read_text() if path.exists() else ""
    lines = text[: text.rfind("\n") + 1].splitlines()
    entries = []
    for line in lines:
        try:
            entries.append(json.loads(line))
        except ValueError:
            raise Failure(f"a broken line in trace.jsonl: {line!r}") from None
    return entries


DELTA_RS = """
import json, sys
from deltalake import DeltaTable, QueryBuilder
for folder, rows in json.loads(sys.stdin.read()):
    table = DeltaTable(folder)
    for version in range(table.version()):
        DeltaTable(folder, version=version)
    query = QueryBuilder().register("t", table).execute("SELECT count(*) AS n FROM t")
    found = [row.as_py() for batch in query for row in batch.column("n")][0]
    if found != rows:
        sys.exit(f"{folder}: delta-rs reads {found} rows, martlet {rows}")
"""


def check_with_delta_rs(python: str, program: Program, folder: Path) -> int:
    """delta-rs opens every version of every table, and reads the rows of the latest."""
    home = Path(folder) / ".martlet/lake"
    wanted = [
        [str(home / t["table"].replace(".", "/", 1)), t["rows"]] for t in program.json(folder, "lake", "tables")]
    done = subprocess.run([python, "-c", DELTA_RS], input=json.dumps(wanted), capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"delta-rs: {done.stderr.strip()[-1500:]}")
    return len(wanted)
