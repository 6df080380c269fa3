internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import SQLLineage
internal import Workflow

struct LakeVacuumCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vacuum",
        abstract: "Delete data files that are no longer needed.",
        discussion: """
            Every version of the last 7 days (--retain) stays readable, and so does what registered models were \
            trained on and what tables are built from. Files left behind by killed runs are deleted when they are a \
            day old.
            """,
        examples: ["martlet lake vacuum --dry-run", "martlet lake vacuum bronze.encounters --retain 4w"])

    /// Younger files may be a running writer's; a shorter retention may take files from under a running reader.
    static let safe = 86_400

    @Argument(help: "Tables, e.g. bronze.encounters (default: all, quarantine too).") var tables: [String] = []
    @Option(help: ArgumentHelp("How far back every version stays readable, e.g. 12h, 7d, 4w.", valueName: "time"))
    var retain = "7d"
    @Flag(help: "Allow a retention of less than a day; no other process may read or write meanwhile.") var force = false
    @Flag(help: "Also delete what only registered models need; they cannot be verified afterwards.")
    var includingLineage = false
    @Flag(help: "Only report what would be done.") var dryRun = false
    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    private struct Answer: Encodable {
        var dryRun: Bool
        var retainSeconds: Int
        var tables: [VacuumReport]
        /// Model versions that can no longer be verified.
        var unverifiable: [String]

        enum CodingKeys: String, CodingKey {
            case tables, unverifiable
            case dryRun = "dry_run"
            case retainSeconds = "retain_seconds"
        }
    }

    func run() throws {
        let seconds = try LakeCommand.seconds(retain)
        guard seconds >= Self.safe || force else {
            throw MartletError(
                .usage, "lake.retention",
                "A retention of \(retain) is less than a day: files could go that a running command still reads.",
                remedy: "Keep a day or more, or say --force when nothing else is at work.")
        }
        let composition = try place.composition()
        let answer = try composition.withMaintenance(alone: true) { lake in
            let pins = try composition.pins()
            let parents = try lake.parentVersions()
            var answer = Answer(dryRun: dryRun, retainSeconds: seconds, tables: [], unverifiable: [])
            for table in try LakeCommand.chosen(tables, in: lake) {
                let own = pins.filter { $0.table == table }
                let lineage = includingLineage ? [] : Set(own.map(\.version))
                let report = try lake.vacuum(
                    table, retain: seconds, youngest: min(seconds, Self.safe),
                    pinned: lineage.union(parents[table] ?? []), dryRun: dryRun)
                if table.layer == .bronze {
                    answer.unverifiable += own.filter { report.lost.contains($0.version) }.map(\.model)
                }
                answer.tables.append(report)
            }
            answer.unverifiable = Set(answer.unverifiable).sorted()
            return answer
        }
        try show(answer)
    }

    private func show(_ answer: Answer) throws {
        if format.json { return try Output.json(answer) }
        var grid = TextGrid("table", "files", "KiB", "left-overs", "readable from", "kept besides", "versions lost")
        for report in answer.tables where report.files + report.temporary > 0 {
            grid.rows.append([
                "\(report.table)", grouped(report.files), grouped(Int(report.bytes / 1024)), grouped(report.temporary),
                "\(report.oldest)", report.pinned.map { "\($0)" }.joined(separator: " "),
                grouped(report.lost.count),
            ])
        }
        Output.print(grid.rows.isEmpty ? "Nothing to remove." : grid.text)
        if !answer.unverifiable.isEmpty {
            Output.note("No longer verifiable: \(answer.unverifiable.joined(separator: ", ")).")
        }
        if answer.dryRun { Output.note("Nothing was removed: this was a dry run.") }
    }
}
