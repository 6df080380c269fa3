internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import Workflow

struct LakeHistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show a table's versions.",
        examples: [
            "martlet lake history gold.encounters",
            "martlet lake history gold.encounters --at 2026-01-31T08:00:00Z",
        ])
    @Argument(help: "The table, e.g. gold.encounters.") var table: String
    @Option(help: "Up to this version.") var version: Int?
    @Option(help: "Up to this moment, e.g. 2026-01-31T08:00:00Z.") var at: String?
    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    func run() throws {
        let instant = try at.map { try moment($0, "--at") }
        let versions = try place.composition().withLake { lake in
            try lake.history(of: try LakeCommand.tableName(table)).reversed().filter { entry in
                if let version, entry.version > version { return false }
                if let instant, let at = entry.at, at > instant { return false }
                return true
            }
        }
        if format.json { return try Output.json(versions) }
        var grid = TextGrid(
            "version", "when (UTC)", "operation", "rows", "files", "rows added", "files +", "files −", "from")
        for entry in versions {
            let names = entry.files.prefix(3) + (entry.files.count > 3 ? ["…"] : []) + entry.parents
            grid.rows.append([
                "\(entry.version)", entry.at?.second ?? "", entry.operation, entry.rows.map(grouped) ?? "–",
                grouped(entry.dataFiles), grouped(entry.rowsAdded), grouped(entry.added), grouped(entry.removed),
                names.joined(separator: ", "),
            ])
        }
        Output.print(grid.text)
    }
}
