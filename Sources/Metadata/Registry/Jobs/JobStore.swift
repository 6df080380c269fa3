internal import Core

/// The job queue of a project: submitting, listing, cancelling and leasing jobs.
///
/// ```swift
/// let (job, isNew) = try registry.jobs.submit(order)
/// let queued = try registry.jobs.list(state: .queued)
/// ```
///
/// Every change of state goes through `MetadataTransaction.change`, in the transaction that makes it.
package struct JobStore: Sendable {
    let metadata: MetadataStore

    /// Queues a job. An order with a known idempotency key returns the job that has it.
    package func submit(_ order: JobOrder) throws -> (job: JobRecord, isNew: Bool) {
        let id = metadata.context.newID()
        return try metadata.write { transaction in
            if let key = order.idempotencyKey, let known = try JobTable(transaction).find(key: key) {
                guard known.kind == order.kind, known.arguments == order.arguments else {
                    throw MartletError(
                        .conflict, "job.key-taken",
                        "The key '\(key)' belongs to job \(known.id), which asks for "
                            + "something else: \(([known.kind] + known.arguments).joined(separator: " ")).",
                        remedy: "Use a key of its own for each piece of work.")
                }
                return (known, false)
            }
            let now = metadata.context.now()
            let job = JobRecord(
                id: id, kind: order.kind, arguments: order.arguments, definition: order.definition,
                exclusive: order.exclusive, state: .queued,
                priority: order.priority, attempts: 0, maxAttempts: max(1, order.maxAttempts), token: 0,
                notBefore: now, timeLimit: order.timeLimit, memoryLimit: order.memoryLimit, created: now,
                actor: transaction.actor, idempotencyKey: order.idempotencyKey)
            try JobTable(transaction).insert(job)
            try transaction.told(.submitted, of: job, at: now)
            return (job, true)
        }
    }

    /// Returns jobs, newest first.
    package func list(state: JobRecord.State? = nil, limit: Int = 50) throws -> [JobRecord] {
        try metadata.read { try JobTable($0).list(state: state, limit: limit) }
    }

    /// Returns the number of jobs, in one state or in all.
    package func count(state: JobRecord.State? = nil) throws -> Int {
        try metadata.read { try JobTable($0).count(state.map { [$0] } ?? JobRecord.State.allCases) }
    }

    /// The job whose id is `id` or is the only one to begin with it.
    package func find(_ id: String) throws -> JobRecord { try metadata.read { try $0.findJob(id) } }

    /// Returns the job that `find` returns, with its attempts, oldest first.
    package func show(_ id: String) throws -> (job: JobRecord, attempts: [JobAttempt]) {
        try metadata.read { transaction in
            let job = try transaction.findJob(id)
            return (job, try JobAttemptTable(transaction).all(job: job.id))
        }
    }

    /// Returns the number of queued and running jobs.
    package func openCount() throws -> Int { try metadata.read { try JobTable($0).count([.queued, .running]) } }

    /// Cancels a queued or running job.
    ///
    /// From then on nothing that its worker writes about it is taken, and its supervisor kills the process at its next pass.
    package func cancel(_ id: String, reason: String?) throws -> JobRecord {
        try metadata.write { transaction in
            var job = try transaction.findJob(id)
            guard !job.state.isEnded else {
                throw MartletError(
                    .conflict, "job.ended", "Job \(job.id) has ended already: \(job.state.rawValue).",
                    remedy: job.state == .finished ? nil : "Do it again with `martlet jobs retry \(job.id.prefix(12))`."
                )
            }
            let now = metadata.context.now()
            let reason = reason ?? "cancelled by \(transaction.actor)"
            let ticket = JobTicket(job: job.id, token: job.token)
            if job.state == .running {
                try JobAttemptTable(transaction).end(ticket, JobEnding(.cancelled, reason: reason), at: now)
            } else {
                job.started = nil  // The time since an earlier attempt is not what this one took.
            }
            job.cancelledBy = transaction.actor
            job.end(.cancelled, JobEnding(.cancelled, reason: reason, errorCode: "job.cancelled"), at: now)
            try transaction.change(job, .cancelled, at: now)
            return job
        }
    }

    /// Queues a failed or cancelled job again with its full number of attempts.
    package func retry(_ id: String) throws -> JobRecord {
        try metadata.write { transaction in
            var job = try transaction.findJob(id)
            guard job.state == .failed || job.state == .cancelled else {
                throw MartletError(
                    .conflict, "job.not-failed",
                    "Job \(job.id) is \(job.state.rawValue); only a failed or cancelled one "
                        + "can be put back.", remedy: "Submit a new one.")
            }
            let now = metadata.context.now()
            job.requeue(at: now, because: nil)
            job.attempts = 0
            job.cancelledBy = nil
            try transaction.change(job, .retried, at: now)
            return job
        }
    }
}

