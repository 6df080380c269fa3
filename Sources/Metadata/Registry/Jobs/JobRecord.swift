package import Core

/// A queued, running or ended job: what is to be done, and what became of it.
package struct JobRecord: Sendable, Equatable {
    /// The state of a job.
    package enum State: String, Sendable, Encodable, CaseIterable {
        case queued, running, finished, failed, cancelled

        /// Whether the state is final unless a person retries the job.
        package var isEnded: Bool { self == .finished || self == .failed || self == .cancelled }
    }

    /// 32 hexadecimal digits.
    package let id: String
    /// Kind of the job: "run", "ingest".
    package let kind: String
    /// The options with which `martlet jobs submit KIND` asks for the same.
    package let arguments: [String]
    /// The job as JSON; `nil` for a job of an earlier program, which has only arguments.
    package let definition: String?
    /// Whether it changes tables or models: at most one such job of a project runs at a time.
    package let exclusive: Bool
    /// Whether it is queued, running, or how it ended; each change writes an event in its transaction.
    package var state: State
    /// Higher priorities run first; equal ones in order of creation.
    package let priority: Int
    /// Number of attempts that count against `maxAttempts`.
    package var attempts: Int
    /// Number of attempts, at least 1, after which a failure is final.
    package let maxAttempts: Int
    /// Fencing token: the number of leases so far; only increases.
    package var token: Int
    /// Name of the supervisor that runs the job; `nil` while none does.
    package var owner: String?
    /// When the lease expires; without a heartbeat by then another worker may take the job over.
    package var leaseUntil: Timestamp?
    /// When a worker last leased the job or renewed its lease; `nil` before the first attempt.
    package var heartbeat: Timestamp?
    /// A queued job is not leased before this time.
    package var notBefore: Timestamp
    /// Longest duration of one attempt in seconds.
    package let timeLimit: Double?
    /// Most memory of one attempt in bytes.
    package let memoryLimit: Int64?
    /// Last progress that the latest attempt reported; `nil` for a queued job, and until one is reported.
    package var progress: JobProgress?
    /// When the job was submitted.
    package let created: Timestamp
    /// When the latest attempt began; `nil` before the first.
    package var started: Timestamp?
    /// When it finished, failed or was cancelled; `nil` for a queued or running job.
    package var ended: Timestamp?
    /// Duration of the last attempt in seconds once it has ended; `nil` if none began.
    package var seconds: Double? {
        guard let started, let ended else { return nil }
        return ended.seconds(since: started)
    }
    /// Who submitted it and in whose name it runs: an account "ada", or "user:ada", "token:scoring" over HTTP.
    package let actor: String
    /// Who cancelled it, named like `actor`; `nil` unless it is cancelled.
    package var cancelledBy: String?
    /// Why it failed, was cancelled, or is queued again, in a sentence.
    package var reason: String?
    /// Error code that belongs to `reason`: "job.memory", or that of the command's own error.
    package var errorCode: String?
    /// Exit code of the latest attempt; `nil` while it runs, and where a signal or a cancellation ended it.
    package var exitCode: Int?
    /// Signal that ended the process: "SIGSEGV".
    package var signal: String?
    /// JSON text that the command prints with `--json`.
    package var result: String?
    /// Key given with the order, unique in the project: the same order with it again returns this job.
    package let idempotencyKey: String?
}

/// Progress of a job: its current step and counts.
package struct JobProgress: Sendable, Equatable, Codable {
    /// Name of the current step: "train:readmission".
    package var step: String
    /// Number of units completed, the unit being the step's; `nil` where they are not counted.
    package var done: Int?
    /// Number of units in all; `nil` where it is not known.
    package var total: Int?

    package init(step: String, done: Int? = nil, total: Int? = nil) {
        self.step = step
        self.done = done
        self.total = total
    }

    /// Completed share from 0 to 100, rounded down; `nil` without a total.
    package var percent: Int? {
        guard let done, let total, total > 0 else { return nil }
        return min(100, max(0, done * 100 / total))
    }

    enum CodingKeys: String, CodingKey { case step, done, total, percent }

    package init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        step = try box.decode(String.self, forKey: .step)
        done = try box.decodeIfPresent(Int.self, forKey: .done)
        total = try box.decodeIfPresent(Int.self, forKey: .total)
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(step, forKey: .step)
        try box.encodeIfPresent(done, forKey: .done)
        try box.encodeIfPresent(total, forKey: .total)
        try box.encodeIfPresent(percent, forKey: .percent)
    }
}

