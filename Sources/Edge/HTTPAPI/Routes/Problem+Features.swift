internal import HTTPTypes

extension Problem {
    /// The problem for features that cannot be computed from raw rows.
    /// - Parameter retryAfter: after how many seconds it is worth trying again; `nil` when the project cannot have any.
    package static func noFeatures(_ reason: String, code: String? = nil, retryAfter: Int?) -> Problem {
        var problem = Problem(
            retryAfter == nil ? .conflict : .serviceUnavailable, code ?? "process.unavailable", reason)
        problem.retryAfter = retryAfter
        return problem
    }
}
