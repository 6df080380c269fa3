internal import Core
internal import SQLText

/// The table `steps`.
struct StepTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    /// Returns the result of a step that finished last with this fingerprint.
    func finishedResult(of step: String, _ fingerprint: Digest) throws -> String? {
        try transaction.connection.row(
            """
            SELECT result FROM steps WHERE project = \(transaction.project) AND step = \(step)
                AND status = 'finished' AND fingerprint = \(fingerprint)
            """)?.text("result")
    }

    /// Takes the place of the step's earlier completion.
    func finish(_ completion: StepCompletion, at now: Timestamp) throws {
        try transaction.connection.execute(
            """
            INSERT INTO steps (project, step, fingerprint, status, started, ended, result)
            VALUES (\(transaction.project), \(completion.step), \(completion.fingerprint), 'finished', \(now), \(now),
                \(completion.result))
            ON CONFLICT (project, step) DO UPDATE SET fingerprint = excluded.fingerprint, status = 'finished',
                started = excluded.started, ended = excluded.ended, result = excluded.result
            """)
    }
}
