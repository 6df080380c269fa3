package import Core
internal import Identity
internal import Postgres
package import Projects
internal import Registry
package import SQLText
internal import SQLite
internal import Storage
internal import Synchronization

/// Location of a project's metadata database, and its opening.
///
/// A SQLite file in its home, or the PostgreSQL database that `metadata:` of martlet.yaml or MARTLET_METADATA names.
///
/// ```swift
/// let metadata = try MetadataLocation(project, home: home, context: context)
/// let registry = try ModelRegistry(metadata.open(.reading), project: project.name, actor: "ada", context: context)
/// ```
package final class MetadataLocation: Sendable {
    /// Purpose for which the database is opened.
    package enum Access: Sendable {
        /// Refuses every change, and a schema that is not this program's.
        case reading
        /// Brings the schema up to date.
        /// - Parameter creating: whether metadata that are not there are begun.
        case writing(creating: Bool)
    }

    /// Migrations of all metadata tables.
    package static let schema = Migration.registry + Migration.identity

    private enum Engine: Sendable {
        case sqlite(path: String)
        case postgres(PostgresAddress)
    }

    private let engine: Engine
    private let context: ExecutionContext
    /// The connections to PostgreSQL, for every caller of this process.
    private let pool = Mutex<PostgresDatabase?>(nil)

    /// Finds the location from the project file and the environment.
    /// - Parameter environment: a variable's value; `nil` where it is not set.
    /// - Throws: `metadata.address` where the address is not one.
    package init(
        _ project: Project, home: ProjectHome, context: ExecutionContext,
        environment: (String) -> String? = { SystemPlatform.environment($0) }
    ) throws {
        self.context = context
        guard let address = environment("MARTLET_METADATA") ?? project.metadata else {
            engine = .sqlite(path: home.database)
            return
        }
        guard PostgresAddress.isAddress(address) else {
            throw MartletError(
                .input, "metadata.address", "The address of the metadata database does not begin with postgres://.",
                at: .init(file: project.folder + "/martlet.yaml", key: "metadata"),
                remedy: "Write postgres://user@host:5432/name, or leave it out for a SQLite file in the project's home."
            )
        }
        engine = .postgres(try PostgresAddress(address))
    }

    /// A path, or host and name of a database, for messages; never a password.
    package var place: String {
        switch engine {
        case .sqlite(let path): path
        case .postgres(let address): address.place
        }
    }

    /// Advice for an error when metadata that existed are missing.
    package var remedyOfLoss: String {
        switch engine {
        case .sqlite:
            "Put it back, with its -wal file if there is one, or restore it from a backup. `martlet run` begins a new one."
        case .postgres:
            "Check that the address is the right one, or restore the database from a backup. `martlet run` begins anew."
        }
    }

    /// Whether the project has metadata.
    /// - Throws: `metadata.away`.
    package func exists() throws -> Bool {
        switch engine {
        case .sqlite(let path): Disk.exists(path)
        case .postgres: try postgres().read { try $0.hasTable("schema_migrations") }
        }
    }

    /// Inode number of the SQLite file that is at the path now, 0 when there is none; `nil` in PostgreSQL.
    ///
    /// It differs from an earlier one when the file was replaced or taken away.
    package var inode: UInt64? {
        guard case .sqlite(let path) = engine else { return nil }
        return Disk.stamp(path)?.inode ?? 0
    }

    /// Opens the database and checks or updates its schema.
    /// - Throws: `metadata.missing` where there are none and none may be created.
    package func open(_ access: Access) throws -> any SQLDatabase {
        let database: any SQLDatabase
        switch (engine, access) {
        case (.sqlite(let path), .reading):
            database = try SQLiteDatabase(path: path, readOnly: true, pause: context.clock.block)
        case (.sqlite(let path), .writing(let creating)):
            database = try SQLiteDatabase(path: path, creating: creating, pause: context.clock.block)
        case (.postgres, _): database = try postgres()
        }
        switch access {
        case .reading: try database.requireSchema(Self.schema)
        case .writing(let creating):
            guard try creating || exists() else {
                throw MartletError(
                    .missing, "metadata.missing", "There are no metadata in this database.", at: .init(file: place),
                    remedy: "`martlet run` makes them.")
            }
            try database.migrate(Self.schema, at: context.now())
        }
        return database
    }

    /// Checks the integrity of a SQLite file, or that the PostgreSQL server answers.
    ///
    /// - Returns: a description of what was checked.
    package func check() throws -> String {
        switch engine {
        case .sqlite(let path):
            try SQLiteDatabase(path: path, readOnly: true, pause: context.clock.block).check()
            return "sound, every page of it"
        case .postgres(let address):
            let version = try postgres().read { try $0.row("SHOW server_version")?.text("server_version") ?? "" }
            return "PostgreSQL \(version) answers at \(address.place)"
        }
    }

    private func postgres() throws -> PostgresDatabase {
        guard case .postgres(let address) = engine else {
            throw MartletError(.defect, "metadata.failed", "These metadata are not in PostgreSQL.")
        }
        return try pool.withLock { pool in
            if let pool { return pool }
            let opened = try PostgresDatabase(address, pause: context.clock.block)
            pool = opened
            return opened
        }
    }
}
