internal import SQLText

/// How far the commits of a table have been recorded as events.
package struct TableOffset: Sendable, Equatable {
    /// Name with layer: "gold.encounters".
    package let name: String
    /// Id in the table's own metadata; a table recreated under the same name has another one.
    package let tableID: String
    /// Highest version that is recorded.
    package let version: Int
    /// Size and times of that version's log entry on disk.
    package let stamp: String

    package init(name: String, tableID: String, version: Int, stamp: String) {
        self.name = name
        self.tableID = tableID
        self.version = version
        self.stamp = stamp
    }
}

/// The table `table_offsets`.
struct TableOffsetTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func all() throws -> [TableOffset] {
        try transaction.connection.rows(
            "SELECT * FROM table_offsets WHERE project = \(transaction.project) ORDER BY name"
        )
        .map(TableOffset.init(row:))
    }

    func find(_ name: String) throws -> TableOffset? {
        try transaction.connection.row(
            "SELECT * FROM table_offsets WHERE project = \(transaction.project) AND name = \(name)"
        )
        .map(TableOffset.init(row:))
    }

    func put(_ offset: TableOffset) throws {
        try transaction.connection.execute(
            """
            INSERT INTO table_offsets (project, name, table_id, version, stamp)
            VALUES (\(transaction.project), \(offset.name), \(offset.tableID), \(offset.version), \(offset.stamp))
            ON CONFLICT (project, name) DO UPDATE SET table_id = excluded.table_id, version = excluded.version,
                stamp = excluded.stamp
            """)
    }
}

extension TableOffset {
    fileprivate init(row: SQLRow) throws {
        self.init(
            name: try row.text("name"), tableID: try row.text("table_id"), version: try row.int("version"),
            stamp: try row.text("stamp"))
    }
}
