internal import Core
internal import SQLText

/// The table `registered_models`.
struct ModelTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func insert(_ model: String, at now: Timestamp) throws {
        try transaction.connection.execute(
            """
            INSERT INTO registered_models (project, name, created)
            VALUES (\(transaction.project), \(model), \(now)) ON CONFLICT (project, name) DO NOTHING
            """)
    }

    /// Names and times of creation, by name.
    func all() throws -> [(name: String, created: Timestamp)] {
        try transaction.connection.rows(
            "SELECT name, created FROM registered_models WHERE project = \(transaction.project) ORDER BY name"
        ).map { (try $0.text("name"), try $0.timestamp("created")) }
    }
}
