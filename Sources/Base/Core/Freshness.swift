internal import Synchronization

/// How long something that was confirmed may be believed while nobody can confirm it again.
///
/// ```swift
/// let freshness = Freshness(limit: 900, clock: context.clock)
/// freshness.confirm()
/// freshness.isStale  // false for the next 15 minutes
/// ```
package final class Freshness: Sendable {
    /// Seconds.
    package let limit: Double
    private let clock: any ExecutionClock
    /// The uptime of the last confirmation, in seconds, as bits.
    private let confirmed: Atomic<UInt64>

    /// Begins as confirmed.
    package init(limit: Double, clock: any ExecutionClock) {
        self.limit = limit
        self.clock = clock
        confirmed = Atomic(clock.uptime().bitPattern)
    }

    package func confirm() { confirmed.store(clock.uptime().bitPattern, ordering: .relaxed) }

    /// Seconds since it was confirmed.
    package var age: Double { clock.uptime() - Double(bitPattern: confirmed.load(ordering: .relaxed)) }

    package var isStale: Bool { age > limit }
}
