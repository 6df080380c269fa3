#!/usr/bin/env python3
"""Fills .deps/{lib,include,lib/pkgconfig} with DuckDB, LightGBM and XGBoost as scripts/native.lock pins them.

Sources, in order: a system library of the right version known to pkg-config (Homebrew on macOS); the vendor's release
(MARTLET_VENDOR_RELEASES=1, digest pinned); the vendor's Python wheel. Only the shared library is taken from a wheel;
nothing of Python runs. .deps/sources.json says which source is in use. Called by scripts/setup.
"""
import contextlib
import fcntl
import fnmatch
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEPS = ROOT / ".deps"
DOWNLOADS = DEPS / "downloads"
STUB = "libduckdb_pystub.so"

# accepts: the versions of a system library that may stand in for the pinned one. DuckDB's file formats and parser
# output change with the minor version; the boosters keep their C interface within a major version.
LIBRARIES = {
    "duckdb": {
        "accepts": r"1\.5\.\d+$", "library": "libduckdb.so", "link": "-lduckdb",
        "wheel": {"_duckdb*.so": "libduckdb.so"},
        "release": {"libduckdb.so": "libduckdb.so"},
        "headers": {"*/external/duckdb/src/include/duckdb.h": "duckdb.h"},
    },
    "lightgbm": {
        "accepts": r"4\.", "library": "lib_lightgbm.so", "link": "-l_lightgbm",
        "wheel": {"lightgbm/lib/lib_lightgbm.so": "lib_lightgbm.so"},
        "headers": {f"*/include/LightGBM/{h}.h": f"LightGBM/{h}.h" for h in ("c_api", "export", "arrow")},
    },
    "xgboost": {
        "accepts": r"3\.", "library": "libxgboost.so", "link": "-lxgboost",
        "wheel": {"xgboost/lib/libxgboost.so": "libxgboost.so", "xgboost_cpu.libs/libgomp-*": "*"},
        "headers": {"*/cpp_src/include/xgboost/c_api.h": "xgboost/c_api.h"},
    },
}


# A row of native.lock, and all of them by component and source.
Row = dict[str, str]
Rows = dict[tuple[str, str], Row]


class SetupError(Exception):
    """A sentence for a person."""


def print_status(text: str) -> None:
    print(f"setup: {text}", flush=True)


def locked() -> tuple[Rows, str]:
    """The lock's rows that fit this machine: {(component, source): row}."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    here = f"{platform.system().lower()}-{machine}"
    rows = {}
    for line in (ROOT / "scripts/native.lock").read_text().splitlines():
        if line and not line.startswith("#"):
            component, version, where, source, sha256, file = line.split()
            if where in ("any", here):
                rows[component, source] = {
                    "component": component, "version": version, "source": source, "sha256": sha256, "file": file}
    return rows, here


def digest(path: Path) -> str:
    sha = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()


class PackageIndex:
    """Fetches one named file from the index or find-links folder pip is configured with.

    `pip download` of a source distribution runs its build hooks, and XGBoost's does not end in reasonable time; asking
    pip's own link collector for the file runs nothing of the package and honours every pip setting.
    """

    def __init__(self, stack: contextlib.ExitStack) -> None:
        try:
            from pip._internal.commands import create_command
            from pip._internal.index.collector import parse_links
            from pip._internal.models.link import Link
            # What is asked of it is not in the types of its base class.
            command: Any = create_command("download")
            options, _ = command.parse_args([])
            stack.enter_context(command.main_context())
            self.session = command.get_default_session(options)
            self.collector = command._build_package_finder(options=options, session=self.session)._link_collector
        except (ImportError, AttributeError, TypeError) as error:
            raise SetupError(
                f"this pip cannot be asked for single files ({error}); put those of native.lock into .deps/downloads"
            ) from error
        self.parse_links, self.Link = parse_links, Link

    def fetch(self, file: str, target: Path) -> None:
        project = file.split("-")[0].replace("_", "-")
        scope = self.collector.search_scope
        for folder in scope.find_links:
            if (Path(folder) / file).is_file():
                shutil.copyfile(Path(folder) / file, target)
                return
        for page_url in scope.get_index_urls_locations(project):
            page = self.collector.fetch_response(self.Link(page_url))
            for link in self.parse_links(page) if page else ():
                if link.filename == file:
                    # Without `identity` a server may unpack a .tar.gz on the way, and its digest would not fit.
                    plain = {"Accept-Encoding": "identity"}
                    with self.session.get(link.url_without_fragment, headers=plain, stream=True) as answer, \
                            open(target, "wb") as out:
                        answer.raise_for_status()
                        for block in answer.iter_content(1 << 18):
                            out.write(block)
                    return
        raise SetupError(
            f"pip's package index cannot be reached or does not have {file}; set PIP_INDEX_URL or PIP_FIND_LINKS, "
            "or put the file into .deps/downloads")


def fetch(row: Row, index: Callable[[], PackageIndex]) -> Path:
    """The row's file in .deps/downloads, its digest checked."""
    path = DOWNLOADS / row["file"].rsplit("/", 1)[-1]
    if path.exists() and digest(path) == row["sha256"]:
        return path
    print_status(f"fetching {path.name}")
    part = path.with_name(path.name + ".part")
    if row["source"] == "release":
        with urllib.request.urlopen(row["file"], timeout=3) as answer, open(part, "wb") as out:
            shutil.copyfileobj(answer, out)
    else:
        index().fetch(row["file"], part)
    found = digest(part)
    if found != row["sha256"]:
        part.unlink()
        raise SetupError(f"{path.name} has SHA-256 {found}, native.lock says {row['sha256']}; it was thrown away")
    part.replace(path)
    return path


