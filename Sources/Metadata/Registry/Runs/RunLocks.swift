internal import Core
internal import Storage

/// Detects which runs are in progress, by a lock file that each run's process holds.
///
/// ```swift
/// let registry = ModelRegistry(database, project: name, context: context).detectingRuns(by: RunLocks(folder: home.running))
/// ```
///
/// The system releases the lock when the process ends, in whatever way, so that a running run can be told from a killed
/// one.
package struct RunLocks: Sendable {
    private let folder: String

    /// Uses a folder for the lock files, created when the first run begins.
    package init(folder: String) { self.folder = folder }

    func hold(_ run: String) throws -> RunLock? {
        let path = path(run)
        return try FileLock(path).map { RunLock(lock: $0, path: path) }
    }

    func isHeld(_ run: String) -> Bool { FileLock.isHeld(path(run)) }

    /// Removes what killed processes left behind; for a caller that knows that no run is at work.
    func clear() throws { for name in try Disk.list(folder) { Disk.remove("\(folder)/\(name)") } }

    private func path(_ run: String) -> String { "\(folder)/\(run)" }
}

/// The lock that marks a run as in progress until it is released or the process ends.
package final class RunLock {
    private let lock: FileLock
    private let path: String

    init(lock: FileLock, path: String) {
        self.lock = lock
        self.path = path
    }

    deinit { Disk.remove(path) }
}
