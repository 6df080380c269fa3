internal import Core
package import Lakehouse
package import PredictionLog
package import SQLLineage
internal import Storage

/// Moves closed segments of the prediction log into the lake's tables `monitoring.predictions_<model>`, exactly once.
///
/// ```swift
/// let report = try PredictionCompaction(lake: lake, folder: SegmentFolder(home.predictions)).run()
/// ```
///
/// Exactly once: the commit that adds the rows of a log's segments names the log and the number of the last of them
/// (Delta `txn`), so that a compaction that was killed after it does not add them again. A segment is removed after the
/// commits of all its models, which are durable when they return.
package struct PredictionCompaction {
    /// Result of a compaction.
    package struct Report: Sendable, Encodable, Equatable {
        /// Number of segments that this compaction has finished: removed, renamed or set aside as damaged.
        package var segments = 0
        /// Number of predictions that were added to the lake.
        package var rows = 0
        /// Total size in bytes of the closed segments that were found.
        package var bytes: Int64 = 0
        /// Committed versions by table.
        package var tables: [String: [Int]] = [:]
        /// Paths of segments with a damaged end that this compaction renamed to `.torn` after reading what is whole.
        package var damaged: [String] = []
        /// What was repaired first after a killed server; `nil` without a log, and while another process locks it.
        package var recovery: SegmentFolder.Recovery?
        /// All files with damaged ends in the folder, from this compaction and earlier ones.
        package var tornFiles: [String] = []
        /// What retention removed from the lake: data files, rows and bytes.
        package var expired = LakeExpiry()

        package init() {}

        enum CodingKeys: String, CodingKey {
            case segments, rows, bytes, tables, damaged, recovery, expired
            case tornFiles = "set_aside"
        }
    }

    /// Total bytes up to which segments are combined to one data file a model.
    package static let groupBytes: Int64 = 64 << 20
    /// Bytes of a segment whose rows are in memory at the same time.
    private static let sliceBytes = 2 << 20

    private let lake: Lake
    private let folder: SegmentFolder

    package init(lake: Lake, folder: SegmentFolder) {
        self.lake = lake
        self.folder = folder
    }

    /// Returns the table of a model's predictions.
    package static func table(of model: String) -> TableName {
        let name = model.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        return TableName(.monitoring, "predictions_" + String(name))
    }

    /// Compacts all closed segments.
    /// - Parameter keepSegments: whether compacted segments stay, as `.compacted`, until the log's retention removes them.
    /// - Parameter retention: how long, and how many bytes, rows stay in the lake; `nil` keeps them.
    package func run(keepSegments: Bool = false, retention: PredictionLogPolicy? = nil) throws -> Report {
        var report = Report()
        // Where no server is at work, what a killed one left is closed first.
        if Disk.isDirectory(folder.path), let lock = try FileLock("\(folder.path)/lock") {
            report.recovery = try withExtendedLifetime(lock) { try folder.recover() }
        }
        var group: [SegmentFolder.Entry] = []
        var bytes: Int64 = 0
        // In order of their numbers, so that the number of the last stands for all before it.
        for entry in try folder.closed() {
            let size = Disk.stamp(entry.path)?.size ?? 0
            if let first = group.first, first.log != entry.log || bytes + size > Self.groupBytes {
                try compact(group, keepSegments, &report)
                (group, bytes) = ([], 0)
            }
            group.append(entry)
            bytes += size
            report.bytes += size
        }
        if !group.isEmpty { try compact(group, keepSegments, &report) }
        report.tornFiles = try folder.tornFiles().map(\.path)
        if let retention { report.expired = try expire(retention) }
        return report
    }

    /// Removes whole data files of logged predictions, the oldest first, that are older or more than asked for.
    private func expire(_ retention: PredictionLogPolicy) throws -> LakeExpiry {
        let tables = try lake.tables().filter { $0.layer == .monitoring && $0.name.hasPrefix("predictions_") }
        let before = retention.keepSeconds.map { lake.context.now().adding(seconds: -$0) }
        return try lake.expire(tables, before: before) { own in
            let share = retention.keepShare.flatMap { share in
                Disk.freeBytes(lake.root).map { Int64(share * (Double($0) + Double(own))) }
            }
            return [retention.keepBytes, share].compactMap(\.self).min()
        }
    }

    /// The rows that a group of segments adds to one table.
    private struct Addition {
        /// Of all its rows.
        var sources: [PredictionSource] = []
        /// The number of the last segment whose rows the table has: a compaction that was killed may have got so far.
        var done: Int64 = 0
        var known: [DeltaField] = []
    }

    private func compact(_ group: [SegmentFolder.Entry], _ keepSegments: Bool, _ report: inout Report) throws {
        guard let last = group.last else { return }
        let application = "martlet/predictions/\(last.log)"
        var additions: [TableName: Addition] = [:]
        var ends: [String: Int] = [:]
        for entry in group {
            try unlessRemoved(entry) {
                var reader = try PredictionLogReader(entry.path)
                for source in try reader.readSources() {
                    let name = Self.table(of: source.model)
                    if additions[name] == nil {
                        additions[name] = Addition(
                            done: Int64(try lake.committedNumber(of: application, in: name) ?? 0),
                            known: try lake.fields(of: name))
                    }
                    additions[name]?.sources.append(source)
                }
                if try reader.tail() == .damaged { ends[entry.path] = reader.offset }
            }
        }
        for (name, addition) in additions.sorted(by: { $0.key < $1.key }) {
            let entries = group.filter { $0.number > addition.done }
            guard !entries.isEmpty else { continue }
            let file = try write(entries, addition, to: name)
            try Failpoint.reach("predictions.compact.written")
            if file.rows > 0, let version = try lake.append(file, to: name, once: application, upTo: Int64(last.number))
            {
                report.tables[name.description, default: []].append(version)
                report.rows += file.rows
            } else {
                Disk.remove(file.path)
            }
            try Failpoint.reach("predictions.compact.committed")
        }
        for entry in group where Disk.exists(entry.path) {
            let stem = entry.path.dropLast(".segment".count)
            if let end = ends[entry.path] {
                let aside = "\(stem)-\(end).torn"
                report.damaged.append(aside)
                try Disk.move(entry.path, to: aside)
            } else if keepSegments {
                try Disk.move(entry.path, to: "\(stem).compacted")
            } else {
                try Disk.delete(entry.path)
            }
            report.segments += 1
        }
        try Disk.syncNames(in: folder.path)
    }

    /// The server's retention may remove a segment meanwhile, and counts it.
    private func unlessRemoved(_ entry: SegmentFolder.Entry, _ body: () throws -> Void) throws {
        // Anything else that is missing must not cost a segment its rows.
        do { try body() } catch let error as MartletError
            where error.code == "disk.missing" && !Disk.exists(entry.path)
        {}
    }

    /// Writes the rows of segments that belong to a table as a data file of it, in the order of the log.
    private func write(
        _ entries: [SegmentFolder.Entry], _ addition: Addition, to name: TableName
    ) throws -> WrittenFile {
        let known = Set(addition.sources)
        var left = entries[...]
        var open: PredictionLogReader?
        func next() throws -> [LakeColumn]? {
            var rows: [LoggedPrediction] = []
            while rows.isEmpty, let entry = left.first {
                try unlessRemoved(entry) {
                    var reader = try open ?? PredictionLogReader(entry.path)
                    open = nil
                    let start = reader.offset
                    while reader.offset - start < Self.sliceBytes {
                        guard let row = try reader.next() else { return }
                        guard known.contains(row.source) || Self.table(of: row.source.model) != name else {
                            throw MartletError(
                                .input, "predictions.damaged", "The segment has changed while it was read.",
                                at: .init(file: entry.path), remedy: "Run the compaction again.")
                        }
                        if known.contains(row.source) { rows.append(row) }
                    }
                    open = reader
                }
                if open == nil { left.removeFirst() }
            }
            if rows.isEmpty { return nil }
            return PredictionColumns(rows, of: addition.sources, known: addition.known).columns.map(\.column)
        }
        let like = PredictionColumns([], of: addition.sources, known: addition.known)
        let table = lake.table(name)
        try Disk.makeDirectory(table.folder)
        let path = "\(table.folder)/part-\(lake.context.newID()).parquet"
        do {
            return try lake.engine.write(
                LakeBatches(columns: like.columns, select: like.select, next: next), into: path)
        } catch {
            // What could not be written whole is no file of the table.
            Disk.remove(path)
            throw error
        }
    }
}
