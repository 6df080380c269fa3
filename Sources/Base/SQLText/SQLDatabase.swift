/// A connection inside one transaction. It must not leave the closure it was given to.
package protocol SQLConnection {
    /// Runs a statement and gives the number of rows it changed. An `SQL` without values may hold several
    /// statements.
    @discardableResult
    func execute(_ sql: SQL) throws -> Int
    /// Runs one statement and gives all its rows.
    func rows(_ sql: SQL) throws -> [SQLRow]
    func hasTable(_ name: String) throws -> Bool
    /// Keeps other writers of a scope out until the transaction ends, where the engine would let them in.
    func lock(_ scope: SQLScope) throws
}

extension SQLConnection {
    /// The first row, if there is one.
    package func row(_ sql: SQL) throws -> SQLRow? { try rows(sql).first }
}

/// A database of tables, on one engine. Its calls block the thread, and do not nest.
package protocol SQLDatabase: Sendable {
    var dialect: SQLDialect { get }
    /// What people know it by (a path, a host and a name); never a password.
    var place: String { get }
    /// Runs `body` on a snapshot that does not change under it.
    @available(*, noasync, message: "It holds the thread: use one that may wait.")
    func read<Result>(_ body: (any SQLConnection) throws -> Result) throws -> Result
    /// Runs `body` in a transaction: everything it did is durable when this returns, and nothing of it happened
    /// when this throws. Two writing transactions of a scope never interleave, also from two processes, so what one has
    /// read in its scope stays true until it commits.
    ///
    /// Where the engine undoes a transaction because of another one, `body` is run again.
    @available(*, noasync, message: "It holds the thread: use one that may wait.")
    func write<Result>(scope: SQLScope, _ body: (any SQLConnection) throws -> Result) throws -> Result
}

/// What writing transactions keep each other out of: the rows of one project, say.
///
/// A transaction that needs several takes them in the order ``schema``, project, identity, audit.
package struct SQLScope: Sendable, Hashable {
    package let name: String

    package init(_ name: String) { self.name = name }

    /// The tables themselves.
    package static let schema = SQLScope("schema")
}

/// The engines whose SQL differs where it must.
package enum SQLDialect: String, Sendable {
    case sqlite
    case postgresql
}
