package import Core
internal import Foundation
internal import Identity
internal import Postgres
package import Registry
package import SQLText
internal import SQLite
internal import Synchronization

/// Metadata for a test: a SQLite file in its folder, or a schema of its own in the PostgreSQL database that
/// MARTLET_TEST_METADATA names, so that the same tests hold both engines to the same behaviour.
package enum TestDatabase {
    /// The address of a PostgreSQL database; `nil`: SQLite.
    package static let address = ProcessInfo.processInfo.environment["MARTLET_TEST_METADATA"]

    package static var isSQLite: Bool { address == nil }

    /// Opens the metadata that belong to a folder; a second time, as another process would.
    package static func open(_ folder: String, readOnly: Bool = false) throws -> any SQLDatabase {
        guard let address = try address(of: folder) else {
            return try SQLiteDatabase(path: folder + "/martlet.db", readOnly: readOnly, pause: pause)
        }
        return try connect(address, readOnly)
    }

    /// The address of the metadata that belong to a folder, for a program of its own; `nil`: SQLite.
    package static func address(of folder: String) throws -> String? {
        guard let address else { return nil }
        let schema = "t" + String(Digest(of: folder).hex.prefix(20))
        if made.withLock({ $0.insert(schema).inserted }) {
            try connect(address).write(scope: .schema) {
                _ = try $0.execute("CREATE SCHEMA IF NOT EXISTS \(identifier: schema)")
            }
        }
        return "\(address)\(address.contains("?") ? "&" : "?")options=-csearch_path%3D\(schema)"
    }

    /// Makes the metadata of one folder those of another as well, where they are not in the folder themselves.
    package static func copy(from old: String, to new: String) throws {
        guard try address(of: new) != nil else { return }
        let database = try open(new)
        try database.migrate(schema, at: Timestamp(microseconds: 0))
        try database.write(scope: .schema) { connection in
            let source = "t" + String(Digest(of: old).hex.prefix(20))
            let tables = try connection.rows(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = \(source)"
            ).map { try $0.text("table_name") }
            // Rules and foreign keys are asleep: what is copied fits together.
            try connection.execute("SET LOCAL session_replication_role = replica")
            for table in tables {
                try connection.execute("DELETE FROM \(identifier: table)")
                try connection.execute(
                    "INSERT INTO \(identifier: table) SELECT * FROM \(identifier: source).\(identifier: table)")
            }
        }
    }

    private static let made = Mutex<Set<String>>([])

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
        _ database: any SQLDatabase, project: String, actor: String = "ada", context: ExecutionContext
    ) throws -> ModelRegistry {
        try database.migrate(TestDatabase.schema, at: context.now())
        return ModelRegistry(database, project: project, actor: actor, context: context)
    }
}
