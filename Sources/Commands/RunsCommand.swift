internal import ArgumentParser
internal import Composition
internal import Lakehouse
internal import Projects
internal import Registry
internal import Vocabulary
internal import Workflow

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Look at training runs.",
        subcommands: [List.self, Show.self, Compare.self, ArtifactCopy.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List runs, newest first.")
        @Option(help: "Only of this model.") var model: String?
        @Option(help: "At most so many.") var limit = 20
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let runs = try place.composition().withRegistry { try $0.runs.list(model: model, limit: max(1, limit)) }
            if format.json { return try Output.json(runs) }
            var grid = TextGrid(
                "run", "model", "status", "started (UTC)", "seed", "roc_auc", "pr_auc", "brier", "version")
            for run in runs {
                func metric(_ name: String) -> String { number(run.metrics["test", name]?.value) }
                grid.rows.append([
                    String(run.id.prefix(12)), run.model, run.status.rawValue + (run.synthetic ? " (synthetic)" : ""),
                    run.started.minute, "\(run.seed)", metric("roc_auc"), metric("pr_auc"), metric("brier"),
                    run.version.map(String.init) ?? "",
                ])
            }
            Output.print(runs.isEmpty ? "No runs yet." : grid.text)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one run.")
        @Argument(help: ArgumentHelp("The run's id, or its beginning.", valueName: "run")) var id: String
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let run = try place.composition().withRegistry { try $0.runs.show(id) }
            if format.json { return try Output.json(run) }
            Output.print(
                "run \(run.id): \(run.model), \(run.status.rawValue)\(run.synthetic ? ", synthetic data" : "")")
            if let error = run.error { Output.print("error: \(error)") }
            RunPages.metrics(run.metrics)
            for gate in run.gates { Output.print("\(gate.passed ? "✓" : "✗") gate \(GateLine.text(gate))") }
            RunPages.lineage(run.lineage)
        }
    }

    struct Compare: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "compare", abstract: "Show what differs between runs: parameters, metrics, tables.")
        @Argument(help: "Two or more runs.") var runs: [String]
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func validate() throws {
            if runs.count < 2 { throw ValidationError("Name at least two runs.") }
        }

        func run() throws {
            let comparison = try place.composition().withRegistry { try $0.runs.compare(runs) }
            if format.json { return try Output.json(comparison) }
            var grid = TextGrid(header: [""] + comparison.runs.map { String($0.id.prefix(12)) })
            for item in comparison.params { grid.rows.append([item.name] + item.values.map { $0 ?? "–" }) }
            for item in comparison.metrics {
                grid.rows.append(["\(item.part) \(item.name)"] + item.values.map { number($0) })
            }
            for item in comparison.tables {
                grid.rows.append([item.name] + item.values.map { $0.map { String($0.prefix(24)) } ?? "–" })
            }
            Output.print(grid.rows.isEmpty ? "The runs do not differ." : grid.text)
        }
    }

    struct ArtifactCopy: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "artifact", abstract: "Copy a run's artifact to a file.",
            discussion:
                "model.txt, model.json, blueprint.json, or scores.parquet: key, part, label and probability of every row."
        )
        @Argument(help: ArgumentHelp("The run's id, or its beginning.", valueName: "run")) var id: String
        @Argument(help: "The artifact's name.") var name: String
        @Option(name: [.short, .long], help: ArgumentHelp("Where to.", valueName: "file")) var output: String
        @OptionGroup var place: ProjectOptions

        func run() throws {
            try place.composition().withReadingWorkspace { workspace in
                let run = try workspace.registry.runs.show(id)
                guard let artifact = run.artifacts.first(where: { $0.name == name }) else {
                    throw MartletError(
                        .missing, "artifact.missing", "The run has no artifact \(name).",
                        remedy: "It has: \(run.artifacts.map(\.name).joined(separator: ", ")).")
                }
                try Disk.replaceDurably(Disk.absolute(output), try workspace.artifacts.get(artifact.digest, name))
            }
        }
    }
}

/// A gate in a line: "test roc_auc 0.6836 ≥ 0.66".
enum GateLine {
    static func text(_ gate: Registry.GateResult) -> String {
        guard let value = gate.value else { return "\(gate.part) \(gate.metric) is undefined" }
        let sign =
            switch (gate.comparator, gate.passed) {
            case (.atLeast, true): "≥"
            case (.atLeast, false): "<"
            case (.atMost, true): "≤"
            case (.atMost, false): ">"
            }
        // A value that rounds to its bound is shown in full.
        let short = number(value)
        return "\(gate.part) \(gate.metric) \(short == number(gate.bound) ? "\(value)" : short) \(sign) \(gate.bound)"
    }
}

/// The parts that runs and versions share.
enum RunPages {
    static func metrics(_ metrics: Metrics) {
        let order = ["test", "validation", "cv"]
        for part in order where metrics.parts.contains(part) {
            var grid = TextGrid(part, "value", "low", "high")
            for name in metrics.names(in: part) {
                guard let metric = metrics[part, name] else { continue }
                grid.rows.append([
                    name, number(metric.value), metric.low.map { number($0) } ?? "",
                    metric.high.map { number($0) } ?? "",
                ])
            }
            Output.print("\n" + grid.text)
        }
        Output.print("")
    }

    static func lineage(_ lineage: Lineage) {
        var files = TextGrid("file", "source", "rows", "refused", "digest")
        for file in lineage.files.prefix(20) {
            files.rows.append([file.name, file.source, grouped(file.rows), grouped(file.rejected), file.digest.short])
        }
        Output.print("\n" + files.text)
        if lineage.files.count > 20 { Output.print("… and \(lineage.files.count - 20) more files") }
        var tables = TextGrid("table", "version", "rows", "from")
        let order = { (table: LineageTable) in TableName(table.name) ?? TableName(.gold, table.name) }
        for table in lineage.tables.sorted(by: { order($0) < order($1) }) {
            tables.rows.append([
                table.name, "\(table.snapshot)", grouped(table.rows),
                table.parents.map(\.description).joined(separator: ", "),
            ])
        }
        Output.print("\n" + tables.text)
    }
}
