internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import Projects
internal import Registry
internal import SQLLineage
internal import Storage
internal import Training
internal import Workflow

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "List, show and compare training runs.",
        examples: ["martlet runs list", "martlet runs show 01976c2f"],
        subcommands: [List.self, Show.self, Compare.self, ArtifactCopy.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List runs, newest first.",
            examples: ["martlet runs list --model readmission --limit 5"])
        @Option(help: "Only of this model.") var model: String?
        @Option(help: "Largest number of runs.") var limit = 20
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let (runs, count) = try place.composition().withRegistry {
                (try $0.runs.list(model: model, limit: max(1, limit)), try $0.runs.count(model: model))
            }
            Output.cut(shown: runs.count, of: count, "runs")
            if format.json { return try Output.json(runs) }
            let headlines = PredictionTasks.unique(PredictionTasks.descriptors.flatMap(\.headlines)).map(\.rawValue)
            var grid = TextGrid(
                header: ["run", "model", "status", "started (UTC)", "seed"] + headlines + ["version"])
            for run in runs {
                func metric(_ name: String) -> String { MetricOrder.text(run.metrics["test", name]?.value, of: name) }
                grid.rows.append(
                    [
                        String(run.id.prefix(12)), run.model,
                        RunPages.status(run.status, run.error) + (run.synthetic ? " (synthetic)" : ""),
                        run.started.minute, "\(run.seed)",
                    ] + headlines.map(metric) + [run.version.map(String.init) ?? ""])
            }
            Output.print(runs.isEmpty ? "No runs yet." : grid.text)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show one run.",
            examples: ["martlet runs show 01976c2f"])
        @Argument(help: ArgumentHelp("The run's id, or its beginning.", valueName: "run")) var id: String
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let run = try place.composition().withRegistry { try $0.runs.show(id) }
            if format.json { return try Output.json(run) }
            Output.print(
                "run \(run.id): \(run.model), \(RunPages.status(run.status, run.error))\(run.synthetic ? ", synthetic data" : "")"
            )
            if let error = run.error {
                Output.print(
                    "error: \(error)"
                        + (error == Run.interruption ? ": its process ended before it had an outcome" : ""))
            }
            RunPages.metrics(run.metrics)
            for gate in run.gates { Output.print("\(gate.passed ? "✓" : "✗") gate \(gate.sentence(number))") }
            RunPages.lineage(run.lineage)
        }
    }

    struct Compare: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "compare",
            abstract: "Show the differences between runs: parameters, metrics, tables.",
            examples: ["martlet runs compare 01976c2f 01976c30"])
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
            let metrics = comparison.metrics.sorted {
                MetricOrder.precedes(($0.part, $0.name), ($1.part, $1.name))
            }
            for item in metrics {
                grid.rows.append(
                    ["\(item.part) \(item.name)"] + item.values.map { MetricOrder.text($0, of: item.name) })
            }
            for item in comparison.tables {
                grid.rows.append([item.name] + item.values.map { $0.map { String($0.prefix(24)) } ?? "–" })
            }
            Output.print(grid.rows.isEmpty ? "The runs do not differ." : grid.text)
        }
    }

    struct ArtifactCopy: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "artifact",
            abstract: "Copy an artifact of a run to a file.",
            discussion: """
                Artifacts: model.txt, model.json, blueprint.json, and scores.parquet with key, part, label and \
                probability of every row.
                """,
            examples: ["martlet runs artifact 01976c2f scores.parquet -o scores.parquet"])
        @Argument(help: ArgumentHelp("The run's id, or its beginning.", valueName: "run")) var id: String
        @Argument(help: "The artifact's name.") var name: String
        @Option(name: [.short, .long], help: ArgumentHelp("The file to write.", valueName: "file")) var output: String
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

/// Order of metrics in tables, as on the model card: quality, costs and thresholds, counts.
enum MetricOrder {
    static let parts = ["test", "validation", "cv"]
    private static let counts = PredictionTasks.unique(PredictionTasks.descriptors.flatMap(\.counts))
    private static let ranks: [String: Int] = {
        let figures = PredictionTasks.descriptors.flatMap(\.figures)
        let names = PredictionTasks.metrics.map(\.rawValue) + figures + counts
        return Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    }()

    static func isCount(_ name: String) -> Bool { counts.contains(name) }

    static func precedes(_ a: (part: String, name: String), _ b: (part: String, name: String)) -> Bool {
        let (left, right) = (parts.firstIndex(of: a.part) ?? .max, parts.firstIndex(of: b.part) ?? .max)
        if left != right { return left < right }
        return (ranks[a.name] ?? .max, a.name) < (ranks[b.name] ?? .max, b.name)
    }

    /// Four decimals, so that columns line up; counts are whole.
    static func text(_ value: Double?, of name: String) -> String {
        guard let value, value.isFinite, value.magnitude < 1e12 else { return number(value) }
        if isCount(name) { return grouped(Int(value)) }
        let ten = Int((value.magnitude * 10_000).rounded())
        let rest = String(ten % 10_000)
        return (value < 0 && ten > 0 ? "-" : "") + grouped(ten / 10_000) + "."
            + String(repeating: "0", count: 4 - rest.utf8.count) + rest
    }
}

/// Formats the sections that runs and versions share.
enum RunPages {
    /// A run that was interrupted has failed, and nobody needs to look for a fault in it.
    static func status(_ status: Run.Status, _ error: String?) -> String {
        status == .failed && error == Run.interruption ? Run.interruption : status.rawValue
    }

    static func metrics(_ metrics: Metrics) {
        for part in MetricOrder.parts where metrics.parts.contains(part) {
            let names = metrics.names(in: part).sorted { MetricOrder.precedes((part, $0), (part, $1)) }
            var grid = TextGrid(part, "value", "low", "high")
            for name in names where !MetricOrder.isCount(name) {
                guard let metric = metrics[part, name] else { continue }
                grid.rows.append([
                    name, MetricOrder.text(metric.value, of: name),
                    metric.low.map { MetricOrder.text($0, of: name) } ?? "",
                    metric.high.map { MetricOrder.text($0, of: name) } ?? "",
                ])
            }
            Output.print("\n" + grid.text)
            let counts = names.filter { MetricOrder.isCount($0) }.map { name in
                "\(name.replacing("_", with: " ")) \(MetricOrder.text(metrics[part, name]?.value, of: name))"
            }
            if !counts.isEmpty { Output.print(counts.joined(separator: ", ")) }
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
