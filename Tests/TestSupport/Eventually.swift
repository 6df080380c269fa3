internal import Foundation

/// Waits for what other threads and processes do: looks again and again, for a minute and 50 times at least: beside many
/// other tests a look may come only every few seconds.
/// - Parameters:
///   - clock: goes on between two looks.
///   - seconds: how far.
/// - Returns: whether it came to that.
package func eventually(
    moving clock: VirtualClock? = nil, by seconds: Double = 0.05, _ condition: () throws -> Bool
) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    var looks = 0
    while try !condition() {
        looks += 1
        if looks > 50, ContinuousClock.now > end { return false }
        clock?.advance(seconds: seconds)
        try await Task.sleep(for: .milliseconds(2))
    }
    return true
}

/// The same on this thread: for journeys, and where a lock is held and nothing may be awaited.
@available(*, noasync)
package func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    while try !condition() {
        if ContinuousClock.now > end { return false }
        pause(0.01)
    }
    return true
}

/// Holds the thread by the system's clock: for engines that wait for threads of their own.
@Sendable package func pause(_ seconds: Double) { Thread.sleep(forTimeInterval: seconds) }
