internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import Projects
internal import Registry
internal import Storage
internal import Training
internal import Workflow

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Score a file of raw records.",
        discussion: """
            The records go through the source's contract and the model's own SQL, together with what the lake knows of
            their entities; the lake itself is not changed. The output has one row a record: the key under its own name,
            probability, risk band, decision at the threshold, model and version. The file may lack the target's column
            and every other column that neither the features nor the choice of rows depend on.
            """)

    @Argument(help: "The file, in the form of the source's files; - is standard input.")
    var file: String

    @Option(
        help: ArgumentHelp("NAME, NAME@ALIAS or NAME@NUMBER (default: the only model's champion).", valueName: "model"))
    var model: String?

    @Option(help: "The source the file belongs to.")
    var source: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Write .parquet, .csv or .json (default: CSV on standard output).", valueName: "file"))
    var output: String?

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print a summary as JSON (its shape is in docs/cli.md), with the rows unless -o takes them.")
    var json = false

    func validate() throws {
        guard let output else { return }
        if ![".parquet", ".csv", ".json"].contains(where: { output.hasSuffix($0) }) {
            throw ValidationError("-o \(output): the file must end in .parquet, .csv or .json.")
        }
    }

    func run() throws {
        var settings = try place.settings()
        threads.apply(to: &settings)
        try Composition(settings).withReadingWorkspace { workspace in
            let reference = try reference(workspace)
            let prediction = try workspace.withFile(named: file) { path in
                try workspace.predict(file: path, of: try workspace.source(named: source, for: path), by: reference)
            }
            if let output, output.hasSuffix(".parquet") {
                try workspace.write(prediction, parquet: output)
            } else if let output {
                let text = output.hasSuffix(".json") ? try jsonRows(prediction) : csv(prediction)
                try Disk.replaceDurably(Disk.absolute(output), Array(text.utf8))
            } else if !json {
                Output.raw(csv(prediction), to: 1)
            }
            if json {
                return try Output.json(Summary(prediction, output, rows: output == nil ? rows(prediction) : nil))
            }
            summarise(prediction)
        }
    }

    private func reference(_ workspace: Workspace) throws -> ModelReference {
        guard let model else {
            return ModelReference(model: try workspace.project.model(nil).name, selector: .alias(.champion))
        }
        let reference = try ModelReference(parsing: model)
        return reference.selector == nil
            ? ModelReference(model: reference.model, selector: .alias(.champion)) : reference
    }

    private func summarise(_ prediction: FilePrediction) {
        let positive = prediction.rows.count { $0.prediction.positive }
        Output.note(
            "\(grouped(prediction.rows.count)) of \(counted(prediction.rowsRead, "record")) scored by "
                + "\(prediction.loaded.name)@\(prediction.loaded.version), \(grouped(positive)) at or above the threshold "
                + "of \(number(prediction.loaded.record.threshold.value)).")
        if prediction.loaded.synthetic { Output.note("warning: the model was trained on synthetic rows.") }
        if !prediction.spared.isEmpty {
            Output.note(
                "The file lacks \(prediction.spared.joined(separator: ", ")); the model does not need it to score.")
        }
        if prediction.alone {
            Output.note("The source has no key, so the records were scored without what the lake knows already.")
        }
        if let leftOut = prediction.leftOut, leftOut > 0 {
            let (have, them) = leftOut == 1 ? ("has", "it") : ("have", "them")
            Output.note(
                "\(counted(leftOut, "record")) \(have) no score: the project's SQL leaves \(them) out: \(keys(prediction))"
            )
        }
        if prediction.rejected > 0 {
            let (broke, have) = prediction.rejected == 1 ? ("breaks", "has") : ("break", "have")
            Output.note(
                "\(counted(prediction.rejected, "record")) \(broke) the contract and \(have) no score: \(rows(of: prediction))"
            )
            for breach in prediction.breaches.prefix(5) {
                Output.note(
                    "  \(breach.column ?? "line"): \(breach.rule), \(counted(breach.rows, "row")), e.g. row \(breach.exampleRow ?? 0): \(breach.example ?? "(missing)")"
                )
            }
        }
    }

    /// The first of a list, and how many more there are.
    private func first(_ items: [String]) -> String {
        items.prefix(10).joined(separator: ", ") + (items.count > 10 ? " and \(grouped(items.count - 10)) more" : "")
    }

    private func keys(_ prediction: FilePrediction) -> String {
        first(prediction.unscored.compactMap { $0.key.map { "\(prediction.loaded.specification.key) \($0)" } })
    }

    private func rows(of prediction: FilePrediction) -> String {
        let rows = prediction.unscored.compactMap { $0.row.map { "\($0)" } }
        return "\(rows.count == 1 ? "row" : "rows") \(first(rows))"
    }

    private func csv(_ prediction: FilePrediction) -> String {
        var text = "\(quoted(prediction.loaded.specification.key)),probability,band,decision,model,version\n"
        for row in prediction.rows {
            text +=
                "\(quoted(row.key)),\(row.prediction.probability),\(row.prediction.band?.rawValue ?? ""),"
                + "\(row.prediction.positive ? 1 : 0),\(prediction.loaded.name),\(prediction.loaded.version)\n"
        }
        return text
    }

    private func quoted(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    /// The shape of `--json`.
    private struct Summary: Encodable {
        var model: String
        var version: Int
        var synthetic: Bool
        var threshold: Double
        var records: Int
        var scored: Int
        var positive: Int
        var rejected: Int
        var leftOut: Int?
        var alone: Bool
        var breaches: [Acceptance.Breach]
        var unscored: [FilePrediction.Unscored]
        var output: String?
        var rows: [JSONValue]?

        enum CodingKeys: String, CodingKey {
            case model, version, synthetic, threshold, records, scored, positive, rejected, alone, breaches, unscored,
                output, rows
            case leftOut = "left_out"
        }

        init(_ prediction: FilePrediction, _ output: String?, rows: [JSONValue]?) {
            model = prediction.loaded.name
            version = prediction.loaded.version
            synthetic = prediction.loaded.synthetic
            threshold = prediction.loaded.record.threshold.value
            records = prediction.rowsRead
            scored = prediction.rows.count
            positive = prediction.rows.count { $0.prediction.positive }
            rejected = prediction.rejected
            leftOut = prediction.leftOut
            alone = prediction.alone
            breaches = prediction.breaches
            unscored = prediction.unscored
            self.output = output
            self.rows = rows
        }
    }

    /// The same columns as CSV and Parquet have, a whole number as key as such.
    private func rows(_ prediction: FilePrediction) -> [JSONValue] {
        let key = prediction.loaded.specification.key
        return prediction.rows.map { row in
            let whole = prediction.table.keyIsInteger ? Int64(row.key) : nil
            return .object(
                [
                    "probability": .number(row.prediction.probability),
                    "band": row.prediction.band.map { .text($0.rawValue) } ?? .null,
                    "decision": .flag(row.prediction.positive), "model": .text(prediction.loaded.name),
                    "version": .integer(Int64(prediction.loaded.version)),
                ].merging([key: whole.map { .integer($0) } ?? .text(row.key)]) { own, _ in own })
        }
    }

    private func jsonRows(_ prediction: FilePrediction) throws -> String {
        try JSON.text(rows(prediction), pretty: true) + "\n"
    }
}
