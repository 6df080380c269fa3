internal import CLibrary
internal import Core

/// An exclusive lock between processes on a file, held until the value is released or the process ends.
///
/// ```swift
/// guard let lock = try FileLock("\(folder)/lock") else { throw busy }
/// defer { withExtendedLifetime(lock) {} }
/// ```
package final class FileLock {
    private let file: Int32
    private let path: String

    /// Takes the lock without waiting; `nil` when another process holds it.
    package init?(_ path: String) throws {
        let file = try Self.opened(path)
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            let isHeld = errno == EWOULDBLOCK
            let error = Disk.failure("lock", path)
            // Before `self` is whole: `deinit` does not run, and the descriptor is closed once.
            close(file)
            if isHeld { return nil }
            throw error
        }
        self.file = file
        self.path = path
    }

    private static func opened(_ path: String) throws -> Int32 {
        try Disk.makeDirectory(Disk.parent(of: path))
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Disk.failure("lock", path) }
        return file
    }

    /// Whether a running process holds the lock on a file, without taking it.
    ///
    /// `false` when there is no such file, `true` where it cannot be determined.
    package static func isHeld(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return errno != ENOENT && errno != ENOTDIR }
        defer { close(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0
    }

    /// Records in the file that work has begun.
    /// - Returns: whether the previous work also recorded its end. `false` for a new file.
    ///
    /// The record is not made durable: after a power cut only what reached the disk matters.
    package func begin() throws -> Bool {
        var last: UInt8 = 0
        guard pread(file, &last, 1, 0) >= 0 else { throw Disk.failure("read", path) }
        guard pwrite(file, "1", 1, 0) == 1 else { throw Disk.failure("write", path) }
        return last == UInt8(ascii: "0")
    }

    /// Records in the file that work has ended.
    package func end() throws {
        guard pwrite(file, "0", 1, 0) == 1 else { throw Disk.failure("write", path) }
    }

    /// Takes the lock, waiting as long as another process holds it.
    @available(*, noasync, message: "It holds the thread: use one that may wait.")
    package init(waitingFor path: String) throws {
        let file = try Self.opened(path)
        while flock(file, LOCK_EX) != 0 {
            if errno == EINTR { continue }
            let error = Disk.failure("lock", path)
            close(file)
            throw error
        }
        self.file = file
        self.path = path
    }

    deinit {
        // A child that another thread has just forked has the descriptor too, until it executes its program: closing would
        // leave the lock with it.
        flock(file, LOCK_UN)
        close(file)
    }
}