def extract(archive: Path, members: dict[str, str], folder: Path) -> list[Path]:
    """Writes the archive's members (pattern -> name, `*` keeps the name) into folder; each pattern must be found."""
    written = []
    with contextlib.ExitStack() as stack:
        if archive.name.endswith(".tar.gz"):
            tar = stack.enter_context(tarfile.open(archive))
            names = tar.getnames()

            def read(name: str) -> bytes:
                member = tar.extractfile(name)
                if member is None:
                    raise SetupError(f"{archive.name}: {name} is no file")
                return member.read()
        else:
            packed = stack.enter_context(zipfile.ZipFile(archive))
            names, read = packed.namelist(), packed.read
        for pattern, target in members.items():
            name = next((name for name in names if fnmatch.fnmatch(name, pattern)), None)
            if name is None:
                raise SetupError(f"{archive.name} holds no {pattern}")
            path = folder / (Path(name).name if target == "*" else target)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(read(name))
            written.append(path)
    return written


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(f"`{' '.join(str(part) for part in command)}` failed: {done.stderr.strip()}")
    return done.stdout


def tool(*names: str) -> str:
    for name in names:
        if path := shutil.which(name):
            return path
    raise SetupError(f"found none of: {', '.join(names)}. They come with the Swift toolchain or the package binutils")


def stub_source(symbols: list[str]) -> str:
    """C that satisfies the loader for the Python half of the wheel's library, which Martlet never enters.

    Functions say which one was reached and abort; data is zeroed memory large enough for a type object.
    """
    lines = ["#include <stdio.h>", "#include <stdlib.h>",
             "static void reached(const char *symbol) {",
             '    fprintf(stderr, "CPython entry point reached in libduckdb: %s\\n", symbol);', "    abort();", "}"]
    for symbol in symbols:
        data = re.fullmatch(r"PyExc_\w+|_Py_\w+(Struct|Object)|_PyWeakref_\w+Type|Py[A-Za-z]+_Type", symbol)
        if data and symbol != "PyObject_Type":
            lines.append(f"void *{symbol}[128];")
        else:
            lines.append(f'void *{symbol}(void) {{ reached("{symbol}"); return 0; }}')
    return "\n".join(lines) + "\n"


def make_stub(library: Path, stage: Path) -> bool:
    nm = run(tool("nm", "llvm-nm"), "-D", "--undefined-only", library)
    symbols = sorted({m for m in re.findall(r"\bU (_?Py\w+)", nm)})
    if not symbols:
        return False
    source = stage / "pystub.c"
    source.write_text(stub_source(symbols))
    run(tool("clang", "cc"), "-O1", "-fPIC", "-shared", "-w", "-fno-builtin", f"-Wl,-soname,{STUB}",
        "-o", stage / "lib" / STUB, source)
    return True


def system_library(name: str, spec: dict[str, Any]) -> tuple[str, str] | None:
    """(version, package) of an acceptable system library, or None."""
    if not (pkg_config := shutil.which("pkg-config")):
        return None
    for package in (name, f"lib{name}"):
        asked = subprocess.run([pkg_config, "--modversion", package], capture_output=True, text=True)
        version = asked.stdout.strip()
        if asked.returncode == 0 and re.match(spec["accepts"], version):
            return version, package
        if asked.returncode == 0:
            print_status(f"{name}: the system has {version}, which is not a version Martlet can use")
    return None


def homebrew(name: str, spec: dict[str, Any]) -> tuple[str, str]:
    """(version, prefix) of Homebrew's library on macOS. Written from documentation, not tested."""
    if not shutil.which("brew"):
        raise SetupError("macOS needs Homebrew for DuckDB, LightGBM and XGBoost: the wheels cannot be linked there")
    prefix = run("brew", "--prefix", name).strip()
    version = run("brew", "list", "--versions", name).split()[-1]
    if not re.match(spec["accepts"], version):
        raise SetupError(f"Homebrew has {name} {version}, which is not a version Martlet can use")
    return version, prefix


