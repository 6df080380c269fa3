internal import Core
internal import SQLText

/// The table `job_attempts`.
struct JobAttemptTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    /// The first attempt first.
    func all(job: String) throws -> [JobAttempt] {
        try transaction.connection.rows(
            "SELECT * FROM job_attempts WHERE project = \(transaction.project) AND job = \(job) ORDER BY attempt"
        ).map(JobAttempt.init(row:))
    }

    func begin(_ ticket: JobTicket, owner: String, at now: Timestamp) throws {
        try transaction.connection.execute(
            """
            INSERT INTO job_attempts (project, job, attempt, owner, started, outcome)
            VALUES (\(transaction.project), \(ticket.job), \(ticket.token), \(owner), \(now), 'running')
            """)
    }

    func note(_ ticket: JobTicket, process: Int) throws {
        try transaction.connection.execute(
            """
            UPDATE job_attempts SET process = \(process)
            WHERE project = \(transaction.project) AND job = \(ticket.job) AND attempt = \(ticket.token)
            """)
    }

    /// What the attempt cost, known when its process is gone; also after its end is written.
    func note(_ ticket: JobTicket, peakMemory: Int64?, cpuSeconds: Double?) throws {
        try transaction.connection.execute(
            """
            UPDATE job_attempts SET peak_memory = \(peakMemory), cpu_seconds = \(cpuSeconds)
            WHERE project = \(transaction.project) AND job = \(ticket.job) AND attempt = \(ticket.token)
            """)
    }

    func end(_ ticket: JobTicket, _ ending: JobEnding, at now: Timestamp) throws {
        try transaction.connection.execute(
            """
            UPDATE job_attempts SET ended = \(now), outcome = \(ending.outcome.rawValue), reason = \(ending.reason),
                error_code = \(ending.errorCode), exit_code = \(ending.exitCode), signal = \(ending.signal)
            WHERE project = \(transaction.project) AND job = \(ticket.job) AND attempt = \(ticket.token)
                AND outcome = 'running'
            """)
    }
}

extension JobAttempt {
    fileprivate init(row: SQLRow) throws {
        self.init(
            attempt: try row.int("attempt"), owner: try row.text("owner"), process: try row.optionalInt("process"),
            started: try row.timestamp("started"), ended: try row.optionalTimestamp("ended"),
            outcome: try row.oneOf("outcome"), reason: try row.optionalText("reason"),
            errorCode: try row.optionalText("error_code"), exitCode: try row.optionalInt("exit_code"),
            signal: try row.optionalText("signal"), peakMemory: try row.optionalInt64("peak_memory"),
            cpuSeconds: try row.optionalReal("cpu_seconds"))
    }
}
