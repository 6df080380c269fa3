internal import Core
internal import HTTPTypes

extension RouteFamily {
    /// Martlet's own API, which has every path that no other family covers. Errors are RFC 9457 problem details.
    package static let api = RouteFamily(
        "api", at: ["/"], credentials: [.token, .session],
        errors: .init("application/problem+json", .named("Problem"))
    ) { problem, requestID in
        Refusal(
            problem.status, "application/problem+json", (try? JSON.encode(problem.json(requestID: requestID))) ?? [])
    }

    /// A form whose errors are objects of JSON, in a protocol that has 400 for all that is wrong with the input.
    static func protocolError(_ problem: Problem, _ members: [String: JSONValue]) -> Refusal {
        Refusal(
            problem.status == .unprocessableContent ? .badRequest : problem.status, "application/json",
            (try? JSON.encode(JSONValue.object(members))) ?? [])
    }
}
