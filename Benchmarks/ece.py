"""ece: how often the 95 % interval of the calibration error holds the true one, on made-up scores.

Usage: make bench NAME=ece, or scripts/bench ece [--simulations 2000] [--rows 2000 20000]
Scores are uniform, or low (the cube of a uniform number); outcomes follow them exactly, shifted, along a sinusoid, or
over- and under-confident. The true error is that of the 15 bins over the whole distribution. Asked: at least 95 %
without an error, 93 % to 97 % from an error of 0.01 on, at least 93 % between.
"""
import argparse
import json
import subprocess
import sys

import _bench

parser = argparse.ArgumentParser()
parser.add_argument("--simulations", type=int, default=2000)
parser.add_argument("--rows", type=int, nargs="+", default=[2000, 20_000])
arguments = parser.parse_args()

flags = ["-c", "release", "--pkg-config-path", str(_bench.ROOT / ".deps/lib/pkgconfig"), "--product", "ecebench"]
built = subprocess.run(["swift", "build", *flags], cwd=_bench.ROOT, capture_output=True, text=True)
if built.returncode != 0:
    sys.exit(f"bench: ecebench does not build\n{built.stdout}{built.stderr}")
program = _bench.ROOT / ".build/release/ecebench"
output = subprocess.run(
    [program, *map(str, [arguments.simulations, *arguments.rows])], check=True, capture_output=True, text=True).stdout

report = _bench.Report("ece", data="synthetic")
for line in output.splitlines():
    found = json.loads(line)
    name = f"{found['rows']:,} rows, {found['scores']} scores, {found['shape']}, error {found['truth']:.4f}"
    covered = found["covered"]
    if found["truth"] >= 0.01:
        report.within(name, covered, 0.93, 0.97)
    else:
        report.at_least(name, covered, 0.95 if found["truth"] < 1e-12 else 0.93)
report.end()
