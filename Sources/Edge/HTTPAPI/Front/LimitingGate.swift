package import Core
internal import HTTPTypes
package import Hummingbird
package import Identity
internal import Synchronization

/// Gatekeeper that adds rate and concurrency limits for each client to another gatekeeper.
///
/// A client is the principal of the token or session, else the address (of IPv6 the first 64 bits, since a network gives
/// each of its machines as many as it likes).
///
/// ```swift
/// let gate = LimitingGate(
///     IdentityGate(identity), known: limits.known, strangers: limits.strangers, share: 64, metrics: metrics,
///     context: context)
/// ```
package struct LimitingGate: Gatekeeper {
    private let base: any Gatekeeper
    private let known: RateLimiter?
    private let strangers: RateLimiter?
    private let clock: any ExecutionClock
    private let metrics: ServerMetrics
    private let shares = ClientConcurrencyLimit()
    private let shareOfEach: Int
    /// What strangers may have at work: together, and from one address.
    private static let strangersAtWork = (all: 32, each: 8)

    /// Wraps a gatekeeper.
    /// - Parameters:
    ///   - share: requests of one principal that may be at work at the same time.
    ///   - known: for those with a token or a session; `nil` for no limit.
    ///   - strangers: for addresses that show neither, or one that is not valid; `nil` for no limit.
    package init(
        _ base: any Gatekeeper, known: RateLimit?, strangers: RateLimit?, share: Int = 64, metrics: ServerMetrics,
        context execution: ExecutionContext
    ) {
        shareOfEach = share
        self.base = base
        self.known = known.map { RateLimiter($0) }
        self.strangers = strangers.map { RateLimiter($0) }
        self.metrics = metrics
        clock = execution.clock
    }

    package var site: Site? { base.site }

    /// Authenticates a fast-path request within the client's limits; `nil` leaves it to the router.
    package func admitsImmediately(host: String?, authorization: String?, project: String) -> Principal? {
        guard let principal = base.admitsImmediately(host: host, authorization: authorization, project: project) else {
            return nil
        }
        // Who asks too often goes to the router, which says so.
        if let known, known.enter(principal.id, at: clock.uptime()) != nil { return nil }
        return principal
    }

    /// Takes back the counted request of a principal, as the router will count it again.
    package func undoAdmission(_ principal: Principal) { known?.leave(principal.id) }

    /// Applies the limits, then authenticates and authorises the request.
    package func admit(_ request: Request, to route: Route, in context: APIContext) async throws -> APIContext {
        let admitted: APIContext
        do { admitted = try await base.admit(request, to: route, in: context) } catch {
            context.notes.count()
            try check(strangers, AddressKey.of(context.address))
            throw error
        }
        context.notes.count()
        context.notes.set(admitted.principal)
        if let principal = admitted.principal {
            if route.access != .anyone { try check(known, principal.id) }
            // Probes and metrics are answered whatever else is asked for.
            if !RequestObserver.always.contains(route.path) { try hold(principal.id, shareOfEach, context) }
        } else if !RequestObserver.always.contains(route.path) {
            let address = AddressKey.of(context.address)
            try check(strangers, address)
            try hold("address " + address, Self.strangersAtWork.each, context)
            try hold("strangers", Self.strangersAtWork.all, context)
        }
        return admitted
    }

    /// Counts a request without a route against the limit of unauthenticated clients.
    package func checkUnrouted(_ context: APIContext) throws {
        if !context.notes.isCounted { try check(strangers, AddressKey.of(context.address)) }
    }

    /// Takes one of the client's places until the answer has left.
    private func hold(_ client: String, _ most: Int, _ context: APIContext) throws {
        guard let seat = shares.take(client, upTo: most) else {
            metrics.rateLimited.add(1, ordering: .relaxed)
            throw Problem.share
        }
        context.notes.hold(seat)
    }

    private func check(_ limiter: RateLimiter?, _ client: String) throws {
        guard let seconds = limiter?.enter(client, at: clock.uptime()) else { return }
        metrics.rateLimited.add(1, ordering: .relaxed)
        var problem = Problem(
            .tooManyRequests, "request.rate", "Too many requests; the next one is taken in \(seconds) s.")
        problem.retryAfter = seconds
        throw problem
    }
}

/// Maps client addresses to rate limit keys.
enum AddressKey {
    static func of(_ address: String) -> String {
        guard address.contains(":") else { return address }
        // An IPv4 address in the form of IPv6 (RFC 4291, 2.5.5.2) is the same client as without.
        if address.lowercased().hasPrefix("::ffff:"), address.contains(".") { return String(address.dropFirst(7)) }
        // The first four groups; "::" stands for as many zeros as are missing, at least within these four.
        let groups = address.split(separator: ":", omittingEmptySubsequences: false)
        let left = groups.prefix { !$0.isEmpty }.prefix(4)
        return left.joined(separator: ":") + "::/64"
    }
}
