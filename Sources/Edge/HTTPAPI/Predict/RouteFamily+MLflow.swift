internal import Core
internal import HTTPTypes

extension RouteFamily {
    /// MLflow's scoring protocol: an error is `{"error_code": "…", "message": "…"}`, with Martlet's code at the
    /// sentence's end.
    ///
    /// The names are those of MLflow's `databricks.proto`, for the statuses that its `exceptions.py` gives them.
    package static let mlflow = RouteFamily(
        "mlflow",
        at: ["/invocations", "/ping", "/version", "/projects/{project}/models/{model}/invocations"],
        credentials: [.token],
        errors: .init(
            .object(
                .init("error_code", .text(pattern: "^[A-Z_]+$"), "A name of MLflow's ErrorCode."),
                .init("message", .text, "The sentence, with Martlet's code at its end.")))
    ) { problem, _ in
        protocolError(problem, ["error_code": .text(errorCode(of: problem)), "message": .text(problem.sentence)])
    }

    private static func errorCode(of problem: Problem) -> String {
        switch problem.status.code {
        case 401: "UNAUTHENTICATED"
        case 403: "PERMISSION_DENIED"
        case 404: problem.code == "http.404" ? "ENDPOINT_NOT_FOUND" : "RESOURCE_DOES_NOT_EXIST"
        case 429: "RESOURCE_EXHAUSTED"
        case 400..<500: "BAD_REQUEST"
        case 501: "NOT_IMPLEMENTED"
        case 503: "TEMPORARILY_UNAVAILABLE"
        default: "INTERNAL_ERROR"
        }
    }
}
