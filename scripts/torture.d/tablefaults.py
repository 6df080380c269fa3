"""Calls that fail below `lake vacuum` with registered models, and below `predictions compact`: reads as well as
writes."""

import random
import shutil
from pathlib import Path

import statecheck
from project import Failure, Program
from shim import Shim
from statefaults import Outcome, ScenarioCommand, SharedProject, StateScenario


class VacuumScenario(StateScenario):
    """A vacuum of tables whose old versions registered models were trained on: those must stay."""

    reads, short = True, 2

    def __init__(self, program: Program, shim: Shim, scratch: Path, estate: SharedProject) -> None:
        super().__init__("pinned", program, shim, scratch, estate.folder, [
            ScenarioCommand("vacuum", ["lake", "vacuum", "--retain", "0h", "--force", "--json"])])
        self.base = shutil.copytree(estate.folder, self.scratch / "grown")
        landing = self.base / "landing/readings"
        for number in range(3):
            program.run(self.base, "generate", "downtime", "--rows", "200", "--seed", f"{number + 5}",
                        "-o", f"{landing}/more-{number}.csv")
            program.run(self.base, "run", *(["--to", "transform"] if number else []))
            program.run(self.base, "lake", "compact")
        self.needed, versions = statecheck.files_of_models(self.base / ".martlet")
        if len(versions) < 8:
            raise Failure(f"pinned: models stand on too few versions: {sorted(map(str, versions))}")

    def view(self, act: ScenarioCommand, folder: Path) -> list[str]:
        return sorted(statecheck.data_files(folder / ".martlet"))

    def check(self, act: ScenarioCommand, folder: Path) -> list[str]:
        found = statecheck.check_consistency(folder / ".martlet")
        lost = self.needed - set(self.view(act, folder))
        if lost:
            found.append(
                f"{len(lost)} data files are gone that models or the latest versions need, such as {min(lost)}"
            )
        return found

    def check_result(self, act: ScenarioCommand, done: Outcome, folder: Path) -> list[str]:
        # Files go one by one: whoever is stopped has removed some of those that may go.
        found, now = self.check(act, folder), set(self.view(act, folder))
        if set(self.full[act.name]) - now:
            found.append(f"removed what an undisturbed vacuum keeps: {min(set(self.full[act.name]) - now)}")
        if done.returncode == 0 and now != set(self.full[act.name]):
            found.append(f"succeeded, and left {len(now) - len(self.full[act.name])} files that nothing needs")
        return found

    def repeat_without_faults(self, act: ScenarioCommand, folder: Path, record: Path | None) -> list[str]:
        found = super().repeat_without_faults(act, folder, record)
        if not found:
            for model in (1, 4):
                done = self.program.run(folder, "verify", f"downtime@{model}", expect=None) if self.thorough else None
                if done and done.returncode != 0:
                    found.append(f"verify downtime@{model}: {(done.stdout + done.stderr).strip()[-400:]}")
        return found

    thorough = False

    def cut(self, act: ScenarioCommand, folder: Path, record: Path, rng: random.Random) -> list[str]:
        # What a power cut brings back is removed by the next vacuum.
        return []


class CompactionScenario(StateScenario):
    """A compaction of closed segments of the prediction log: each record must be in the lakehouse once."""

    reads, short = True, 2

    def __init__(self, program: Program, shim: Shim, scratch: Path, estate: SharedProject) -> None:
        super().__init__("compaction", program, shim, scratch, estate.folder, [
            ScenarioCommand("compact", ["predictions", "compact", "--json"])])
        self.base = shutil.copytree(estate.folder, self.scratch / "logged")
        self.ids = set()
        for part in range(2):
            self.ids |= estate.predict(self.base, f"part-{part}", 20)

    def view(self, act: ScenarioCommand, folder: Path) -> list[str]:
        segments, lake, _ = statecheck.logged(folder / ".martlet")
        return [f"in a segment: {id}" for id in sorted(segments)] + [f"in the lakehouse: {id}" for id in sorted(lake)]

    def check(self, act: ScenarioCommand, folder: Path) -> list[str]:
        found = statecheck.check_consistency(folder / ".martlet")
        segments, lake, twice = statecheck.logged(folder / ".martlet")
        if twice:
            found.append(f"{len(twice)} predictions are there twice, such as {twice[0]}")
        if self.ids - segments - lake:
            found.append(f"{len(self.ids - segments - lake)} predictions are lost, such as "
                         f"{min(self.ids - segments - lake)}")
        return found

    def check_result(self, act: ScenarioCommand, done: Outcome, folder: Path) -> list[str]:
        # Segments go after the commit: until then what is in the lakehouse is in the segments too.
        found = self.check(act, folder)
        if done.returncode == 0 and self.view(act, folder) != self.full[act.name]:
            found.append(
                f"succeeded, and {statecheck.describe_difference(self.full[act.name], self.view(act, folder))}"
            )
        return found

    def cut(self, act: ScenarioCommand, folder: Path, record: Path, rng: random.Random) -> list[str]:
        found = super().cut(act, folder, record, rng)
        # A segment whose removal was not on the disk yet comes back; its rows are known, and it is removed again.
        return [text for text in found if "are lost" in text or "twice" in text]
