internal import ArgumentParser
internal import CommandComposition
internal import Composition
internal import Core
internal import Lakehouse
internal import Projects
internal import Registry
internal import Training
internal import Workers
internal import Workflow

extension Stage: ExpressibleByArgument {}

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Fly the whole path: files, tables, model, gates, registry, predictions.",
        discussion: """
            Steps whose inputs have not changed are skipped; a run that was killed goes on where it stopped.
            Stages, in order: ingest, transform, train, register, predict.
            """)

    @Option(help: ArgumentHelp("Begin at this stage.", valueName: "stage"))
    var from: Stage = .ingest

    @Option(help: ArgumentHelp("Stop after this stage.", valueName: "stage"))
    var to: Stage = .predict

    @Option(help: ArgumentHelp("Use this split seed in place of the one in martlet.yaml.", valueName: "n"))
    var splitSeed: Int?

    @Flag(help: "Leave the work to a `martlet worker`, as `martlet jobs submit run` does.")
    var detach = false

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var format: JSONOption

    func validate() throws {
        if from > to { throw ValidationError("--from \(from.rawValue) comes after --to \(to.rawValue).") }
    }

    /// The shape of `--json`.
    private struct Answer: Encodable {
        struct Model: Encodable {
            var name: String
            var run: String
            var gates: [Registry.GateResult]
            var passed: Bool
            var version: VersionSummary?
            var warnings: [String]
        }
        var steps: [Journal.Entry]
        var warnings: [String]
        var models: [Model]
    }

    func run() throws {
        if detach { return try OrderOptions.parse([]).submit(self) }
        var settings = try place.settings()
        threads.apply(to: &settings)
        settings.splitSeed = splitSeed
        let composition = Composition(settings)
        let progress = StepProgress()
        let (report, journal) = try composition.withWorkspace { workspace in
            let journal = Journal(
                path: composition.home.trace, context: composition.context,
                cpuSeconds: SystemPlatform.cpuSeconds, began: progress.begin, ended: progress.end)
            progress.journal = journal
            return (try workspace.run(from: from, to: to, journal: journal), journal)
        }
        let models = report.models.map {
            Answer.Model(
                name: $0.name, run: $0.run, gates: $0.gates, passed: $0.passed, version: $0.version,
                warnings: $0.warnings)
        }
        if format.json {
            try Output.json(Answer(steps: journal.entries, warnings: report.warnings, models: models))
        } else {
            for model in report.models { show(model) }
        }
        for warning in report.warnings
            + report.models.flatMap({ model in model.warnings.map { "\(model.name): \($0)" } })
        {
            Output.note("warning: \(warning)")
        }
        for ingested in report.ingested {
            for line in LandingNotes.others(ingested) + LandingNotes.warnings(ingested) { Output.note(line) }
        }
        let failed = report.models.first { !$0.passed }
        // The first of them is this command's own error, unless a model failed.
        for (source, file) in report.refusedFiles.dropFirst(failed == nil ? 1 : 0) {
            Output.note("warning: \(Workspace.refusal(of: file, source))")
        }
        if let failed {
            let findings = failed.gates.filter { !$0.passed }.map { $0.sentence(number) }.joined(separator: "; ")
            throw MartletError(
                .refused, "gates.failed", "\(failed.name) does not pass its gates and was not registered: \(findings).",
                remedy:
                    "See `martlet runs show \(failed.run.prefix(12))`; improve the model or the data, or correct the gate."
            )
        }
        if let (source, file) = report.refusedFiles.first { throw Workspace.refusal(of: file, source) }
    }

    private func show(_ model: RunReport.Model) {
        guard !model.gates.isEmpty || model.version != nil else { return }
        Output.print("")
        for gate in model.gates { Output.print("\(gate.passed ? "✓" : "✗") gate \(gate.sentence(number))") }
        guard let version = model.version else { return }
        let name = "\(version.model)@\(version.version)"
        if version.synthetic {
            Output.print("\(name) was trained on synthetic rows: its figures say nothing about the real world.")
        }
        switch version.approval.state {
        case .pending: Output.print("\(name) waits for approval: martlet models approve \(name)")
        case .rejected:
            let reason = version.approval.reason.map { ": \($0)" } ?? ""
            Output.print(
                "\(name), which is this model, was rejected\(reason). It is never served; change what it learns from.")
        default: Output.print("Next: martlet models card \(name) · martlet predict FILE · martlet verify \(name)")
        }
    }
}

/// Shows the steps of a long command on stderr.
final class StepProgress {
    private let isTerminal = Output.errorIsTerminal
    /// Tells a job's supervisor how many steps are done.
    weak var journal: Journal?

    func begin(_ step: String) {
        ParentWatchdog.current?.report(
            JobProgress(step: step, done: journal?.entries.count, total: journal?.expected))
        if isTerminal { Output.raw("  \(step) …", to: 2) }
    }

    func end(_ entry: Journal.Entry) {
        let mark =
            switch entry.outcome {
            case .done: "✓"
            case .skipped: "·"
            case .refused, .failed: "✗"
            }
        let name = entry.step + String(repeating: " ", count: max(1, 30 - entry.step.count))
        let time = entry.outcome == .skipped ? "" : "  \(tenths(entry.seconds)) s"
        Output.raw(
            (isTerminal ? "\r\u{1B}[K" : "")
                + "\(mark) \(name) \(entry.outcome == .skipped ? "skipped: " : "")\(entry.detail)\(time)".visible
                + "\n",
            to: 2)
    }

    private func tenths(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
