internal import Core
internal import Storage

/// Which runs are at work: the process of each holds a lock on a file of its own, which the system gives back when that
/// process ends, in whatever way. So anybody on the machine can tell a run that is under way from one that was killed.
package struct RunHolds: Sendable {
    private let folder: String

    /// - Parameter folder: made when the first run begins.
    package init(folder: String) { self.folder = folder }

    func hold(_ run: String) throws -> RunHold? {
        let path = path(run)
        return try FileLock(path).map { RunHold(lock: $0, path: path) }
    }

    func isHeld(_ run: String) -> Bool { FileLock.isHeld(path(run)) }

    /// Removes what killed processes left behind; for a caller that knows that no run is at work.
    func clear() throws { for name in try Disk.list(folder) { Disk.remove("\(folder)/\(name)") } }

    private func path(_ run: String) -> String { "\(folder)/\(run)" }
}

/// Shows that a run is at work, until it goes away or the process ends.
package final class RunHold {
    private let lock: FileLock
    private let path: String

    init(lock: FileLock, path: String) {
        self.lock = lock
        self.path = path
    }

    deinit { Disk.remove(path) }
}
