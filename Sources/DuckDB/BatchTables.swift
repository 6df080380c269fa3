internal import CDuckDB

/// Rows that are made batch by batch while DuckDB asks for them: `_martlet_batches('name')` in SQL.
package struct ColumnBatches {
    /// Names of the columns, and an empty column of each one's kind.
    package let columns: [(name: String, like: ResultColumn)]
    /// The next rows, their columns in the order above; `nil` at the end.
    package let next: () throws -> [ResultColumn]?

    package init(columns: [(name: String, like: ResultColumn)], next: @escaping () throws -> [ResultColumn]?) {
        (self.columns, self.next) = (columns, next)
    }
}

/// The batches that one session may read, by name; for the thread that runs its statements, on one thread of DuckDB's.
package final class BatchTables {
    private final class Source {
        let batches: ColumnBatches
        /// Rows that were made and not all given yet.
        var rows: [ResultColumn] = []
        var given = 0
        /// Why no more could be made.
        var fault: (any Error)?

        init(_ batches: ColumnBatches) { self.batches = batches }
    }

    private var sources: [String: Source] = [:]

    private init() {}

    /// Makes `_martlet_batches` known to a connection's database; once a database.
    package static func register(with connection: Connection) throws(DuckDBError) -> BatchTables {
        let tables = BatchTables()
        var function = duckdb_create_table_function()
        defer { duckdb_destroy_table_function(&function) }
        var text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR)
        defer { duckdb_destroy_logical_type(&text) }
        duckdb_table_function_set_name(function, "_martlet_batches")
        duckdb_table_function_add_parameter(function, text)
        duckdb_table_function_set_extra_info(
            function, Unmanaged.passRetained(tables).toOpaque(),
            { if let pointer = $0 { Unmanaged<BatchTables>.fromOpaque(pointer).release() } })
        duckdb_table_function_set_bind(function) { BatchTables.bind($0) }
        duckdb_table_function_set_init(function) { duckdb_init_set_max_threads($0, 1) }
        duckdb_table_function_set_function(function) { BatchTables.give($0, $1) }
        guard connection.withHandle({ duckdb_register_table_function($0, function) }) == DuckDBSuccess else {
            throw DuckDBError("Invalid Input Error: the function _martlet_batches cannot be registered")
        }
        return tables
    }

    /// Runs the body while the batches can be read under the name, once.
    /// - Throws: what making the rows threw, before what the body throws.
    package func with<T>(_ batches: ColumnBatches, as name: String, _ body: () throws -> T) throws -> T {
        let source = Source(batches)
        sources[name] = source
        defer { sources[name] = nil }
        do { return try body() } catch { throw source.fault ?? error }
    }

    private static func bind(_ info: duckdb_bind_info?) {
        guard let pointer = duckdb_bind_get_extra_info(info) else { return }
        let tables = Unmanaged<BatchTables>.fromOpaque(pointer).takeUnretainedValue()
        var value = duckdb_bind_get_parameter(info, 0)
        defer { duckdb_destroy_value(&value) }
        let text = duckdb_get_varchar(value)
        defer { duckdb_free(text) }
        guard let text, let source = tables.sources[String(cString: text)] else {
            duckdb_bind_set_error(info, "there are no rows under this name")
            return
        }
        for column in source.batches.columns {
            var type = column.like.logicalType()
            duckdb_bind_add_result_column(info, column.name, type)
            duckdb_destroy_logical_type(&type)
        }
        duckdb_bind_set_bind_data(
            info, Unmanaged.passRetained(source).toOpaque(),
            { if let pointer = $0 { Unmanaged<Source>.fromOpaque(pointer).release() } })
    }

    private static func give(_ info: duckdb_function_info?, _ output: duckdb_data_chunk?) {
        guard let pointer = duckdb_function_get_bind_data(info) else { return }
        let source = Unmanaged<Source>.fromOpaque(pointer).takeUnretainedValue()
        do {
            while source.given >= source.rows.first?.count ?? 0 {
                guard let rows = try source.batches.next() else {
                    duckdb_data_chunk_set_size(output, 0)
                    return
                }
                (source.rows, source.given) = (rows, 0)
            }
        } catch {
            source.fault = error
            duckdb_function_set_error(info, "the rows could not be made")
            return
        }
        let end = min(source.rows.first?.count ?? 0, source.given + Int(duckdb_vector_size()))
        for (place, column) in source.rows.enumerated() {
            column.fill(duckdb_data_chunk_get_vector(output, idx_t(place)), from: source.given..<end)
        }
        duckdb_data_chunk_set_size(output, idx_t(end - source.given))
        source.given = end
    }
}
