"""Coverage-guided fuzzing (libFuzzer) of what comes from outside: requests in every form, model files, log segments.

The fuzzers are made of Tests/Fuzz and the modules' own sources, compiled with coverage and AddressSanitizer into
.build/fuzz; swift-crypto comes from the usual build, so `make build` comes first. By hand:

    scripts/torture.d/fuzz.py --surface json,models --cpu-minutes 30      the time is user time of the process
    scripts/torture.d/fuzz.py --surface json --input FILE                  one input, such as a find
"""

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import fuzzseeds
from project import Failure, Progress

SURFACES = ("json", "csv", "oip", "models", "segments")
MODULES = ("Core", "Storage", "DelimitedText", "Training", "Forests", "PredictionLog", "Serving")
# Modules of the system's libraries, and these.
SYSTEM, LIBRARIES = ("CZlib", "CZstd"), ("-lz", "-lzstd")
PACKAGES = ("Crypto", "CryptoBoringWrapper", "CCryptoBoringSSL", "CCryptoBoringSSLShims", "CXKCP", "CXKCPShims")
FLAGS = [
    "-O",
    "-wmo",
    "-g",
    "-sanitize=fuzzer,address",
    "-parse-as-library",
    "-swift-version",
    "6",
    "-package-name",
    "martlet",
    "-enable-testing",
    *(
        word
        for name in ("ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility")
        for word in ("-enable-upcoming-feature", name)
    ),
]
# Seconds for one input, megabytes of memory for all and for one allocation, bytes of an input.
LIMITS = ["-timeout=20", "-rss_limit_mb=2048", "-malloc_limit_mb=512", "-max_len=8192"]


def folder_of(root: Path, module: str) -> Path:
    return next(root.glob(f"Sources/*/{module}"))


def build(root: Path, progress: Progress) -> Path:
    """The fuzzer, made anew when a source has changed."""
    folder, usual = root / ".build/fuzz", (root / ".build/release").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        objects, chain, began = [], hashlib.sha256(" ".join(FLAGS).encode()), time.monotonic()
        for module in (*MODULES, "Fuzz"):
            sources = sorted((root / "Tests/Fuzz" if module == "Fuzz" else folder_of(root, module)).rglob("*.swift"))
            for source in sources:
                chain.update(f"{source.relative_to(root)}\0".encode() + source.read_bytes())
            made, mark = folder / f"{module}.o", folder / f"{module}.digest"
            objects.append(made)
            if made.exists() and mark.exists() and mark.read_text() == chain.hexdigest():
                continue
            mark.unlink(missing_ok=True)
            system = [word for name in SYSTEM for word in ("-I", str(folder_of(root, name)))]
            swift(folder, [
                *FLAGS, "-I", folder, "-I", usual / "Modules", *system, "-module-name", module, "-emit-module",
                "-emit-module-path", folder / f"{module}.swiftmodule", "-c", *sources, "-o", made])
            mark.write_text(chain.hexdigest())
            (folder / "fuzz").unlink(missing_ok=True)
        if not (folder / "fuzz").exists():
            for package in PACKAGES:
                found = sorted((usual / f"{package}.build").rglob("*.o"))
                if not found:
                    raise Failure(f"there is no {package} in {usual}; run `make build` first")
                objects += found
            words: list[str | Path] = ["-sanitize=fuzzer,address", "-use-ld=lld", *objects, *LIBRARIES, "-lstdc++"]
            swift(folder, [*words, "-o", folder / "fuzz.new"])
            (folder / "fuzz.new").rename(folder / "fuzz")
            progress(f"fuzz: built in {time.monotonic() - began:.0f} s")
    return folder / "fuzz"


def swift(folder: Path, words: Sequence[str | Path]) -> None:
    done = subprocess.run(["swiftc", *map(str, words)], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "error" in line]
        raise Failure("the fuzzers do not compile: " + "\n".join(lines[:5] or [done.stderr[-500:]]))


def environment(surface: str, planted: bool = False) -> dict[str, str]:
    return {
        **os.environ, "MARTLET_FUZZ_SURFACE": surface, "SWIFT_BACKTRACE": "enable=no",
        "ASAN_OPTIONS": "detect_leaks=0:symbolize=0:quarantine_size_mb=64",
        **({"MARTLET_FUZZ_PLANT": "1"} if planted else {})}


