package import Synchronization

/// Counts of a whole server, from all its threads.
package final class ServerMetrics: Sendable {
    /// Open now.
    package let connections = Atomic<Int>(0)
    /// Since the start.
    package let accepted = Atomic<Int>(0)
    /// Turned away: there were too many.
    package let connectionsRefused = Atomic<Int>(0)
    /// Requests that the router has now.
    package let underway = Atomic<Int>(0)
    /// Answered 503: there were too many.
    package let busy = Atomic<Int>(0)
    /// Answered 429.
    package let rateLimited = Atomic<Int>(0)
    /// Connections closed because the client was slow, by what it was slow with.
    package let slowHead = Atomic<Int>(0)
    package let slowBody = Atomic<Int>(0)
    package let slowReader = Atomic<Int>(0)

    private let routed = Mutex<[RequestSeries: Latencies]>([:])
    private let fastPaths = Mutex<[@Sendable () async -> [RequestSeries: Latencies]]>([])

    package init() {}

    /// A request that the router answered.
    func note(_ series: RequestSeries, seconds: Double) {
        routed.withLock { $0[series, default: Latencies()].note(seconds) }
    }

    /// Adds a source of counts that its own thread keeps.
    func add(fastPath: @escaping @Sendable () async -> [RequestSeries: Latencies]) {
        fastPaths.withLock { $0.append(fastPath) }
    }

    /// All requests.
    package func requests() async -> [RequestSeries: Latencies] {
        var all = routed.withLock { $0 }
        for fastPath in fastPaths.withLock({ $0 }) {
            for (series, latencies) in await fastPath() { all[series, default: Latencies()].add(latencies) }
        }
        return all
    }
}

/// Requests that are counted together.
package struct RequestSeries: Hashable, Sendable {
    package let method: String
    /// With parameters in braces.
    package let route: String
    package let status: Int
}

/// How long requests took.
package struct Latencies: Sendable {
    /// Upper bounds in seconds, the last one left out: it is infinite.
    package static let bounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    /// By bound.
    package private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    package private(set) var sum = 0.0

    package var count: Int { counts.reduce(0, +) }

    mutating func note(_ seconds: Double) {
        var place = 0
        while place < Latencies.bounds.count, seconds > Latencies.bounds[place] { place += 1 }
        counts[place] += 1
        sum += seconds
    }

    mutating func add(_ other: Latencies) {
        for place in counts.indices { counts[place] += other.counts[place] }
        sum += other.sum
    }
}
