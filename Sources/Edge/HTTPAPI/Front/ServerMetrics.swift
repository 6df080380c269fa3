package import Synchronization

/// Counters of a whole server, updated by all its threads.
///
/// ```swift
/// metrics.accepted.add(1, ordering: .relaxed)
/// let latencies = await metrics.requests()
/// ```
package final class ServerMetrics: Sendable {
    /// Number of open connections.
    package let connections = Atomic<Int>(0)
    /// Connections accepted since the start.
    package let accepted = Atomic<Int>(0)
    /// Connections refused because there were too many.
    package let connectionsRefused = Atomic<Int>(0)
    /// Requests that the router is handling.
    package let underway = Atomic<Int>(0)
    /// Requests answered 503 because there were too many.
    package let busy = Atomic<Int>(0)
    /// Requests answered 429.
    package let rateLimited = Atomic<Int>(0)
    /// Connections closed because the client was slow to send a head.
    package let slowHead = Atomic<Int>(0)
    /// Connections closed because the client was slow to send a body.
    package let slowBody = Atomic<Int>(0)
    /// Connections closed because the client was slow to read.
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

    /// Returns the latencies of all requests by series.
    package func requests() async -> [RequestSeries: Latencies] {
        var all = routed.withLock { $0 }
        for fastPath in fastPaths.withLock({ $0 }) {
            for (series, latencies) in await fastPath() { all[series, default: Latencies()].add(latencies) }
        }
        return all
    }
}

/// Labels under which requests are counted together: method, route and status.
package struct RequestSeries: Hashable, Sendable {
    /// HTTP method in capitals; "other" for a request without a route.
    package let method: String
    /// Path of the route with parameters in braces; "none" for a request without a route.
    package let route: String
    /// HTTP status code of the response.
    package let status: Int
}

/// Latency histogram of requests.
package struct Latencies: Sendable {
    /// Upper bounds of the buckets in seconds, the last (infinite) one left out.
    package static let bounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    /// Number of requests in each bucket.
    package private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    /// Total latency in seconds.
    package private(set) var sum = 0.0

    /// Number of requests.
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