/// A request to queue a job.
///
/// ```swift
/// let (record, isNew) = try registry.jobs.submit(JobOrder(.train(TrainJob()), priority: 1))
/// ```
package struct JobOrder: Sendable, Equatable {
    /// Kind of the job: "run", "ingest".
    package var kind: String
    /// The job as options of `martlet jobs submit KIND`, shown to people.
    package var arguments: [String]
    /// The job as JSON, which the attempt executes; `nil` for one given by its arguments only.
    package var definition: String?
    /// Whether the job changes tables or models, so that no other such job of the project runs beside it.
    package var exclusive: Bool
    /// Rank in the queue: higher ones run first, equal ones in order of submission; 0 by default.
    package var priority: Int
    /// Number of attempts after which a failure is final, 3 by default; less than 1 counts as 1.
    package var maxAttempts: Int
    /// Longest duration of one attempt in seconds.
    package var timeLimit: Double?
    /// Most memory of one attempt in bytes.
    package var memoryLimit: Int64?
    /// Key of the request; a second one with the same key returns the first job.
    package var idempotencyKey: String?

    package init(
        kind: String, arguments: [String] = [], definition: String? = nil, exclusive: Bool = true, priority: Int = 0,
        maxAttempts: Int = 3, timeLimit: Double? = nil, memoryLimit: Int64? = nil, idempotencyKey: String? = nil
    ) {
        self.kind = kind
        self.arguments = arguments
        self.definition = definition
        self.exclusive = exclusive
        self.priority = priority
        self.maxAttempts = maxAttempts
        self.timeLimit = timeLimit
        self.memoryLimit = memoryLimit
        self.idempotencyKey = idempotencyKey
    }
}

/// A worker's claim on a running job: job id and fencing token, required by every write about it.
package struct JobTicket: Sendable, Hashable {
    /// Id of the job.
    package let job: String
    /// Fencing token of the attempt; the claim holds while the job is running with the same `token`.
    package let token: Int

    package init(job: String, token: Int) {
        self.job = job
        self.token = token
    }
}

/// One attempt at a job, with outcome and cost.
package struct JobAttempt: Sendable, Equatable, Encodable {
    /// How an attempt ended.
    package enum Outcome: String, Sendable, Encodable {
        case running, finished
        /// The work ended with an error of its own.
        case failed
        /// The process died.
        case crashed
        /// The supervisor ended it: memory, time, silence.
        case killed
        /// Its supervisor disappeared.
        case lost
        case cancelled
        /// Given back in good order, to be done again.
        case released
    }

    /// Number of the attempt from 1; equals the job's fencing token.
    package let attempt: Int
    /// Name of the supervisor that leased the job: host, process id and a random part.
    package let owner: String
    /// Process id on the supervisor's machine; `nil` until the process is started.
    package var process: Int?
    /// When the job was leased for the attempt.
    package let started: Timestamp
    /// When its end was recorded; `nil` while it runs.
    package var ended: Timestamp?
    /// How it ended, or `running`.
    package var outcome: Outcome
    /// Why it ended so, in a sentence; `nil` for a running or finished attempt.
    package var reason: String?
    /// Error code that belongs to `reason`: "job.memory", or that of the command's own error.
    package var errorCode: String?
    /// Exit code, 0 when finished; `nil` while it runs, and where a signal or the supervisor ended it.
    package var exitCode: Int?
    /// Name of the signal that the process died of: "SIGSEGV"; `nil` also where its supervisor killed it.
    package var signal: String?
    /// Peak memory in bytes.
    package var peakMemory: Int64?
    /// User and system CPU time of the process in seconds; `nil` until it is gone or when nobody measured it.
    package var cpuSeconds: Double?

    enum CodingKeys: String, CodingKey {
        case attempt, owner, process, started, ended, outcome, reason
        case errorCode = "error_code"
        case exitCode = "exit_code"
        case signal
        case peakMemory = "peak_memory"
        case cpuSeconds = "cpu_seconds"
    }
}

/// The outcome of an attempt as its supervisor reports it.
package struct JobEnding: Sendable, Equatable {
    /// How the attempt ended; never `running`.
    package var outcome: JobAttempt.Outcome
    /// Why it ended so, in a sentence; `nil` for a finished attempt.
    package var reason: String?
    /// Error code that belongs to `reason`: "job.memory", or that of the command's own error.
    package var errorCode: String?
    /// Exit code of the command or its process; `nil` when a signal or the supervisor ended it.
    package var exitCode: Int?
    /// Name of the signal that the process died of: "SIGSEGV"; `nil` also where its supervisor killed it.
    package var signal: String?
    /// JSON text that the command printed.
    package var result: String?
    /// Whether another attempt could succeed.
    package var mayRetry: Bool

    package init(
        _ outcome: JobAttempt.Outcome, reason: String? = nil, errorCode: String? = nil, exitCode: Int? = nil,
        signal: String? = nil, result: String? = nil, mayRetry: Bool = false
    ) {
        self.outcome = outcome
        self.reason = reason
        self.errorCode = errorCode
        self.exitCode = exitCode
        self.signal = signal
        self.result = result
        self.mayRetry = mayRetry
    }

    /// The ending of a successful attempt.
    package static func finished(result: String?) -> JobEnding { JobEnding(.finished, exitCode: 0, result: result) }

    /// The ending of a failed attempt; errors of the request are final, those of the machine may be retried.
    package static func failed(_ error: MartletError) -> JobEnding {
        var reason = error.message
        if let place = error.location?.description, !place.isEmpty { reason = "\(place): \(reason)" }
        return JobEnding(
            .failed, reason: reason, errorCode: error.code, exitCode: Int(error.exitCode),
            mayRetry: error.kind == .machine || error.kind == .conflict)
    }
}
