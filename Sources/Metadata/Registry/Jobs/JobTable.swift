internal import Core
internal import SQLText

/// The table `jobs`.
struct JobTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func find(_ id: String) throws -> JobRecord? {
        try transaction.connection.row("SELECT * FROM jobs WHERE project = \(transaction.project) AND id = \(id)").map(
            JobRecord.init(row:))
    }

    func find(key: String) throws -> JobRecord? {
        try transaction.connection.row(
            "SELECT * FROM jobs WHERE project = \(transaction.project) AND idempotency_key = \(key)"
        ).map(JobRecord.init(row:))
    }

    /// Up to `limit` ids that begin with `prefix`, which holds nothing but hexadecimal digits.
    func ids(beginningWith prefix: String, limit: Int) throws -> [String] {
        try transaction.connection.rows(
            """
            SELECT id FROM jobs WHERE project = \(transaction.project) AND id >= \(prefix) AND id < \(prefix + "g")
            ORDER BY id LIMIT \(limit)
            """
        ).map { try $0.text("id") }
    }

    /// Newest first.
    func list(state: JobRecord.State?, limit: Int) throws -> [JobRecord] {
        var statement: SQL = "SELECT * FROM jobs WHERE project = \(transaction.project)"
        if let state { statement += " AND state = \(state.rawValue)" }
        statement += " ORDER BY created DESC, id DESC LIMIT \(limit)"
        return try transaction.connection.rows(statement).map(JobRecord.init(row:))
    }

    func count(_ states: [JobRecord.State]) throws -> Int {
        try transaction.connection.row(
            """
            SELECT COUNT(*) AS n FROM jobs
            WHERE project = \(transaction.project) AND state IN (\(list: states.map(\.rawValue)))
            """
        )?.int("n") ?? 0
    }

    /// Running jobs whose lease ended before `now`.
    func lapsed(at now: Timestamp) throws -> [JobRecord] {
        try transaction.connection.rows(
            """
            SELECT * FROM jobs WHERE project = \(transaction.project) AND state = 'running' AND lease_until < \(now)
            ORDER BY created, id
            """
        ).map(JobRecord.init(row:))
    }

    func running() throws -> [JobRecord] {
        try transaction.connection.rows(
            "SELECT * FROM jobs WHERE project = \(transaction.project) AND state = 'running' ORDER BY created, id"
        ).map(JobRecord.init(row:))
    }

    /// The queued job that is next: none that must wait for a time, and no exclusive one beside another.
    func next(at now: Timestamp) throws -> JobRecord? {
        try transaction.connection.row(
            """
            SELECT * FROM jobs WHERE project = \(transaction.project) AND state = 'queued' AND not_before <= \(now)
                AND (exclusive = 0 OR NOT EXISTS (
                    SELECT 1 FROM jobs busy
                    WHERE busy.project = \(transaction.project) AND busy.state = 'running' AND busy.exclusive = 1))
            ORDER BY priority DESC, created, id LIMIT 1
            """
        ).map(JobRecord.init(row:))
    }

    func insert(_ job: JobRecord) throws {
        try transaction.connection.execute(
            """
            INSERT INTO jobs (project, id, kind, arguments, definition, exclusive, state, priority, attempts, max_attempts, token,
                not_before, time_limit, memory_limit, created, actor, idempotency_key)
            VALUES (\(transaction.project), \(job.id), \(job.kind), \(try JSON.text(job.arguments)), \(job.definition),
                \(job.exclusive),
                \(job.state.rawValue), \(job.priority), \(job.attempts), \(job.maxAttempts), \(job.token),
                \(job.notBefore), \(job.timeLimit.map { Int64($0 * 1e6) }), \(job.memoryLimit), \(job.created),
                \(job.actor), \(job.idempotencyKey))
            """)
    }

    /// Writes everything that may change.
    func update(_ job: JobRecord) throws {
        try transaction.connection.execute(
            """
            UPDATE jobs SET state = \(job.state.rawValue), attempts = \(job.attempts), token = \(job.token),
                owner = \(job.owner), lease_until = \(job.leaseUntil), heartbeat = \(job.heartbeat),
                not_before = \(job.notBefore), progress_step = \(job.progress?.step),
                progress_done = \(job.progress?.done), progress_total = \(job.progress?.total),
                started = \(job.started), ended = \(job.ended), cancelled_by = \(job.cancelledBy),
                reason = \(job.reason), error_code = \(job.errorCode), exit_code = \(job.exitCode),
                signal = \(job.signal), result = \(job.result)
            WHERE project = \(transaction.project) AND id = \(job.id)
            """)
    }
}

extension JobRecord {
    fileprivate init(row: SQLRow) throws {
        let words = try row.text("arguments")
        guard let arguments = try? JSON.decode([String].self, from: words) else {
            throw MartletError(
                .machine, "metadata.corrupt", "The metadata database holds '\(words)' as the arguments of a job.",
                remedy: "It was altered from outside, or is damaged: restore martlet.db from a copy.")
        }
        self.init(
            id: try row.text("id"), kind: try row.text("kind"), arguments: arguments,
            definition: try row.optionalText("definition"),
            exclusive: try row.bool("exclusive"), state: try row.oneOf("state"), priority: try row.int("priority"),
            attempts: try row.int("attempts"), maxAttempts: try row.int("max_attempts"), token: try row.int("token"),
            owner: try row.optionalText("owner"), leaseUntil: try row.optionalTimestamp("lease_until"),
            heartbeat: try row.optionalTimestamp("heartbeat"), notBefore: try row.timestamp("not_before"),
            timeLimit: try row.optionalInt64("time_limit").map { Double($0) / 1e6 },
            memoryLimit: try row.optionalInt64("memory_limit"),
            progress: try row.optionalText("progress_step").map {
                JobProgress(
                    step: $0, done: try row.optionalInt("progress_done"), total: try row.optionalInt("progress_total"))
            },
            created: try row.timestamp("created"), started: try row.optionalTimestamp("started"),
            ended: try row.optionalTimestamp("ended"), actor: try row.text("actor"),
            cancelledBy: try row.optionalText("cancelled_by"), reason: try row.optionalText("reason"),
            errorCode: try row.optionalText("error_code"), exitCode: try row.optionalInt("exit_code"),
            signal: try row.optionalText("signal"), result: try row.optionalText("result"),
            idempotencyKey: try row.optionalText("idempotency_key"))
    }
}
