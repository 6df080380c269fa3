internal import Composition
internal import Core
internal import Projects
package import Registry
internal import Storage
package import Workers
package import Workflow

extension Composition: JobEnvironment {
    package func configured(splitSeed: Int?, threads: JobThreads) -> Composition {
        var settings = settings
        settings.splitSeed = splitSeed ?? settings.splitSeed
        settings.engineThreads = threads.engine ?? settings.engineThreads
        settings.trainingThreads = threads.training ?? settings.trainingThreads
        return Composition(settings, actor: actor, request: request, context: context, environment: environment)
    }

    /// Returns a composition of the same project whose changes are made by another actor.
    /// - Parameter request: the request or job in which they do it, for the audit.
    package func acting(as actor: String, in request: String) -> Composition {
        Composition(settings, actor: actor, request: request, context: context, environment: environment)
    }
}

extension Composition {
    /// Opens the job queue for a command that changes it. Takes no lock: the database serialises writers.
    /// - Parameter isNew: whether a project that has not run yet gets a registry.
    package func withJobs<T>(isNew: Bool = true, _ body: (JobStore) throws -> T) throws -> T {
        let project = try project()
        try makeHome()
        try refuseLoss(of: try metadata(of: project), isNew: isNew)
        return try body(try registry(project, writing: true).jobs)
    }

    /// Folder of the log files of attempts at jobs.
    package var jobLogs: String { home.jobLogs }

    /// Settings of `martlet worker` as the person gave them.
    package struct WorkerSettings: Sendable {
        /// Largest number of jobs at the same time, from 1.
        package var slots: Int
        /// Memory limit of a job in bytes (default: four fifths of the machine's memory, shared by the slots).
        package var memoryLimit: Int64?
        /// Seconds without a heartbeat after which a job's process counts as dead, and without renewal its worker.
        package var lease: Double
        /// Seconds that running jobs get to end after a stop request; then they are killed and queued again.
        package var grace: Double
        /// When the worker ends by itself: never, after one job, or when no job is queued or running.
        package var mode: Supervisor.Mode
        /// Whether jobs run at idle priority.
        package var jobsOnlyWhenIdle: Bool

        package init(
            slots: Int, memoryLimit: Int64?, lease: Double, grace: Double, mode: Supervisor.Mode,
            jobsOnlyWhenIdle: Bool
        ) {
            self.jobsOnlyWhenIdle = jobsOnlyWhenIdle
            self.slots = slots
            self.memoryLimit = memoryLimit
            self.lease = lease
            self.grace = grace
            self.mode = mode
        }
    }

    /// Runs queued jobs in child processes until nothing is left to do or a signal asks to stop.
    package func supervise(_ settings: WorkerSettings, report: @escaping (String) -> Void) throws {
        let owner = "\(SystemPlatform.host)-\(Disk.processID)-\(context.newID().suffix(6))"
        let lockFolder = home.workers
        let lockPath = "\(lockFolder)/\(owner)"
        // Held while this process lives: what tells another supervisor that it is gone.
        guard let lock = try FileLock(lockPath) else {
            throw MartletError(.conflict, "project.busy", "Another worker has the name \(owner).")
        }
        defer { Disk.removeTree(lockPath) }
        let limit = settings.memoryLimit ?? SystemPlatform.memory.map { $0 / 5 * 4 / Int64(settings.slots) }
        let folder = try project().folder
        let launcher = AttemptLauncher(
            program: SystemPlatform.executable, logs: jobLogs,
            environment: { Self.environment(of: $0, limit: $0.memoryLimit ?? limit, slots: settings.slots) },
            arguments: { [home] job in
                [
                    "worker", "--attempt", job.id, "--token", "\(job.token)", "--supervisor", "\(Disk.processID)",
                    "--lease", "\(settings.lease)", "--project", folder, "--home", home.folder,
                ] + (settings.jobsOnlyWhenIdle ? ["--only-when-idle"] : [])
            })
        Signals.catchStop()
        try withJobs { jobs in
            let supervisor = Supervisor(
                Supervisor.Settings(
                    owner: owner, slots: settings.slots, lease: settings.lease, grace: settings.grace,
                    memoryLimit: limit,
                    mode: settings.mode),
                jobs: jobs, launcher: launcher, context: context,
                isDead: { other in
                    // A supervisor of this machine keeps its lock as long as it lives; of others nothing is known.
                    let path = "\(lockFolder)/\(other)"
                    guard Disk.exists(path), (try? FileLock(path)) ?? nil != nil else { return false }
                    Disk.removeTree(path)
                    return true
                }, report: report)
            report("worker \(owner) begins: \(settings.slots) \(settings.slots == 1 ? "slot" : "slots")")
            var handledRequests = 0
            while true {
                supervisor.pass()
                while handledRequests < Signals.stopRequests {
                    handledRequests += 1
                    supervisor.stop()
                    report(handledRequests == 1 ? "stopping when the running jobs have ended" : "stopping now")
                }
                if supervisor.isDone { break }
                Signals.wait(for: supervisor.descriptors, seconds: supervisor.pollSeconds)
            }
            report("worker \(owner) ends")
        }
        withExtendedLifetime(lock) {}
    }

    /// What an attempt finds in its environment: threads shared by the slots, OpenMP threads that sleep while they
    /// wait, and an SQL engine that spills to disk long before the attempt's limit.
    private static func environment(of job: JobRecord, limit memoryLimit: Int64?, slots: Int) -> [(String, String)] {
        let threads = "\(max(1, SystemPlatform.processors / slots))"
        func given(_ name: String) -> String? { SystemPlatform.environment(name) }
        var variables = [
            "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0",
            "OMP_NUM_THREADS": given("MARTLET_TRAINING_THREADS") ?? threads,
        ]
        for name in ["MARTLET_THREADS", "MARTLET_TRAINING_THREADS"] where given(name) == nil {
            variables[name] = threads
        }
        if given("MARTLET_MEMORY") == nil, let memoryLimit {
            variables["MARTLET_MEMORY"] = "\(max(64, min(2048, memoryLimit >> 21)))MiB"
        }
        // A server asks for this one while it answers.
        if job.kind == CompactPredictionsJob.kind { variables.merge(SystemPlatform.promptReturn) { own, _ in own } }
        return SystemPlatform.environmentOfChild(variables)
    }
}
