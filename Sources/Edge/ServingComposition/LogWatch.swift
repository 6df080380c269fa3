internal import Composition
package import Core
internal import Foundation
package import Logging
internal import PredictionLog
internal import Projects
internal import Registry
internal import Storage
internal import Synchronization
internal import Workflow

/// Reports the state of the prediction logs in the server's log, and submits jobs that compact closed segments.
///
/// On a thread of its own.
package final class LogWatch: Sendable {
    private let projects: [ServedProject]
    private let options: LogOptions
    /// Whether there are workers that would do a job.
    private let hasWorkers: Bool
    /// Bytes of memory that this process has; `nil` where the system does not tell.
    private let memory: @Sendable () -> Int?
    private let context: ExecutionContext
    private let logger: Logger
    private let isOver = Atomic<Bool>(false)
    private let states: Mutex<[State]>

    /// Closed segments of so many bytes are moved earlier than asked for, but not more often than once a minute.
    static let soonBytes: Int64 = 256 << 20
    private static let largeBytes = 128 << 20

    /// - Parameter memory: bytes that this process has; `nil`: as the system counts them.
    package init(
        _ projects: [ServedProject], options: LogOptions, hasWorkers: Bool,
        memory: (@Sendable () -> Int?)? = nil, context: ExecutionContext, logger: Logger
    ) {
        self.memory = memory ?? { OwnProcess.memory()?.resident }
        self.projects = projects.filter { $0.log != nil }
        states = Mutex([State](repeating: State(), count: self.projects.count))
        self.options = options
        self.hasWorkers = hasWorkers
        self.context = context
        self.logger = logger
    }

    /// Starts the thread, which looks twice a second; no effect where no project has a prediction log.
    package func start() {
        guard !projects.isEmpty else { return }
        Thread.detachNewThread { self.run() }
    }

    /// Asks the thread to stop after one last look; does not wait for it.
    package func end() { isOver.store(true, ordering: .relaxed) }

    private struct State {
        var counters = PredictionLogCounters()
        /// Uptime before which no compaction is asked for.
        var next = 0.0
        var trouble: String?
    }

    private func run() {
        var looks = 0
        while !isOver.load(ordering: .relaxed) {
            // Twelve times a minute is enough for what takes minutes.
            look(compacting: looks % 10 == 0)
            looks += 1
            context.clock.block(seconds: 0.5)
        }
        look(compacting: false)
    }

    /// Looks once at every log; blocks on the disk.
    /// - Parameter compacting: whether segments that are due are to be moved.
    package func look(compacting: Bool) {
        states.withLock { states in
            for index in projects.indices {
                tell(projects[index], &states[index])
                if compacting { compact(projects[index], &states[index]) }
            }
        }
    }

    private func tell(_ project: ServedProject, _ state: inout State) {
        guard let log = project.log else { return }
        let (old, new) = (state.counters, log.counters)
        state.counters = new
        func say(_ level: Logger.Level, _ message: Logger.Message, _ more: Logger.Metadata = [:]) {
            logger.log(
                level: level, message, metadata: ["project": "\(project.project.name)"].merging(more) { $1 })
        }
        if new.expired > old.expired {
            say(
                .warning, "retention removed segments of the prediction log",
                [
                    "segments": "\(new.expired - old.expired)", "bytes": "\(new.expiredBytes - old.expiredBytes)",
                    "not_in_the_lakehouse": "\(new.expiredUncompacted - old.expiredUncompacted)",
                ])
        }
        if new.isFull != old.isFull {
            say(
                new.isFull ? .error : .notice,
                "prediction log: \(new.isFull ? "the disk is full" : "there is room again")")
        }
        if new.hasFailed, !old.hasFailed {
            say(
                .critical, "prediction log has stopped; start the server anew",
                ["reason": "\(new.failure ?? "unknown")"])
        }
        if new.tornFiles > old.tornFiles {
            say(
                .error, "damaged pieces of the prediction log stand aside",
                [
                    "files": "\(new.tornFiles)", "bytes": "\(new.tornFileBytes)",
                    "at_this_start": "\(new.recovery.tornFiles.joined(separator: ", "))",
                    "folder": "\(log.folder.path)",
                ])
        }
        if let reason = new.retentionTrouble, reason != old.retentionTrouble {
            say(.error, "retention cannot look at the prediction log", ["reason": "\(reason)"])
        }
    }

    private func compact(_ project: ServedProject, _ state: inout State) {
        guard hasWorkers, let seconds = options.compactSeconds, let log = project.log else { return }
        let now = context.uptime()
        do {
            guard now >= state.next, try isDue(log, after: seconds) else { return }
            let jobs = try project.registries.open().registry.jobs
            let open = try jobs.list(state: .queued) + jobs.list(state: .running)
            if !open.contains(where: { $0.kind == CompactPredictionsJob.kind }) {
                _ = try jobs.submit(JobOrder(options.compaction.job, priority: -1))
            }
            state.next = now + min(60, seconds)
            state.trouble = nil
        } catch {
            let reason = (error as? MartletError)?.message ?? "\(error)"
            if reason != state.trouble {
                logger.error(
                    "prediction log is not compacted",
                    metadata: ["project": "\(project.project.name)", "reason": "\(reason)"])
            }
            state.trouble = reason
            state.next = now + min(60, seconds)
        }
    }

    /// Whether closed segments have waited long enough, or are many.
    private func isDue(_ log: PredictionLog, after seconds: Double) throws -> Bool {
        let closed = try log.folder.closed()
        guard !closed.isEmpty else { return false }
        let ends = try log.folder.ends(of: log.folder.entries(), lasting: log.policy.segmentSeconds)
        guard let oldest = closed.compactMap({ ends[$0.path] }).min() else { return false }
        let age = context.now().seconds(since: oldest)
        let bytes = closed.reduce(0) { $0 + (Disk.stamp($1.path)?.size ?? 0) }
        // While the server itself needs much memory the job, which needs some too, waits for a while.
        let isLarge = (memory() ?? 0) > Self.largeBytes
        let isUrgent = bytes >= 4 * Self.soonBytes || age >= 2 * seconds
        return (age >= seconds || bytes >= Self.soonBytes) && (!isLarge || isUrgent)
    }
}
