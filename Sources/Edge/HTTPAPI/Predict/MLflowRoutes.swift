internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import Serving

/// Routes of MLflow's scoring protocol, for the default model and for each by its path.
///
/// The same as `mlflow models serve` and SageMaker's hosting.
///
/// ```swift
/// let routes = MLflowRoutes(catalog: catalog, predictions: predictions, version: version).routes
/// ```
struct MLflowRoutes: Sendable {
    let catalog: ModelCatalog
    let predictions: PredictionRoutes
    let version: String

    /// The routes with their handlers.
    var routes: [Route] {
        let plain = Route.Body("text/plain", .text)
        return ["/invocations", "/projects/{project}/models/{model}/invocations"].enumerated().map { index, path in
            Route(
                .post, path, id: index == 0 ? "invocations" : "invocations\(index)",
                "Score rows in MLflow's form.", access: .needs(.predict),
                accepts: [.init(Self.request), .init("text/csv", .text)],
                replies: [.init(200, "Probabilities, in order.", .init(Self.answer))]
            ) { request, context in
                let slot = try catalog.slot(
                    project: context.segment("project") ?? context.principal?.project, model: context.segment("model"))
                let call = ScoringCall(
                    form: .invocations, slot: slot, contentType: request.headers[.contentType])
                return try await predictions.answer(call, request, context)
            }
        } + [
            Route(
                .get, "/ping", id: "ping", "Whether predictions can be asked for.", access: .anyone,
                replies: [.init(200, "They can.", plain), .init(503, "They cannot.", plain)]
            ) { _, _ in
                var response = Response.text("\n")
                response.status = catalog.isReady ? .ok : .serviceUnavailable
                return response
            },
            Route(
                .get, "/version", id: "version", "The version of Martlet.", access: .anyone,
                replies: [.init(200, "It.", plain)]
            ) { _, _ in .text(version) },
        ]
    }

    private static let value = Schema.oneOf([.number, .text, .boolean, .null])
    private static let rows = Schema.list(.named("Row"))
    private static let tensor = Schema.oneOf([
        rows, .list(.list(value)), .object([], additional: .oneOf([value, .list(value)])),
    ])
    private static let params = Schema.Member("params", .object([], additional: .any).orNull, optional: true)
    static let request = Schema.oneOf([
        .object(
            .init(
                "dataframe_split",
                .object(
                    .init("columns", .list(.text), optional: true), .init("data", .list(.list(value))),
                    .init("index", .list(.any), optional: true))), params),
        .object(.init("dataframe_records", rows), params), .object(.init("instances", tensor), params),
        .object(.init("inputs", tensor), params),
    ])
    static let answer = Schema.object(.init("predictions", .list(.number(minimum: 0, maximum: 1))))
}
