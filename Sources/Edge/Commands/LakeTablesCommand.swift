internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import SQLLineage
internal import Workflow

struct LakeTablesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
        abstract: "List the tables.",
        examples: ["martlet lake tables"])
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
        let answers = try place.composition().withLake { lake in
            try lake.tables().map { name in
                let snapshot = try lake.snapshot(of: name)
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
