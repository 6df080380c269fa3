internal import Synchronization

/// A statement that is parsed and planned once and run many times. Used by its connection's thread.
///
/// By SQL's `PREPARE` and `EXECUTE`: DuckDB 1.5 plans a statement that was prepared by its C interface anew each time
/// it runs, if it reads a table.
///
/// ```swift
/// let statement = try PreparedStatement("SELECT * FROM t WHERE key = $1", connection)
/// let rows = try statement.query("v-17").texts()
/// ```
package final class PreparedStatement {
    private let name: String
    private let connection: Connection
    private static let count = Mutex(0)

    /// Parses and plans a statement.
    /// - Throws: DuckDB's error for invalid SQL.
    package init(_ sql: String, _ connection: Connection) throws(DuckDBError) {
        let number = Self.count.withLock { count in
            count += 1
            return count
        }
        name = "_martlet_\(number)"
        self.connection = connection
        try connection.execute("PREPARE \(name) AS \(sql)")
    }

    deinit { _ = try? connection.execute("DEALLOCATE \(name)") }

    /// Runs the statement with texts for its parameters `$1`, `$2`, …; each is cast to the parameter's type.
    package func query(_ parameters: String...) throws(DuckDBError) -> QueryResult {
        let list = parameters.map { Quote.text($0) }.joined(separator: ", ")
        return try connection.query(parameters.isEmpty ? "EXECUTE \(name)" : "EXECUTE \(name)(\(list))")
    }
}
