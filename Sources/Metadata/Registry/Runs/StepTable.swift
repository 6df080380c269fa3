internal import Core
internal import SQLText

/// The table `steps`.
struct StepTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func find(_ step: String) throws -> Step? {
        try transaction.connection.row(
            "SELECT * FROM steps WHERE project = \(transaction.project) AND step = \(step)"
        ).map(Step.init(row:))
    }

    func all() throws -> [Step] {
        try transaction.connection.rows("SELECT * FROM steps WHERE project = \(transaction.project) ORDER BY step")
            .map(Step.init(row:))
    }

    func begin(_ step: String, _ fingerprint: Digest, at now: Timestamp) throws {
        try transaction.connection.execute(
            """
            INSERT INTO steps (project, step, fingerprint, status, started, ended, result)
            VALUES (\(transaction.project), \(step), \(fingerprint), 'running', \(now), NULL, NULL)
            ON CONFLICT (project, step) DO UPDATE SET fingerprint = excluded.fingerprint, status = 'running',
                started = excluded.started, ended = NULL, result = NULL
            """)
    }

    /// Keeps the beginning noted for the same fingerprint; a step that was not begun began now.
    func finish(_ completion: StepCompletion, at now: Timestamp) throws {
        let known = try find(completion.step)
        let started = known?.fingerprint == completion.fingerprint ? known?.started ?? now : now
        try transaction.connection.execute(
            """
            INSERT INTO steps (project, step, fingerprint, status, started, ended, result)
            VALUES (\(transaction.project), \(completion.step), \(completion.fingerprint), 'finished', \(started), \(now),
                \(completion.result))
            ON CONFLICT (project, step) DO UPDATE SET fingerprint = excluded.fingerprint, status = 'finished',
                started = excluded.started, ended = excluded.ended, result = excluded.result
            """)
    }

    func delete(_ steps: [String]) throws {
        try transaction.connection.execute(
            "DELETE FROM steps WHERE project = \(transaction.project) AND step IN (\(list: steps))")
    }
}

extension Step {
    fileprivate init(row: SQLRow) throws {
        self.init(
            step: try row.text("step"),
            fingerprint: try row.digest("fingerprint"),
            status: try row.oneOf("status"),
            started: try row.timestamp("started"),
            ended: try row.optionalTimestamp("ended"),
            result: try row.optionalText("result")
        )
    }
}
