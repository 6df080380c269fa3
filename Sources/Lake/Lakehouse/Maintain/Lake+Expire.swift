package import Core
package import SQLLineage
internal import Storage

// Retention of tables to which rows are only added, such as logged predictions: whole data files go, the oldest first.
// The commit that takes them out says how many rows went; then a vacuum removes them, so that the disk has the room.

/// What retention removed from tables: files, rows and bytes.
package struct LakeExpiry: Sendable, Encodable, Equatable {
    /// Number of data files that were removed from the tables.
    package var files = 0
    /// Number of rows in the removed files, by their statistics.
    package var rows = 0
    /// Total size of the removed files in bytes.
    package var bytes: Int64 = 0

    package init() {}
}

extension Lake {
    /// Removes data files older than a point in time from tables, then the oldest until a size limit holds.
    ///
    /// No other process may write to these tables meanwhile; readers of an older version get `lake.vacuumed`.
    ///
    /// - Parameter most: bytes that the tables may have together, given those that they have; `nil` for no limit.
    package func expire(
        _ names: [TableName], before moment: Timestamp?, most: (Int64) -> Int64?
    ) throws -> LakeExpiry {
        var all: [(name: TableName, file: DeltaAdd)] = []
        for name in names { all += try snapshot(of: name).files.map { (name, $0) } }
        // Those of the same moment in the order of the table.
        all = all.enumerated().sorted {
            ($0.element.file.modificationTime, $0.offset) < ($1.element.file.modificationTime, $1.offset)
        }.map(\.element)
        var bytes = all.reduce(Int64(0)) { $0 + $1.file.size }
        let limit = most(bytes) ?? .max
        var doomed: [TableName: [DeltaAdd]] = [:]
        for (name, file) in all {
            let isOld = moment.map { file.modificationTime < $0.milliseconds } ?? false
            guard isOld || bytes > limit else { continue }
            doomed[name, default: []].append(file)
            bytes -= file.size
        }
        var report = LakeExpiry()
        for (name, files) in doomed.sorted(by: { $0.key < $1.key }) {
            guard try take(files, outOf: name) else { continue }
            try Failpoint.reach("predictions.compact.expired")
            report.files += files.count
            report.rows += files.reduce(0) { $0 + ($1.rows ?? 0) }
            report.bytes += files.reduce(0) { $0 + $1.size }
            _ = try vacuum(name, retain: 0, youngest: 0, pinned: try parentVersions()[name] ?? [])
        }
        return report
    }

    /// - Returns: `false` when they are not all in the table any more.
    private func take(_ files: [DeltaAdd], outOf name: TableName) throws -> Bool {
        let table = table(name)
        let gone = try engine.contentHash(of: files.map { table.path(of: $0) })
        let version = try commit(name) { current in
            guard let current, files.allSatisfy({ current.holds($0.path) }) else { return nil }
            let hash = try runningHash(of: name, at: current.version) - gone
            let now = context.now().milliseconds
            return [commitInfo("DELETE", ["contentHash": .text(hash.description)])]
                + files.map { DeltaAction(remove: DeltaRemove(path: $0.path, deletionTimestamp: now)) }
        }
        return version != nil
    }
}
