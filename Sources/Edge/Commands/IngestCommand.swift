internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import Projects
internal import Storage
internal import Workflow

struct IngestCommand: JobCommand {
    static let example = " --source encounters"
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Ingest files into bronze tables, each exactly once, checked against their contracts.",
        discussion: """
            Without files, ingests new files from the landing folders. Rows that violate the contract go to quarantine \
            with the reasons.
            """,
        examples: [
            "martlet ingest",
            "martlet ingest new.csv --source encounters",
            "martlet ingest --again --source encounters",
        ])

    @Argument(help: "Files to take.")
    var files: [String] = []

    @Option(
        help: "The source the files belong to, or whose landing folder is read (default: by folder or header; all).")
    var source: String?

    @Flag(
        help: ArgumentHelp(
            "Take all known files again, under the contract as it is now.",
            discussion: "Bronze is replaced in one commit; files whose bytes are gone keep their rows."))
    var again = false

    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    func definition() -> IngestJob { job(files.map { Disk.absolute($0) }) }

    private func job(_ files: [String]) -> IngestJob { IngestJob(files: files, source: source, again: again) }

    func run() throws {
        let result = try job(files).perform(in: place.composition(), observer: JobObserver())
        if format.json { try Output.json(result) } else { show(result.reports) }
        for line in result.notes { Output.note(line) }
        if let refusal = result.refusal { throw refusal }
    }

    private func show(_ reports: [IngestReport]) {
        var grid = TextGrid("source", "file", "outcome", "rows", "accepted", "quarantined", "replaced")
        var known: [String] = []
        for report in reports {
            let old = report.files.count { $0.outcome == .alreadyKnown }
            let isLong = old > 10
            if isLong { known.append("\(grouped(old)) files of \(report.source) are known already.") }
            for file in report.files where file.outcome != .alreadyKnown || !isLong {
                let isNew = file.outcome == .ingested
                grid.rows.append([
                    report.source, file.name, file.outcome.rawValue + (file.synthetic ? " (synthetic)" : ""),
                    isNew || file.outcome == .refused ? grouped(file.rowsRead) : "",
                    isNew ? grouped(file.rowsAccepted) : "",
                    isNew ? grouped(file.rowsRejected) : "", isNew ? grouped(file.rowsSuperseded) : "",
                ])
            }
        }
        if !grid.rows.isEmpty { Output.print(grid.text) }
        for line in known { Output.print(line) }
        if grid.rows.isEmpty, known.isEmpty {
            Output.print(again ? "No file is known yet." : "No files have arrived in the landing folders.")
        }
        let kept = reports.flatMap(\.files).filter { $0.outcome == .kept }.map(\.name)
        if !kept.isEmpty {
            Output.note(
                "warning: the bytes of \(kept.joined(separator: ", ")) are gone; their rows stay as they were taken")
        }
        for line in reports.flatMap(\.landingNotes) { Output.note(line) }
        let sources = Dictionary(
            reports.flatMap { report in report.files.map { ($0.digest, report.source) } }, uniquingKeysWith: { $1 })
        for file in reports.flatMap(\.files) {
            if file.outcome != .ignored {
                for warning in file.warnings { Output.note("warning: \(file.name): \(warning)") }
            }
            if file.outcome == .ingested {
                for drift in file.drift where drift.kind != .order && drift.kind != .new {
                    Output.note("warning: \(file.name): \(drift.sentence)")
                }
            }
            guard file.outcome == .ingested, !file.breaches.isEmpty else { continue }
            Output.print("\nSet aside from \(file.name):")
            var breaches = TextGrid("column", "rule", "rows", "first in row", "example")
            for breach in file.breaches {
                breaches.rows.append([
                    breach.column ?? "(line)", breach.rule, grouped(breach.rows),
                    breach.exampleRow.map(String.init) ?? "",
                    String((breach.example ?? "(missing)").prefix(40)),
                ])
            }
            Output.print(breaches.text)
            Output.print("See them: martlet quarantine show \(sources[file.digest] ?? "")")
        }
    }
}
