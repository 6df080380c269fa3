package import Core
internal import Foundation
internal import Identity
internal import Postgres
package import Registry
package import SQLText
internal import SQLite

/// Metadata for a test: a SQLite file in its folder, or a schema of its own in the PostgreSQL database that
/// MARTLET_TEST_METADATA names, so that the same tests hold both engines to the same behaviour.
package enum TestDatabase {
    /// The address of a PostgreSQL database; `nil`: SQLite.
    package static let address = ProcessInfo.processInfo.environment["MARTLET_TEST_METADATA"]

    package static var isSQLite: Bool { address == nil }

    /// Opens the metadata that belong to a folder; a second time, as another process would.
    package static func open(_ folder: String, readOnly: Bool = false) throws -> any SQLDatabase {
        guard let address else {
            return try SQLiteDatabase(path: folder + "/martlet.db", readOnly: readOnly, pause: pause)
        }
        let schema = "t" + String(Digest(of: folder).hex.prefix(20))
        if !readOnly {
            try connect(address).write(scope: .schema) {
                _ = try $0.execute("CREATE SCHEMA IF NOT EXISTS \(identifier: schema)")
            }
        }
        return try connect("\(address)\(address.contains("?") ? "&" : "?")options=-csearch_path%3D\(schema)", readOnly)
    }

    /// A statement of another program in the engine's own language: SQLite's OR REPLACE deletes what is in the way.
    package static func foreign(_ statement: String) -> SQL {
        SQL(unsafe: isSQLite ? statement : statement.replacing(" OR REPLACE ", with: " "))
    }

    private static func connect(_ address: String, _ readOnly: Bool = false) throws -> PostgresDatabase {
        try PostgresDatabase(PostgresAddress(address), readOnly: readOnly, pause: pause)
    }

    /// All tables of the metadata.
    package static let schema = Migration.registry + Migration.identity
}

extension SQLDatabase {
    /// Writes past every store.
    @discardableResult
    package func write<Result>(_ body: (any SQLConnection) throws -> Result) throws -> Result {
        try write(scope: SQLScope("test"), body)
    }
}

extension ModelRegistry {
    /// The registry of `project`, the schema brought up to date first.
    package static func open(
        _ database: any SQLDatabase, project: String, context: ExecutionContext
    ) throws -> ModelRegistry {
        try database.migrate(TestDatabase.schema, at: context.now())
        return ModelRegistry(database, project: project, context: context)
    }
}
