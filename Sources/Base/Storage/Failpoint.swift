internal import CLibrary
package import Core
internal import Synchronization

/// Named points on write paths at which a test can kill, stop, delay or fail the program.
///
/// ```swift
/// try Failpoint.reach("delta.commit.before")
/// ```
///
/// Nothing happens, at the cost of one comparison, unless `install` was told otherwise at the root of the program, which
/// hands on what the environment says:
///
/// - `MARTLET_FAILPOINT=name[:action][@n]`, several parted by commas. The action is taken when the point is reached for
///   the n-th time in this process (default 1); the name `*` counts all points together. Actions: `kill` (SIGKILL to
///   this process, the default), `stop` (SIGSTOP), `error` (throws `failpoint.error`), `delay=N` (sleeps N
///   milliseconds).
/// - `MARTLET_FAILPOINT_LOG=path`: the name of each point that is reached is appended to this file.
///
/// `scripts/torture` takes the names from the sources, so a new point is tried from its first day.
package enum Failpoint {
    /// Marks a point as reached, and performs the action that was installed for it.
    /// - Throws: `failpoint.error` when told to, `failpoint.spelling` when the settings cannot be parsed.
    @inline(__always)
    package static func reach(_ name: StaticString) throws {
        guard let plan = installed.load() else { return }
        try plan.reach(name.description)
    }

    private static let installed = AtomicLazyReference<Plan>()

    /// Configures the points at which the process stops; called once, before anything is written.
    /// - Parameters:
    ///   - settings: as in `MARTLET_FAILPOINT`.
    ///   - log: as in `MARTLET_FAILPOINT_LOG`.
    ///   - clock: by which `delay` waits.
    package static func install(settings: String?, log: String?, clock: any ExecutionClock) {
        guard let plan = Plan(settings: settings, log: log, clock: clock) else { return }
        _ = installed.storeIfNil(plan)
    }

    fileprivate enum Action {
        case die, stop, error
        case delay(UInt32)
    }

    private struct Trigger {
        var name: String
        var action: Action
        var count: Int
    }

    private final class Plan: Sendable {
        private let triggers: [Trigger]
        private let misspelt: String?
        private let log: String?
        private let clock: any ExecutionClock
        private let reached = Mutex<[String: Int]>([:])

        init?(settings: String?, log: String?, clock: any ExecutionClock) {
            let parts = (settings ?? "").split(separator: ",").map(String.init)
            if parts.isEmpty, log == nil { return nil }
            triggers = parts.compactMap(Failpoint.trigger)
            misspelt = parts.first { Failpoint.trigger($0) == nil }
            self.log = log
            self.clock = clock
        }

        func reach(_ name: String) throws {
            if let misspelt {
                throw MartletError(
                    .usage, "failpoint.spelling", "MARTLET_FAILPOINT has \(misspelt), which is not name:action@n.",
                    remedy: "Actions are kill, stop, error and delay=MILLISECONDS.")
            }
            if let log { try Disk.append(log, Array("\(name)\n".utf8)) }
            let counts = reached.withLock { reached in
                reached[name, default: 0] += 1
                reached["*", default: 0] += 1
                return [name: reached[name], "*": reached["*"]]
            }
            for trigger in triggers where counts[trigger.name] == trigger.count {
                try trigger.action.take(at: name, clock)
            }
        }
    }

    private static func trigger(_ text: String) -> Trigger? {
        let halves = text.split(separator: "@", maxSplits: 1).map(String.init)
        guard let what = halves.first, let count = halves.count == 2 ? Int(halves[1]) : 1, count > 0 else { return nil }
        let parts = what.split(separator: ":", maxSplits: 1).map(String.init)
        guard let name = parts.first, let action = Action(parts.count == 2 ? parts[1] : "kill") else { return nil }
        return Trigger(name: name, action: action, count: count)
    }
}

extension Failpoint.Action {
    fileprivate init?(_ text: String) {
        switch text {
        case "kill": self = .die
        case "stop": self = .stop
        case "error": self = .error
        default:
            guard text.hasPrefix("delay="), let milliseconds = UInt32(text.dropFirst(6)) else { return nil }
            self = .delay(milliseconds)
        }
    }

    fileprivate func take(at name: String, _ clock: any ExecutionClock) throws {
        switch self {
        case .die: _ = kill(getpid(), SIGKILL)
        case .stop: _ = kill(getpid(), SIGSTOP)
        case .delay(let milliseconds): clock.block(seconds: Double(milliseconds) / 1000)
        case .error:
            throw MartletError(.machine, "failpoint.error", "The failpoint \(name) was told to fail.")
        }
    }
}
