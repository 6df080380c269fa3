internal import CLibrary
internal import Core
internal import Foundation
package import Registry
internal import Synchronization

/// The child's side of job supervision: sends heartbeats and progress, and exits when the supervisor dies.
///
/// ```swift
/// ParentWatchdog.begin(supervisor: supervisor, every: 5, onlyWhenIdle: false)
/// ParentWatchdog.current?.report(JobProgress(step: "train:readmission"))
/// ```
package final class ParentWatchdog: Sendable {
    /// The watchdog of this process, if it is an attempt at a job.
    package static var current: ParentWatchdog? { held.withLock { $0 } }
    private static let held = Mutex<ParentWatchdog?>(nil)

    private let descriptor: Int32
    private let writing = Mutex(())

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Turns this process into an attempt: lower priority, a heartbeat every `seconds`, and exit with the supervisor.
    /// - Parameter onlyWhenIdle: whether it works only when nothing else wants the processor, as beside a server (Linux).
    package static func begin(supervisor: Int32, every seconds: Double, onlyWhenIdle: Bool) {
        signal(SIGPIPE, SIG_IGN)
        Platform.dieWithParent()
        // The supervisor may have gone before that was set.
        guard getppid() == supervisor else { _exit(70) }
        let line = ParentWatchdog(SpawnedProcess.watchdog)
        held.withLock { $0 = line }
        line.write([10])
        let thread = Thread {
            while true {
                var entry = pollfd(fd: line.descriptor, events: 0, revents: 0)
                let changed = poll(&entry, 1, Int32(seconds * 1000))
                // Nobody listens any more.
                if changed > 0 { killpg(getpgrp(), SIGKILL) }
                line.write([10])
            }
        }
        thread.name = "life line"
        thread.start()
        // After that: this thread and those that it starts give way, the life line does not. Otherwise a busy machine
        // could keep a process silent that is well.
        Platform.yieldToOthers()
        if onlyWhenIdle { Platform.workWhenIdle() }
    }

    /// Sends progress at once, which also counts as a heartbeat; it is dropped when the pipe is full.
    package func report(_ progress: JobProgress) {
        guard let bytes = try? JSON.encode(progress) else { return }
        write(bytes + [10])
    }

    /// Lines shorter than a pipe's atomic write; one that finds the pipe full is dropped.
    private func write(_ bytes: [UInt8]) {
        writing.withLock { _ in
            _ = CLibrary.write(descriptor, bytes, bytes.count)
        }
    }
}

private enum Platform {
    #if os(Linux)
        private typealias Prctl = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        private typealias Syscall = @convention(c) (Int, Int, Int, Int) -> Int

        private typealias SetScheduler = @convention(c) (Int32, Int32, UnsafeRawPointer) -> Int32

        /// This thread, and those that it starts, in the scheduler's class SCHED_IDLE. However low its nice value, a
        /// thread of the usual class would get slices of some milliseconds in which a prediction waits.
        static func workWhenIdle() {
            guard let symbol = dlsym(nil, "sched_setscheduler") else { return }
            let idle: Int32 = 5
            withUnsafeBytes(of: Int32(0)) { priority in
                guard let start = priority.baseAddress else { return }
                _ = unsafeBitCast(symbol, to: SetScheduler.self)(0, idle, start)
            }
        }

        /// The kernel kills this process when the thread that started it ends, also if it is stopped. Swift does not
        /// import C functions of a variable number of arguments, so they are looked up.
        static func dieWithParent() {
            guard let symbol = dlsym(nil, "prctl") else { return }
            let setParentDeathSignal: Int32 = 1
            _ = unsafeBitCast(symbol, to: Prctl.self)(setParentDeathSignal, UInt(SIGKILL), 0, 0, 0)
        }
    #else
        static func dieWithParent() {}
        static func workWhenIdle() {}
    #endif

    /// Processor and disk go to others first, and when the machine runs out of memory this process goes first.
    static func yieldToOthers() {
        _ = nice(10)
        #if os(Linux)
            #if arch(x86_64)
                let setInputOutputPriority = 251
            #else
                let setInputOutputPriority = 30
            #endif
            // Best effort, the last of its eight levels.
            if let symbol = dlsym(nil, "syscall") {
                _ = unsafeBitCast(symbol, to: Syscall.self)(setInputOutputPriority, 1, 0, 2 << 13 | 7)
            }
            let file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
            if file >= 0 {
                _ = CLibrary.write(file, "500", 3)
                close(file)
            }
        #endif
    }
}
