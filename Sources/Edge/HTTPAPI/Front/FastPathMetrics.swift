/// Request counts of one event loop's fast paths, updated without locks by that loop only.
struct FastPathMetrics {
    /// The routes that a fast path may answer, as labels tell them.
    static let routes = [
        "/predict", "/api/predict", "/projects/{project}/predict", "/projects/{project}/models/{model}/predict",
        "/invocations", "/projects/{project}/models/{model}/invocations", "/v2/models/{model}/infer",
    ]

    /// Answered 200, by route; nearly all are.
    private var good = [Latencies](repeating: Latencies(), count: routes.count)
    private var others: [RequestSeries: Latencies] = [:]

    /// - Parameter route: a place in `routes`.
    mutating func note(route: Int, status: Int, seconds: Double) {
        if status == 200 { return good[route].note(seconds) }
        others[FastPathMetrics.series(route, status), default: Latencies()].note(seconds)
    }

    var requests: [RequestSeries: Latencies] {
        var all = others
        for (route, latencies) in good.enumerated() where latencies.count > 0 {
            all[FastPathMetrics.series(route, 200)] = latencies
        }
        return all
    }

    private static func series(_ route: Int, _ status: Int) -> RequestSeries {
        RequestSeries(method: "POST", route: routes[route], status: status)
    }
}