def user_seconds(process: subprocess.Popen[bytes]) -> float:
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def fuzz(
    program: Path, root: Path, surface: str, folder: Path, progress: Progress, wall: float | None = None,
    cpu: float | None = None, seed: int = 0, planted: bool = False,
) -> str | None:
    """One surface for so many seconds of the clock, or of user time. Gives what broke, if anything."""
    folder = Path(folder)
    corpus, finds = folder / f"{surface}-corpus", folder / f"{surface}-finds"
    for made in (corpus, finds):
        made.mkdir(parents=True, exist_ok=True)
    words = fuzzseeds.write(root, surface, folder / f"{surface}-examples")
    command = [
        str(program), str(corpus), str(folder / f"{surface}-examples"), f"-dict={words}", *LIMITS,
        f"-artifact_prefix={finds}/", "-print_final_stats=1", f"-seed={seed % (1 << 31) + 1}"]
    log, used, began = folder / f"{surface}.out", 0.0, time.monotonic()
    with open(log, "wb") as out:
        process = subprocess.Popen(
            command, env=environment(surface, planted), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        told = False
        try:
            while process.poll() is None:
                time.sleep(0.2)
                used = max(used, user_seconds(process))
                over = (cpu is not None and used >= cpu) or (wall is not None and time.monotonic() - began >= wall)
                if over and not told:
                    # libFuzzer ends after the input that it is at.
                    process.send_signal(signal.SIGUSR1)
                    told = True
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    output = log.read_text(errors="replace")
    progress(f"fuzz: {surface}: {summary(output, used, corpus)}")
    if process.returncode == 0:
        return None
    broken = re.search(r"BROKEN: .*|.*Fatal error.*|ERROR: .*", output)
    written = re.findall(r"Test unit written to (.*)", output)
    return (f"fuzz {surface}: {broken.group(0)[:400] if broken else f'ended with {process.returncode}'}; "
            f"input: {written[-1] if written else 'none'}")


def summary(output: str, used: float, corpus: Path) -> str:
    executions = re.findall(r"stat::number_of_executed_units:\s+(\d+)", output)
    lines = re.findall(r"cov: (\d+) ft: (\d+)", output)
    coverage, features = lines[-1] if lines else ("?", "?")
    peak = re.findall(r"stat::peak_rss_mb:\s+(\d+)", output)
    return (
        f"{used / 60:.1f} CPU-minutes (user), {executions[-1] if executions else '?'} executions, "
        f"coverage {coverage} edges, {features} features, corpus {len(list(corpus.iterdir()))} inputs, "
        f"peak {peak[-1] if peak else '?'} MB"
    )


def torture(root: Path, scratch: Path, seed: int, seconds: float, surfaces: list[str], progress: Progress) -> list[str]:
    """All surfaces, the time shared. Gives the differences."""
    program = build(root, progress)
    found = []
    for surface in surfaces:
        broken = fuzz(program, root, surface, Path(scratch) / "fuzz", progress, wall=seconds / len(surfaces), seed=seed)
        found += [broken] if broken else []
    return found


def self_test(root: Path, scratch: Path, seed: int, progress: Progress) -> int:
    """A crash planted behind what each reader accepts must be found. Gives how many were not."""
    program, missed = build(root, progress), 0
    for surface in SURFACES:
        folder = Path(scratch) / "fuzz-planted"
        broken = fuzz(program, root, surface, folder, lambda text: None, cpu=120, seed=seed, planted=True)
        caught = broken[:160] if broken is not None and "planted" in broken else None
        missed += caught is None
        progress(
            f"a crash planted behind {surface}: {f'NOT CAUGHT ({broken})' if caught is None else 'caught: ' + caught}"
        )
    return missed


def chosen(names: str | None) -> list[str]:
    surfaces = names.split(",") if names else list(SURFACES)
    for name in surfaces:
        if name not in SURFACES:
            raise Failure(f"there is no surface {name}: {', '.join(SURFACES)}")
    return surfaces


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz.py", description="Coverage-guided fuzzing by user time.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--surface", help=f"some of {','.join(SURFACES)}")
    parser.add_argument("--cpu-minutes", type=float, default=30)
    parser.add_argument("--folder", type=Path, help="where corpus, finds and output stay (else a new one)")
    parser.add_argument("--program", type=Path, help="a fuzzer that is built already")
    parser.add_argument("--input", type=Path, help="run this input only")
    options = parser.parse_args()

    def progress(text: str) -> None:
        print(text, flush=True)
    program = options.program or build(options.root, progress)
    surfaces = chosen(options.surface)
    if options.input:
        return subprocess.run([str(program), str(options.input)], env=environment(surfaces[0])).returncode
    folder = options.folder or Path(tempfile.mkdtemp(prefix="martlet-fuzz-"))
    found = []
    for surface in surfaces:
        broken = fuzz(
            program, options.root, surface, folder, progress, cpu=60 * options.cpu_minutes, seed=int(time.time()))
        found += [broken] if broken else []
        if broken:
            progress(f"- {broken}")
    if not found and not options.folder:
        shutil.rmtree(folder)
    progress(f"{len(found)} finds" + (f"; folder {folder}" if found else ""))
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"fuzz: {failure}", file=sys.stderr)
        sys.exit(1)
