package import Core
internal import Registry
internal import Storage

/// Records the steps of a run: one JSON line each in `<home>/logs/trace.jsonl`, and a callback for progress output.
///
/// ```swift
/// let rows = try journal.step("ingest:visits") {
///     let report = try ingest()
///     return (report, Journal.Note(.done, "101,766 rows"))
/// }
/// ```
package final class Journal {
    /// How a step ended.
    package enum Outcome: String, Sendable, Encodable { case done, skipped, refused, failed }

    /// The record of an ended step.
    package struct Entry: Sendable, Encodable {
        /// When the step ended.
        package var at: Timestamp
        /// Kind of step, and what it is about: "ingest:visits", "transform:gold.stays", "train:readmission".
        package var step: String
        /// How the step ended; `failed` is an error, which ends the run.
        package var outcome: Outcome
        /// Detail for people: "101,766 rows", "unchanged".
        package var detail: String
        /// Duration in seconds on a monotonic clock, rounded to 0.1 ms.
        package var seconds: Double
        /// CPU seconds of all threads of the process during the step, rounded to 0.1 ms.
        package var cpuSeconds: Double
        /// CPU seconds by phase, where the step measures them.
        var phases: [String: Double]?

        enum CodingKeys: String, CodingKey {
            case at, step, outcome, detail, seconds
            case cpuSeconds = "cpu_seconds"
            case phases
        }
    }

    /// The steps that ended so far.
    package private(set) var entries: [Entry] = []
    /// Number of steps of the run if every model passes its gates; `nil` until it is known.
    package var expected: Int?
    private let path: String?
    private let context: ExecutionContext
    private let cpuSeconds: @Sendable () -> Double
    private let observer: JobObserver

    package init(
        path: String?, context: ExecutionContext, cpuSeconds: @escaping @Sendable () -> Double,
        observer: JobObserver = JobObserver()
    ) {
        self.path = path
        self.context = context
        self.cpuSeconds = cpuSeconds
        self.observer = observer
    }

    /// Outcome and detail that a step's body returns.
    package struct Note {
        var outcome: Outcome
        var detail: String
        var phases: [String: Double]?

        package init(_ outcome: Outcome = .done, _ detail: String, phases: [String: Double]? = nil) {
            self.outcome = outcome
            self.detail = detail
            self.phases = phases
        }
    }

    /// Runs a step's body, and records outcome, duration and CPU time.
    @discardableResult
    package func step<T>(_ name: String, _ body: () throws -> (T, Note)) throws -> T {
        try observer.began(JobProgress(step: name, done: entries.count, total: expected))
        let start = context.uptime()
        let cpu = cpuSeconds()
        func book(_ note: Note) throws {
            let entry = Entry(
                at: context.now(), step: name, outcome: note.outcome, detail: note.detail,
                seconds: rounded(context.uptime() - start), cpuSeconds: rounded(cpuSeconds() - cpu),
                phases: note.phases?.mapValues(rounded))
            entries.append(entry)
            if let path {
                try Disk.makeDirectory(Disk.parent(of: path))
                try Disk.append(path, try JSON.encode(entry) + [10])
            }
            observer.ended(entry)
        }
        do {
            let (value, note) = try body()
            try Failpoint.reach("step.before-trace")
            try book(note)
            try Failpoint.reach("step.after-trace")
            return value
        } catch {
            // The step's own error is what the person needs to see, also when the journal cannot be written.
            try? book(Note(.failed, (error as? MartletError)?.code ?? "\(error)"))
            throw error
        }
    }

    private func rounded(_ seconds: Double) -> Double { (seconds * 10_000).rounded() / 10_000 }
}

/// Measures CPU seconds by phase.
final class CPUMeter {
    private(set) var seconds: [String: Double] = [:]
    private let cpuSeconds: @Sendable () -> Double

    init(_ cpuSeconds: @escaping @Sendable () -> Double) { self.cpuSeconds = cpuSeconds }

    func measure<T>(_ phase: String, _ body: () throws -> T) rethrows -> T {
        let start = cpuSeconds()
        defer { seconds[phase, default: 0] += cpuSeconds() - start }
        return try body()
    }
}
