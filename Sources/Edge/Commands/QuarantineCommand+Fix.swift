internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import Projects
internal import Workflow

extension QuarantineCommand {
    struct Fix: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "fix",
            abstract: "Correct the values of rejected rows.",
            discussion: """
                Values are texts as a file would have them; nothing after = means missing. The original row is kept; \
                the correction is stored beside it with person, time and reason. `replay` then checks the corrected \
                row.
                """,
            examples: [
                "martlet quarantine fix encounters --row new.csv:17 --set gender=Female",
                "martlet quarantine fix encounters --column age --convert age=trim --replay",
                #"martlet quarantine fix encounters --from corrections.csv --reason "by phone""#,
            ])
        @Argument(help: "The source.") var source: String
        @OptionGroup var choice: ChoiceOptions
        @Option(
            help: ArgumentHelp("New value of a column in these rows; may be repeated.", valueName: "column=text"))
        var set: [String] = []
        @Option(
            help: ArgumentHelp("The corrected whole line of the row given by --row.", valueName: "text"))
        var line: String?
        @Option(
            help: ArgumentHelp("A CSV file of corrections with the columns file, row, column, value.", valueName: "csv")
        )
        var from: String?
        @Option(
            help: ArgumentHelp(
                "Correct a column by a rule: decimal-comma, no-separators, lower, upper, trim, *1000, /1000; may be repeated.",
                valueName: "column=rule"))
        var convert: [String] = []
        @Option(help: "Why.") var reason: String?
        @Flag(help: "Replay the corrected rows at once.") var replay = false
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        /// The shape of `--json`.
        private struct Answer: Encodable {
            var fixed: DecisionReport
            var replayed: ReplayReport?
        }

        func validate() throws {
            let ways = [!set.isEmpty, !convert.isEmpty, line != nil, from != nil].count { $0 }
            if ways != 1 { throw ValidationError("Say how with one of --set, --convert, --line or --from.") }
            if from != nil, choice.isAnything { throw ValidationError("--from names its rows itself.") }
            if line != nil, choice.row == nil {
                throw ValidationError("--line is about one row: say which with --row.")
            }
            if !set.isEmpty || !convert.isEmpty, !choice.isAnything {
                throw ValidationError("Say which rows with --where, --row, --file, --rule or --column.")
            }
        }

        func run() throws {
            let answer = try place.composition().withWorkspace { workspace in
                let source = try workspace.quarantineSource(source)
                var answer: Answer
                if let from {
                    answer = Answer(fixed: try workspace.fix(from: from, of: source, reason: reason))
                } else if let line {
                    answer = Answer(
                        fixed: try workspace.fix(choice.choice, line: line, of: source, reason: reason))
                } else if !convert.isEmpty {
                    answer = Answer(
                        fixed: try workspace.fix(choice.choice, convert: convert, of: source, reason: reason))
                } else {
                    answer = Answer(fixed: try workspace.fix(choice.choice, set: set, of: source, reason: reason))
                }
                if replay {
                    var corrected = QuarantineChoice()
                    corrected.correctedOnly = true
                    answer.replayed = try workspace.replay(corrected, of: source, byRow: false)
                }
                return answer
            }
            if format.json { return try Output.json(answer) }
            let fixed = answer.fixed
            Output.print(
                fixed.cells == 0
                    ? "Nothing to do: these cells hold that already."
                    : "Corrected \(grouped(fixed.cells)) \(fixed.cells == 1 ? "cell" : "cells") of \(grouped(fixed.rows)) \(fixed.rows == 1 ? "row" : "rows")."
            )
            if let report = answer.replayed {
                Replay.show(report)
            } else if fixed.cells > 0 {
                Output.print("Then: martlet quarantine replay \(source)")
            }
        }
    }

    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay",
            abstract: "Check rejected rows and files again and ingest those that pass now, exactly once.",
            discussion: """
                Rows are checked with their corrections under the present contract, keys included; they keep their \
                original file and row number. Rows that still violate a rule stay in quarantine with the new reason. \
                Repeating a replay has no effect.
                """,
            examples: [
                "martlet quarantine replay",
                "martlet quarantine replay encounters --corrected",
                "martlet quarantine replay encounters --file new.csv --by-row",
            ])
        @Argument(help: "The source (default: all).") var source: String?
        @OptionGroup var choice: ChoiceOptions
        @Flag(help: "Only rows that were corrected.") var corrected = false
        @Flag(help: "Ingest the good rows of rejected files, whatever share is bad; the others stay in quarantine.")
        var byRow = false
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let reports = try place.composition().withWorkspace { workspace in
                let sources = try source.map { [try workspace.quarantineSource($0)] } ?? workspace.project.sources
                var meant = choice.choice
                meant.correctedOnly = corrected
                return try sources.map { try workspace.replay(meant, of: $0, byRow: byRow) }
            }
            if format.json { return try Output.json(reports) }
            for report in reports { Self.show(report) }
        }

        static func show(_ report: ReplayReport) {
            guard report.judged > 0 || !report.files.isEmpty else {
                return Output.print("\(report.source): nothing is open.")
            }
            if report.judged > 0 {
                var line =
                    "\(report.source): \(grouped(report.replayed)) of \(grouped(report.judged)) rows went into bronze"
                if report.stillBad > 0 { line += ", \(grouped(report.stillBad)) still break the contract" }
                if report.superseded > 0 { line += ", \(grouped(report.superseded)) gave way to later rows" }
                Output.print(line + ".")
            }
            if !report.breaches.isEmpty {
                var grid = TextGrid("column", "rule", "rows", "first in row", "example")
                for breach in report.breaches {
                    grid.rows.append([
                        breach.column ?? "(line)", breach.rule, grouped(breach.rows),
                        breach.exampleRow.map(String.init) ?? "", String((breach.example ?? "(missing)").prefix(40)),
                    ])
                }
                Output.print(grid.text)
            }
            for file in report.files {
                Output.print(
                    file.outcome == .refused
                        ? "\(file.name): still refused: \(file.refusal ?? "")"
                        : "\(file.name): taken, \(grouped(file.rowsAccepted)) of \(grouped(file.rowsRead)) rows into bronze, \(grouped(file.rowsRejected)) to quarantine."
                )
            }
            if report.version != nil { Output.print("Then: martlet run") }
        }
    }
}
