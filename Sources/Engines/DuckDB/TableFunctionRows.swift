internal import CDuckDB

/// Tables in memory that SQL reads with the table function `_martlet_rows('name')`; their rows can be replaced.
///
/// A prepared statement over them is planned once and reads, each time it runs, what lies there then: their
/// statistics are unknown to the planner, so that no plan can rest on rows that are gone. Nothing is copied.
///
/// ```swift
/// let tables = try TableFunctionRows.register(with: connection)
/// tables.declare("visits", like: rows)
/// tables.put(rows, as: "visits")
/// let count = try connection.value("SELECT count(*) FROM _martlet_rows('visits')")
/// ```
package final class TableFunctionRows {
    final class Slot {
        let names: [String]
        let columns: Int
        let like: RetainedRows
        var rows: RetainedRows?

        init(like rows: RetainedRows, columns: Int) {
            like = rows
            names = Array(rows.names.prefix(columns))
            self.columns = columns
        }
    }

    /// Progress of one scan.
    private final class Cursor {
        let rows: RetainedRows?
        let columns: [Int]
        let width: Int
        var next = 0

        init(_ slot: Slot, _ columns: [Int]) {
            rows = slot.rows
            self.columns = columns
            width = slot.columns
        }
    }

    private var slots: [String: Slot] = [:]

    private init() {}

    /// Registers the table function `_martlet_rows` with a connection's database; once a database.
    package static func register(with connection: Connection) throws(DuckDBError) -> TableFunctionRows {
        let handed = TableFunctionRows()
        try TableFunction.register(
            "_martlet_rows", of: handed, with: connection, prunesColumns: true, bind: { TableFunctionRows.bind($0) },
            begin: { TableFunctionRows.begin($0) }, give: { TableFunctionRows.give($0, $1) })
        return handed
    }

    /// Declares an empty table with the names and types of the first `columns` columns of these rows.
    package func declare(_ name: String, like rows: RetainedRows, columns: Int? = nil) {
        slots[name] = Slot(like: rows, columns: columns ?? rows.names.count)
    }

    /// Replaces the rows of a declared table; `nil` for none. Their columns begin with the declared ones.
    package func put(_ rows: RetainedRows?, as name: String) { slots[name]?.rows = rows }

    private static func bind(_ info: duckdb_bind_info?) {
        guard let slot = TableFunction.find(info, in: TableFunctionRows.self, { $0.slots[$1] }) else { return }
        for (name, type) in zip(slot.names, slot.like.types) { duckdb_bind_add_result_column(info, name, type) }
        duckdb_bind_set_cardinality(info, 1000, false)
        TableFunction.keep(slot, for: info)
    }

    private static func begin(_ info: duckdb_init_info?) {
        guard let pointer = duckdb_init_get_bind_data(info) else { return }
        let slot = Unmanaged<Slot>.fromOpaque(pointer).takeUnretainedValue()
        TableFunction.keep(Cursor(slot, TableFunction.columns(info)), for: info)
    }

    private static func give(_ info: duckdb_function_info?, _ output: duckdb_data_chunk?) {
        guard let pointer = duckdb_function_get_init_data(info) else { return }
        let cursor = Unmanaged<Cursor>.fromOpaque(pointer).takeUnretainedValue()
        guard let rows = cursor.rows, cursor.next < rows.chunks.count else {
            duckdb_data_chunk_set_size(output, 0)
            return
        }
        let chunk = rows.chunks[cursor.next]
        cursor.next += 1
        for (place, column) in cursor.columns.enumerated() where column >= 0 && column < cursor.width {
            duckdb_vector_reference_vector(
                duckdb_data_chunk_get_vector(output, duckdb_idx(place)),
                duckdb_data_chunk_get_vector(chunk, duckdb_idx(column)))
        }
        duckdb_data_chunk_set_size(output, duckdb_data_chunk_get_size(chunk))
    }
}
