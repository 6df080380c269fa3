internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import NIOCore
internal import Serving

/// Routes for predictions in Martlet's own form.
///
/// One-row requests seldom come this way: the fast path in front of the router answers them with the same code.
///
/// ```swift
/// let routes = PredictionRoutes(catalog: catalog, work: work, room: room, context: context).routes
/// ```
struct PredictionRoutes: Sendable {
    let catalog: ModelCatalog
    let work: ScoringWork
    private let room: MemoryBudget
    let execution: ExecutionContext

    /// Makes the routes.
    /// - Parameter room: in which large bodies and answers wait.
    init(catalog: ModelCatalog, work: ScoringWork, room: MemoryBudget, context execution: ExecutionContext) {
        self.catalog = catalog
        self.work = work
        self.room = room
        self.execution = execution
    }

    /// The routes with their handlers.
    var routes: [Route] {
        ["/predict", "/api/predict", "/projects/{project}/predict", "/projects/{project}/models/{model}/predict"]
            .enumerated().map { index, path in
                Route(
                    .post, path, id: index == 0 ? "predict" : "predict\(index)", "Score one row or some.",
                    access: .needs(.predict),
                    accepts: [.init(Self.request)],
                    replies: [.init(200, "Probability and decision of each row, in order.", .init(Self.answer))]
                ) { request, context in
                    let slot = try catalog.slot(
                        project: context.segment("project") ?? context.principal?.project,
                        model: context.segment("model"))
                    return try await answer(ScoringCall(form: .native, slot: slot), request, context)
                }
            }
    }

    /// Reads the body and answers in the call's form, errors too.
    func answer(_ call: ScoringCall, _ request: Request, _ context: APIContext) async throws -> Response {
        do {
            let arrived = execution.uptime()
            try context.require(project: call.slot.key.project)
            let key = try IdempotencyKeyHeader.of(request)
            var call = call
            call.contentType = request.headers[.contentType]
            let body = try await HeldBody(request, upTo: work.limits.bodyBytes, in: room)
            let deployment = try call.deployment()
            let logged = LoggedRequest(
                slot: call.slot, requestID: context.requestID, idempotencyKey: key, arrived: arrived,
                execution: execution)
            return try await work.answer(call, body, by: deployment, logged, client: context.client) {
                [room] session, answer in
                var headers: HTTPFields = [.contentType: answer.contentType]
                if let count = answer.jsonBytes { headers[.inferenceHeader] = "\(count)" }
                return Response(status: .ok, headers: headers, body: try room.answer(session.writer.bytes))
            }
        } catch {
            return call.form.family.response(to: Problem(error), requestID: context.requestID)
        }
    }

    private static let value = Schema.oneOf([.number, .text, .boolean, .null])
    private static let row = Schema.named("Row")
    static let request = Schema.oneOf([
        .object(.init("record", row, "One row: values by column."), .init("explain", .boolean, optional: true)),
        .object(.init("records", .list(row), "Rows."), .init("explain", .boolean, optional: true)),
        .object(
            .init("columns", .named("Columns")),
            .init("explain", .boolean, optional: true)),
    ])
    static let reasons = Schema.object(
        .init("base", .number, "The expected margin."), .init("margin", .number),
        .init(
            "contributions",
            .list(.object(.init("feature", .text), .init("value", value), .init("contribution", .number))),
            "What each column adds to the margin; with the base they sum to it."))
    static let warnings = Schema.list(.object(.init("path", .text), .init("code", .text), .init("detail", .text)))
    static let answer = Schema.object(
        .init("project", .text), .init("model", .text), .init("version", .integer(minimum: 1)),
        .init("request_id", .text),
        .init(
            "predictions",
            .list(
                .object(
                    .init("probability", .number(minimum: 0, maximum: 1)), .init("decision", .boolean),
                    .init("band", .text(oneOf: ["low", "medium", "high"]), optional: true),
                    .init("reasons", reasons, optional: true)))),
        .init("warnings", warnings, optional: true), .init("further_warnings", .integer(minimum: 1), optional: true))
}

/// Limits of one prediction request.
package struct ScoringLimits: Sendable {
    /// Most bytes of a body that is not a stream.
    package var bodyBytes = 16 << 20
    /// Most bytes of a body that is answered on the event loop.
    package var fastPathBytes = 64 << 10
    /// Most rows of a request; fewer for models with many columns, see `values`.
    package var rows = 10_000
    /// Most rows when reasons are requested; fewer for models with large trees, see `explainSteps`.
    package var explainRows = 1_000
    /// Most attribution steps of a request with reasons: some seconds of one thread.
    package var explainSteps = 1_000_000_000
    /// Most contributions of a response, rows times the model's columns.
    package var explainValues = 200_000
    /// Seconds in which a request is answered, or refused.
    package var seconds = 30.0
    /// Most values of a request, rows times the model's columns, as they are held in memory.
    package var values = 4_000_000

    package init() {}

    /// The most rows of a body for a model.
    func rows(of model: ServedModel) -> Int { min(rows, max(1, values / max(1, model.schema.width))) }
}

extension HTTPField.Name {
    static let inferenceHeader = own("Inference-Header-Content-Length")
}
