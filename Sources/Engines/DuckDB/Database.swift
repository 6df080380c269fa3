internal import CDuckDB

/// An embedded DuckDB, in memory. Closed when the last connection and this value are gone.
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

    /// "v1.5.5".
    package static var version: String { String(cString: duckdb_library_version()) }

    package func connect() throws(DuckDBError) -> Connection {
        var connection: duckdb_connection?
        guard duckdb_connect(handle, &connection) == DuckDBSuccess else { throw DuckDBError("could not connect") }
        return Connection(connection, of: self)
    }
}

/// One session: its temporary tables and settings. Used by one thread at a time.
package final class Connection {
    private var handle: duckdb_connection?
    private let database: Database

    fileprivate init(_ handle: duckdb_connection?, of database: Database) {
        self.handle = handle
        self.database = database
    }

    deinit { duckdb_disconnect(&handle) }

    func withHandle<T>(_ body: (duckdb_connection?) -> T) -> T { body(handle) }

    /// Runs one or more statements and drops their rows.
    /// - Returns: rows changed or written by the last one (COPY, INSERT), 0 for others.
    @discardableResult
    package func execute(_ sql: String) throws(DuckDBError) -> Int {
        let result = try query(sql)
        return Int(result.changed)
    }

    /// Runs a statement and keeps its rows, in DuckDB's memory.
    package func query(_ sql: String) throws(DuckDBError) -> QueryResult {
        var raw = duckdb_result()
        guard duckdb_query(handle, sql, &raw) == DuckDBSuccess else {
            let text = duckdb_result_error(&raw).map { String(cString: $0) } ?? "the query failed"
            duckdb_destroy_result(&raw)
            throw DuckDBError(text)
        }
        return QueryResult(raw)
    }

    /// Runs one statement that takes its time, and drops its rows.
    ///
    /// Where this thread has no share left of the work, it sleeps until the others have done theirs. DuckDB's own
    /// loop would ask again and again, and take the processor away from them.
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

    /// How many statements the text holds; throws DuckDB's parser error.
    package func statementCount(_ sql: String) throws(DuckDBError) -> Int {
        var statements: duckdb_extracted_statements?
        let count = duckdb_extract_statements(handle, sql, &statements)
        defer { duckdb_destroy_extracted(&statements) }
        if count == 0 {
            if let reason = duckdb_extract_statements_error(statements) { throw DuckDBError(String(cString: reason)) }
        }
        return Int(count)
    }

    /// The first row's first column as text; `nil` for NULL or no row.
    package func value(_ sql: String) throws(DuckDBError) -> String? {
        let table = try query(sql).texts()
        return table.first?.first ?? nil
    }
}

/// SQL spelling of names and texts.
package enum Quote {
    package static func name(_ text: String) -> String { "\"" + text.replacing("\"", with: "\"\"") + "\"" }
    package static func text(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
    package static func list(_ texts: some Sequence<String>) -> String {
        "[" + texts.map { Quote.text($0) }.joined(separator: ", ") + "]"
    }

    /// A file's path for a table function: DuckDB takes paths for patterns, so `*`, `?` and `[` are made literal.
    package static func path(_ path: String) -> String {
        var literal = ""
        for character in path {
            if "*?[".contains(character) { literal += "[\(character)]" } else { literal.append(character) }
        }
        return text(literal)
    }

    /// Parquet files as a table with the columns of the first; later files are opened when it is their turn.
    package static func parquetFiles(_ paths: some Sequence<String>) -> String {
        "read_parquet([\(paths.map { Quote.path($0) }.joined(separator: ", "))], hive_partitioning = false)"
    }

    /// Parquet files as a table: these files and no others, no columns from folder names.
    package static func parquet(_ paths: some Sequence<String>, options: String = "") -> String {
        let list = paths.map { Quote.path($0) }.joined(separator: ", ")
        return "read_parquet([\(list)], union_by_name = true, hive_partitioning = false\(options))"
    }
}
