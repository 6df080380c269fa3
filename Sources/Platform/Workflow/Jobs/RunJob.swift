package import Core
internal import Lakehouse
internal import Projects
internal import Registry
internal import Training

/// The stages from files to predictions, or some of them.
package struct RunJob: JobDefinition {
    package static let kind = "run"

    /// First stage to run; `ingest` by default.
    package var from: Stage
    /// Last stage to run, inclusive; `predict` by default. Must not come before `from`.
    package var to: Stage
    /// Seed of the split for every model, in place of those in martlet.yaml; `nil` keeps these.
    package var splitSeed: Int?
    /// Threads of SQL engine and learner.
    package var threads: JobThreads

    package init(
        from: Stage = .ingest, to: Stage = .predict, splitSeed: Int? = nil, threads: JobThreads = JobThreads()
    ) {
        self.from = from
        self.to = to
        self.splitSeed = splitSeed
        self.threads = threads
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case from, to, threads
        case splitSeed = "split_seed"
    }

    package init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            from: try box.decodeIfPresent(Stage.self, forKey: .from) ?? .ingest,
            to: try box.decodeIfPresent(Stage.self, forKey: .to) ?? .predict,
            splitSeed: try box.decodeIfPresent(Int.self, forKey: .splitSeed),
            threads: try box.decodeIfPresent(JobThreads.self, forKey: .threads) ?? JobThreads())
    }

    /// Names of the members of the job's JSON object.
    package static var members: [String] { CodingKeys.allCases.map(\.rawValue) }
    package var job: Job { .run(self) }

    package func validate() throws {
        if from > to { throw Job.refusal("--from \(from.rawValue) comes after --to \(to.rawValue).") }
        try threads.validate()
    }

    package var arguments: [String] {
        var words = from == .ingest ? [] : ["--from", from.rawValue]
        if to != .predict { words += ["--to", to.rawValue] }
        if let splitSeed { words += ["--split-seed", "\(splitSeed)"] }
        return words + threads.arguments
    }

    package func perform(in environment: some JobEnvironment, observer: JobObserver) throws -> RunResult {
        try environment.configured(splitSeed: splitSeed, threads: threads).withWorkspace { workspace in
            let journal = Journal(
                path: workspace.home.trace, context: workspace.context, cpuSeconds: workspace.cpuSeconds,
                observer: observer)
            return RunResult(
                report: try workspace.run(from: from, to: to, journal: journal), steps: journal.entries)
        }
    }
}

/// Result of a run: as JSON its steps, its warnings, and the outcome of each model.
package struct RunResult: JobResult {
    /// What the run did, by source and by model.
    package let report: RunReport
    /// The steps of the run in order, as in `<home>/logs/trace.jsonl`.
    package let steps: [Journal.Entry]

    private struct Model: Encodable {
        var name: String
        var run: String
        var gates: [Registry.GateResult]
        var passed: Bool
        var version: VersionSummary?
        var warnings: [String]
    }

    private enum CodingKeys: String, CodingKey { case steps, warnings, models }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(steps, forKey: .steps)
        try box.encode(report.warnings, forKey: .warnings)
        try box.encode(
            report.models.map {
                Model(
                    name: $0.name, run: $0.run, gates: $0.gates, passed: $0.passed, version: $0.version,
                    warnings: $0.warnings)
            }, forKey: .models)
    }

    private var failed: RunReport.Model? { report.models.first { !$0.passed } }

    package var notes: [String] {
        var lines = report.warnings.map { "warning: \($0)" }
        lines += report.models.flatMap { model in model.warnings.map { "warning: \(model.name): \($0)" } }
        for ingested in report.ingested { lines += ingested.landingNotes + ingested.warningNotes }
        // The first of them is the error itself, unless a model failed.
        return lines
            + report.refusedFiles.dropFirst(failed == nil ? 1 : 0).map { source, file in
                "warning: \(Workspace.refusal(of: file, source))"
            }
    }

    /// Why the job, though it was done, counts as failed; `nil` otherwise.
    package var refusal: MartletError? {
        if let failed {
            let findings = failed.gates.filter { !$0.passed }.map { $0.sentence(number) }.joined(separator: "; ")
            return MartletError(
                .refused, "gates.failed", "\(failed.name) does not pass its gates and was not registered: \(findings).",
                remedy:
                    "See `martlet runs show \(failed.run.prefix(12))`; improve the model or the data, or correct the gate."
            )
        }
        return report.refusedFiles.first.map { Workspace.refusal(of: $0.file, $0.source) }
    }
}
