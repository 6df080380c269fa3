internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import Projects
internal import Workflow

struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "Inspect, correct and replay rejected rows and files.",
        discussion: """
            No received data is lost: rejected rows keep all their cells, rejected files all their bytes. Correct the \
            values (fix) or the contract; replay then adds the rows to bronze, exactly once.
            """,
        examples: [
            "martlet quarantine list",
            "martlet quarantine show encounters",
            "martlet quarantine replay encounters",
        ],
        subcommands: [List.self, Show.self, Fix.self, Replay.self, Drop.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Count rejected rows and files by source, column, rule and file.",
            examples: ["martlet quarantine list", "martlet quarantine list encounters --by-file"])
        @Argument(help: "The source (default: all).") var source: String?
        @Flag(help: "Also list replayed, dropped and superseded ones.") var all = false
        @Flag(help: "One line for each file.") var byFile = false
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let overviews = try place.composition().withReadingWorkspace { workspace in
                let sources = try source.map { [try workspace.quarantineSource($0)] } ?? workspace.project.sources
                return try sources.map { try workspace.quarantine($0) }
            }
            if format.json { return try Output.json(overviews) }
            var sources = TextGrid(
                "source", "open rows", "replayed", "dropped", "superseded", "refused files", "replayed", "dropped")
            for one in overviews {
                sources.rows.append(
                    [one.source] + QuarantineState.allCases.map { grouped(one.rows[$0]) }
                        + [one.files.open, one.files.replayed, one.files.dropped].map(grouped))
            }
            Output.print(sources.text)
            for one in overviews { show(one) }
            if let one = overviews.first(where: { $0.rows.open + $0.files.open > 0 }) {
                Output.print("\nNext: martlet quarantine show \(one.source)")
            }
        }

        private func show(_ one: QuarantineOverview) {
            let groups = one.groups.filter { all || $0.state == .open }
            if !groups.isEmpty {
                let lines = byFile ? groups.map { [$0] } : together(groups)
                var grid = TextGrid("column", "rule", "rows", byFile ? "file" : "files", "state", "first in", "example")
                for line in lines.prefix(all ? .max : 40) {
                    let first = line[0]
                    grid.rows.append([
                        first.column ?? "(line)", first.rule, grouped(line.reduce(0) { $0 + $1.rows }),
                        byFile ? first.file : grouped(line.count), first.state.rawValue,
                        "\(first.file):\(first.exampleRow ?? 0)", String((first.example ?? "(missing)").prefix(40)),
                    ])
                }
                Output.print("\nRows of \(one.source):\n\(grid.text)")
                if !all, lines.count > 40 { Output.print("… and \(lines.count - 40) more; --all lists them.") }
            }
            for file in one.refused where all || file.state == .open {
                Output.print("\nRefused whole, \(file.state.rawValue): \(file.file) (\(file.digest.prefix(12)))")
                Output.print("  \(file.reason)")
            }
        }

        /// Counts of one rule in one column over all files, most rows first.
        private func together(_ groups: [QuarantineCount]) -> [[QuarantineCount]] {
            var lines: [[QuarantineCount]] = []
            var places: [[String?]: Int] = [:]
            for group in groups {
                let key = [group.column, group.rule, group.state.rawValue]
                if let place = places[key] {
                    lines[place].append(group)
                } else {
                    places[key] = lines.count
                    lines.append([group])
                }
            }
            func rows(_ line: [QuarantineCount]) -> Int { line.reduce(0) { $0 + $1.rows } }
            return lines.enumerated().sorted { (-rows($0.element), $0.offset) < (-rows($1.element), $1.offset) }.map(
                \.element)
        }
    }

    struct Drop: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drop",
            abstract: "Mark rejected rows or files as dropped, so that they count as decided.",
            discussion: """
                Nothing is deleted: person, time and reason are recorded, and --undo reopens what was dropped.
                """,
            examples: [
                #"martlet quarantine drop encounters --file new.csv --reason "sent twice""#,
                #"martlet quarantine drop encounters --all --undo --reason "not sent twice""#,
            ])
        @Argument(help: "The source.") var source: String
        @OptionGroup var choice: ChoiceOptions
        @Option(help: "Why.") var reason: String
        @Flag(help: "Everything open.") var all = false
        @Flag(help: "Reopen what was dropped.") var undo = false
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func validate() throws {
            if !all, !choice.isAnything {
                throw ValidationError("Say what with --row, --file, --rule, --column or --where; or --all.")
            }
        }

        func run() throws {
            let report = try place.composition().withWorkspace { workspace in
                var meant = choice.choice
                if undo { meant.states = [.dropped] }
                return try workspace.drop(
                    meant, of: try workspace.quarantineSource(source), reason: reason, takeBack: undo)
            }
            if format.json { return try Output.json(report) }
            let files = report.files == 0 ? "" : " and \(grouped(report.files)) \(report.files == 1 ? "file" : "files")"
            Output.print(
                "\(undo ? "Open again" : "Dropped"): \(grouped(report.rows)) \(report.rows == 1 ? "row" : "rows")\(files) of \(source)."
            )
        }
    }
}

/// Options that select quarantined rows; all given conditions must hold.
struct ChoiceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only of this file: its name, or the beginning of its digest.", valueName: "file"))
    var file: String?
    @Option(help: ArgumentHelp("Only this row.", valueName: "file:row"))
    var row: String?
    @Option(help: ArgumentHelp("Only rows that violate a rule of this column.", valueName: "column"))
    var column: String?
    @Option(help: ArgumentHelp("Only rows that violate this rule, as `list` names it.", valueName: "rule"))
    var rule: String?
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only rows with this text in this column; nothing after = is missing.", valueName: "column=text"))
    var holding: [String] = []

    var choice: QuarantineChoice {
        var choice = QuarantineChoice()
        choice.file = file
        choice.row = row
        choice.column = column
        choice.rule = rule
        choice.holding = holding
        return choice
    }

    var isAnything: Bool { file != nil || row != nil || column != nil || rule != nil || !holding.isEmpty }
}
