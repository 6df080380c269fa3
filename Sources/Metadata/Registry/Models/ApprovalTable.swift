internal import Core
internal import SQLText

/// The table `approvals`: one row a version.
struct ApprovalTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func insert(_ model: String, _ version: Int, _ state: Approval.State) throws {
        try transaction.connection.execute(
            """
            INSERT INTO approvals (project, model, version, state, decided, actor, reason)
            VALUES (\(transaction.project), \(model), \(version), \(state.rawValue), NULL, NULL, NULL)
            """)
    }

    func decide(
        _ version: VersionSummary, _ state: Approval.State, by actor: String, at now: Timestamp, reason: String?
    ) throws {
        try transaction.connection.execute(
            """
            UPDATE approvals SET state = \(state.rawValue), decided = \(now), actor = \(actor), reason = \(reason)
            WHERE project = \(transaction.project) AND model = \(version.model) AND version = \(version.version)
            """)
    }
}
