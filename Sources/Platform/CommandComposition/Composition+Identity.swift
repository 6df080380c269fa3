internal import Composition
internal import Core
package import Identity
internal import Projects
internal import Registry
internal import SQLText
internal import Storage

extension Composition {
    /// Opens the users and tokens of the project's server for a command that changes them.
    package func withIdentity<T>(_ body: (IdentityStore) throws -> T) throws -> T {
        let metadata = try metadata(of: try project())
        try makeHome()
        try refuseLoss(of: metadata)
        return try body(identity(try metadata.open(.writing(creating: true))))
    }

    /// Opens the users and tokens of the project's server for reading.
    package func withIdentityForReading<T>(_ body: (IdentityStore) throws -> T) throws -> T {
        let project = try project()
        let metadata = try metadata(of: project)
        try requireRun(project, metadata)
        return try body(identity(try metadata.open(.reading)))
    }

    /// Returns the merged audit log of a server of these projects, each at its own home.
    package static func audit(of compositions: [Composition]) throws -> ServerAudit {
        ServerAudit(try compositions.map { try $0.withIdentityForReading { $0.database } })
    }

    /// The acting person as the audit names them: an account of this machine has no colon of its own.
    var author: Author { Author(actor: actor.contains(":") ? actor : "local:\(actor)", request: request) }

    private func identity(_ database: any SQLDatabase) -> IdentityStore {
        IdentityStore(database, author: author, context: context)
    }
}
