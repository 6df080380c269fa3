package import Core

/// One numbered, forward-only step of a database schema: SQL or table rules. A released one never changes.
///
/// ```swift
/// Migration(number: 12, name: "deployments", sql: "CREATE TABLE deployments (project TEXT NOT NULL, …)")
/// Migration(number: 13, name: "deployments-kept", rules: [.refuse(.delete, of: "deployments", "…")])
/// ```
package struct Migration: Sendable, Equatable {
    /// Number from 1, unique within a database across all modules.
    package let number: Int
    /// Short name, recorded in `schema_migrations`.
    package let name: String
    private let portable: String
    private let rules: [TableRule]

    /// A migration that runs SQL.
    /// - Parameter sql: portable SQL. Texts are compared and sorted by their bytes on every engine.
    package init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        portable = sql
        rules = []
    }

    /// A migration that installs table rules as triggers.
    package init(number: Int, name: String, rules: [TableRule]) {
        self.number = number
        self.name = name
        portable = ""
        self.rules = rules
    }

    /// Returns the migration's SQL in the dialect of an engine.
    package func sql(for dialect: SQLDialect) -> String {
        let statements =
            switch dialect {
            case .sqlite: portable
            // A database's own collation could sort ids and names in another order than their bytes.
            case .postgresql: portable.replacing(/\bTEXT\b/) { _ in "TEXT COLLATE \"C\"" }
            }
        return statements + rules.map { $0.sql(for: dialect) }.joined()
    }
}

extension SQLDatabase {
    /// Applies all missing migrations in order, each in its own transaction, and records them in `schema_migrations`.
    ///
    /// Does not write when there is nothing to do. Throws for a database whose schema is newer than `migrations`, or
    /// belongs to other ones.
    package func migrate(_ migrations: [Migration], at now: Timestamp) throws {
        for migration in try missing(migrations) {
            try write(scope: .schema) { connection in
                try connection.execute(
                    """
                    CREATE TABLE IF NOT EXISTS schema_migrations (
                        number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied BIGINT NOT NULL)
                    """)
                // Another process may have been faster.
                let number = migration.number
                guard try connection.rows("SELECT 1 FROM schema_migrations WHERE number = \(number)").isEmpty else {
                    return
                }
                try connection.execute(SQL(unsafe: migration.sql(for: dialect)))
                try connection.execute(
                    """
                    INSERT INTO schema_migrations (number, name, applied)
                    VALUES (\(number), \(migration.name), \(now))
                    """)
            }
        }
    }

    /// Throws unless the database's schema is exactly that of `migrations`; for callers that only read.
    package func requireSchema(_ migrations: [Migration]) throws {
        guard let next = try missing(migrations).first else { return }
        throw MartletError(
            .conflict, "metadata.older",
            "The metadata database was written by an older Martlet: it lacks step \(next.number), \(next.name).",
            at: .init(file: place), remedy: "Run `martlet run` once, which brings it up to date.")
    }

    private func missing(_ migrations: [Migration]) throws -> [Migration] {
        let known = migrations.sorted { $0.number < $1.number }
        let applied = try read { connection -> [Int: String] in
            guard try connection.hasTable("schema_migrations") else { return [:] }
            var names: [Int: String] = [:]
            for row in try connection.rows("SELECT number, name FROM schema_migrations") {
                names[try row.int("number")] = try row.text("name")
            }
            return names
        }
        let newest = applied.keys.max() ?? 0
        let ours = known.last?.number ?? 0
        guard newest <= ours else {
            throw MartletError(
                .conflict, "metadata.newer",
                "The metadata database was written by a newer Martlet: its schema is \(newest), "
                    + "this program knows up to \(ours). Nothing was changed.",
                at: .init(file: place), remedy: "Use the newer Martlet, or another project folder.")
        }
        let expected = known.filter { $0.number <= newest }
        guard applied.count == expected.count, expected.allSatisfy({ applied[$0.number] == $0.name }) else {
            throw MartletError(
                .conflict, "metadata.foreign",
                "This database has another program's schema, or one of a Martlet that was never released.",
                at: .init(file: place), remedy: "Move it away, or give Martlet another; it makes its tables itself.")
        }
        return known.filter { $0.number > newest }
    }
}
