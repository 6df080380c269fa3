internal import Synchronization

/// Tracks how long ago something was last confirmed, and whether that is longer than a limit.
///
/// ```swift
/// let freshness = Freshness(limit: 900, clock: context.clock)
/// freshness.confirm()
/// freshness.isStale  // false for the next 15 minutes
/// ```
package final class Freshness: Sendable {
    /// Longest age in seconds that still counts as fresh.
    package let limit: Double
    private let clock: any ExecutionClock
    /// The uptime of the last confirmation, in seconds, as bits.
    private let confirmed: Atomic<UInt64>

    /// Starts as just confirmed.
    package init(limit: Double, clock: any ExecutionClock) {
        self.limit = limit
        self.clock = clock
        confirmed = Atomic(clock.uptime().bitPattern)
    }

    /// Records that it was confirmed now.
    package func confirm() { confirmed.store(clock.uptime().bitPattern, ordering: .relaxed) }

    /// Seconds since the last confirmation.
    package var age: Double { clock.uptime() - Double(bitPattern: confirmed.load(ordering: .relaxed)) }

    /// Whether the last confirmation is older than `limit`.
    package var isStale: Bool { age > limit }
}
