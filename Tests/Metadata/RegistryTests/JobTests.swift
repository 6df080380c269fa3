import Core
import Registry
import SQLText
import SQLite
import Synchronization
import TestSupport
import Testing

/// The queue on a clock that stands still unless it is moved.
struct JobTests {
    let virtual = VirtualClock()
    let fixture: RegistryFixture
    var jobs: JobStore { fixture.registry.jobs }

    init() throws { fixture = try RegistryFixture(virtual: virtual) }

    private func submitted(_ kind: String = "run", exclusive: Bool = false, attempts: Int = 3, priority: Int = 0) throws
        -> JobRecord
    {
        try jobs.submit(
            JobOrder(kind: kind, exclusive: exclusive, priority: priority, maxAttempts: attempts)
        ).job
    }

    private func leased(to owner: String = "a", seconds: Double = 30) throws -> JobRecord? {
        try jobs.lease(to: owner, seconds: seconds).job
    }

    private func ticket(_ job: JobRecord) -> JobTicket { JobTicket(job: job.id, token: job.token) }

    private func state(_ job: JobRecord) throws -> JobRecord.State { try jobs.find(job.id).state }

    private let crash = JobEnding(
        .crashed, reason: "ended by SIGSEGV", errorCode: "job.signal", signal: "SIGSEGV", mayRetry: true)

    @Test func `a job goes from queued over running to finished, and its attempt is kept`() throws {
        let job = try jobs.submit(JobOrder(kind: "ingest", arguments: ["--source", "visits"])).job
        #expect(job.state == .queued && job.token == 0)
        let running = try #require(try leased())
        #expect(running.id == job.id && running.state == .running && running.attempts == 1 && running.token == 1)
        #expect(running.arguments == ["--source", "visits"])
        virtual.advance(seconds: 5)
        try jobs.note(ticket(running), process: 4711)
        try jobs.conclude(ticket(running), .finished(result: "{\"rows\": 3}"))
        try jobs.note(ticket(running), peakMemory: 1 << 20, cpuSeconds: 0.5)
        let (done, attempts) = try jobs.show(String(job.id.suffix(32)))
        #expect(done.state == .finished && done.result == "{\"rows\": 3}" && done.owner == nil)
        #expect(done.ended.map { $0.microseconds - done.created.microseconds } == 5_000_000)
        #expect(attempts.map(\.outcome) == [.finished])
        #expect(attempts[0].process == 4711 && attempts[0].peakMemory == 1 << 20 && attempts[0].cpuSeconds == 0.5)
        #expect(try leased() == nil)
    }

    @Test func `higher priorities go first, and equal ones in the order they came`() throws {
        let ids = try [0, 5, 0, 9, 5].map { try submitted(priority: $0).id }
        let order = try (0..<5).compactMap { _ in try leased()?.id }
        #expect(order == [3, 1, 4, 0, 2].map { ids[$0] })
    }

    @Test func `of jobs that change the project one runs at a time, and others run beside it`() throws {
        let first = try submitted("run", exclusive: true)
        let second = try submitted("ingest", exclusive: true)
        let reader = try submitted("predict")
        #expect(try leased(to: "a")?.id == first.id)
        #expect(try leased(to: "b")?.id == reader.id)
        #expect(try leased(to: "b") == nil)
        try jobs.conclude(ticket(try jobs.find(first.id)), .finished(result: nil))
        #expect(try leased(to: "b")?.id == second.id)
    }

