package import Dispatch

/// Time, and every way to wait for it: code that takes its time from here runs on a virtual clock in tests and
/// simulations. `Composition` makes the real one; named so that it is not taken for the standard library's `Clock`.
///
/// ```swift
/// let due = clock.uptime() + 30
/// while clock.uptime() < due, !isReady() { try await clock.sleep(seconds: 0.05) }
/// ```
///
/// Methods that hold their thread cannot be called from asynchronous code: they would keep one of the few threads that
/// its tasks share, or an event loop.
package protocol ExecutionClock: Sendable {
    /// Wall-clock time: for what is recorded, and for ages of what was recorded. It may be set back.
    func now() -> Timestamp

    /// Seconds that only go forward, for durations and deadlines within the process.
    func uptime() -> Double

    /// Suspends the task; no time at all for 0 or less.
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    func sleep(seconds: Double) async throws

    /// Holds the thread.
    @available(*, noasync, message: "It holds the thread: use `sleep(seconds:)`.")
    func block(seconds: Double)

    /// Holds the thread until the semaphore is signalled.
    /// - Returns: `false` when it was not within so many seconds; 0 only looks.
    @available(*, noasync, message: "It holds the thread: await, or use a thread that may wait.")
    func wait(for semaphore: DispatchSemaphore, seconds: Double) -> Bool

    /// Holds the thread until the file can be read from (or written to) without waiting, its other end is closed, or a
    /// signal comes.
    /// - Returns: `false` when none of that was within so many seconds; 0 only looks.
    @available(*, noasync, message: "It holds the thread: use an event loop.")
    func wait(for descriptor: Int32, toWrite: Bool, seconds: Double) -> Bool
}
