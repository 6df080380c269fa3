"""The command line of scripts/torture."""

import argparse
import os
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path

import broken
import disk
from kills import Reference, Tally, clear, fly, race
from project import Failure, Program, real_readmission, small_downtime, small_readmission


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/torture", description="Kill martlet run at random instants.")
    parser.add_argument("--root", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--short", action="store_true", help="under a minute")
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("MINUTES", 10)))
    parser.add_argument("--kills", type=int, default=int(os.environ.get("KILLS", 0)), help="stop after so many")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)), help="0 = another one each time")
    parser.add_argument("--project-data", metavar="FILE", help="the real readmission file")
    parser.add_argument("--program", help="another binary than .build/release/martlet")
    parser.add_argument("--self-test", action="store_true", help="broken programs must be caught")
    parser.add_argument("--keep", action="store_true", help="leave the folders")
    return parser.parse_args()


def kill_loop(program, references, scratch, rng, tally, seconds, kills, python):
    end = time.monotonic() + seconds

    def go_on():
        return time.monotonic() < end and not (kills and sum(tally.kills.values()) >= kills)

    number = 0
    while go_on() and len(tally.differences) < 10:
        folder = Path(scratch) / f"torture-{number}"
        fly(program, references[number % len(references)], folder, rng, tally, go_on, python)
        clear(folder)
        number += 1
        if number % 10 == 0 and seconds > 60:
            print(f"so far: {tally.line()}", flush=True)


def torture(options, program, scratch, rng, python):
    tally = Tally()
    if options.project_data:
        recipes = [real_readmission(program, scratch, options.project_data)]
    else:
        recipes = [small_readmission(program, scratch), small_downtime(program, scratch)]
    references = []
    for number, recipe in enumerate(recipes):
        references.append(Reference(program, recipe, Path(scratch) / f"undisturbed-{number}"))
        walls = " and ".join(f"{day['wall']:.2f} s" for day in references[-1].days)
        print(f"{recipe.name}: undisturbed runs took {walls}", flush=True)
    seconds = 20 if options.short else options.minutes * 60
    kill_loop(program, references, scratch, rng, tally, seconds, options.kills, python)
    notes = [f"two runs at once: {race(program, references[0], Path(scratch) / 'race', tally)}"]
    if not options.project_data:
        shares = [0.1, 0.4, 0.7] if options.short else [n / 20 for n in range(20)]
        # The lake of the first day alone: run it once more, undisturbed.
        folder = Path(scratch) / "first-day"
        recipes[0].begin(folder)
        recipes[0].land(folder, 0)
        program.run(folder, "run")
        notes.append(disk.fill(program, references[0], folder, scratch, shares, tally))
    for note in notes:
        print(note)
    print(tally.line(), flush=True)
    return 1 if tally.differences else 0


def self_test(options, path, scratch, seed):
    """Every broken program must be caught, by a difference or by a failure."""
    missed = 0
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
        print(f"a program that {name}: {'caught: ' + verdict.splitlines()[0][:160] if verdict else 'NOT CAUGHT'}")
    return 1 if missed else 0


def main():
    options = arguments()
    path = Path(options.program or options.root / ".build/release/martlet").resolve()
    if not os.access(path, os.X_OK):
        print(f"torture: there is no program {path}; run `make build` first", file=sys.stderr)
        return 64
    seed = options.seed or secrets.randbelow(1_000_000_000)
    print(f"seed {seed}", flush=True)
    scratch = tempfile.mkdtemp(prefix="martlet-torture-")
    try:
        if options.self_test:
            return self_test(options, path, scratch, seed)
        return torture(options, Program(path), scratch, random.Random(seed), os.environ.get("MARTLET_INTEROP_PYTHON"))
    except Failure as failure:
        print(f"FAILURE with seed {seed}: {failure}", flush=True)
        return 1
    finally:
        if options.keep:
            print(f"folders: {scratch}")
        else:
            clear(scratch)


if __name__ == "__main__":
    sys.exit(main())
