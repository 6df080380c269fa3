internal import SQLText

/// How far the log of a table has been turned into events.
package struct TableOffset: Sendable, Equatable {
    /// Layer-qualified: "gold.encounters".
    package let name: String
    /// The id in the table's own metadata; a table made anew under the same name has another one.
    package let tableID: String
    /// The highest version that has its event.
    package let version: Int
    /// What the log entry of that version looked like on the disk.
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
