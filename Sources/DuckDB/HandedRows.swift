internal import CDuckDB

/// Tables whose rows are handed over from memory: `_martlet_rows('name')` in SQL gives what was put last under a name.
///
/// A prepared statement over them is planned once and reads, each time it runs, what lies there then: their
/// statistics are unknown to the planner, so that no plan can rest on rows that are gone. Nothing is copied.
package final class HandedRows {
    final class Slot {
        let names: [String]
        let columns: Int
        let like: KeptRows
        var rows: KeptRows?

        init(like rows: KeptRows, columns: Int) {
            like = rows
            names = Array(rows.names.prefix(columns))
            self.columns = columns
        }
    }

    /// How far one scan is.
    private final class Cursor {
        let rows: KeptRows?
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

    /// Makes `_martlet_rows` known to a connection's database; once a database.
    package static func register(with connection: Connection) throws(DuckDBError) -> HandedRows {
        let handed = HandedRows()
        var function = duckdb_create_table_function()
        defer { duckdb_destroy_table_function(&function) }
        var text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR)
        defer { duckdb_destroy_logical_type(&text) }
        duckdb_table_function_set_name(function, "_martlet_rows")
        duckdb_table_function_add_parameter(function, text)
        duckdb_table_function_set_extra_info(
            function, Unmanaged.passRetained(handed).toOpaque(),
            { if let pointer = $0 { Unmanaged<HandedRows>.fromOpaque(pointer).release() } })
        duckdb_table_function_supports_projection_pushdown(function, true)
        duckdb_table_function_set_bind(function) { HandedRows.bind($0) }
        duckdb_table_function_set_init(function) { HandedRows.begin($0) }
        duckdb_table_function_set_function(function) { HandedRows.give($0, $1) }
        guard connection.withHandle({ duckdb_register_table_function($0, function) }) == DuckDBSuccess else {
            throw DuckDBError("Invalid Input Error: the function _martlet_rows cannot be registered")
        }
        return handed
    }

    /// Names and types of a table from now on: those of the first `columns` columns of these rows. It is empty.
    package func declare(_ name: String, like rows: KeptRows, columns: Int? = nil) {
        slots[name] = Slot(like: rows, columns: columns ?? rows.names.count)
    }

    /// The rows of a table from now on; their columns begin with those that were declared. `nil` for none.
    package func put(_ rows: KeptRows?, as name: String) { slots[name]?.rows = rows }

    private static func bind(_ info: duckdb_bind_info?) {
        guard let pointer = duckdb_bind_get_extra_info(info) else { return }
        let handed = Unmanaged<HandedRows>.fromOpaque(pointer).takeUnretainedValue()
        var value = duckdb_bind_get_parameter(info, 0)
        defer { duckdb_destroy_value(&value) }
        let text = duckdb_get_varchar(value)
        defer { duckdb_free(text) }
        guard let text, let slot = handed.slots[String(cString: text)] else {
            duckdb_bind_set_error(info, "no rows were declared under this name")
            return
        }
        for (name, type) in zip(slot.names, slot.like.types) { duckdb_bind_add_result_column(info, name, type) }
        duckdb_bind_set_cardinality(info, 1000, false)
        duckdb_bind_set_bind_data(
            info, Unmanaged.passRetained(slot).toOpaque(),
            { if let pointer = $0 { Unmanaged<Slot>.fromOpaque(pointer).release() } })
    }

    private static func begin(_ info: duckdb_init_info?) {
        guard let pointer = duckdb_init_get_bind_data(info) else { return }
        let slot = Unmanaged<Slot>.fromOpaque(pointer).takeUnretainedValue()
        let columns = (0..<duckdb_init_get_column_count(info)).map {
            Int(truncatingIfNeeded: duckdb_init_get_column_index(info, $0))
        }
        duckdb_init_set_max_threads(info, 1)
        duckdb_init_set_init_data(
            info, Unmanaged.passRetained(Cursor(slot, columns)).toOpaque(),
            { if let pointer = $0 { Unmanaged<Cursor>.fromOpaque(pointer).release() } })
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
