internal import Core

extension MetadataTransaction {
    /// `run` with all its parts.
    func whole(_ run: Run) throws -> Run {
        var run = run
        run.params = try RunParamTable(self).all(run: run.id)
        run.metrics = Metrics(try RunMetricTable(self).all(run: run.id))
        run.gates = try RunGateTable(self).all(run: run.id)
        run.artifacts = try RunArtifactTable(self).all(run: run.id)
        run.lineage = try RunLineageTables(self).all(run: run.id)
        run.version = try VersionTable(self).versions(ofRuns: [run.id])[run.id]
        return run
    }

    /// The head of the run whose id is `text` or is the only one to begin with it.
    func findRun(_ text: String) throws -> Run {
        let table = RunTable(self)
        if let run = try table.find(text) { return run }
        let digits = text.lowercased()
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            throw MartletError(
                .missing, "registry.unknown-run", "There is no run '\(text)'; ids are hexadecimal digits.",
                remedy: "List the runs with `martlet runs list`.")
        }
        let candidates = try table.ids(beginningWith: digits, limit: 4)
        guard let only = candidates.first, let run = try table.find(only) else {
            throw MartletError(
                .missing, "registry.unknown-run", "No run has an id that begins with '\(text)'.",
                remedy: "List the runs with `martlet runs list`.")
        }
        guard candidates.count == 1 else {
            throw MartletError(
                .usage, "registry.ambiguous-run",
                "More than one run begins with '\(text)': \(candidates.joined(separator: ", ")).",
                remedy: "Write more digits.")
        }
        return run
    }
}