def write_pc(stage: Path, name: str, version: str, **fields: str) -> None:
    fields = {"Name": f"martlet-{name}", "Description": f"{name} as Martlet links it", "Version": version, **fields}
    text = f"prefix={DEPS}\n" + "".join(f"{key}: {value}\n" for key, value in fields.items())
    (stage / "lib/pkgconfig" / f"martlet-{name}.pc").write_text(text)


def postgres_headers(here: str) -> str:
    """The folder of libpq-fe.h."""
    command = ["brew", "--prefix", "libpq"] if here.startswith("darwin") else ["pg_config", "--includedir"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"libpq's headers are not here (Debian: apt-get install libpq-dev): {error}") from error
    return f"{found}/include" if here.startswith("darwin") else found


def install(
    name: str, spec: dict[str, Any], rows: Rows, here: str, stage: Path, index: Callable[[], PackageIndex],
    patchelf: Callable[[], Path],
) -> dict[str, str]:
    """Stages one library; returns its entry for sources.json."""
    if here.startswith("darwin"):
        version, prefix = homebrew(name, spec)
        write_pc(stage, name, version, Libs=f"-L{prefix}/lib {spec['link']}", Cflags=f"-I{prefix}/include")
        return {"name": name, "version": version, "source": "homebrew"}
    if found := system_library(name, spec):
        version, package = found
        write_pc(stage, name, version, Requires=package)
        return {"name": name, "version": version, "source": "system"}

    row = None
    release = rows.get((name, "release"))
    if release and os.environ.get("MARTLET_VENDOR_RELEASES") == "1":
        if release["sha256"] == "-":
            print_status(f"{name}: the vendor's release has no digest in native.lock, so the wheel is used")
        else:
            try:
                archive, row = fetch(release, index), release
            except (urllib.error.URLError, OSError) as error:
                print_status(f"{name}: the vendor's release cannot be reached ({error}), so the wheel is used")
    if row is None:
        row = rows.get((name, "wheel"))
        if row is None:
            raise SetupError(f"native.lock has no {name} for {here}; Linux on x86_64 and aarch64 is supported")
        archive = fetch(row, index)
    extract(archive, spec[row["source"]], stage / "lib")
    extract(fetch(rows[name, "header"], index), spec["headers"], stage / "include")

    library = stage / "lib" / spec["library"]
    # An absolute soname is the ELF twin of a Homebrew install name: programs linked against it need no rpath.
    edits = ["--set-soname", DEPS / "lib" / spec["library"]]
    entry = {"name": name, "version": row["version"], "source": row["source"], "file": archive.name,
             "sha256": row["sha256"], "library": f"lib/{spec['library']}"}
    if name == "duckdb" and make_stub(library, stage):
        edits += ["--add-needed", STUB]
        entry["stub"] = f"lib/{STUB}"
    run(patchelf(), *edits, "--set-rpath", "$ORIGIN", library)
    write_pc(stage, name, row["version"], Libs=f"-L${{prefix}}/lib {spec['link']}", Cflags="-I${prefix}/include")
    return entry


def move_into_place(stage: Path) -> None:
    """Moves what was staged into place and drops what an earlier setup left behind."""
    for folder in ("lib", "include"):
        shutil.rmtree(DEPS / folder, ignore_errors=True)
        (stage / folder).rename(DEPS / folder)


def main() -> None:
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    rows, here = locked()
    with contextlib.ExitStack() as stack:
        lock = stack.enter_context(open(DEPS / "lock", "w"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        stage = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=DEPS)))
        for folder in ("lib/pkgconfig", "include"):
            (stage / folder).mkdir(parents=True)
        opened: list[PackageIndex] = []

        def index() -> PackageIndex:
            if not opened:
                opened.append(PackageIndex(stack))
            return opened[0]

        def patchelf() -> Path:
            target = DEPS / "tools/bin/patchelf"
            row = rows.get(("patchelf", "tool"))
            if row is None:
                raise SetupError(f"native.lock has no patchelf for {here}; Linux on x86_64 and aarch64 is supported")
            if not target.exists():
                extract(fetch(row, index), {"*/scripts/patchelf": "bin/patchelf"}, DEPS / "tools")
                target.chmod(0o755)
            return target

        entries = []
        for name, spec in LIBRARIES.items():
            entries.append(install(name, spec, rows, here, stage, index, patchelf))
            print_status("{name} {version} from {source}".format(**entries[-1]))
        # Compiled against, never linked: libpq is loaded by whoever keeps metadata in PostgreSQL.
        write_pc(stage, "pq", "15", Cflags=f"-I{postgres_headers(here)}")
        for library in (stage / "lib").glob("*.so*"):
            library.chmod(0o755)
        move_into_place(stage)
        (DEPS / "sources.json").write_text(json.dumps(entries, indent=2) + "\n")


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        sys.exit(f"setup: {error}")
