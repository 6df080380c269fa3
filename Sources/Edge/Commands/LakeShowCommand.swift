internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import SQLLineage

struct LakeShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a table's first rows.",
        examples: ["martlet lake show gold.encounters --limit 5", "martlet lake show gold.encounters --version 3"])
    @Argument(help: "The table, e.g. gold.encounters.") var table: String
    @Option(help: "The version (default: the latest).") var version: Int?
    @Option(help: "The table as it was at a moment, e.g. 2026-01-31T08:00:00Z.") var at: String?
    @Option(help: "Largest number of rows.") var limit = 10
    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    func run() throws {
        guard version == nil || at == nil else { throw LakeCommand.bothTimes }
        try place.composition().withLake { lake in
            let name = try LakeCommand.tableName(table)
            let version = try at.map { try lake.version(of: name, at: try moment($0, "--at")) } ?? version
            let rows = try lake.query(
                "SELECT * FROM \(name.layer.rawValue).\"\(name.name.replacing("\"", with: "\"\""))\"",
                at: version.map { [name: $0] } ?? [:], limit: max(0, limit))
            try TableOutput.print(rows, json: format.json)
        }
    }
}
