import Core
import Identity
import Registry
import SQLText
import SQLite
import TestSupport
import Testing

typealias Scratch = TemporaryFolder

extension TemporaryFolder { var file: String { path + "/martlet.db" } }

/// The identity of a new file.
struct Gate {
    let scratch: Scratch
    let database: any SQLDatabase
    let virtual = VirtualClock()
    let store: IdentityStore

    init() throws {
        scratch = try Scratch()
        database = try TestDatabase.open(scratch.path)
        try database.migrate(TestDatabase.schema, at: virtual.time)
        store = IdentityStore(
            database, author: Author(actor: "local:ada", request: "r1"),
            context: virtual.context())
    }

    func later(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: virtual.time.microseconds + seconds * 1_000_000)
    }

    func actions() throws -> [String] { try store.audit.list(AuditQuery(limit: 1000)).entries.map(\.action) }
}

let good = "correct horse battery staple"
