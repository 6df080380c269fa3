package import Core
package import Storage

/// One version of a table as its log tells of it, without replaying the log.
package struct TableCommit: Sendable, Equatable {
    package let version: Int
    /// What the commit says of its time. One of another program that says nothing was made when its log entry was written:
    /// the protocol then takes the file's time of modification for it.
    package let time: Timestamp
    /// "WRITE", "CREATE TABLE AS SELECT", "OPTIMIZE", …; empty when the writer did not say.
    package let operation: String
    /// Rows of the files it added, where they are known.
    package let rowsAdded: Int?
    package let filesAdded: Int
    package let filesRemoved: Int
    /// Whether the table's content may differ from the version before: compaction only moves rows.
    package let changesData: Bool
    /// Landed files that it took, for bronze.
    package let landed: Int
    /// The content of the whole table, in a form that does not depend on the order of its rows.
    package let contentHash: ContentHash?
    /// The tables it was made from: "silver.visits@3".
    package let parents: [String]

    init(_ actions: [DeltaAction], version: Int, entry: Disk.Stamp?) {
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
    /// One version of the table.
    /// - Throws: `lake.corrupt-log`, or `disk.missing` when the log has no such version.
    package func described(_ version: Int) throws -> TableCommit {
        TableCommit(try commit(version), version: version, entry: stamp(of: version))
    }

    /// What the log entry of a version looks like on the disk; `nil` when there is none.
    package func stamp(of version: Int) -> Disk.Stamp? { Disk.stamp(entry(version)) }
}
