internal import Synchronization

/// A rate limit: number of requests in a number of seconds.
///
/// ```swift
/// let limit = RateLimit("2000/300")  // 2,000 requests in 5 minutes
/// ```
package struct RateLimit: Sendable, Equatable {
    /// Number of requests that a client may make in `seconds`, at least 1.
    package let requests: Int
    /// Length of the period in seconds, 1 to 86,400.
    package let seconds: Int

    /// Makes a limit.
    /// - Returns: `nil` unless both are at least 1, and `seconds` at most a day.
    package init?(requests: Int, seconds: Int) {
        guard requests > 0, seconds > 0, seconds <= 86_400 else { return nil }
        self.requests = requests
        self.seconds = seconds
    }

    /// Parses "2000/300": requests and seconds; `nil` for other texts.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let requests = parts[0], let seconds = parts[1] else { return nil }
        self.init(requests: requests, seconds: seconds)
    }
}

/// Rate limiter for each client by the generic cell rate algorithm (ITU-T I.371, "leaky bucket as a meter").
///
/// ```swift
/// let limiter = RateLimiter(limit)
/// let seconds = limiter.enter(client, at: clock.uptime())  // nil: it may proceed
/// ```
///
/// A client that was quiet may make all its requests at once, after that one each `seconds / requests`. It keeps one
/// number a client: the moment at which its bucket will be empty again.
///
/// A look costs about a tenth of a microsecond and allocates nothing for a client that is known. Bounded: clients whose
/// buckets are empty are forgotten, and where there are still too many, all are.
package final class RateLimiter: Sendable {
    private static let most = 100_000

    private struct State {
        var empty: [String: Double] = [:]
        var sweep = 1024
    }

    private let limit: RateLimit
    private let state = Mutex(State())

    package init(_ limit: RateLimit) { self.limit = limit }

    /// Counts a request of a client; returns `nil` when it may proceed, else the seconds to wait.
    /// - Parameter now: seconds of a clock that only goes forward.
    /// - Returns: `nil` when it may go on, else the seconds after which the next one may; a refused one is not counted.
    package func enter(_ client: String, at now: Double) -> Int? {
        let each = Double(limit.seconds) / Double(limit.requests)
        // A whole bucket, with a little for rounding.
        let patience = Double(limit.seconds) - each + 1e-9
        return state.withLock { state in
            let empty = max(state.empty[client] ?? now, now)
            let wait = empty - now - patience
            if wait > 0 { return max(1, Int(wait.rounded(.up))) }
            state.empty[client] = empty + each
            if state.empty.count > state.sweep { RateLimiter.sweep(&state, now) }
            return nil
        }
    }

    /// Takes back a counted request that will be counted again.
    package func leave(_ client: String) {
        let each = Double(limit.seconds) / Double(limit.requests)
        state.withLock { state in
            if let empty = state.empty[client] { state.empty[client] = empty - each }
        }
    }

    private static func sweep(_ state: inout State, _ now: Double) {
        state.empty = state.empty.filter { $0.value > now }
        if state.empty.count > most { state.empty = [:] }
        state.sweep = min(most, max(1024, state.empty.count * 2))
    }

    /// Number of remembered clients.
    package var count: Int { state.withLock { $0.empty.count } }
}
