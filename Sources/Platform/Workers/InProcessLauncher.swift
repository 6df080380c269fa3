internal import Core
internal import Foundation
package import Registry
internal import Storage
internal import Synchronization

/// Does attempts in this process, each on a thread of its own: for a simulation, a test, or where no process may be
/// started. Nobody measures the memory of such an attempt, and what ends it is the next step that it begins.
///
/// ```swift
/// let launcher = InProcessLauncher(jobs) { record, attempt in
///     JobHandler(
///         environment: composition.acting(as: record.actor, in: "job/\(record.id)"),
///         observer: JobObserver(began: attempt.report)
///     ).run(job)
/// }
/// ```
package struct InProcessLauncher: JobLauncher {
    private let jobs: JobStore
    private let body: @Sendable (JobRecord, InProcessAttempt) -> JobEnding

    /// - Parameter body: does the work, and says how it came out. Of an attempt that its supervisor has ended that does
    ///   not count.
    package init(_ jobs: JobStore, _ body: @escaping @Sendable (JobRecord, InProcessAttempt) -> JobEnding) {
        self.jobs = jobs
        self.body = body
    }

    package func launch(_ job: JobRecord) -> any JobProcess {
        let attempt = InProcessAttempt(JobTicket(job: job.id, token: job.token))
        let thread = Thread { [jobs, body] in
            let ending = body(job, attempt)
            // What cannot be written the supervisor finds out by itself: an attempt without a result is tried again.
            let isWritten = !attempt.isCancelled && (try? jobs.conclude(attempt.ticket, ending)) != nil
            attempt.end(.code(isWritten ? 0 : 1))
        }
        thread.name = "job"
        // As the main thread has: SQL engines and learners recurse.
        thread.stackSize = 8 << 20
        thread.start()
        return attempt
    }
}

/// An attempt at a job on a thread of this process.
package final class InProcessAttempt: JobProcess, Sendable {
    private struct State {
        var progress: [JobProgress?] = []
        var isCancelled = false
        var exit: ProcessExit?
    }

    /// Job and fencing token of the attempt.
    package let ticket: JobTicket
    private let state = Mutex(State())

    init(_ ticket: JobTicket) { self.ticket = ticket }

    /// Tells the supervisor how far the job is.
    /// - Throws: `job.cancelled` when the supervisor has ended the attempt.
    package func report(_ progress: JobProgress) throws {
        let isCancelled = state.withLock { state in
            state.progress.append(progress)
            return state.isCancelled
        }
        guard !isCancelled else {
            throw MartletError(.conflict, "job.cancelled", "The attempt was ended at \(progress.step).")
        }
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func end(_ manner: ProcessExit.Manner) { state.withLock { $0.exit = ProcessExit(manner) } }

    package var id: Int32 { Disk.processID }
    package var descriptor: Int32 { -1 }

    /// As long as its thread is there, an attempt in this process lives.
    package func heartbeats() -> [JobProgress?] {
        state.withLock { state in
            defer { state.progress = [] }
            return state.progress + [nil]
        }
    }

    package func memory() -> Int64? { nil }
    package func exit() -> ProcessExit? { state.withLock { $0.exit } }
    package func kill() { state.withLock { $0.isCancelled = true } }
}
