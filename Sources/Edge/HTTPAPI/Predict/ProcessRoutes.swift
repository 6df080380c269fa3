internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import NIOCore
package import Serving

/// Computes features from raw rows, in a process of its own.
package protocol FeatureSource: Sendable {
    /// Asks one request, a JSON object on one line (docs/process.md).
    /// - Parameter model: the version that answers now.
    /// - Returns: the answer, and the version whose SQL made the features: that of `model`, or, while its successor
    ///   starts, of the one that answered before.
    /// - Throws: a `Problem` with 503 and when to come again, when there is no answer now.
    func ask(_ request: [UInt8], for model: ServedModel) async throws -> (model: ServedModel, answer: [UInt8])
}

/// Routes for predictions from raw rows: the project's own SQL computes the features as of each record's time.
///
/// ```swift
/// let routes = ProcessRoutes(
///     catalog: catalog, source: features, work: work, room: room, context: context, note: management.note).routes
/// ```
struct ProcessRoutes: Sendable {
    let catalog: ModelCatalog
    let source: any FeatureSource
    let work: ScoringWork
    /// Writes into the project's audit.
    private let note: @Sendable (AuditDraft, Author) async throws -> Void
    private let room: MemoryBudget
    let execution: ExecutionContext
    /// For large bodies.
    private let turns: FairQueue

    /// Bytes of a body.
    static let bodyBytes = 4 << 20

    init(
        catalog: ModelCatalog, source: any FeatureSource, work: ScoringWork, room: MemoryBudget,
        context execution: ExecutionContext,
        note: @escaping @Sendable (AuditDraft, Author) async throws -> Void
    ) {
        self.note = note
        self.room = room
        turns = FairQueue(2, clock: execution.clock)
        self.work = work
        self.catalog = catalog
        self.source = source
        self.execution = execution
    }

    /// The routes with their handlers.
    var routes: [Route] {
        ["/process", "/projects/{project}/process", "/projects/{project}/models/{model}/process"]
            .enumerated().map { index, path in
                Route(
                    .post, path, id: index == 0 ? "process" : "process\(index)",
                    "Make features of raw rows, and score them.", access: .needs(.predict),
                    accepts: [.init(ProcessForm.request)],
                    replies: [
                        .init(200, "Each record's prediction, in order.", .init(ProcessForm.answer)),
                        .problem(409, "No source of this project can bring single records."),
                    ]
                ) { request, context in
                    let slot = try catalog.slot(
                        project: context.segment("project") ?? context.principal?.project,
                        model: context.segment("model"))
                    return try await answer(slot, request, context)
                }
            }
    }

    /// Says in the project's audit that rows were kept.
    /// - Parameter rows: how many; null where that is not known.
    private func audit(_ rows: JSONValue, of model: ServedModel, _ context: APIContext) async throws {
        let draft = AuditDraft(
            "rows.stored", "models/\(model.key.model)/rows", project: model.key.project, after: .object(["rows": rows]))
        try await note(draft, context.author)
    }

    private func answer(_ slot: ModelSlot, _ request: Request, _ context: APIContext) async throws -> Response {
        let arrived = execution.uptime()
        try context.require(project: slot.key.project)
        let idempotencyKey = try IdempotencyKeyHeader.of(request)
        if let type = request.headers[.contentType], !MediaType(type).isJSON {
            throw MediaType.unsupported(type, "application/json")
        }
        let body = try await HeldBody(request, upTo: Self.bodyBytes, in: room)
        // What a large one becomes when it is read takes many times its bytes.
        let turn = body.isLarge ? try await turns.take(context.client, within: work.limits.seconds) : nil
        if body.isLarge, turn == nil { throw work.limits.late }
        defer { withExtendedLifetime(turn) {} }
        let form = try await body.read { try ProcessForm($0) }
        // The rows are known to the feature worker only, and its SQL is that of one version.
        let route = try ScoringCall(form: .native, slot: slot).deployment().route(nil)
        let served = route.answering.model
        let mayStore = context.principal?.may(.storeRows, in: slot.key.project) ?? false
        if form.stores == true, !mayStore {
            throw Problem(
                .forbidden, "access.role", "Rows that count for later records need a permission of their own.",
                remedy: "It needs the permission \(Permission.storeRows.rawValue); or send \"store\": false.")
        }
        let stores = mayStore && form.stores != false
        let line: [UInt8]
        let model: ServedModel
        do {
            (model, line) = try await source.ask(try form.line(storing: stores, by: context.author), for: served)
        } catch let problem
            as Problem
        {
            // Whether the worker had kept the rows when it was lost, nobody knows.
            if problem.isUncertain, stores, form.hasRows { try await audit(.null, of: served, context) }
            throw problem
        }
        let stored = MadeFeatures.stored(line)
        if stored > 0 { try await audit(.integer(stored), of: model, context) }
        let made = try MadeFeatures(line, for: model)
        var scored: [JSONValue] = []
        var warnings = made.warnings
        if form.scores, !made.rows.isEmpty {
            let body = try JSON.encode(
                JSONValue.object(["records": .list(made.rows), "explain": .flag(form.explains)]))
            let logged = LoggedRequest(
                slot: slot, requestID: context.requestID, idempotencyKey: idempotencyKey, arrived: arrived,
                execution: execution)
            // The worker's features may still be those of the champion before.
            let deployment = FixedDeployment(model === served ? route : DeploymentRoute(answering: try Arm(model)))
            let answer: JSONValue?
            do {
                answer = try await work.answer(
                    ScoringCall(form: .native, slot: slot), HeldBody(ByteBuffer(bytes: body)), by: deployment, logged,
                    client: context.client
                ) { [keys = made.keys] session, _ in
                    session.name(records: keys)
                    return JSONValue(parsing: session.writer.bytes)
                }
            } catch let faults as InputFaults { throw made.problem(faults) }
            scored = answer?["predictions"]?.list ?? []
            warnings += (answer?["warnings"]?.list ?? []).map { made.placed($0) }
        }
        var members: [String: JSONValue] = [
            "project": .text(model.key.project), "model": .text(model.key.model),
            "version": .integer(Int64(model.version)), "request_id": .text(context.requestID),
            "predictions": .list(made.predictions(scored, withFeatures: form.wantsFeatures)),
            "stored": .integer(made.stored),
        ]
        if !warnings.isEmpty { members["warnings"] = .list(warnings) }
        return try .json(JSONValue.object(members))
    }
}
