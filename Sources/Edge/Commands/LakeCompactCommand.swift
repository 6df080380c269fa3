internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import Workflow

struct LakeCompactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Merge small data files into larger ones.",
        discussion: """
            Neighbouring files with the same columns become files of up to 128 MiB. Rows, their order and the content \
            hash stay the same, so nothing is recomputed because of it. Other commands may read and write meanwhile. \
            The old files are kept for time travel until a vacuum.
            """,
        examples: ["martlet lake compact", "martlet lake compact bronze.encounters --dry-run"])
    @Argument(help: "Tables, e.g. bronze.encounters (default: all).") var tables: [String] = []
    @Flag(help: "Only report what would be done.") var dryRun = false
    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    func run() throws {
        let reports = try place.composition().withMaintenance(alone: false) { lake in
            try LakeCommand.chosen(tables, in: lake).map { try lake.compact($0, dryRun: dryRun) }
        }
        if format.json { return try Output.json(reports) }
        var grid = TextGrid("table", "files", "then", "rewritten", "rows", "KiB", "version")
        for report in reports where report.compacted > 0 {
            grid.rows.append([
                "\(report.table)", grouped(report.before), grouped(report.after), grouped(report.compacted),
                grouped(report.rows), grouped(Int(report.bytes / 1024)), report.version.map { "\($0)" } ?? "–",
            ])
        }
        if grid.rows.isEmpty { return Output.print("Nothing to put together.") }
        Output.print(grid.text)
        if dryRun { Output.note("Nothing was changed: this was a dry run.") }
    }
}
