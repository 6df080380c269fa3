internal import CLibrary
package import Core
package import Dispatch

/// The `ExecutionClock` on the operating system's clocks: the only place that reads them or sleeps.
///
/// ```swift
/// let database = try Database(pause: SystemClock().block)
/// ```
package struct SystemClock: ExecutionClock {
    package init() {}

    package func now() -> Timestamp { Timestamp(microseconds: Self.microseconds(CLOCK_REALTIME)) }

    package func uptime() -> Double { Double(Self.microseconds(CLOCK_MONOTONIC)) / 1e6 }

    package func sleep(seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }

    @available(*, noasync, message: "It holds the thread: use `sleep(seconds:)`.")
    package func block(seconds: Double) {
        let whole = max(0, seconds).rounded(.down)
        var time = timespec(tv_sec: Int(whole), tv_nsec: Int((max(0, seconds) - whole) * 1e9))
        nanosleep(&time, nil)
    }

    @available(*, noasync, message: "It holds the thread: await, or use a thread that may wait.")
    package func wait(for semaphore: DispatchSemaphore, seconds: Double) -> Bool {
        semaphore.wait(timeout: .now() + max(0, seconds)) == .success
    }

    @available(*, noasync, message: "It holds the thread: use an event loop.")
    package func wait(for descriptor: Int32, toWrite: Bool, seconds: Double) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(toWrite ? POLLOUT : POLLIN), revents: 0)
        let milliseconds = (max(0, seconds) * 1000).rounded(.up)
        let ready = poll(&entry, 1, Int32(min(milliseconds, 3_600_000)))
        return ready > 0 || (ready < 0 && errno == EINTR)
    }

    /// What one of the system's clocks shows, in microseconds.
    static func microseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
