internal import Core
internal import SQLText

/// The table `aliases`: which version each alias names now.
struct AliasTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    /// By model.
    func all() throws -> [String: [ModelAlias: Int]] {
        var found: [String: [ModelAlias: Int]] = [:]
        let rows = try transaction.connection.rows(
            "SELECT model, alias, version FROM aliases WHERE project = \(transaction.project)")
        for row in rows {
            found[try row.text("model"), default: [:]][try row.oneOf("alias")] = try row.int("version")
        }
        return found
    }

    func version(_ model: String, _ alias: ModelAlias) throws -> Int? {
        try transaction.connection.row(
            """
            SELECT version FROM aliases
            WHERE project = \(transaction.project) AND model = \(model) AND alias = \(alias.rawValue)
            """
        )?.int("version")
    }

    func set(_ model: String, _ alias: ModelAlias, to version: Int, at now: Timestamp) throws {
        try transaction.connection.execute(
            """
            INSERT INTO aliases (project, model, alias, version, since)
            VALUES (\(transaction.project), \(model), \(alias.rawValue), \(version), \(now))
            ON CONFLICT (project, model, alias) DO UPDATE SET version = excluded.version, since = excluded.since
            """)
    }

    func remove(_ model: String, _ alias: ModelAlias) throws {
        try transaction.connection.execute(
            """
            DELETE FROM aliases
            WHERE project = \(transaction.project) AND model = \(model) AND alias = \(alias.rawValue)
            """)
    }
}
