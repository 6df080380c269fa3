internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import SQLLineage

struct LakeSQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql",
        abstract: "Run a SELECT over the tables.",
        discussion: """
            Tables are named with their layer. They are read at their latest version, or with --at as of a moment; \
            --version 3 applies to a query over one table, --version bronze.encounters=3 to one of several.
            """,
        examples: [
            #"martlet lake sql "SELECT count(*) FROM bronze.encounters""#,
            #"martlet lake sql "SELECT * FROM gold.encounters" --version 3 --limit 5"#,
        ])
    @Argument(help: "One SELECT.") var sql: String
    @Option(help: "The version of the table, or TABLE=VERSION; may be repeated.") var version: [String] = []
    @Option(help: "The tables as they were at a moment, e.g. 2026-01-31T08:00:00Z.") var at: String?
    @Option(help: "Largest number of rows.") var limit: Int?
    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    func run() throws {
        guard version.isEmpty || at == nil else { throw LakeCommand.bothTimes }
        try place.composition().withLake { lake in
            var versions: [TableName: Int] = [:]
            if at != nil || !version.isEmpty {
                let tables = try lake.engine.parse(sql, file: "SQL").analysis().tables
                if let instant = try at.map({ try moment($0, "--at") }) {
                    for table in tables { versions[table] = try lake.version(of: table, at: instant) }
                }
                for choice in version {
                    let (table, number) = try chosen(choice, among: tables)
                    versions[table] = number
                }
            }
            try TableOutput.print(try lake.query(sql, at: versions, limit: limit), json: format.json)
        }
    }

    private func chosen(_ text: String, among tables: [TableName]) throws -> (TableName, Int) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        if parts.count == 1, let number = Int(text), tables.count == 1 { return (tables[0], number) }
        if parts.count == 2, let number = Int(parts[1]) {
            let table = try LakeCommand.tableName(parts[0])
            if tables.contains(table) { return (table, number) }
        }
        throw MartletError(
            .usage, "lake.version", "--version \(text) does not say a version of a table in the question.",
            remedy: "Write --version NUMBER for one table, or --version TABLE=NUMBER: "
                + tables.map(\.description).joined(separator: ", ") + ".")
    }
}
