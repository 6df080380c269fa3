internal import Composition
internal import Core
package import Identity
internal import Projects
internal import Registry
internal import SQLite
internal import Storage

extension Composition {
    /// The people and tokens of the server that this project's home belongs to, for a command that changes them.
    package func withIdentity<T>(_ body: (IdentityStore) throws -> T) throws -> T {
        _ = try project()
        try makeHome()
        try refuseLoss()
        let database = try SQLiteDatabase(path: home + "/martlet.db")
        try ModelRegistry.migrate(database, at: context.now())
        return try body(identity(database))
    }

    /// The same for a command that only looks.
    package func withIdentityForReading<T>(_ body: (IdentityStore) throws -> T) throws -> T {
        let project = try project()
        let path = home + "/martlet.db"
        guard Disk.exists(path) else {
            throw MartletError(
                .missing, "project.not-run", "Nothing has been run in \(project.folder) yet.",
                remedy: "Run `martlet run` first.")
        }
        let database = try SQLiteDatabase(path: path, readOnly: true)
        try ModelRegistry.requireSchema(of: database)
        return try body(identity(database))
    }

    /// The audit of a server of these projects, each at its own home.
    package static func audit(of compositions: [Composition]) throws -> ServerAudit {
        ServerAudit(try compositions.map { try $0.withIdentityForReading { $0.database } })
    }

    /// At the command line it is the account that acts.
    var author: Author { Author(actor: "local:\(context.actor)") }

    private func identity(_ database: SQLiteDatabase) -> IdentityStore {
        IdentityStore(database, author: author, context: context)
    }
}
