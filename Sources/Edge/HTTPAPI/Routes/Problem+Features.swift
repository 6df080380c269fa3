internal import HTTPTypes

extension Problem {
    /// Why no features are made of raw rows.
    /// - Parameter retryAfter: after how many seconds it is worth trying again; `nil` when the project cannot have any.
    package static func noFeatures(_ reason: String, code: String? = nil, retryAfter: Int?) -> Problem {
        var problem = Problem(
            retryAfter == nil ? .conflict : .serviceUnavailable, code ?? "process.unavailable", reason)
        problem.retryAfter = retryAfter
        return problem
    }
}
