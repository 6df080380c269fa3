import Core
import Foundation
import Registry
import SQLText
import SQLite
import TestSupport
import Testing
import Workers

/// A queue, a clock that is moved by hand for wall time and uptime alike, and processes that are made up.
final class Hall: Sendable {
    let folder: String
    let database: any SQLDatabase
    let clock = VirtualClock()

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/martlet-hall-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        database = try TestDatabase.open(folder)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var context: ExecutionContext { clock.context() }

    func jobs() throws -> JobStore {
        try ModelRegistry.open(database, project: "hospital", context: context).jobs
    }

    func supervisor(
        _ owner: String, _ launcher: MadeUpLauncher, slots: Int = 1, memoryLimit: Int64? = nil,
        mode: Supervisor.Mode = .serve, isDead: @escaping (String) -> Bool = { _ in false }
    ) throws -> Supervisor {
        Supervisor(
            .init(owner: owner, slots: slots, lease: 30, grace: 10, memoryLimit: memoryLimit, mode: mode),
            jobs: try jobs(), launcher: launcher, context: context, isDead: isDead)
    }
}

final class MadeUpProcess: JobProcess {
    let job: JobRecord
    let id: Int32
    var descriptor: Int32 { -1 }
    var told: [JobProgress?] = []
    var used: Int64 = 1 << 20
    var ended: ProcessExit?
    var kills = 0
    /// A process in the kernel's hands does not go at once.
    var isStuck = false

    init(_ job: JobRecord, _ id: Int32) {
        self.job = job
        self.id = id
    }

    var ticket: JobTicket { JobTicket(job: job.id, token: job.token) }

    func heartbeats() -> [JobProgress?] {
        defer { told = [] }
        return told
    }
    func memory() -> Int64? { used }
    func exit() -> ProcessExit? { ended }
    func kill() {
        kills += 1
        if !isStuck { ended = ended ?? ProcessExit(.signal(9)) }
    }
}

final class MadeUpLauncher: JobLauncher {
    var started: [MadeUpProcess] = []
    var refusal: MartletError?
    var newest: MadeUpProcess { get throws { try #require(started.last) } }

    func launch(_ job: JobRecord) throws -> any JobProcess {
        if let refusal { throw refusal }
        let process = MadeUpProcess(job, Int32(1000 + started.count))
        started.append(process)
        return process
    }
}
