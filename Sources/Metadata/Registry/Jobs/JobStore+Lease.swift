internal import Core

/// The queue as workers see it. Whoever writes about a running job shows its ticket; one whose token is old, because
/// the job was cancelled or taken over, is refused as `job.fenced`.
extension JobStore {
    /// Leases the next job to `owner` for so many seconds; jobs with expired leases are queued again or failed first.
    ///
    /// - Returns: the job, `nil` when none is ready; in `lost` the jobs whose leases had expired.
    package func lease(to owner: String, seconds: Double) throws -> (job: JobRecord?, lost: [JobRecord]) {
        let before = metadata.context.now()
        let isIdle = try metadata.read { transaction in
            let table = JobTable(transaction)
            return try table.next(at: before) == nil && table.lapsed(at: before).isEmpty
        }
        // Nothing is written, and no lock taken, while there is nothing to do.
        if isIdle { return (nil, []) }
        return try metadata.write { transaction in
            let now = metadata.context.now()
            let lost = try JobTable(transaction).lapsed(at: now).map { job in
                let since = job.heartbeat ?? job.started ?? job.created
                let ending = JobEnding(
                    .lost, reason: "its supervisor disappeared: no heartbeat since \(since)", errorCode: "job.lost",
                    mayRetry: true)
                return try conclude(job, ending, transaction, at: now)
            }
            guard var job = try JobTable(transaction).next(at: now) else { return (nil, lost) }
            job.state = .running
            job.attempts += 1
            job.token += 1
            job.owner = owner
            job.leaseUntil = now.adding(seconds: seconds)
            job.heartbeat = now
            job.started = now
            job.progress = nil
            job.reason = nil
            job.errorCode = nil
            job.exitCode = nil
            job.signal = nil
            try transaction.change(job, .started, at: now)
            try JobAttemptTable(transaction).begin(JobTicket(job: job.id, token: job.token), owner: owner, at: now)
            return (job, lost)
        }
    }

    /// Ends the leases of an owner that is known to be dead.
    package func disown(_ owner: String) throws {
        try metadata.write { transaction in
            let past = Timestamp(microseconds: metadata.context.now().microseconds - 1)
            for var job in try JobTable(transaction).running() where job.owner == owner {
                job.leaseUntil = past
                try JobTable(transaction).update(job)
            }
        }
    }

    /// Returns the owners of running jobs.
    package func owners() throws -> Set<String> {
        try metadata.read { Set(try JobTable($0).running().compactMap(\.owner)) }
    }

    /// Renews leases and records progress; returns the tickets that are no longer valid.
    package func renew(_ signs: [(ticket: JobTicket, progress: JobProgress?)], seconds: Double) throws -> [JobTicket] {
        guard !signs.isEmpty else { return [] }
        return try metadata.write { transaction in
            let now = metadata.context.now()
            return try signs.compactMap { ticket, progress in
                guard var job = try current(ticket, transaction) else { return ticket }
                job.heartbeat = now
                job.leaseUntil = now.adding(seconds: seconds)
                job.progress = progress ?? job.progress
                try JobTable(transaction).update(job)
                return nil
            }
        }
    }

    /// Returns those of the tickets that are no longer valid.
    package func stale(_ tickets: [JobTicket]) throws -> [JobTicket] {
        guard !tickets.isEmpty else { return [] }
        return try metadata.read { transaction in try tickets.filter { try current($0, transaction) == nil } }
    }

    /// Returns the job of a ticket. Throws `job.fenced` when the ticket is no longer valid.
    package func claimed(_ ticket: JobTicket) throws -> JobRecord { try metadata.read { try good(ticket, $0) } }

    /// Records how an attempt ended; the job becomes finished or failed, or is queued again after a pause.
    ///
    /// The ticket is checked in the same transaction.
    @discardableResult
    package func conclude(_ ticket: JobTicket, _ ending: JobEnding) throws -> JobRecord {
        try metadata.write { transaction in
            try conclude(try good(ticket, transaction), ending, transaction, at: metadata.context.now())
        }
    }

    /// Returns a job to the queue as if the attempt had not begun.
    package func release(_ ticket: JobTicket, reason: String) throws {
        try metadata.write { transaction in
            var job = try good(ticket, transaction)
            let now = metadata.context.now()
            try JobAttemptTable(transaction).end(ticket, JobEnding(.released, reason: reason), at: now)
            job.requeue(at: now, because: nil)
            job.attempts = max(0, job.attempts - 1)
            try transaction.change(job, .requeued, at: now)
        }
    }

    /// Records the process id of an attempt.
    package func note(_ ticket: JobTicket, process: Int) throws {
        try metadata.write { try JobAttemptTable($0).note(ticket, process: process) }
    }

    /// Records the cost of an attempt: peak memory in bytes, and CPU seconds. Accepts any ticket.
    package func note(_ ticket: JobTicket, peakMemory: Int64?, cpuSeconds: Double?) throws {
        try metadata.write { try JobAttemptTable($0).note(ticket, peakMemory: peakMemory, cpuSeconds: cpuSeconds) }
    }

    /// Seconds until a job may be tried again: 2, 4, 8, … up to five minutes.
    static func pause(afterAttempt number: Int) -> Double { min(300, Double(1 << min(number, 10))) }

    private func conclude(_ job: JobRecord, _ ending: JobEnding, _ transaction: MetadataTransaction, at now: Timestamp)
        throws
        -> JobRecord
    {
        var job = job
        try JobAttemptTable(transaction).end(JobTicket(job: job.id, token: job.token), ending, at: now)
        if ending.outcome == .finished {
            job.end(.finished, ending, at: now)
            try transaction.change(job, .finished, at: now)
        } else if ending.mayRetry, job.attempts < job.maxAttempts {
            job.requeue(at: now.adding(seconds: Self.pause(afterAttempt: job.attempts)), because: ending)
            try transaction.change(job, .requeued, at: now)
        } else {
            job.end(.failed, ending, at: now)
            job.reason = ending.reason ?? "it failed without a reason"
            try transaction.change(job, .failed, at: now)
        }
        return job
    }

    private func current(_ ticket: JobTicket, _ transaction: MetadataTransaction) throws -> JobRecord? {
        guard let job = try JobTable(transaction).find(ticket.job), job.state == .running, job.token == ticket.token
        else {
            return nil
        }
        return job
    }

    private func good(_ ticket: JobTicket, _ transaction: MetadataTransaction) throws -> JobRecord {
        if let job = try current(ticket, transaction) { return job }
        let state = try JobTable(transaction).find(ticket.job)?.state.rawValue ?? "gone"
        throw MartletError(
            .conflict, "job.fenced",
            "Attempt \(ticket.token) of job \(ticket.job) no longer holds it (the job is \(state)); "
                + "what it wrote about the job was not taken.")
    }
}
