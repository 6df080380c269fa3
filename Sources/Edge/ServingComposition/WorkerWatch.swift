internal import Composition
package import Core
internal import Foundation
package import Logging
internal import Projects
internal import Storage
internal import Synchronization
internal import Workers

/// Runs a worker process for each project and restarts it when it ends, after 1, 2, 4 … 30 seconds.
///
/// The worker does queued jobs in children of its own: whatever training or SQL does to its process, predictions go on.
/// A worker ends with the server: it stops when the pipe it reads is closed, however that came.
package final class WorkerWatch: Sendable {
    private let projects: [ServedProject]
    private let program: String
    private let slots: Int
    /// Seconds that running jobs get when the server ends; then they go back into the queue.
    private let grace: Double
    private let clock: any ExecutionClock
    private let isEnding: @Sendable () -> Bool
    private let logger: Logger
    private let living = Atomic<Bool>(false)

    /// - Parameter program: what the workers run; `nil`: the command line's program, beside this one.
    package init(
        _ projects: [ServedProject], program: String? = nil, slots: Int, grace: Double, clock: any ExecutionClock,
        isEnding: @escaping @Sendable () -> Bool, logger: Logger
    ) {
        self.projects = projects
        self.program = program ?? Disk.parent(of: SystemPlatform.executable) + "/martlet"
        self.slots = slots
        self.grace = grace
        self.clock = clock
        self.isEnding = isEnding
        self.logger = logger
    }

    /// Whether there are workers, or were and have not ended yet.
    package var isLiving: Bool { living.load(ordering: .acquiring) }

    /// Looks after the workers, on a thread of its own, until the server ends.
    package func start() {
        living.store(true, ordering: .releasing)
        Thread.detachNewThread { self.run() }
    }

    private func run() {
        var children = projects.map { Child(project: $0) }
        while !isEnding() {
            for index in children.indices { look(&children[index]) }
            clock.block(seconds: 0.2)
        }
        for child in children { child.process?.release() }
        let end = clock.uptime() + grace + 5
        while clock.uptime() < end, children.contains(where: { $0.process?.isAlive ?? false }) {
            clock.block(seconds: 0.05)
        }
        for child in children { child.process?.kill() }
        living.store(false, ordering: .releasing)
    }

    private struct Child {
        let project: ServedProject
        var process: MessageProcess?
        var began = 0.0
        var pause = 1.0
        var next = 0.0
    }

    private func look(_ child: inout Child) {
        if let process = child.process {
            _ = process.receive(within: 0)
            guard !process.isAlive else { return }
            child.process = nil
            if clock.uptime() - child.began > 60 { child.pause = 1 }
            again(&child, "worker ended")
        } else if clock.uptime() >= child.next {
            start(&child)
        }
    }

    private func start(_ child: inout Child) {
        let (folder, home) = (child.project.project.folder, child.project.home)
        do {
            child.process = try MessageProcess(
                program,
                [
                    "worker", "--attached", "--slots", "\(slots)", "--grace", "\(grace)", "--project", folder,
                    "--home", home.folder,
                ],
                environment: SystemPlatform.environmentOfChild(),
                errors: home.workerLog, clock: clock)
            child.began = clock.uptime()
        } catch {
            again(&child, (error as? MartletError)?.message ?? "\(error)")
        }
    }

    private func again(_ child: inout Child, _ what: String) {
        logger.error(
            "no worker",
            metadata: [
                "project": "\(child.project.project.name)", "reason": "\(what)", "again_after": "\(child.pause) s",
                "log": "\(child.project.home.workerLog)",
            ])
        child.next = clock.uptime() + child.pause
        child.pause = min(30, child.pause * 2)
    }
}
