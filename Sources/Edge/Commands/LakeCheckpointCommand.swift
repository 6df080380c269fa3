internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import SQLLineage

struct LakeCheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Write a checkpoint of each table's log now.",
        discussion: """
            A checkpoint is written automatically every 100 versions. Tables have the same content with and without \
            it.
            """,
        examples: ["martlet lake checkpoint", "martlet lake checkpoint bronze.encounters"])
    @Argument(help: "Tables, e.g. bronze.encounters (default: all).") var tables: [String] = []
    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    private struct Answer: Encodable {
        var table: TableName
        var version: Int
    }

    func run() throws {
        let answers = try place.composition().withMaintenance(alone: false) { lake in
            try LakeCommand.chosen(tables, in: lake).map { name in
                let version = try lake.snapshot(of: name).version
                try lake.checkpoint(name, at: version)
                return Answer(table: name, version: version)
            }
        }
        if format.json { return try Output.json(answers) }
        var grid = TextGrid("table", "version")
        for answer in answers { grid.rows.append(["\(answer.table)", "\(answer.version)"]) }
        Output.print(answers.isEmpty ? "There are no tables." : grid.text)
    }
}
