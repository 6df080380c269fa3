internal import Identity
package import Logging

/// Access log settings: which requests get an entry in the server's log.
///
/// ```swift
/// var accessLog = AccessLog(logger: logger)
/// accessLog.slow = 0.5
/// ```
package struct AccessLog: Sendable {
    /// Whether predictions answered on the event loop are logged too.
    package var tellsAll = false
    /// Seconds from which a request counts as slow and is always logged; infinite for never.
    package var slow = 0.25
    private let logger: Logger

    package init(logger: Logger) { self.logger = logger }

    /// Whether a request on the fast path is logged.
    @inline(__always)
    func tells(fastPathSeconds seconds: Double) -> Bool { tellsAll || seconds >= slow }

    func tell(_ series: RequestSeries, id: String, seconds: Double, principal: Principal?, address: String) {
        let isSlow = seconds >= slow
        // Monitors ask all day.
        if !isSlow, !tellsAll, series.status < 400, RequestObserver.always.contains(series.route) { return }
        logger.log(
            level: isSlow ? .notice : .info, isSlow ? "slow request" : "request",
            metadata: [
                "request_id": "\(id)", "method": "\(series.method)", "route": "\(series.route)",
                "status": "\(series.status)", "ms": "\((seconds * 1e5).rounded() / 100)",
                "principal": "\(principal?.actor ?? "nobody")", "address": "\(address)",
            ])
    }
}
