/// A database connection inside one transaction. It must not leave the closure it was passed to.
package protocol SQLConnection {
    /// Runs a statement and returns the number of rows it changed. An `SQL` without values may hold several statements.
    @discardableResult
    func execute(_ sql: SQL) throws -> Int
    /// Runs one statement and returns all its rows.
    func rows(_ sql: SQL) throws -> [SQLRow]
    /// Whether the database has a table with this name.
    func hasTable(_ name: String) throws -> Bool
    /// Excludes other writers of a scope until the transaction ends, on engines that would run them concurrently.
    func lock(_ scope: SQLScope) throws
}

extension SQLConnection {
    /// Runs a statement and returns its first row; `nil` when there is none.
    package func row(_ sql: SQL) throws -> SQLRow? { try rows(sql).first }
}

/// A relational database on SQLite or PostgreSQL with read and write transactions. Calls block and do not nest.
///
/// ```swift
/// let count = try database.read { try $0.row("SELECT COUNT(*) AS n FROM runs")?.int("n") }
/// try database.write(scope: .schema) { try $0.execute("DELETE FROM runs WHERE id = \(id)") }
/// ```
package protocol SQLDatabase: Sendable {
    /// The SQL dialect of the engine.
    var dialect: SQLDialect { get }
    /// Where the database is, for messages (a path; a host and a name); never a password.
    var place: String { get }
    /// Runs `body` on a consistent snapshot.
    @available(*, noasync, message: "It holds the thread: use one that may wait.")
    func read<Result>(_ body: (any SQLConnection) throws -> Result) throws -> Result
    /// Runs `body` in a durable transaction: committed when this returns, rolled back when it throws.
    ///
    /// Two writing transactions of a scope never interleave, also from two processes, so what one has read in its scope
    /// stays true until it commits.
    ///
    /// Where the engine undoes a transaction because of another one, `body` is run again.
    @available(*, noasync, message: "It holds the thread: use one that may wait.")
    func write<Result>(scope: SQLScope, _ body: (any SQLConnection) throws -> Result) throws -> Result
}

/// A named lock for writing transactions: those of the same scope exclude each other, such as those of one project.
///
/// A transaction that needs several takes them in the order ``schema``, project, identity, audit.
///
/// ```swift
/// try database.write(scope: .project(name)) { try $0.execute(sql) }
/// ```
package struct SQLScope: Sendable, Hashable {
    /// The lock's name.
    package let name: String

    package init(_ name: String) { self.name = name }

    /// The scope of changes to the tables themselves.
    package static let schema = SQLScope("schema")
}

/// The SQL dialects that statements are rendered for.
package enum SQLDialect: String, Sendable {
    case sqlite
    case postgresql
}
