internal import ArgumentParser
internal import Composition
internal import Lakehouse
internal import Projects
internal import Vocabulary
internal import Workflow

struct LakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lake", abstract: "Look at the lakehouse's tables.",
        subcommands: [Tables.self, History.self, Show.self, Query.self])

    struct Tables: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "tables", abstract: "List the tables.")
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        private struct Answer: Encodable {
            var table: TableName
            var version: Int
            var rows: Int?
            var files: Int
            var bytes: Int64
            var columns: Int
        }

        func run() throws {
            let answers = try place.composition().withReadingWorkspace { workspace in
                try workspace.lake.tables().map { name in
                    let snapshot = try workspace.lake.snapshot(of: name)
                    return Answer(
                        table: name, version: snapshot.version, rows: snapshot.rows, files: snapshot.files.count,
                        bytes: snapshot.files.reduce(0) { $0 + $1.size },
                        columns: try snapshot.metadata?.fields().count ?? 0)
                }
            }
            if format.json { return try Output.json(answers) }
            var grid = TextGrid("table", "version", "rows", "columns", "files", "KiB")
            for answer in answers {
                grid.rows.append([
                    "\(answer.table)", "\(answer.version)", answer.rows.map(grouped) ?? "–", "\(answer.columns)",
                    "\(answer.files)", grouped(Int(answer.bytes / 1024)),
                ])
            }
            Output.print(answers.isEmpty ? "The lakehouse is empty: land a file and run `martlet run`." : grid.text)
        }
    }

    struct History: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "history", abstract: "Show a table's versions.")
        @Argument(help: "The table, e.g. gold.encounters.") var table: String
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        private struct Answer: Encodable {
            var version: Int
            var at: Timestamp?
            var operation: String
            var added: Int
            var removed: Int
            var rowsAdded: Int
            var files: [String]
            var parents: [String]

            enum CodingKeys: String, CodingKey {
                case version, at, operation, added, removed, files, parents
                case rowsAdded = "rows_added"
            }
        }

        func run() throws {
            let answers = try place.composition().withReadingWorkspace { workspace in
                let table = workspace.lake.table(try tableName(table))
                _ = try workspace.lake.files(of: try tableName(self.table))
                return try table.versions().reversed().map { version in
                    let actions = try table.commit(version)
                    let info = actions.compactMap(\.commitInfo).first
                    return Answer(
                        version: version,
                        at: info?["timestamp"]?.integer.map { Timestamp(microseconds: Int64($0) &* 1000) },
                        operation: info?["operation"]?.text ?? "", added: actions.count { $0.add != nil },
                        removed: actions.count { $0.remove != nil },
                        rowsAdded: actions.compactMap { $0.add?.rows }.reduce(0, +),
                        files: info?["martlet"]?["files"]?.list?.compactMap { $0["name"]?.text } ?? [],
                        parents: info?["martlet"]?["parents"]?.list?.compactMap(\.text) ?? [])
                }
            }
            if format.json { return try Output.json(answers) }
            var grid = TextGrid("version", "when (UTC)", "operation", "rows added", "files +", "files −", "from")
            for answer in answers {
                grid.rows.append([
                    "\(answer.version)", answer.at?.minute ?? "", answer.operation, grouped(answer.rowsAdded),
                    "\(answer.added)", "\(answer.removed)",
                    (answer.files.prefix(3) + (answer.files.count > 3 ? ["…"] : []) + answer.parents).joined(
                        separator: ", "),
                ])
            }
            Output.print(grid.text)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a table's first rows.")
        @Argument(help: "The table, e.g. gold.encounters.") var table: String
        @Option(help: "The version (default: the latest).") var version: Int?
        @Option(help: "How many rows.") var limit = 10
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            try place.composition().withReadingWorkspace { workspace in
                let name = try tableName(table)
                let rows = try workspace.lake.query(
                    "SELECT * FROM \(name.layer.rawValue).\"\(name.name.replacing("\"", with: "\"\""))\"",
                    at: version.map { [name: $0] } ?? [:], limit: max(0, limit))
                try TableOutput.print(rows, json: format.json)
            }
        }
    }

    struct Query: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sql", abstract: "Ask the tables something.",
            discussion: "Tables are written with their layer: SELECT count(*) FROM bronze.encounters.")
        @Argument(help: "One SELECT.") var sql: String
        @Option(help: "At most so many rows.") var limit: Int?
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            try place.composition().withReadingWorkspace { workspace in
                try TableOutput.print(try workspace.lake.query(sql, at: [:], limit: limit), json: format.json)
            }
        }
    }

    fileprivate static func unknown(_ text: String) -> MartletError {
        MartletError(
            .usage, "lake.table-name", "\(text) is not a table's name.",
            remedy: "Write it with its layer, e.g. gold.encounters; `martlet lake tables` lists them.")
    }
}

private func tableName(_ text: String) throws -> TableName {
    guard let name = TableName(text) else { throw LakeCommand.unknown(text) }
    return name
}

/// Prints rows that came as text.
enum TableOutput {
    static func print(_ table: TextTable, json: Bool) throws {
        if json {
            let isNumber = table.types.map { type in
                ["bigint", "integer", "smallint", "tinyint", "double", "float", "hugeint"].contains(type)
            }
            return try Output.json(
                table.rows.map { row in
                    JSONValue.object(
                        Dictionary(
                            zip(table.names, zip(row, isNumber)).map { name, cell in
                                (name, value(cell.0, isNumber: cell.1))
                            }, uniquingKeysWith: { first, _ in first }))
                })
        }
        var grid = TextGrid(header: table.names)
        grid.rows = table.rows.map { $0.map { cell in cell.map { $0.count > 60 ? $0.prefix(59) + "…" : $0 } ?? "–" } }
        Output.print(grid.text)
    }

    private static func value(_ text: String?, isNumber: Bool) -> JSONValue {
        guard let text else { return .null }
        guard isNumber else { return text == "true" ? .flag(true) : text == "false" ? .flag(false) : .text(text) }
        if let whole = Int64(text) { return .integer(whole) }
        return Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .text(text)
    }
}
