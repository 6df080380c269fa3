internal import CDuckDB

/// An embedded in-memory DuckDB database. Closed when the last connection and this value are gone.
///
/// ```swift
/// let database = try Database(options: ["threads": "2"], pause: context.clock.block)
/// let connection = try database.connect()
/// let texts = try connection.query("SELECT 'a' AS name").texts()
/// ```
///
/// Calls block and are not for the cooperative thread pool. Not Sendable: one thread makes it and uses it.
package final class Database {
    fileprivate var handle: duckdb_database?
    fileprivate let pause: (Double) -> Void

    /// Opens an in-memory database.
    /// - Parameters:
    ///   - options: DuckDB's configuration by name, e.g. `threads`, `memory_limit`, `temp_directory`.
    ///   - pause: holds the thread for so many seconds, while DuckDB's own threads work.
    package init(options: [String: String] = [:], pause: @escaping (Double) -> Void) throws(DuckDBError) {
        self.pause = pause
        var configuration: duckdb_config?
        guard duckdb_create_config(&configuration) == DuckDBSuccess else { throw DuckDBError("no configuration") }
        defer { duckdb_destroy_config(&configuration) }
        for (name, value) in options {
            guard duckdb_set_config(configuration, name, value) == DuckDBSuccess else {
                throw DuckDBError("Invalid Input Error: DuckDB does not take the option \(name) = \(value)")
            }
        }
        var reason: UnsafeMutablePointer<CChar>?
        guard duckdb_open_ext(nil, &handle, configuration, &reason) == DuckDBSuccess else {
            defer { duckdb_free(reason) }
            throw DuckDBError(reason.map { String(cString: $0) } ?? "could not open")
        }
    }

    deinit { duckdb_close(&handle) }

    /// Version of the linked DuckDB library: "v1.5.5".
    package static var version: String { String(cString: duckdb_library_version()) }

    /// Opens a session.
    package func connect() throws(DuckDBError) -> Connection {
        var connection: duckdb_connection?
        guard duckdb_connect(handle, &connection) == DuckDBSuccess else { throw DuckDBError("could not connect") }
        return Connection(connection, of: self)
    }
}

/// One session of a database: its temporary tables and settings. Used by one thread at a time.
package final class Connection {
    private var handle: duckdb_connection?
    private let database: Database

    fileprivate init(_ handle: duckdb_connection?, of database: Database) {
        self.handle = handle
        self.database = database
    }

    deinit { duckdb_disconnect(&handle) }

    func withHandle<T>(_ body: (duckdb_connection?) -> T) -> T { body(handle) }

    /// Runs one or more statements and discards their rows.
    /// - Returns: rows changed or written by the last one (COPY, INSERT), 0 for others.
    @discardableResult
    package func execute(_ sql: String) throws(DuckDBError) -> Int {
        let result = try query(sql)
        return Int(result.changed)
    }

    /// Runs a statement and keeps its rows in DuckDB's memory.
    package func query(_ sql: String) throws(DuckDBError) -> QueryResult {
        var raw = duckdb_result()
        guard duckdb_query(handle, sql, &raw) == DuckDBSuccess else {
            let text = duckdb_result_error(&raw).map { String(cString: $0) } ?? "the query failed"
            duckdb_destroy_result(&raw)
            throw DuckDBError(text)
        }
        return QueryResult(raw)
    }

    /// Runs one long statement, waiting without using the processor, and discards its rows.
    ///
    /// Where this thread has no share left of the work, it sleeps until the others have done theirs. DuckDB's own loop
    /// would poll and take the processor away from them.
    ///
    /// - Returns: rows changed or written (COPY, INSERT), 0 for others.
    @discardableResult
    package func run(_ sql: String) throws(DuckDBError) -> Int {
        var statement: duckdb_prepared_statement?
        defer { duckdb_destroy_prepare(&statement) }
        guard duckdb_prepare(handle, sql, &statement) == DuckDBSuccess else {
            throw DuckDBError(duckdb_prepare_error(statement).map { String(cString: $0) } ?? "the query failed")
        }
        var pending: duckdb_pending_result?
        defer { duckdb_destroy_pending(&pending) }
        guard duckdb_pending_prepared(statement, &pending) == DuckDBSuccess else {
            throw DuckDBError(duckdb_pending_error(pending).map { String(cString: $0) } ?? "the query failed")
        }
        while true {
            let state = duckdb_pending_execute_task(pending)
            if state == DUCKDB_PENDING_ERROR {
                // Here it is told what failed; asking for the result would only say that there is none.
                throw DuckDBError(duckdb_pending_error(pending).map { String(cString: $0) } ?? "the query failed")
            }
            if state == DUCKDB_PENDING_NO_TASKS_AVAILABLE {
                // A tenth of a millisecond.
                database.pause(1e-4)
            } else if state != DUCKDB_PENDING_RESULT_NOT_READY {
                break
            }
        }
        var raw = duckdb_result()
        guard duckdb_execute_pending(pending, &raw) == DuckDBSuccess else {
            let text = duckdb_result_error(&raw).map { String(cString: $0) } ?? "the query failed"
            duckdb_destroy_result(&raw)
            throw DuckDBError(text)
        }
        return Int(QueryResult(raw).changed)
    }

    /// Returns the number of statements in a text; throws DuckDB's parser error.
    package func statementCount(_ sql: String) throws(DuckDBError) -> Int {
        var statements: duckdb_extracted_statements?
        let count = duckdb_extract_statements(handle, sql, &statements)
        defer { duckdb_destroy_extracted(&statements) }
        if count == 0 {
            if let reason = duckdb_extract_statements_error(statements) { throw DuckDBError(String(cString: reason)) }
        }
        return Int(count)
    }

    /// Returns the first row's first column as text; `nil` for NULL or no row.
    package func value(_ sql: String) throws(DuckDBError) -> String? {
        let table = try query(sql).texts()
        return table.first?.first ?? nil
    }
}

/// Quotes names, texts and paths for DuckDB's SQL.
///
/// ```swift
/// try connection.execute("CREATE VIEW v AS SELECT * FROM \(Quote.parquet(files)) WHERE \(Quote.name(column)) > 0")
/// ```
package enum Quote {
    /// Quotes an identifier: `"a""b"`.
    package static func name(_ text: String) -> String { "\"" + text.replacing("\"", with: "\"\"") + "\"" }
    /// Quotes a string literal: `'it''s'`.
    package static func text(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
    /// Quotes texts as a comma-separated list of string literals.
    package static func list(_ texts: some Sequence<String>) -> String {
        "[" + texts.map { Quote.text($0) }.joined(separator: ", ") + "]"
    }

    /// Quotes a file's path for a table function, with `*`, `?` and `[` made literal: DuckDB takes paths for patterns.
    package static func path(_ path: String) -> String {
        var literal = ""
        for character in path {
            if "*?[".contains(character) { literal += "[\(character)]" } else { literal.append(character) }
        }
        return text(literal)
    }

    /// Returns SQL for Parquet files as a table with the columns of the first; later files are opened one at a time.
    package static func parquetFiles(_ paths: some Sequence<String>) -> String {
        "read_parquet([\(paths.map { Quote.path($0) }.joined(separator: ", "))], hive_partitioning = false)"
    }

    /// Returns SQL for exactly these Parquet files as a table, without columns from folder names.
    package static func parquet(_ paths: some Sequence<String>, options: String = "") -> String {
        let list = paths.map { Quote.path($0) }.joined(separator: ", ")
        return "read_parquet([\(list)], union_by_name = true, hive_partitioning = false\(options))"
    }
}
