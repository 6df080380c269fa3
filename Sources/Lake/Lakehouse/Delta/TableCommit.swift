package import Core
package import Storage

/// Summary of one commit of a table, read from its log entry alone.
package struct TableCommit: Sendable, Equatable {
    /// Version of the table that the commit made; the first is 0.
    package let version: Int
    /// Commit time as the commit states it, else the modification time of its log entry, as the protocol defines.
    package let time: Timestamp
    /// Operation of the commit: "WRITE", "CREATE TABLE AS SELECT", "OPTIMIZE", …; empty when not stated.
    package let operation: String
    /// Rows in the files it added, when known.
    package let rowsAdded: Int?
    /// Number of data files that the commit added.
    package let filesAdded: Int
    /// Number of data files that the commit removed from the table.
    package let filesRemoved: Int
    /// Whether the commit may change the table's rows; false for compaction.
    package let changesData: Bool
    /// Number of landed files that the commit ingested, for bronze.
    package let landed: Int
    /// Hash of the whole table's rows, independent of their order.
    package let contentHash: ContentHash?
    /// The table versions it was made from: "silver.visits@3".
    package let parents: [String]

    init(_ actions: [DeltaAction], version: Int, entry: ObjectStamp?) {
        let info = actions.lazy.compactMap(\.commitInfo).first
        let added = actions.compactMap(\.add)
        let removed = actions.compactMap(\.remove)
        let said = info?["inCommitTimestamp"]?.long ?? info?["timestamp"]?.long
        self.version = version
        time =
            said.map { Timestamp(milliseconds: $0) } ?? Timestamp(microseconds: (entry?.modified ?? 0) / 1000)
        operation = info?["operation"]?.text ?? ""
        let rows = added.map(\.rows)
        rowsAdded = rows.contains(nil) ? nil : rows.reduce(0) { $0 &+ ($1 ?? 0) }
        filesAdded = added.count
        filesRemoved = removed.count
        changesData = added.contains(where: \.dataChange) || removed.contains(where: \.dataChange)
        landed = info?["martlet"]?["files"]?.list?.count ?? 0
        contentHash = info?["martlet"]?["contentHash"]?.text.flatMap { ContentHash($0) }
        parents = info?["martlet"]?["parents"]?.list?.compactMap(\.text) ?? []
    }
}

extension DeltaTable {
    /// Reads the summary of one version's commit.
    /// - Throws: `lake.corrupt-log`, or `disk.missing` when the log has no such version.
    package func described(_ version: Int) throws -> TableCommit {
        TableCommit(try commit(version), version: version, entry: try stamp(of: version))
    }

    /// Returns the stamp of a version's log entry; `nil` when there is none.
    /// - Throws: when that cannot be determined.
    package func stamp(of version: Int) throws -> ObjectStamp? { try objects.stamp(entryName(version)) }
}
