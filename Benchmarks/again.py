"""again: `martlet run` a second time when nothing has changed: it recomputes nothing.

Usage: make bench NAME=again. Nothing recomputed means: every step says skipped, and no file of the lake or of the
artifacts is new or written again.
"""
import json
import statistics
from typing import Any

import _bench

file = _bench.data(_bench.READMISSION)
report = _bench.Report("again", data="public")


def files(project: _bench.Project) -> dict[str, Any]:
    """Size and time of change of everything that a step could have computed."""
    home = project.folder / ".martlet"
    return {
        str(path.relative_to(home)): (path.stat().st_size, path.stat().st_mtime_ns)
        for part in ("lake", "artifacts") for path in (home / part).rglob("*") if path.is_file()
    }


with _bench.scratch() as folder:
    project = _bench.Project.from_template(f"{folder}/again", "readmission", file)
    first = project.run()
    before = files(project)
    runs = [project.run("--json") for _ in range(5)]
    after = files(project)

steps = [step for run in runs for step in json.loads(run.output)["steps"]]
wall = [run.wall for run in runs]
report.at_most("wall s, median of 5", statistics.median(wall), 1, None)
report.at_most("wall s, slowest of 5", max(wall), 1)
report.equal("steps not skipped, of " + str(len(steps)), sum(step["outcome"] != "skipped" for step in steps), 0)
report.equal("files written", sum(after.get(name) != before.get(name) for name in before | after), 0)
report.add("CPU s, median of 5", statistics.median(run.cpu for run in runs))
report.add("wall s of the first run", first.wall)
report.end()
