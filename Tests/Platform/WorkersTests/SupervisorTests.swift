import Core
import Registry
import TestSupport
import Testing
import Workers

struct SupervisorTests {
    let hall: Hall
    let jobs: JobStore
    let launcher = MadeUpLauncher()

    init() throws {
        hall = try Hall()
        jobs = try hall.jobs()
    }

    @discardableResult
    private func order(_ kind: String = "run", attempts: Int = 3, seconds: Double? = nil, bytes: Int64? = nil) throws
        -> JobRecord
    {
        try jobs.submit(
            JobOrder(kind: kind, exclusive: false, maxAttempts: attempts, timeLimit: seconds, memoryLimit: bytes)
        ).job
    }

    @Test func `does as many jobs at once as it has slots, and all of them in the end`() throws {
        let ids = try (0..<5).map { _ in try order().id }
        let supervisor = try hall.supervisor("a", launcher, slots: 2, mode: .drain)
        supervisor.pass()
        #expect(launcher.started.count == 2)
        var rounds = 0
        while !supervisor.isDone, rounds < 50 {
            rounds += 1
            for process in launcher.started where process.ended == nil {
                try jobs.conclude(process.ticket, .finished(result: nil))
                process.ended = ProcessExit(.code(0), peakMemory: 5, cpuSeconds: 1)
            }
            hall.clock.advance(seconds: 0.6)
            supervisor.pass()
        }
        #expect(supervisor.isDone)
        #expect(launcher.started.map(\.job.id) == ids)
        #expect(try ids.map { try jobs.find($0).state } == Array(repeating: .finished, count: 5))
        #expect(try jobs.show(ids[4]).attempts.first?.cpuSeconds == 1)
    }

    @Test func `a process that dies by a signal is named, and tried again`() throws {
        let id = try order().id
        let supervisor = try hall.supervisor("a", launcher)
        supervisor.pass()
        let process = try launcher.newest
        process.told = [JobProgress(step: "train:stay", done: 3, total: 7)]
        hall.clock.advance(seconds: 1)
        supervisor.pass()
        #expect(try jobs.find(id).progress == JobProgress(step: "train:stay", done: 3, total: 7))
        process.ended = ProcessExit(.signal(11))
        hall.clock.advance(seconds: 1)
        supervisor.pass()
        let job = try jobs.find(id)
        #expect(job.state == .queued && job.reason == "ended by SIGSEGV, at train:stay" && job.signal == "SIGSEGV")
        hall.clock.advance(seconds: 3)
        supervisor.pass()
        #expect(launcher.started.count == 2)
    }

    @Test(arguments: [
        (Int32(1), "ended with exit code 1 and without a result"), (0, "ended with exit code 0 and without a result"),
    ])
    func `a process that ends without saying how is not taken for done`(code: Int32, reason: String) throws {
        let id = try order(attempts: 1).id
        let supervisor = try hall.supervisor("a", launcher)
        supervisor.pass()
        try launcher.newest.ended = ProcessExit(.code(code))
        supervisor.pass()
        let job = try jobs.find(id)
        #expect(job.state == .failed && job.reason == reason && job.errorCode == "job.exit")
    }

    @Test func `silence ends a process, heartbeats of life keep it`() throws {
        let id = try order(attempts: 1).id
        let supervisor = try hall.supervisor("a", launcher)
        supervisor.pass()
        let process = try launcher.newest
        for _ in 0..<20 {
            process.told = [nil]
            hall.clock.advance(seconds: 20)
            supervisor.pass()
        }
        #expect(try process.kills == 0 && jobs.find(id).state == .running)
        hall.clock.advance(seconds: 29)
        supervisor.pass()
        #expect(process.kills == 0)
        hall.clock.advance(seconds: 1)
        supervisor.pass()
        supervisor.pass()
        #expect(process.kills == 1)
        let job = try jobs.find(id)
        #expect(job.state == .failed && job.reason == "no sign of life for 30 s" && job.errorCode == "job.silent")
    }

    @Test func `more memory than allowed ends a process with the figures`() throws {
        let wide = try order(attempts: 1).id
        let narrow = try order(attempts: 1, bytes: 64 << 20).id
        let supervisor = try hall.supervisor("a", launcher, slots: 2, memoryLimit: 512 << 20)
        supervisor.pass()
        for process in launcher.started { process.used = 65 << 20 }
        supervisor.pass()
        supervisor.pass()
        #expect(launcher.started.map(\.kills) == [0, 1])
        #expect(try jobs.find(narrow).reason == "out of memory: used 65 MiB of 64 MiB")
        #expect(try jobs.find(narrow).errorCode == "job.memory")
        #expect(try jobs.find(wide).state == .running)
    }

    @Test func `a time limit ends a process`() throws {
        let id = try order(attempts: 1, seconds: 90).id
        let supervisor = try hall.supervisor("a", launcher)
        supervisor.pass()
        for _ in 0..<8 {
            try launcher.newest.told = [nil]
            hall.clock.advance(seconds: 12)
            supervisor.pass()
        }
        supervisor.pass()
        #expect(try jobs.find(id).reason == "took longer than 90 s")
    }

