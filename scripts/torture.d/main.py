"""The command line of scripts/torture."""

import argparse
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

import broken
import csvdiff
import cycles
import disk
import faults
import fuzz
import memory
import points
import powercut
import predictions
import serving
import statefaults
from flights import Reference, Tally, race, run_with_kills
from project import Failure, Program, real_readmission, small_downtime, small_readmission
from shim import Shim

PARTS = ("cycles", "faults", "cuts", "flights", "predictions", "serving", "fuzz", "csv", "requests")
# What a part may take of the minutes; cycles stop earlier when --kills is reached, and the others take the rest.
SHARES = {"cycles": 0.4, "faults": 0.18, "cuts": 0.1, "flights": 0.12, "predictions": 0.1, "serving": 0.1, "fuzz": 0.1,
          "csv": 0.1, "requests": 0.1}
SHORT = {"cycles": 12, "faults": 10, "cuts": 6, "flights": 8, "predictions": 8, "serving": 6, "fuzz": 60, "csv": 0,
         "requests": 8}
# Not in the short form, since the fuzzers take longer to build than all the rest to run.
LONG = ("fuzz",)
# What the short form does even where a machine is so slow that the seconds are over before.
LEAST = {"cycles": 8, "cuts": 12, "serving": 4}


def arguments() -> argparse.Namespace:
    environment = os.environ
    parser = argparse.ArgumentParser(prog="scripts/torture", description="Kill, break, cut the power; then compare.")
    parser.add_argument("--root", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--short", action="store_true", help="under a minute on a quiet machine")
    parser.add_argument("--minutes", type=float, default=float(environment.get("MINUTES", 10)))
    parser.add_argument("--kills", type=int, default=int(environment.get("KILLS", 0)), help="stop cycles after so many")
    parser.add_argument("--seed", type=int, default=int(environment.get("SEED", 0)), help="0 = another one each time")
    parser.add_argument("--only", help=f"some of {','.join(PARTS)}")
    parser.add_argument("--life", type=int, help="this life of the cycles only, with --seed")
    parser.add_argument("--scene", help="faults: some of first,second,ingest,compact,checkpoint,vacuum,"
                        "registry,training,identity,jobs,pinned,compaction,worker,start,server,moving")
    parser.add_argument("--every-call", action="store_true", help="faults: every call, not three of each place")
    parser.add_argument("--project-data", metavar="FILE", help="the real readmission file: flights only")
    parser.add_argument("--program", help="another binary than .build/release/martlet")
    parser.add_argument("--swallow", choices=["file", "directory", "temporary", "database", "all"],
                        help="cuts: these fsyncs do nothing; differences are then to be expected")
    parser.add_argument("--self-test", action="store_true", help="broken programs and swallowed fsyncs must be caught")
    parser.add_argument("--surface", help=f"fuzz: some of {','.join(fuzz.SURFACES)}")
    parser.add_argument("--files", type=int, default=0, help="csv: so many files")
    parser.add_argument("--requests", type=int, default=0,
                        help="requests: so many, and as many again (1,000,000 where the part is alone)")
    parser.add_argument("--keep", action="store_true", help="leave the folders")
    return parser.parse_args()


def progress(text: str) -> None:
    print(text, flush=True)


class Torture:
    """A run of the chosen parts with their share of the time, and the differences that they found."""

    def __init__(self, options: argparse.Namespace, path: Path, scratch: Path, seed: int) -> None:
        self.options, self.scratch, self.seed = options, Path(scratch), seed
        self.program = Program(path)
        # Checkpoints come every hundred versions otherwise, and projects here do not live that long.
        self.small = Program(path)
        self.small.environment["MARTLET_CHECKPOINT_EVERY"] = "3"
        self.python = sys.executable
        self.failures: list[str] = []
        self.began = time.monotonic()
        self.commands = cycles.available(self.program, scratch)

    def seconds(self, part: str, parts: list[str]) -> float:
        if self.options.short:
            return SHORT[part]
        left = self.options.minutes * 60 - (time.monotonic() - self.began)
        later = parts[parts.index(part):]
        return left * SHARES[part] / sum(SHARES[p] for p in later)

    def cycles(self, seconds: float) -> cycles.Tally:
        # Those of the prediction log are reached by its own part.
        names = [name for name in points.in_sources(self.options.root) if not name.startswith("predictions.")]
        tally = cycles.Tally(names)
        end = time.monotonic() + seconds
        kills = self.options.kills
        wanted = min(20, kills // 50)

        def go_on(tally: cycles.Tally) -> bool:
            enough = kills and tally.counts["kills"] >= kills and all(
                tally.hits[p] >= wanted for p in tally.within_reach)
            return not enough and (time.monotonic() < end or tally.counts["cycles"] < LEAST["cycles"])

        found = cycles.loop(
            self.small,
            self.scratch,
            self.commands,
            f"{self.seed}",
            tally,
            go_on,
            only=self.options.life,
            progress=progress,
        )
        self.failures += [text for _, text, _ in found]
        progress(tally.line())
        if not self.options.short:
            progress(tally.table())
            rare = [p for p in tally.within_reach if tally.hits[p] < wanted]
            if rare:
                self.failures.append(f"hit fewer than {wanted} times: {', '.join(rare)}")
        return tally

    def faults(self, seconds: float) -> None:
        shim = Shim(self.scratch)
        total, found = faults.run_all(
            self.small, self.commands, shim, self.scratch, self.seed, progress=progress, every=self.options.every_call,
            only=self.options.scene and self.options.scene.split(","),
            short=self.options.short, seconds=seconds)
        self.failures += found
        progress(f"{total} faults, {len(found)} differences")

    def cuts(self, seconds: float, swallow: str | None = None, folder: Path | None = None) -> None:
        shim = Shim(self.scratch)
        end = time.monotonic() + seconds
        reference = None
        if not self.options.short:
            recipe = small_downtime(self.program, self.scratch / "cut-recipe")
            reference = Reference(self.program, recipe, self.scratch / "cut-reference")
        cuts, found, spent = powercut.loop(
            self.small, self.commands, shim, folder or self.scratch, self.seed,
            lambda n: time.monotonic() < end or n < LEAST["cuts"], progress=progress, swallow=swallow,
            cuts_per_recording=12 if self.options.short else 40, reference=reference)
        self.failures += found
        progress(f"{cuts} power cuts, {len(found)} differences, {spent:.0f} s")

    def predictions(self, seconds: float) -> None:
        # --kills is for the cycles where these are chosen, too.
        alone = self.options.only == "predictions"
        found, _ = predictions.torture(
            self.program,
            Shim(self.scratch),
            self.scratch,
            self.options.root,
            self.seed,
            seconds,
            self.options.kills if alone else 0,
            points.of_predictions(self.options.root),
            progress,
            self.options.swallow,
        )
        self.failures += found

    def serving(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        wanted = self.options.kills if self.options.only == "serving" else 0
        self.failures += serving.torture(
            self.program, self.scratch, self.seed,
            lambda kills: kills < wanted if wanted else time.monotonic() < end or kills < LEAST["serving"], progress)

    def csv(self, seconds: float) -> None:
        # A number of files where one is asked for, the short form's included; else as many as there is time for.
        wanted, end = self.options.files or (500 if self.options.short else 0), time.monotonic() + seconds

        def go_on(done: int) -> int:
            return wanted - done if wanted else (2000 if time.monotonic() < end else 0)
        self.failures += csvdiff.torture(self.program, self.scratch, self.seed, go_on, progress)

    def requests(self, seconds: float) -> None:
        # Among other parts so many as there is time for, alone two millions.
        options = self.options
        count = options.requests or (0 if options.short or options.only == "requests" else int(seconds * 400))
        self.failures += memory.torture(
            self.program, self.scratch, self.seed, progress, options.short, count, seconds)

    def fuzz(self, seconds: float) -> None:
        self.failures += fuzz.torture(
            self.options.root, self.scratch, self.seed, seconds, fuzz.chosen(self.options.surface), progress)

    def flights(self, seconds: float) -> None:
        options, program = self.options, self.program
        tally = Tally()
        if options.project_data:
            recipes = [real_readmission(program, self.scratch, options.project_data)]
        else:
            recipes = [small_readmission(program, self.scratch), small_downtime(program, self.scratch)]
        references = []
        for number, recipe in enumerate(recipes):
            references.append(Reference(program, recipe, self.scratch / f"undisturbed-{number}"))
            walls = " and ".join(f"{day['wall']:.2f} s" for day in references[-1].days)
            progress(f"{recipe.name}: undisturbed runs took {walls}")
        kill_loop(program, references, self.scratch, random.Random(self.seed), tally, seconds,
                  options.kills if options.project_data else 0, self.python)
        notes = [f"two runs at once: {race(program, references[0], self.scratch / 'race', tally)}"]
        if not options.project_data:
            shares = [0.1, 0.4, 0.7] if options.short else [n / 20 for n in range(20)]
            # The lake of the first day alone: run it once more, undisturbed.
            folder = self.scratch / "first-day"
            recipes[0].begin(folder)
            recipes[0].land(folder, 0)
            program.run(folder, "run")
            notes.append(disk.fill(program, references[0], folder, self.scratch, shares, tally))
        for note in notes:
            progress(note)
        progress(tally.line())
        self.failures += tally.differences

    def all(self) -> int:
        chosen = [part for part in PARTS if not self.options.short or part not in LONG]
        if self.options.only:
            chosen = self.options.only.split(",")
        if self.options.project_data:
            chosen = ["flights"]
        if self.options.life:
            chosen = ["cycles"]
        for part in chosen:
            if part not in PARTS:
                raise Failure(f"there is no part {part}: {', '.join(PARTS)}")
            seconds = self.seconds(part, chosen)
            if part == "cuts":
                self.cuts(seconds, self.options.swallow)
            else:
                getattr(self, part)(seconds)
        progress(f"{len(self.failures)} differences in {time.monotonic() - self.began:.0f} s, seed {self.seed}")
        for failure in self.failures:
            progress(f"- {failure}")
        return 1 if self.failures else 0


def kill_loop(
    program: Program, references: list[Reference], scratch: Path, rng: random.Random, tally: Tally, seconds: float,
    kills: int, python: str | None,
) -> None:
    end = time.monotonic() + seconds

    def go_on() -> bool:
        return time.monotonic() < end and not (kills and sum(tally.kills.values()) >= kills)

    number = 0
    while go_on() and len(tally.differences) < 10:
        folder = Path(scratch) / f"torture-{number}"
        run_with_kills(program, references[number % len(references)], folder, rng, tally, go_on, python)
        shutil.rmtree(folder)
        number += 1
        if number % 10 == 0 and seconds > 60:
            progress(f"so far: {tally.line()}")


def self_test(options: argparse.Namespace, path: Path, scratch: Path, seed: int) -> int:
    """Every broken program must be caught, by a difference or by a failure; and every fsync that is not done."""
    missed = fuzz.self_test(options.root, scratch, seed, progress) if options.only in (None, "fuzz") else 0
    if options.only == "fuzz":
        return 1 if missed else 0
    folder = Path(scratch) / "self-test-faults"
    folder.mkdir()
    missed += statefaults.self_test(Program(path), Shim(folder), folder, seed, progress)
    if options.only == "faults":
        return 1 if missed else 0
    for what in ("file", "directory", "temporary", "database", "all"):
        torture = Torture(options, path, scratch, seed)
        folder = Path(scratch) / f"swallow-{what}"
        folder.mkdir()
        found = differences_without_fsync(torture, folder, what)
        missed += not found
        progress(f"fsync of {what} left out: {'caught: ' + found[0][:200] if found else 'NOT CAUGHT'}")
    folder = Path(scratch) / "self-test-predictions"
    folder.mkdir()
    missed += predictions.self_test(Program(path), Shim(folder), folder, seed, progress)
    folder = Path(scratch) / "self-test-serving"
    folder.mkdir()
    missed += serving.self_test(Program(path), folder, seed, progress)
    for name, program in broken.write(path, scratch):
        folder = Path(scratch) / program.name.replace("broken", "self-test")
        folder.mkdir()
        tally = Tally()
        try:
            whole = Program(path)
            recipe = small_downtime(whole, folder)
            reference = Reference(whole, recipe, folder / "undisturbed")
            kill_loop(Program(program), [reference], folder, random.Random(seed), tally, 20, 30, None)
            verdict = tally.differences[0] if tally.differences else None
        except Failure as failure:
            verdict = str(failure)
        missed += verdict is None
        progress(f"a program that {name}: {'caught: ' + verdict.splitlines()[0][:160] if verdict else 'NOT CAUGHT'}")
    return 1 if missed else 0


def differences_without_fsync(torture: Torture, folder: Path, what: str) -> list[str]:
    end = time.monotonic() + 60
    try:
        return powercut.loop(
            torture.small, torture.commands, Shim(folder), folder, torture.seed,
            lambda n: n < 100 and time.monotonic() < end, progress=lambda text: None, swallow=what, most=1)[1]
    except Failure as failure:
        return [str(failure)]


def main() -> int:
    options = arguments()
    path = Path(options.program or options.root / ".build/release/martlet").resolve()
    if not os.access(path, os.X_OK):
        print(f"torture: there is no program {path}; run `make build` first", file=sys.stderr)
        return 64
    seed = options.seed or secrets.randbelow(1_000_000_000)
    progress(f"seed {seed}")
    scratch = Path(tempfile.mkdtemp(prefix="martlet-torture-"))
    code = 1
    try:
        if options.self_test:
            code = self_test(options, path, scratch, seed)
        else:
            code = Torture(options, path, scratch, seed).all()
    except Failure as failure:
        progress(f"FAILURE with seed {seed}: {failure}")
    finally:
        if options.keep or (code and not options.self_test):
            progress(f"folders: {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
