package import Core
internal import HTTPTypes
internal import Hummingbird
internal import Synchronization

/// Metrics, concurrency limit and access log of the requests that the router handles.
///
/// ```swift
/// let observer = RequestObserver(
///     metrics: metrics, accessLog: accessLog, most: 256, isBehindProxy: false, context: context,
///     unrouted: gate.checkUnrouted)
/// ```
package struct RequestObserver: Sendable {
    let metrics: ServerMetrics
    let accessLog: AccessLog
    /// Requests that may be at work at the same time.
    private let most: Int
    private let isBehindProxy: Bool
    private let clock: any ExecutionClock
    /// Counts a request that no route has; throws where there were too many.
    private let unrouted: @Sendable (APIContext) throws -> Void

    package init(
        metrics: ServerMetrics, accessLog: AccessLog, most: Int, isBehindProxy: Bool,
        context execution: ExecutionContext,
        unrouted: @escaping @Sendable (APIContext) throws -> Void = { _ in }
    ) {
        self.unrouted = unrouted
        self.metrics = metrics
        self.accessLog = accessLog
        self.most = most
        self.isBehindProxy = isBehindProxy
        clock = execution.clock
    }

    /// Probes and metrics are answered however busy the server is: it must not be ended for that.
    static let always: Set<String> = [
        "/health", "/health/live", "/health/ready", "/health/startup", "/v2/health/live", "/v2/health/ready", "/ping",
        "/api/predict/health", "/metrics",
    ]

    /// The answer of `next`.
    /// - Throws: `server.busy` when too many requests are at work, `access.insecure`, and what `next` throws.
    func observed(
        _ request: Request, _ context: inout APIContext, _ next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        context.began = clock.uptime()
        if isBehindProxy {
            context.forwardedAddress = Forwarded.address(request.headers)
            try Forwarded.requireTLS(request.headers)
        }
        let now = metrics.underway.add(1, ordering: .relaxed).newValue
        defer { metrics.underway.subtract(1, ordering: .relaxed) }
        if now > most, !RequestObserver.always.contains(request.uri.path) {
            metrics.busy.add(1, ordering: .relaxed)
            var problem = Problem(
                .serviceUnavailable, "server.busy", "Too many requests are at work; try again in a moment.")
            problem.retryAfter = 1
            throw problem
        }
        do {
            var response = try await next(request, context)
            let limiter = context.notes.release()
            // Those who follow something for long have seats of their own.
            if response.headers[.contentType] != "text/event-stream" { response.body = response.body.holding(limiter) }
            return response
        } catch {
            _ = context.notes.release()
            if Problem(error).status.code < 500 { try unrouted(context) }
            throw error
        }
    }

    /// Counts and logs a request whose response begins now.
    func end(_ request: Request, _ context: APIContext, _ response: Response) {
        let series = RequestSeries(
            method: context.endpointPath == nil ? "other" : request.method.rawValue,
            route: context.endpointPath ?? "none", status: response.status.code)
        let seconds = max(0, clock.uptime() - context.began)
        metrics.note(series, seconds: seconds)
        accessLog.tell(
            series, id: context.requestID, seconds: seconds, principal: context.notes.principal,
            address: context.address)
    }
}
