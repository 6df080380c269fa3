internal import CDuckDB

/// Rows produced in batches while DuckDB reads them from the table function `_martlet_batches('name')`.
package struct ColumnBatches {
    /// Column names, each with an empty column of its type.
    package let columns: [(name: String, like: ResultColumn)]
    /// Returns the next rows, their columns in the order above; `nil` at the end.
    package let next: () throws -> [ResultColumn]?

    package init(columns: [(name: String, like: ResultColumn)], next: @escaping () throws -> [ResultColumn]?) {
        (self.columns, self.next) = (columns, next)
    }
}

/// Registry of the ``ColumnBatches`` that a session can read by name from SQL.
///
/// Used by the thread that runs its statements, and read on one of DuckDB's threads.
///
/// ```swift
/// let tables = try BatchTables.register(with: connection)
/// try tables.with(batches, as: "new") {
///     try connection.execute("CREATE TABLE t AS SELECT * FROM _martlet_batches('new')")
/// }
/// ```
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

    /// Registers the table function `_martlet_batches` with a connection's database; once a database.
    package static func register(with connection: Connection) throws(DuckDBError) -> BatchTables {
        let tables = BatchTables()
        try TableFunction.register(
            "_martlet_batches", of: tables, with: connection, prunesColumns: false, bind: { BatchTables.bind($0) },
            begin: { duckdb_init_set_max_threads($0, 1) }, give: { BatchTables.give($0, $1) })
        return tables
    }

    /// Runs the body while SQL can read the batches under the name, once.
    /// - Throws: what making the rows threw, before what the body throws.
    package func with<T>(_ batches: ColumnBatches, as name: String, _ body: () throws -> T) throws -> T {
        let source = Source(batches)
        sources[name] = source
        defer { sources[name] = nil }
        do { return try body() } catch { throw source.fault ?? error }
    }

    private static func bind(_ info: duckdb_bind_info?) {
        guard let source = TableFunction.find(info, in: BatchTables.self, { $0.sources[$1] }) else { return }
        for column in source.batches.columns {
            var type = column.like.logicalType()
            duckdb_bind_add_result_column(info, column.name, type)
            duckdb_destroy_logical_type(&type)
        }
        TableFunction.keep(source, for: info)
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
