package import Core
package import Registry

/// Leases jobs and supervises their child processes: limits, heartbeats, leases and shutdown.
///
/// ```swift
/// let supervisor = Supervisor(settings, jobs: jobs, launcher: launcher, context: context)
/// while !supervisor.isDone {
///     supervisor.pass()
///     Signals.wait(for: supervisor.descriptors, seconds: supervisor.pollSeconds)
/// }
/// ```
///
/// Each attempt has a process of its own, which is killed when it uses too much memory or time, sends no heartbeat, or
/// no longer holds its job. Used by one thread. Time comes from `ExecutionContext`.
///
/// Used by one thread, which calls `pass` again and again.
package final class Supervisor {
    /// Identity, limits and intervals of a supervisor.
    package struct Settings: Sendable {
        /// Name of the supervisor, unique in a project.
        package var owner: String
        /// Largest number of processes at the same time.
        package var slots: Int
        /// Seconds without a heartbeat after which a process or a supervisor counts as dead.
        package var lease: Double
        /// Seconds that running jobs get after a stop request.
        package var grace: Double
        /// Memory limit in bytes of a job without its own.
        package var memoryLimit: Int64?
        /// When the supervisor is done without a stop request: never, after one job, or when no job is left.
        package var mode: Mode
        /// Seconds between checks of the queue.
        package var interval: Double

        package init(
            owner: String, slots: Int = 1, lease: Double = 30, grace: Double = 30, memoryLimit: Int64? = nil,
            mode: Mode = .serve, interval: Double = 0.5
        ) {
            self.owner = owner
            self.slots = slots
            self.lease = lease
            self.grace = grace
            self.memoryLimit = memoryLimit
            self.mode = mode
            self.interval = interval
        }
    }

    /// When the supervisor is done.
    package enum Mode: Sendable, Equatable {
        /// Until it is told to stop.
        case serve
        /// One job, or none when none is waiting.
        case once
        /// Until no job is queued or running any more.
        case drain
    }

    let settings: Settings
    let jobs: JobStore
    let launcher: any JobLauncher
    let context: ExecutionContext
    /// Whether the supervisor of that name is known to be dead.
    let isDead: (String) -> Bool
    let report: (String) -> Void

    var running: [SupervisedProcess] = []
    private var nextPoll = -Double.infinity
    private var nextOwnerCheck = -Double.infinity
    private var stopBy: Double?
    private var taken = 0
    private var foundNothing = false
    private var lastError: String?

    package init(
        _ settings: Settings, jobs: JobStore, launcher: any JobLauncher, context: ExecutionContext,
        isDead: @escaping (String) -> Bool = { _ in false }, report: @escaping (String) -> Void = { _ in }
    ) {
        self.settings = settings
        self.jobs = jobs
        self.launcher = launcher
        self.context = context
        self.isDead = isDead
        self.report = report
    }

    /// Stops leasing jobs and gives running ones the grace period.
    ///
    /// When it ends, or on a second call, they are killed and queued again.
    package func stop() {
        let now = context.uptime()
        stopBy = stopBy == nil ? now + settings.grace : now
    }

    /// Whether a stop was requested.
    var isStopping: Bool { stopBy != nil }

    /// Whether the supervisor has nothing left to do.
    package var isDone: Bool {
        guard running.isEmpty else { return false }
        if isStopping { return true }
        switch settings.mode {
        case .serve: return false
        case .once: return taken > 0 || foundNothing
        case .drain: return foundNothing
        }
    }

    /// File descriptors to wait for between passes.
    package var descriptors: [Int32] { running.map(\.process.descriptor).filter { $0 >= 0 } }
    /// Most seconds to wait between passes.
    package var pollSeconds: Double { running.isEmpty ? settings.interval : min(0.1, settings.interval) }

    /// Performs all due work once: leases, heartbeats, limits and ended processes.
    ///
    /// Does not wait and does not throw: errors of the database are reported, and what could not be written is written
    /// by a later pass.
    package func pass() {
        let now = context.uptime()
        for job in running { watch(job, now) }
        if let stopBy, now >= stopBy {
            for job in running where job.verdict == nil {
                end(job, JobEnding(.released, reason: "its worker was stopped"))
            }
        }
        do {
            let ended = running.contains { $0.exit != nil }
            try settle()
            try renew(now)
            if now >= nextPoll || ended {
                nextPoll = now + settings.interval
                try poll(now)
            }
            lastError = nil
        } catch {
            // The same error is reported once.
            if lastError != "\(error)" { report("trouble: \(error)") }
            lastError = "\(error)"
        }
    }

    private func poll(_ now: Double) throws {
        for ticket in try jobs.stale(running.filter { $0.exit == nil }.map(\.ticket)) {
            for job in running where job.ticket == ticket && job.verdict == nil {
                end(job, JobEnding(.cancelled, reason: "it no longer holds the job"))
            }
        }
        guard !isStopping else { return }
        if now >= nextOwnerCheck {
            nextOwnerCheck = now + 2
            for owner in try jobs.owners() where owner != settings.owner && isDead(owner) {
                report("supervisor \(owner) is gone; its jobs are taken over")
                try jobs.disown(owner)
            }
        }
        while running.count < settings.slots, settings.mode != .once || taken == 0 {
            let (job, lost) = try jobs.lease(to: settings.owner, seconds: settings.lease)
            for job in lost { log(job, "was lost, is \(job.state.rawValue)") }
            guard let job else { break }
            taken += 1
            try begin(job)
        }
        foundNothing = try running.isEmpty && (settings.mode != .drain || jobs.openCount() == 0)
    }

    private func begin(_ job: JobRecord) throws {
        let ticket = JobTicket(job: job.id, token: job.token)
        do {
            let process = try launcher.launch(job)
            running.append(
                SupervisedProcess(
                    job: job, process: process, now: context.uptime(),
                    memoryLimit: job.memoryLimit ?? settings.memoryLimit))
            log(job, "attempt \(job.attempts) of \(job.maxAttempts) in process \(process.id)")
            try jobs.note(ticket, process: Int(process.id))
        } catch let error as MartletError where running.last?.ticket != ticket {
            let ending = JobEnding(
                .crashed, reason: "could not be started: \(error.message)", errorCode: "job.start", mayRetry: true)
            log(try jobs.conclude(ticket, ending), "could not be started")
        }
    }

    func log(_ job: JobRecord, _ what: String) {
        var line = "job \(job.id.prefix(12)) \(job.kind): \(what)"
        if job.state != .running, let reason = job.reason { line += ": \(reason)" }
        report(line)
    }
}
