package import Core
package import SQLText

/// Users, API tokens, sessions and the audit log of a server, stored in a database.
///
/// ```swift
/// let store = IdentityStore(database, author: Author(actor: "server"), context: context)
/// let user = try store.addUser("ada", role: .admin, password: password)
/// ```
///
/// Rules, kept by the schema as well as by the code:
/// 1. Nothing secret is stored: of tokens and setup links only digests, of passwords only scrypt.
/// 2. Every change stands in the audit, in the same transaction, with who made it and in which request.
/// 3. A token never changes but that it is revoked; a user is disabled, never deleted.
/// 4. There is always somebody who may do everything, once there is anybody.
/// 5. Every change moves the generation, by which a server knows that it must look again.
///
/// All calls block on the database and may come from any thread; those that take a password also compute for about a
/// quarter of a second.
package struct IdentityStore: Sendable {
    /// The database; its schema is up to date.
    package let database: any SQLDatabase
    let context: ExecutionContext
    let author: Author

    /// Opens the store on a database whose schema is up to date.
    package init(_ database: any SQLDatabase, author: Author, context: ExecutionContext) {
        self.database = database
        self.author = author
        self.context = context
    }

    /// Returns a copy whose changes are made by another author.
    package func acting(as author: Author) -> IdentityStore {
        IdentityStore(database, author: author, context: context)
    }

    /// The audit log in this store's own database.
    package var audit: ServerAudit { ServerAudit([database]) }

    func change<Result>(_ body: (Change) throws -> Result) throws -> Result {
        let now = context.now()
        return try database.write(scope: .identity) { try body(Change(connection: $0, author: author, now: now)) }
    }
}

/// One writing transaction with its author and time.
struct Change {
    let connection: any SQLConnection
    let author: Author
    let now: Timestamp

    func note(_ draft: AuditDraft) throws { try AuditTable(connection).append(draft, by: author, at: now) }

    var users: UserTable { UserTable(connection: connection) }
    var tokens: TokenTable { TokenTable(connection: connection) }
    var sessions: SessionTable { SessionTable(connection: connection) }
    var setup: SetupTable { SetupTable(connection: connection) }
}

extension Migration {
    /// Migrations for users, tokens, sessions and the audit log.
    package static let identity: [Migration] =
        identityTables + [Migration(number: 7, name: "identity-kept", rules: TableRule.identityKept)]
}

extension SQLScope {
    /// Users, tokens, sessions and setup links.
    static let identity = SQLScope("identity")
    /// The write lock of the audit log, whose entries are numbered without gaps.
    package static let audit = SQLScope("audit")
}
