internal import Core
internal import Storage

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Lets one thread wait for a time or for another thread, whichever comes first, without looking at a clock.
final class Alarm: Sendable {
    private let reading: Int32
    private let writing: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Disk.failure("open", "a pipe") }
        reading = ends[0]
        writing = ends[1]
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    /// Waits at most so many seconds; `nil` waits for ``ring()``.
    func wait(seconds: Double?) {
        var entry = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
        let milliseconds = seconds.map { Int32(min(3_600_000, max(0, ($0 * 1000).rounded(.up)))) } ?? -1
        guard poll(&entry, 1, milliseconds) > 0 else { return }
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(reading, &bytes, bytes.count) > 0 {}
    }

    func ring() {
        var byte: UInt8 = 1
        // A full pipe has rung already.
        _ = write(writing, &byte, 1)
    }

    deinit {
        close(reading)
        close(writing)
    }
}
