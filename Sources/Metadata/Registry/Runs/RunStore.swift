package import Core

/// The training runs of a project: beginning, recording, listing and comparing.
///
/// ```swift
/// let hold = try registry.runs.begin(run)
/// try registry.runs.record(finished)
/// let found = try registry.runs.show("0190")  // by a unique beginning of the id
/// ```
package struct RunStore: Sendable {
    let metadata: MetadataStore

    /// Records that a run is in progress. Optional: `record` accepts a run that was never begun, too.
    /// - Returns: the lock that marks it as in progress, to be kept until it is recorded.
    @discardableResult
    package func begin(_ run: Run) throws -> RunLock? {
        // Before it can be seen: nobody must take it for one whose process is gone.
        let hold = try metadata.holds?.hold(run.id)
        try metadata.write { transaction in
            try refuseTaken(run.id, transaction)
            try RunTable(transaction).begin(run)
            try transaction.publish(.started(run))
        }
        return hold
    }

    /// Records a run with all its parts, and the completion of its step, in one transaction.
    ///
    /// A missing `ended` is now. Throws for a run that is still running and one already recorded.
    package func record(_ run: Run, finishing step: StepCompletion? = nil) throws {
        let now = metadata.context.now()
        guard run.status != .running else {
            throw MartletError(.defect, "registry.unfinished-run", "Run \(run.id) has no outcome to record yet.")
        }
        try metadata.write { transaction in
            if try RunTable(transaction).find(run.id)?.status != .running {
                try refuseTaken(run.id, transaction)
                try RunTable(transaction).begin(run)
                try transaction.publish(.started(run))
            }
            try RunParamTable(transaction).insert(run.params, run: run.id)
            try RunMetricTable(transaction).insert(run.metrics.all, run: run.id)
            try RunGateTable(transaction).insert(run.gates, run: run.id)
            try RunArtifactTable(transaction).insert(run.artifacts, run: run.id)
            try RunLineageTables(transaction).insert(run.lineage, run: run.id)
            try RunTable(transaction).conclude(run, at: run.ended ?? now)
            for (index, gate) in run.gates.enumerated() {
                try transaction.publish(.judged(gate, index, run, at: run.ended ?? now))
            }
            try transaction.publish(.ended(run, at: run.ended ?? now))
            if let step { try StepTable(transaction).finish(step, at: now) }
        }
    }

    /// Records every run still marked as running as failed, and returns their ids.
    ///
    /// For a caller that knows that no other process works on the project.
    /// - Parameter model: only runs of this one.
    @discardableResult
    package func abandonRunning(model: String? = nil, because reason: String = Run.interruption) throws -> [String] {
        let now = metadata.context.now()
        guard try !metadata.read({ try RunTable($0).running() }).isEmpty else { return [] }
        let abandoned = try metadata.write { transaction in
            try RunTable(transaction).list(model: model, status: .running, limit: .max).map { run in
                var run = run
                run.status = .failed
                run.error = reason
                try RunTable(transaction).conclude(run, at: now)
                try transaction.publish(.ended(run, at: now))
                return run.id
            }
        }
        if model == nil { try metadata.holds?.clear() }
        return abandoned
    }

    /// Returns the ids of unrecorded runs, oldest first: those in progress, and those whose process is gone.
    package func unfinished() throws -> (running: [String], interrupted: [String]) {
        let gone = try gone()
        let all = try metadata.read { try RunTable($0).running() }
        return (all.filter { !gone.contains($0) }, all.filter(gone.contains))
    }

    /// Ids of runs that are noted as running and whose process is gone. A run is recorded before it is let go, so one
    /// that still stands as running in a later look was killed.
    private func gone() throws -> Set<String> {
        guard let holds = metadata.holds else { return [] }
        return Set(try metadata.read { try RunTable($0).running() }.filter { !holds.isHeld($0) })
    }

    /// Reads runs as they are: one whose process is gone has failed, though nobody has recorded that yet.
    private func reading<Result>(_ body: (MetadataTransaction, (Run) -> Run) throws -> Result) throws -> Result {
        let gone = try gone()
        return try metadata.read { transaction in
            try body(transaction) { run in
                guard run.status == .running, gone.contains(run.id) else { return run }
                var run = run
                run.status = .failed
                run.error = Run.interruption
                return run
            }
        }
    }

    /// Returns the newest finished or rejected run of a model with this fingerprint; `nil` if there is none.
    package func find(model: String, fingerprint: Digest) throws -> String? {
        try metadata.read { try RunTable($0).find(model: model, fingerprint: fingerprint) }
    }

    /// Returns runs, newest first.
    package func list(model: String? = nil, status: Run.Status? = nil, limit: Int = 50) throws -> [RunSummary] {
        try reading { transaction, told in
            try summaries(RunTable(transaction).list(model: model, status: status, limit: limit).map(told), transaction)
        }
    }

    /// Returns the number of runs, of one model or of all.
    package func count(model: String? = nil) throws -> Int {
        try metadata.read { try RunTable($0).count(model: model) }
    }

    /// Returns the run whose id is, or uniquely begins with, `id`, with all its parts.
    package func show(_ id: String) throws -> Run {
        try reading { transaction, told in told(try transaction.whole(transaction.findRun(id))) }
    }

    /// Compares two or more runs, in the order given.
    package func compare(_ ids: [String]) throws -> RunComparison {
        guard ids.count >= 2 else {
            throw MartletError(
                .usage, "registry.nothing-to-compare", "A comparison needs two or more runs, not \(ids.count).",
                remedy: "List them with `martlet runs list`.")
        }
        return try reading { transaction, told in
            let runs = try ids.map { told(try transaction.whole(transaction.findRun($0))) }
            return RunComparison(runs, summaries: try summaries(runs, transaction))
        }
    }

    private func summaries(_ runs: [Run], _ transaction: MetadataTransaction) throws -> [RunSummary] {
        let ids = runs.map(\.id)
        let metrics = try RunMetricTable(transaction).whole(runs: ids)
        let versions = try VersionTable(transaction).versions(ofRuns: ids)
        return runs.map { RunSummary($0, version: versions[$0.id], metrics: metrics[$0.id] ?? []) }
    }

    private func refuseTaken(_ id: String, _ transaction: MetadataTransaction) throws {
        guard let known = try RunTable(transaction).find(id) else { return }
        throw MartletError(
            .conflict, "registry.recorded-run", "Run \(id) is already recorded as \(known.status.rawValue).",
            remedy: "A recorded run never changes; a new execution has a new id.")
    }
}