    @Test func `a lease without a heartbeat is taken over, and the old worker can write nothing any more`() throws {
        let job = try submitted()
        let old = ticket(try #require(try leased(to: "a", seconds: 30)))
        virtual.advance(seconds: 29)
        #expect(try leased(to: "b") == nil)
        virtual.advance(seconds: 2)
        let (none, lost) = try jobs.lease(to: "b", seconds: 30)
        // Given up now, tried again after a pause.
        #expect(none == nil && lost.map(\.id) == [job.id] && lost.first?.errorCode == "job.lost")
        virtual.advance(seconds: 2)
        let taken = try #require(try leased(to: "b"))
        #expect(taken.id == job.id && taken.token == 2 && taken.attempts == 2)
        #expect(try jobs.renew([(old, JobProgress(step: "train:x"))], seconds: 30) == [old])
        #expect(code { try jobs.conclude(old, .finished(result: "stale")) } == "job.fenced")
        #expect(code { try jobs.release(old, reason: "late") } == "job.fenced")
        #expect(code { _ = try jobs.claimed(old) } == "job.fenced")
        #expect(try jobs.find(job.id).progress == nil)
        try jobs.conclude(ticket(taken), .finished(result: "\"fresh\""))
        let (done, attempts) = try jobs.show(job.id)
        #expect(done.result == "\"fresh\"" && done.state == .finished)
        #expect(attempts.map(\.outcome) == [.lost, .finished])
        #expect(code { try jobs.conclude(ticket(taken), crash) } == "job.fenced")
    }

    @Test func `a heartbeat prolongs the lease and keeps the progress`() throws {
        let job = try submitted()
        let held = ticket(try #require(try leased(to: "a", seconds: 30)))
        for step in 1...10 {
            virtual.advance(seconds: 20)
            let progress = JobProgress(step: "step \(step)", done: step, total: 10)
            #expect(try jobs.renew([(held, progress)], seconds: 30) == [])
            #expect(try leased(to: "b") == nil)
        }
        #expect(try jobs.find(job.id).progress?.percent == 100)
        try jobs.conclude(held, .finished(result: nil))
    }

    @Test func `a process that dies is tried again after longer and longer pauses, then the job fails with its reason`()
        throws
    {
        let job = try submitted(attempts: 3)
        for (attempt, pause) in [(1, 2.0), (2, 4.0)] {
            let running = try #require(try leased())
            #expect(running.attempts == attempt)
            let after = try jobs.conclude(ticket(running), crash)
            #expect(after.state == .queued && after.reason == "ended by SIGSEGV" && after.signal == "SIGSEGV")
            virtual.advance(seconds: pause - 1)
            #expect(try leased() == nil)
            virtual.advance(seconds: 1)
        }
        try jobs.conclude(ticket(try #require(try leased())), crash)
        let (failed, attempts) = try jobs.show(job.id)
        #expect(failed.state == .failed && failed.signal == "SIGSEGV" && failed.errorCode == "job.signal")
        #expect(attempts.map(\.outcome) == [.crashed, .crashed, .crashed])
        virtual.advance(seconds: 1000)
        #expect(try leased() == nil)
    }

    @Test(arguments: [
        (MartletError.Kind.input, JobRecord.State.failed), (.missing, .failed), (.refused, .failed), (.usage, .failed),
        (.defect, .failed), (.machine, .queued), (.conflict, .queued),
    ])
    func `an error of the person who asked is final, one of the machine is tried again`(
        kind: MartletError.Kind, expected: JobRecord.State
    ) throws {
        _ = try submitted()
        let error = MartletError(kind, "area.what", "It went wrong.", at: .init(file: "a.csv", line: 3))
        let after = try jobs.conclude(ticket(try #require(try leased())), .failed(error))
        #expect(after.state == expected && after.reason == "a.csv:3: It went wrong." && after.errorCode == "area.what")
        #expect(after.exitCode == Int(error.exitCode))
    }

    @Test func `a job given back costs no attempt and is there at once`() throws {
        let job = try submitted(attempts: 1)
        for round in 1...5 {
            let running = try #require(try leased())
            #expect(running.attempts == 1 && running.token == round)
            try jobs.release(ticket(running), reason: "its worker was stopped")
        }
        #expect(try state(job) == .queued)
        #expect(try jobs.show(job.id).attempts.map(\.outcome) == Array(repeating: .released, count: 5))
    }

    @Test func `cancelling takes a job out of the queue or away from its worker, and says who and why`() throws {
        let waiting = try submitted()
        let running = try submitted(priority: 1)
        let held = ticket(try #require(try leased()))
        let grace = try fixture.acting(as: "grace").jobs
        _ = try grace.cancel(waiting.id, reason: "not needed")
        _ = try grace.cancel(running.id, reason: nil)
        #expect(try leased() == nil)
        #expect(try jobs.stale([held]) == [held])
        #expect(code { try jobs.conclude(held, .finished(result: nil)) } == "job.fenced")
        let (job, attempts) = try jobs.show(running.id)
        #expect(job.state == .cancelled && job.cancelledBy == "grace" && job.reason == "cancelled by grace")
        #expect(attempts.map(\.outcome) == [.cancelled])
        #expect(try jobs.find(waiting.id).reason == "not needed")
        #expect(code { _ = try jobs.cancel(waiting.id, reason: nil) } == "job.ended")
    }

    @Test func `a failed or cancelled job can be put back with all its attempts, others not`() throws {
        let job = try submitted(attempts: 1)
        #expect(code { _ = try jobs.retry(job.id) } == "job.not-failed")
        try jobs.conclude(ticket(try #require(try leased())), crash)
        #expect(try state(job) == .failed)
        let again = try jobs.retry(job.id)
        #expect(again.state == .queued && again.attempts == 0 && again.reason == nil && again.ended == nil)
        let running = try #require(try leased())
        #expect(running.token == 2)
        try jobs.conclude(ticket(running), .finished(result: nil))
        #expect(code { _ = try jobs.retry(job.id) } == "job.not-failed")
    }

    @Test func `an order with a known key is the job that has it, and another one under that key is refused`() throws {
        let order = JobOrder(kind: "run", arguments: ["--from", "train"], idempotencyKey: "nightly 2026-11-21")
        let first = try jobs.submit(order)
        let second = try jobs.submit(order)
        #expect(first.isNew && !second.isNew && first.job.id == second.job.id)
        try jobs.conclude(ticket(try #require(try leased())), .finished(result: nil))
        #expect(try jobs.submit(order).job.state == .finished)
        var other = order
        other.arguments = []
        #expect(code { _ = try jobs.submit(other) } == "job.key-taken")
        #expect(try jobs.list().count == 1)
    }

    @Test func `a supervisor known to be dead loses its leases at once`() throws {
        let job = try submitted()
        _ = try leased(to: "a", seconds: 3600)
        #expect(try jobs.owners() == ["a"])
        try jobs.disown("b")
        #expect(try state(job) == .running)
        try jobs.disown("a")
        #expect(try jobs.lease(to: "b", seconds: 30).lost.map(\.id) == [job.id])
    }

    @Test func `jobs are found by the beginning of their id, and wrong names are told`() throws {
        let job = try submitted()
        _ = try submitted()
        #expect(code { _ = try jobs.find(String(job.id.prefix(8))) } == "job.ambiguous")
        #expect(try jobs.find(job.id.uppercased()).id == job.id)
        for name in ["", "x", "ffff", "'; DROP TABLE jobs"] {
            #expect(code { _ = try jobs.find(name) } == "job.unknown")
        }
    }

    @Test func `workers that race over two hundred jobs do each of them once`() throws {
        let second = try ModelRegistry.open(
            TestDatabase.open(fixture.scratch.path), project: "hospital", context: virtual.context()
        ).jobs
        let ids = try (0..<200).map { try submitted(exclusive: $0.isMultiple(of: 10)).id }
        let done = Mutex<[String]>([])
        let exclusive = Mutex(0)
        let errors = onThreads(6) { thread in
            let store = thread.isMultiple(of: 2) ? fixture.registry.jobs : second
            while try store.openCount() > 0 {
                guard let job = try store.lease(to: "worker \(thread)", seconds: 30).job else { continue }
                if job.exclusive {
                    exclusive.withLock {
                        #expect($0 == 0); $0 += 1
                    }
                }
                done.withLock { $0.append(job.id) }
                if job.exclusive { exclusive.withLock { $0 -= 1 } }
                try store.conclude(JobTicket(job: job.id, token: job.token), .finished(result: nil))
            }
        }
        #expect(errors == [])
        #expect(done.withLock { $0.sorted() } == ids.sorted())
        #expect(try jobs.list(state: .finished, limit: 1000).count == 200)
    }

    @Test func `a job that has ended tells how long its last attempt took, one that was never begun does not`() throws {
        let fixture = try RegistryFixture()
        let jobs = fixture.registry.jobs
        _ = try jobs.submit(JobOrder(kind: "run", arguments: []))
        let job = try #require(try jobs.lease(to: "w", seconds: 30).job)
        #expect(try json(job)["seconds"] == nil)
        fixture.virtual.advance(seconds: 100)
        let ended = try jobs.conclude(JobTicket(job: job.id, token: job.token), .finished(result: nil))
        let seconds = try #require(ended.seconds)
        #expect((100..<110).contains(seconds))
        #expect(try json(ended)["seconds"] as? Double == seconds)
        let other = try jobs.submit(JobOrder(kind: "run", arguments: ["x"])).job
        let cancelled = try jobs.cancel(other.id, reason: nil)
        #expect(cancelled.ended != nil && cancelled.seconds == nil)
        #expect(try jobs.count() == 2)
        #expect(try jobs.count(state: .cancelled) == 1)
    }

    @Test func `a job that waited again when it was cancelled does not tell the time since its last attempt`() throws {
        let fixture = try RegistryFixture()
        let jobs = fixture.registry.jobs
        let id = try jobs.submit(JobOrder(kind: "run", arguments: [])).job.id
        let job = try #require(try jobs.lease(to: "w", seconds: 30).job)
        let queued = try jobs.conclude(
            JobTicket(job: job.id, token: job.token), JobEnding(.failed, reason: "no room", mayRetry: true))
        try #require(queued.state == .queued)
        fixture.virtual.advance(seconds: 1000)
        #expect(try jobs.cancel(id, reason: nil).seconds == nil)
    }

    @Test func `jobs of another project are not seen`() throws {
        _ = try submitted()
        let other = try ModelRegistry.open(fixture.database, project: "clinic", context: virtual.context()).jobs
        #expect(try other.lease(to: "a", seconds: 30).job == nil)
        #expect(try other.list().isEmpty && other.openCount() == 0)
    }
}
