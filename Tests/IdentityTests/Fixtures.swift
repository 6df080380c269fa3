import Core
import Identity
import Registry
import SQLText
import SQLite
import TestSupport
import Testing

typealias Scratch = TemporaryFolder

extension TemporaryFolder { var file: String { path + "/martlet.db" } }

extension Virtual {
    /// Bytes that no secret of a test has twice.
    @Sendable func random(_ count: Int) -> [UInt8] {
        let seed = Array(id().utf8.suffix(8))
        return (0..<count).map { UInt8(truncatingIfNeeded: $0) ^ seed[$0 % 8] }
    }
}

/// The identity of a new file.
struct Gate {
    let scratch: Scratch
    let database: any SQLDatabase
    let virtual = Virtual(step: 0)
    let store: IdentityStore

    init() throws {
        scratch = try Scratch()
        database = try TestDatabase.open(scratch.path)
        try database.migrate(TestDatabase.schema, at: virtual.now)
        store = IdentityStore(
            database, author: Author(actor: "local:ada", request: "r1"),
            context: virtual.context(actor: "nobody"),
            random: virtual.random)
    }

    func later(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: virtual.now.microseconds + seconds * 1_000_000)
    }

    func actions() throws -> [String] { try store.audit.list(AuditQuery(limit: 1000)).entries.map(\.action) }
}

/// The code of the `MartletError` that `body` throws, or what happened instead.
func code(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch let error as MartletError {
        return error.code
    } catch {
        return "another error: \(error)"
    }
}

let good = "correct horse battery staple"
