internal import Synchronization

/// How long something that was confirmed may be believed while nobody can confirm it again.
///
/// ```swift
/// let freshness = Freshness(limit: 900, uptime: context.uptime)
/// freshness.confirm()
/// freshness.isStale  // false for the next 15 minutes
/// ```
package final class Freshness: Sendable {
    /// Seconds.
    package let limit: Double
    private let uptime: @Sendable () -> Double
    /// The uptime of the last confirmation, in seconds, as bits.
    private let confirmed: Atomic<UInt64>

    /// Begins as confirmed.
    /// - Parameter uptime: seconds on a clock that only goes forward.
    package init(limit: Double, uptime: @escaping @Sendable () -> Double) {
        self.limit = limit
        self.uptime = uptime
        confirmed = Atomic(uptime().bitPattern)
    }

    package func confirm() { confirmed.store(uptime().bitPattern, ordering: .relaxed) }

    /// Seconds since it was confirmed.
    package var age: Double { uptime() - Double(bitPattern: confirmed.load(ordering: .relaxed)) }

    package var isStale: Bool { age > limit }
}
