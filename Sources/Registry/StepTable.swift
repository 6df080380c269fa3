internal import SQLText
internal import Vocabulary

/// The table `steps`.
struct StepTable {
    private let page: Page

    init(_ page: Page) { self.page = page }

    func find(_ step: String) throws -> Step? {
        try page.connection.row(
            "SELECT * FROM steps WHERE project = \(page.project) AND step = \(step)"
        ).map(Step.init(row:))
    }

    func all() throws -> [Step] {
        try page.connection.rows("SELECT * FROM steps WHERE project = \(page.project) ORDER BY step")
            .map(Step.init(row:))
    }

    func begin(_ step: String, _ fingerprint: Digest, at now: Timestamp) throws {
        try page.connection.execute(
            """
            INSERT INTO steps (project, step, fingerprint, status, started, ended, result)
            VALUES (\(page.project), \(step), \(fingerprint), 'running', \(now), NULL, NULL)
            ON CONFLICT (project, step) DO UPDATE SET fingerprint = excluded.fingerprint, status = 'running',
                started = excluded.started, ended = NULL, result = NULL
            """)
    }

    /// Keeps the beginning noted for the same fingerprint; a step that was not begun began now.
    func finish(_ completion: StepCompletion, at now: Timestamp) throws {
        let known = try find(completion.step)
        let started = known?.fingerprint == completion.fingerprint ? known?.started ?? now : now
        try page.connection.execute(
            """
            INSERT INTO steps (project, step, fingerprint, status, started, ended, result)
            VALUES (\(page.project), \(completion.step), \(completion.fingerprint), 'finished', \(started), \(now),
                \(completion.result))
            ON CONFLICT (project, step) DO UPDATE SET fingerprint = excluded.fingerprint, status = 'finished',
                started = excluded.started, ended = excluded.ended, result = excluded.result
            """)
    }

    func delete(_ steps: [String]) throws {
        try page.connection.execute(
            "DELETE FROM steps WHERE project = \(page.project) AND step IN (\(list: steps))")
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