    @Test func `a job that was cancelled or taken over loses its process, and the other job keeps its own`() throws {
        let first = try order().id
        let second = try order().id
        let supervisor = try hall.supervisor("a", launcher, slots: 2)
        supervisor.pass()
        _ = try jobs.cancel(first, reason: "wrong data")
        hall.clock.advance(seconds: 1)
        supervisor.pass()
        supervisor.pass()
        #expect(launcher.started.map(\.kills) == [1, 0])
        #expect(try jobs.find(first).state == .cancelled && jobs.find(first).reason == "wrong data")
        #expect(try jobs.find(second).state == .running)
    }

    @Test func `a lease is held as long as its process lives, also one that does not die at once`() throws {
        try order(attempts: 2)
        let other = try hall.supervisor("b", MadeUpLauncher())
        let supervisor = try hall.supervisor("a", launcher)
        supervisor.pass()
        let process = try launcher.newest
        process.isStuck = true
        hall.clock.advance(seconds: 30)
        supervisor.pass()
        #expect(process.kills == 1)
        for _ in 0..<10 {
            hall.clock.advance(seconds: 20)
            supervisor.pass()
            other.pass()
        }
        #expect(other.descriptors.isEmpty && other.pollSeconds == 0.5)
        #expect(try jobs.list(state: .running).count == 1)
        process.ended = ProcessExit(.signal(9))
        supervisor.pass()
        #expect(try jobs.list().first?.reason == "no sign of life for 30 s")
    }

    @Test func `when a supervisor is gone another takes over, and what the first one's process writes is refused`()
        throws
    {
        let id = try order().id
        let supervisor = try hall.supervisor("a", launcher)
        supervisor.pass()
        let heir = MadeUpLauncher()
        let successor = try hall.supervisor("b", heir)
        hall.clock.advance(seconds: 29)
        successor.pass()
        hall.clock.advance(seconds: 2)
        successor.pass()
        hall.clock.advance(seconds: 3)
        successor.pass()
        let process = try heir.newest
        #expect(process.job.id == id && process.job.token == 2)
        #expect(throws: MartletError.self) { try jobs.conclude(launcher.newest.ticket, .finished(result: nil)) }
        // The first one wakes up: it ends its process and leaves the job alone.
        supervisor.pass()
        supervisor.pass()
        #expect(try launcher.newest.kills == 1)
        try jobs.conclude(process.ticket, .finished(result: nil))
        #expect(try jobs.show(id).attempts.map(\.outcome) == [.lost, .finished])
    }

    @Test func `the jobs of a supervisor known to be dead are taken over at once`() throws {
        let id = try order().id
        try hall.supervisor("a", launcher).pass()
        let heir = MadeUpLauncher()
        let successor = try hall.supervisor("b", heir, isDead: { $0 == "a" })
        successor.pass()
        hall.clock.advance(seconds: 2.1)
        successor.pass()
        #expect(try heir.newest.job.id == id)
    }

    @Test func `asked to stop it takes no more jobs, waits for the grace, and gives back what has not ended`() throws {
        let ids = try (0..<3).map { _ in try order(attempts: 1).id }
        let supervisor = try hall.supervisor("a", launcher, slots: 2)
        supervisor.pass()
        supervisor.stop()
        try jobs.conclude(launcher.started[0].ticket, .finished(result: nil))
        launcher.started[0].ended = ProcessExit(.code(0))
        hall.clock.advance(seconds: 9)
        launcher.started[1].told = [nil]
        supervisor.pass()
        #expect(!supervisor.isDone && launcher.started.count == 2 && launcher.started[1].kills == 0)
        hall.clock.advance(seconds: 1)
        supervisor.pass()
        supervisor.pass()
        #expect(supervisor.isDone && launcher.started[1].kills == 1)
        #expect(try ids.map { try jobs.find($0).state } == [.finished, .queued, .queued])
        #expect(try jobs.find(ids[1]).attempts == 0)
    }

    @Test func `one that was told once does one job, or none when none is waiting`() throws {
        let idle = try hall.supervisor("a", launcher, mode: .once)
        idle.pass()
        #expect(idle.isDone)
        try order()
        try order()
        let supervisor = try hall.supervisor("b", launcher, slots: 2, mode: .once)
        supervisor.pass()
        #expect(launcher.started.count == 1)
        try jobs.conclude(launcher.newest.ticket, .finished(result: nil))
        try launcher.newest.ended = ProcessExit(.code(0))
        hall.clock.advance(seconds: 1)
        supervisor.pass()
        #expect(supervisor.isDone && launcher.started.count == 1)
    }

    @Test func `a program that cannot be started fails the job and not the supervisor`() throws {
        let id = try order(attempts: 1).id
        launcher.refusal = MartletError(.machine, "disk.full", "The disk is full.")
        let supervisor = try hall.supervisor("a", launcher)
        supervisor.pass()
        let job = try jobs.find(id)
        #expect(
            job.state == .failed && job.reason == "could not be started: The disk is full."
                && job.errorCode == "job.start")
    }
}
