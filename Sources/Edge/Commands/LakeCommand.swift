internal import ArgumentParser
internal import Core
internal import Lakehouse
internal import SQLLineage

struct LakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lake",
        abstract: "Query and maintain the lakehouse's tables.",
        examples: ["martlet lake tables", #"martlet lake sql "SELECT count(*) FROM bronze.encounters""#],
        subcommands: [
            LakeTablesCommand.self, LakeHistoryCommand.self, LakeShowCommand.self, LakeSQLCommand.self,
            LakeCompactCommand.self, LakeVacuumCommand.self, LakeCheckpointCommand.self,
        ])

    static func tableName(_ text: String) throws -> TableName {
        guard let name = TableName(text) else {
            throw MartletError(
                .usage, "lake.table-name", "\(text) is not a table's name.",
                remedy: "Write it with its layer, e.g. gold.encounters; `martlet lake tables` lists them.")
        }
        return name
    }

    /// The tables that were named, each once; all when none was.
    static func chosen(_ names: [String], in lake: Lake) throws -> [TableName] {
        if names.isEmpty { return try lake.tables() }
        return try Set(names.map { try tableName($0) }).sorted()
    }

    static var bothTimes: MartletError {
        MartletError(.usage, "lake.version", "--version and --at both say what to look at; one is wanted.")
    }

    /// Seconds of a time span like 12h, 7d or 4w.
    static func seconds(_ text: String) throws -> Int {
        let units = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        if let unit = text.last.flatMap({ units[String($0)] }), let count = Int(text.dropLast()),
            (0...(36_525 * 86_400 / unit)).contains(count)
        {
            return count * unit
        }
        if text == "0" { return 0 }
        throw MartletError(
            .usage, "lake.retention", "\(text) is not a span of time.",
            remedy: "Write a number and a unit, a hundred years at most: 12h, 7d or 4w.")
    }
}
