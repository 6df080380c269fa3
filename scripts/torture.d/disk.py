"""A disk that fills up, and then has room again."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from flights import Reference, Tally, check_day
from project import Failure, Program, history

# What a full disk is called: by files, and by the registry's database.
CODES = ("disk.full", "metadata.full")


def disk_usage(folder: Path) -> int:
    return sum(p.stat().st_blocks * 512 for p in Path(folder).rglob("*") if p.is_file())


class SmallDisk:
    """A tmpfs of a given size; only root can mount one."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = Path(folder)
        self.folder.mkdir()
        done = self.mount(f"size={size}")
        if done.returncode != 0:
            self.folder.rmdir()
            raise PermissionError(done.stderr.strip())

    def mount(self, options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", str(self.folder)], capture_output=True, text=True)

    def grow(self) -> None:
        done = subprocess.run(
            ["mount", "-o", "remount,size=1g", str(self.folder)], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"the small disk could not be made larger: {done.stderr}")

    def __enter__(self) -> SmallDisk:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)
        self.folder.rmdir()


def fill(
    program: Program, reference: Reference, undisturbed: Path, scratch: Path, shares: list[float], tally: Tally,
) -> str:
    """Runs on disks that have room for a share of what a run needs, then on the same disk with room for all.

    Gives the codes of the errors that were told, or why the test was skipped.
    """
    if os.geteuid() != 0:
        return "skipped: full disk (needs root)"
    told = []
    needed = disk_usage(Path(undisturbed) / ".martlet")
    landed = sum(Path(f).stat().st_size for f in reference.recipe.days[0])
    for share in shares:
        size = int(landed * 1.05 + 200_000 + needed * share) // 4096 * 4096
        try:
            disk = SmallDisk(Path(scratch) / "small-disk", size)
        except PermissionError as error:
            return f"skipped: full disk (mount: {error})"
        with disk:
            folder = disk.folder / "project"
            reference.recipe.begin(folder)
            reference.recipe.land(folder, 0)
            done = program.run(folder, "run", expect=None)
            if done.returncode == 0:
                continue
            where = f"disk with room for {share:.0%}"
            if done.returncode != 1 or not any(
                f"[{code}]" in done.stderr or f'"code":"{code}"' in done.stderr for code in CODES
            ):
                tally.difference(f"{where}: exit code {done.returncode}, {done.stderr.strip()[-400:]!r}")
            told.append(f"{share:.0%}")
            disk.grow()
            for table, versions in history(folder).items():
                if versions != reference.days[0]["history"].get(table, [])[: len(versions)]:
                    tally.difference(f"{where}: {table} has {versions}")
            program.run(folder, "run")
            check_day(program, folder, reference.days[0], 0, where, tally)
    if not told:
        raise Failure("no disk was too small: the shares in scripts/torture.d/disk.py need a look")
    return f"full disk {len(told)} times, with room for {', '.join(told)} of what a run writes"
