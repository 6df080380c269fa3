internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import PredictionLog
internal import Storage
internal import Workflow

struct PredictionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predictions",
        abstract: "Inspect the prediction log and move it into the lakehouse.",
        examples: ["martlet predictions list", "martlet predictions compact --keep-days 90"],
        subcommands: [
            PredictionsListCommand.self, PredictionsShowCommand.self, PredictionsCompactCommand.self,
            PredictionsLoadCommand.self,
        ])
}

struct PredictionsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the segments of the prediction log, the oldest first.",
        examples: ["martlet predictions list --json"])
    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    private struct Segment: Encodable {
        var name: String
        var state: String
        var begun: Timestamp?
        var bytes: Int64
    }

    func run() throws {
        let folder = try place.composition().predictions
        let closed = Set(try folder.closed().map(\.path))
        var segments = try folder.entries().map { entry in
            Segment(
                name: Disk.name(of: entry.path),
                state: entry.isCompacted ? "compacted" : closed.contains(entry.path) ? "closed" : "open",
                begun: (try? PredictionLogReader(entry.path))?.header.begun, bytes: Disk.stamp(entry.path)?.size ?? 0)
        }
        segments += try folder.tornFiles().map {
            Segment(name: Disk.name(of: $0.path), state: "set aside", begun: nil, bytes: $0.bytes)
        }
        if format.json { return try Output.json(segments) }
        if segments.isEmpty { return Output.print("No prediction has been logged, or all are in the lakehouse.") }
        var grid = TextGrid("segment", "state", "begun", "KiB")
        grid.rows = segments.map {
            [$0.name, $0.state, $0.begun?.second ?? "–", grouped(Int($0.bytes / 1024))]
        }
        Output.print(grid.text)
    }
}

struct PredictionsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the predictions of segments as lines of JSON.",
        discussion: "Compacted predictions are rows of monitoring.predictions_MODEL: see `martlet lake sql`.",
        examples: ["martlet predictions show --limit 10"])
    @Argument(help: "Names of segments as `list` gives them, or paths (default: all).") var segments: [String] = []
    @Option(help: ArgumentHelp("At most so many predictions.", valueName: "n")) var limit: Int?
    @OptionGroup var place: ProjectOptions

    func run() throws {
        var left = limit ?? .max
        var paths = segments.filter { $0.contains("/") }
        if segments.isEmpty || paths.count < segments.count {
            let folder = try place.composition().predictions
            let named = segments.filter { !$0.contains("/") }.map { "\(folder.path)/\($0)" }
            paths += segments.isEmpty ? try folder.readable().map(\.path) : named
        }
        for path in paths where left > 0 {
            do { guard try show(path, &left) else { return } } catch let error as MartletError
                where error.code == "disk.missing" && segments.isEmpty
            {
                // Compacted or expired since the folder was listed.
            }
        }
    }

    /// - Returns: `false` when nobody reads any more.
    private func show(_ path: String, _ left: inout Int) throws -> Bool {
        var reader = try PredictionLogReader(path)
        while left > 0, let row = try reader.next() {
            guard Output.deliver(try JSON.text(Self.object(row)) + "\n") else { return false }
            left -= 1
        }
        if left > 0, try reader.tail() == .damaged {
            Output.note("\(path): damaged at byte \(reader.offset); there are records behind it.")
        }
        return true
    }

    private static func object(_ row: LoggedPrediction) -> JSONValue {
        var features: [String: JSONValue] = [:]
        for (place, value) in row.features.enumerated() {
            let column = place < row.source.columns.count ? row.source.columns[place] : nil
            let isCategory = column?.levels != nil
            features[column?.name ?? "\(place)"] =
                isCategory
                ? column?.level(value).map { .text($0) } ?? .null : value.isNaN ? .null : .number(value)
        }
        var members: [String: JSONValue] = ["features": .object(features)]
        for field in PredictionField.allCases { members[field.rawValue] = json(field.value(in: row)) }
        return .object(members)
    }

    private static func json(_ value: PredictionField.Value) -> JSONValue {
        switch value {
        case .text(let text): text.map { .text($0) } ?? .null
        case .texts(let texts): .list(texts.map { .text($0) })
        case .whole(let value): .integer(value)
        case .number(let value): value.isNaN ? .null : .number(value)
        case .flag(let flag): flag.map { .flag($0) } ?? .null
        case .time(let time): .text(time.description)
        }
    }
}

struct PredictionsCompactCommand: JobCommand {
    static let example = " --keep-days 90"
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Move closed segments of the prediction log into the lakehouse.",
        discussion: """
            Each model has a table, monitoring.predictions_MODEL, with a column for each feature. A segment is deleted \
            when its rows are committed; an interrupted compaction continues without adding a row twice. The segment \
            that a server is writing stays: a server closes it every few minutes. `martlet jobs submit \
            compact-predictions` submits this as a job.

            With --keep-days, --keep-bytes or --keep-share the oldest rows are then removed from the lakehouse, whole \
            data files at a time. A server with workers does this by itself, with its own limits.
            """,
        examples: ["martlet predictions compact", "martlet predictions compact --keep-days 90 --keep-bytes 10GiB"])
    @Option(help: ArgumentHelp("Remove rows that were moved so many days ago.", valueName: "days")) var keepDays:
        Double?
    @Option(help: ArgumentHelp("Remove the oldest rows while all take more, e.g. 10GiB.", valueName: "size"))
    var keepBytes: ByteCount?
    @Option(
        help: ArgumentHelp(
            "Remove the oldest rows while all take more than this share of what they take and what is free.",
            valueName: "share"))
    var keepShare: Double?
    @Flag(help: "Leave the segments, as files named .compacted, to the retention of the log.") var keepSegments = false
    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    func definition() -> CompactPredictionsJob {
        CompactPredictionsJob(
            keepDays: keepDays, keepBytes: keepBytes?.text, keepShare: keepShare, keepSegments: keepSegments)
    }

    func run() throws {
        let report = try definition().perform(in: place.composition(), observer: JobObserver())
        if format.json { return try Output.json(report) }
        for (table, versions) in report.tables.sorted(by: { $0.key < $1.key }) {
            Output.print("\(table): version \(versions.map { "\($0)" }.joined(separator: ", "))")
        }
        Output.print("\(grouped(report.rows)) predictions of \(grouped(report.segments)) segments moved.")
        let expired = report.expired
        if expired.files > 0 {
            Output.print(
                "\(grouped(expired.rows)) predictions in \(counted(expired.files, "data file")) "
                    + "(\(grouped(Int(expired.bytes / 1024))) KiB) removed by retention.")
        }
        for line in report.notes { Output.note(line) }
    }
}