/// The events of a run; docs/events.md describes each.
extension EventDraft {
    /// A run that began.
    fileprivate static func started(_ run: Run) -> EventDraft {
        EventDraft(
            .runStarted, id: "run/\(run.id)/started", subject: "runs/\(run.id)", time: run.started, data: head(run))
    }

    /// A run that came to an outcome.
    fileprivate static func ended(_ run: Run, at ended: Timestamp) -> EventDraft {
        var data = head(run)
        data["model_hash"] = run.modelHash.map { .text($0.hex) }
        data["seconds"] = .number(ended.seconds(since: run.started))
        let type: EventType
        switch run.status {
        case .finished: type = .runFinished
        case .rejected: type = .runRejected
        case .failed, .running: type = .runFailed
        }
        if type == .runFailed {
            data["error"] = .text(run.error ?? "no reason was kept")
        } else {
            var metrics: [String: JSONValue] = [:]
            for name in run.metrics.names(in: "test") {
                if let value = run.metrics["test", name]?.value { metrics[name] = .number(value) }
            }
            data["metrics"] = .object(metrics)
            data["gates"] = .object([
                "passed": .integer(Int64(run.gates.count { $0.passed })),
                "failed": .integer(Int64(run.gates.count { !$0.passed })),
            ])
            data["tables"] = .list(
                run.lineage.tables.map { .text("\($0.name)@\($0.snapshot)") }.sorted { $0.text ?? "" < $1.text ?? "" })
        }
        return EventDraft(
            type, id: "run/\(run.id)/\(run.status.rawValue)", subject: "runs/\(run.id)", time: ended, data: data)
    }

    /// How one quality gate of a run came out; `index` is its place among the run's gates.
    fileprivate static func judged(_ gate: GateResult, _ index: Int, _ run: Run, at time: Timestamp) -> EventDraft {
        var data: [String: JSONValue] = [
            "run": .text(run.id), "model": .text(run.model), "part": .text(gate.part),
            "metric": .text(gate.metric), "comparator": .text(gate.comparator.rawValue),
            "bound": .number(gate.bound), "value": gate.value.map { .number($0) } ?? .null,
            "passed": .flag(gate.passed),
        ]
        if let judged = gate.judged { data["judged"] = .number(judged) }
        return EventDraft(
            gate.passed ? .gatePassed : .gateFailed, id: "gate/\(run.id)/\(index)", subject: "runs/\(run.id)",
            time: time, data: data)
    }

    private static func head(_ run: Run) -> [String: JSONValue?] {
        [
            "run": .text(run.id), "model": .text(run.model), "experiment": .text(run.experiment),
            "actor": .text(run.actor), "seed": .integer(Int64(run.seed)), "fingerprint": .text(run.fingerprint.hex),
            "synthetic": .flag(run.synthetic),
        ]
    }
}