/// What happened to a job.
enum JobTransition: String, Sendable {
    case submitted, started, finished, failed, cancelled, retried
    /// Queued again: its attempt ended otherwise than asked, or was given back.
    case requeued
}

extension MetadataTransaction {
    /// Writes a job in its new state: the only way in which a state changes.
    func change(_ job: JobRecord, _ transition: JobTransition, at now: Timestamp) throws {
        try JobTable(self).update(job)
        try told(transition, of: job, at: now)
    }

    /// Called once for every transition, in its transaction: writes its event.
    func told(_ transition: JobTransition, of job: JobRecord, at now: Timestamp) throws {
        let number = try EventTable(self).count(below: "job/\(job.id)") + 1
        try publish(.told(transition, of: job, number: number, at: now))
    }

    /// The job whose id is `text` or is the only one to begin with it.
    func findJob(_ text: String) throws -> JobRecord {
        let table = JobTable(self)
        if let job = try table.find(text) { return job }
        let digits = text.lowercased()
        let isHexadecimal = digits.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        let candidates = digits.isEmpty || !isHexadecimal ? [] : try table.ids(beginningWith: digits, limit: 4)
        guard let only = candidates.first, let job = try table.find(only) else {
            throw MartletError(
                .missing, "job.unknown", "There is no job '\(text)'.", remedy: "List the jobs with `martlet jobs list`."
            )
        }
        guard candidates.count == 1 else {
            throw MartletError(
                .usage, "job.ambiguous",
                "More than one job begins with '\(text)': \(candidates.joined(separator: ", ")).",
                remedy: "Write more digits.")
        }
        return job
    }
}

extension JobRecord {
    mutating func end(_ state: State, _ ending: JobEnding, at now: Timestamp) {
        self.state = state
        ended = now
        owner = nil
        leaseUntil = nil
        note(ending)
        result = ending.result
    }

    mutating func requeue(at instant: Timestamp, because ending: JobEnding?) {
        state = .queued
        ended = nil
        owner = nil
        leaseUntil = nil
        progress = nil
        notBefore = instant
        result = nil
        note(ending ?? JobEnding(.released))
    }

    private mutating func note(_ ending: JobEnding) {
        reason = ending.reason
        errorCode = ending.errorCode
        exitCode = ending.exitCode
        signal = ending.signal
    }
}

extension EventDraft {
    /// A change of a job's state; `number` counts the job's events from 1, since a job that is retried can come to the
    /// same state again.
    fileprivate static func told(_ transition: JobTransition, of job: JobRecord, number: Int, at time: Timestamp)
        -> EventDraft
    {
        var data: [String: JSONValue?] = [
            "job": .text(job.id), "kind": .text(job.kind), "arguments": .list(job.arguments.map { .text($0) }),
            "actor": .text(job.actor), "attempt": .integer(Int64(job.token)),
        ]
        let type: EventType
        switch transition {
        case .submitted:
            type = .jobSubmitted
            data["priority"] = .integer(Int64(job.priority))
        case .started:
            type = .jobStarted
            data["owner"] = job.owner.map { .text($0) }
        case .requeued:
            type = .jobRequeued
            data["not_before"] = .text(job.notBefore.description)
        case .retried: type = .jobRetried
        case .finished: type = .jobFinished
        case .failed: type = .jobFailed
        case .cancelled:
            type = .jobCancelled
            data["cancelled_by"] = job.cancelledBy.map { .text($0) }
        }
        data["reason"] = job.reason.map { .text($0) }
        data["error_code"] = job.errorCode.map { .text($0) }
        data["exit_code"] = job.exitCode.map { .integer(Int64($0)) }
        data["signal"] = job.signal.map { .text($0) }
        if job.state.isEnded, job.token > 0, let started = job.started {
            data["seconds"] = .number(time.seconds(since: started))
        }
        return EventDraft(type, id: "job/\(job.id)/\(number)", subject: "jobs/\(job.id)", time: time, data: data)
    }
}
