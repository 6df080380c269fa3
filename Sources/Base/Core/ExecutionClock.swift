package import Dispatch

/// Clock that reports time and performs every wait, so that code can run on a virtual clock in tests and simulations.
///
/// `Composition` makes the real one. Not named `Clock`, to differ from the standard library's protocol.
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

    /// Suspends the task; returns at once for 0 or less.
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    func sleep(seconds: Double) async throws

    /// Blocks the thread.
    @available(*, noasync, message: "It holds the thread: use `sleep(seconds:)`.")
    func block(seconds: Double)

    /// Blocks the thread until the semaphore is signalled or the time is over.
    /// - Returns: `false` when it was not within so many seconds; 0 only looks.
    @available(*, noasync, message: "It holds the thread: await, or use a thread that may wait.")
    func wait(for semaphore: DispatchSemaphore, seconds: Double) -> Bool

    /// Blocks the thread until the file is readable (or writable), its other end is closed, or a signal arrives.
    /// - Returns: `false` when none of that was within so many seconds; 0 only looks.
    @available(*, noasync, message: "It holds the thread: use an event loop.")
    func wait(for descriptor: Int32, toWrite: Bool, seconds: Double) -> Bool
}
