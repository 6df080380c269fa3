import Core
import Registry
import Synchronization
import TestSupport
import Testing
import Workers

/// Attempts at jobs on threads of this process, under the same supervisor.
@Suite struct `Jobs in the same process` {
    let hall: Hall
    let jobs: JobStore

    init() throws {
        hall = try Hall()
        jobs = try hall.jobs()
    }

    private func supervisor(
        _ body: @escaping @Sendable (JobRecord, InProcessAttempt) -> JobEnding
    ) throws -> Supervisor {
        Supervisor(
            .init(owner: "here", lease: 30, grace: 10, mode: .drain, interval: 0.01), jobs: jobs,
            launcher: InProcessLauncher(jobs, body), context: hall.context)
    }

    /// Passes until there is nothing left to do; the clock goes on with each.
    private func finish(_ supervisor: Supervisor) throws {
        #expect(
            eventually {
                supervisor.pass()
                hall.clock.advance(seconds: 0.1)
                return supervisor.isDone
            })
    }

    @Test func `come out as their bodies say, and as the one who asked`() throws {
        let asked = try jobs.submit(JobOrder(kind: "verify", maxAttempts: 1)).job
        let actor = Mutex("")
        try finish(
            supervisor { record, attempt in
                actor.withLock { $0 = record.actor }
                try? attempt.report(JobProgress(step: "half", done: 1, total: 2))
                return .finished(result: #"{"equal":true}"#)
            })
        let (record, attempts) = try jobs.show(asked.id)
        #expect(record.state == .finished && record.result == #"{"equal":true}"#)
        #expect(attempts.map(\.outcome) == [.finished])
        #expect(actor.withLock { $0 } == "ada" && record.actor == "ada")
    }

    @Test func `are tried again when the machine failed them`() throws {
        let asked = try jobs.submit(JobOrder(kind: "verify", maxAttempts: 2)).job
        try finish(supervisor { _, _ in .failed(MartletError(.machine, "disk.failed", "planted")) })
        let (record, attempts) = try jobs.show(asked.id)
        #expect(record.state == .failed && record.errorCode == "disk.failed")
        #expect(attempts.map(\.outcome) == [.failed, .failed])
    }

    @Test func `end at the next step when they are cancelled`() throws {
        let asked = try jobs.submit(JobOrder(kind: "verify", maxAttempts: 1)).job
        let (jobs, clock) = (jobs, hall.clock)
        let steps = Mutex(0)
        try finish(
            supervisor { _, attempt in
                _ = try? jobs.cancel(asked.id, reason: "no need")
                // A job of many steps, each of which looks whether it is still wanted.
                while (try? attempt.report(JobProgress(step: "step"))) != nil {
                    steps.withLock { $0 += 1 }
                    clock.block(seconds: 0.01)
                }
                return .finished(result: nil)
            })
        #expect(try jobs.find(asked.id).state == .cancelled)
        #expect(steps.withLock { $0 } > 0)
    }

    @Test func `that take too long have the outcome that their supervisor gave them`() throws {
        let asked = try jobs.submit(JobOrder(kind: "verify", maxAttempts: 1, timeLimit: 5)).job
        let clock = hall.clock
        try finish(
            supervisor { _, attempt in
                while (try? attempt.report(JobProgress(step: "step"))) != nil { clock.block(seconds: 0.01) }
                return .failed(MartletError(.conflict, "job.cancelled", "ended"))
            })
        let (record, attempts) = try jobs.show(asked.id)
        #expect(record.state == .failed && record.errorCode == "job.timeout")
        #expect(attempts.map(\.outcome) == [.killed])
    }
}
