"""Calls that fail below `lake vacuum` with registered models, and below `predictions compact`: reads as well as writes."""

import shutil

import statecheck
from project import Failure
from statefaults import Act, StateScene


class VacuumScene(StateScene):
    """Three models stand on old versions of the tables; later versions came and went. What a model stands on stays."""

    reads, short = True, 2

    def __init__(self, program, shim, scratch, estate):
        super().__init__("pinned", program, shim, scratch, estate.folder, [
            Act("vacuum", ["lake", "vacuum", "--retain", "0h", "--force", "--json"])])
        self.base = shutil.copytree(estate.folder, self.scratch / "grown")
        landing = self.base / "landing/readings"
        for number in range(3):
            program.run(self.base, "generate", "downtime", "--rows", "200", "--seed", f"{number + 5}",
                        "-o", f"{landing}/more-{number}.csv")
            program.run(self.base, "run", *(["--to", "transform"] if number else []))
            program.run(self.base, "lake", "compact")
        self.needed, versions = statecheck.pinned(self.base / ".martlet")
        if len(versions) < 8:
            raise Failure(f"pinned: models stand on too few versions: {sorted(map(str, versions))}")

    def view(self, act, folder):
        return sorted(statecheck.data_files(folder / ".martlet"))

    def check(self, act, folder):
        found = statecheck.sound(folder / ".martlet")
        lost = self.needed - set(self.view(act, folder))
        if lost:
            found.append(f"{len(lost)} data files are gone that models or the latest versions need, such as {min(lost)}")
        return found

    def judge(self, act, done, folder):
        # Files go one by one: whoever is stopped has removed some of those that may go.
        found, now = self.check(act, folder), set(self.view(act, folder))
        if set(self.full[act.name]) - now:
            found.append(f"removed what an undisturbed vacuum keeps: {min(set(self.full[act.name]) - now)}")
        if done.returncode == 0 and now != set(self.full[act.name]):
            found.append(f"succeeded, and left {len(now) - len(self.full[act.name])} files that nothing needs")
        return found

    def settle(self, act, folder, record):
        found = super().settle(act, folder, record)
        if not found:
            for model in (1, 4):
                done = self.program.run(folder, "verify", f"downtime@{model}", expect=None) if self.thorough else None
                if done and done.returncode != 0:
                    found.append(f"verify downtime@{model}: {(done.stdout + done.stderr).strip()[-400:]}")
        return found

    thorough = False

    def cut(self, act, folder, record, rng):
        # What a power cut brings back is removed by the next vacuum.
        return []


class CompactionScene(StateScene):
    """Closed segments of the prediction log, of which every record is to be in the lakehouse once."""

    reads, short = True, 2

    def __init__(self, program, shim, scratch, estate):
        super().__init__("compaction", program, shim, scratch, estate.folder, [
            Act("compact", ["predictions", "compact", "--json"])])
        self.base = shutil.copytree(estate.folder, self.scratch / "logged")
        self.ids = set()
        for part in range(2):
            self.ids |= estate.predict(self.base, f"part-{part}", 20)

    def view(self, act, folder):
        segments, lake, _ = statecheck.logged(folder / ".martlet")
        return [f"in a segment: {id}" for id in sorted(segments)] + [f"in the lakehouse: {id}" for id in sorted(lake)]

    def check(self, act, folder):
        found = statecheck.sound(folder / ".martlet")
        segments, lake, twice = statecheck.logged(folder / ".martlet")
        if twice:
            found.append(f"{len(twice)} predictions are there twice, such as {twice[0]}")
        if self.ids - segments - lake:
            found.append(f"{len(self.ids - segments - lake)} predictions are lost, such as "
                         f"{min(self.ids - segments - lake)}")
        return found

    def judge(self, act, done, folder):
        # Segments go after the commit: until then what is in the lakehouse is in the segments too.
        found = self.check(act, folder)
        if done.returncode == 0 and self.view(act, folder) != self.full[act.name]:
            found.append(f"succeeded, and {statecheck.differ(self.full[act.name], self.view(act, folder))}")
        return found

    def cut(self, act, folder, record, rng):
        found = super().cut(act, folder, record, rng)
        # A segment whose removal was not on the disk yet comes back; its rows are known, and it is removed again.
        return [text for text in found if "are lost" in text or "twice" in text]
