package import Vocabulary

/// The runs of a project.
package struct RunStore: Sendable {
    let book: Book

    /// Notes that `run` is under way. Optional: `record` takes a run that was never begun, too.
    package func begin(_ run: Run) throws {
        try book.write { page in
            try refuseTaken(run.id, page)
            try RunTable(page).begin(run)
            try page.publish(.started(run))
        }
    }

    /// Records `run` with all its parts, and the completion of its step, in one transaction: after a kill either
    /// both are there or neither. A missing `ended` is now.
    ///
    /// Refuses a run that is still running and one already recorded.
    package func record(_ run: Run, finishing step: StepCompletion? = nil) throws {
        let now = book.surroundings.now()
        guard run.status != .running else {
            throw MartletError(.defect, "registry.unfinished-run", "Run \(run.id) has no outcome to record yet.")
        }
        try book.write { page in
            if try RunTable(page).find(run.id)?.status != .running {
                try refuseTaken(run.id, page)
                try RunTable(page).begin(run)
                try page.publish(.started(run))
            }
            try RunParamTable(page).insert(run.params, run: run.id)
            try RunMetricTable(page).insert(run.metrics.all, run: run.id)
            try RunGateTable(page).insert(run.gates, run: run.id)
            try RunArtifactTable(page).insert(run.artifacts, run: run.id)
            try RunLineageTables(page).insert(run.lineage, run: run.id)
            try RunTable(page).conclude(run, at: run.ended ?? now)
            for (index, gate) in run.gates.enumerated() {
                try page.publish(.judged(gate, index, run, at: run.ended ?? now))
            }
            try page.publish(.ended(run, at: run.ended ?? now))
            if let step { try StepTable(page).finish(step, at: now) }
        }
    }

    /// Marks every run of `model` that is still noted as running as failed, and gives their ids: for a caller
    /// that knows that no other process is at work on the project.
    @discardableResult
    package func abandonRunning(model: String, because reason: String = "interrupted") throws -> [String] {
        let now = book.surroundings.now()
        guard try !list(model: model, status: .running, limit: 1).isEmpty else { return [] }
        return try book.write { page in
            try RunTable(page).list(model: model, status: .running, limit: .max).map { run in
                var run = run
                run.status = .failed
                run.error = reason
                try RunTable(page).conclude(run, at: now)
                try page.publish(.ended(run, at: now))
                return run.id
            }
        }
    }

    /// The newest run of `model` that came to an outcome, finished or rejected, on exactly this fingerprint.
    package func find(model: String, fingerprint: Digest) throws -> String? {
        try book.read { try RunTable($0).find(model: model, fingerprint: fingerprint) }
    }

    /// Newest first.
    package func list(model: String? = nil, status: Run.Status? = nil, limit: Int = 50) throws -> [RunSummary] {
        try book.read { try summaries(RunTable($0).list(model: model, status: status, limit: limit), $0) }
    }

    /// The run whose id is `id` or is the only one to begin with it, with all its parts.
    package func show(_ id: String) throws -> Run {
        try book.read { page in try page.whole(page.findRun(id)) }
    }

    /// Two or more runs side by side, in the order given: what differs between them.
    package func compare(_ ids: [String]) throws -> RunComparison {
        guard ids.count >= 2 else {
            throw MartletError(
                .usage, "registry.nothing-to-compare", "A comparison needs two or more runs, not \(ids.count).",
                remedy: "List them with `martlet runs list`.")
        }
        return try book.read { page in
            let runs = try ids.map { try page.whole(page.findRun($0)) }
            return RunComparison(runs, summaries: try summaries(runs, page))
        }
    }

    private func summaries(_ runs: [Run], _ page: Page) throws -> [RunSummary] {
        let ids = runs.map(\.id)
        let metrics = try RunMetricTable(page).whole(runs: ids)
        let versions = try VersionTable(page).versions(ofRuns: ids)
        return runs.map { RunSummary($0, version: versions[$0.id], metrics: metrics[$0.id] ?? []) }
    }

    private func refuseTaken(_ id: String, _ page: Page) throws {
        guard let known = try RunTable(page).find(id) else { return }
        throw MartletError(
            .conflict, "registry.recorded-run", "Run \(id) is already recorded as \(known.status.rawValue).",
            remedy: "A recorded run never changes; a new execution has a new id.")
    }
}
