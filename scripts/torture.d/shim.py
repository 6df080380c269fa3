"""The library that stands between the program and the disk (faults.c), built when it is first needed."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from project import Failure


@dataclass(frozen=True, order=True)
class Call:
    """A system call as the shim counts it: its number, what it does, to which file, and from where in the program."""

    number: int
    op: str
    path: str
    site: str



def compiler() -> str:
    """`cc`, or the clang that every Swift toolchain brings."""
    for name in ("cc", "clang", "gcc"):
        if shutil.which(name):
            return name
    swift = shutil.which("swift")
    beside = Path(os.path.realpath(swift)).parent / "clang" if swift else None
    if beside and beside.exists():
        return str(beside)
    raise Failure("no C compiler: torture needs cc, gcc or the clang of the Swift toolchain")


class Shim:
    """The preloaded library, compiled from faults.c."""

    def __init__(self, scratch: Path) -> None:
        self.path = Path(scratch) / "faults.so"
        source = Path(__file__).with_name("faults.c")
        done = subprocess.run(
            [compiler(), "-O1", "-shared", "-fPIC", "-o", str(self.path), str(source), "-ldl", "-lpthread"],
            capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"faults.c does not compile:\n{done.stderr}")

    def environment(self, base: Mapping[str, str], root: Path, **settings: object) -> dict[str, str]:
        """`settings` without their FAULTS_: count, at, kind, log, swallow."""
        return {
            **base, "LD_PRELOAD": str(self.path), "FAULTS_ROOT": str(root),
            **{f"FAULTS_{k.upper()}": str(v) for k, v in settings.items() if v is not None}}


def calls(path: Path) -> list[Call]:
    found = []
    for line in Path(path).read_text().splitlines():
        number, op, where, site = line.split("\t")
        found.append(Call(int(number), op, where, site))
    return found
