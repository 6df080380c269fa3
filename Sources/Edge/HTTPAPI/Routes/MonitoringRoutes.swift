internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import Registry

/// Routes for monitoring: gates, runs, jobs, and errors.
///
/// ```swift
/// let routes = MonitoringRoutes(management).routes
/// ```
struct MonitoringRoutes: Sendable {
    let management: Management

    init(_ management: Management) { self.management = management }

    /// The routes with their handlers.
    var routes: [Route] {
        [
            Route(
                .get, "/api/monitoring/metrics", id: "monitoringMetrics",
                "The champions' measures and gates as they were trained, and how many jobs and events there are.",
                access: .needs(.readMonitoring), query: [.project],
                replies: [.init(200, "By model.", .init(Self.metrics))]
            ) { request, context in
                let project = try management.project(request, context).name
                return try .json(await management.read(request, context) { try Self.metrics(of: project, $0) })
            },
            Route(
                .get, "/api/monitoring/alerts", id: "monitoringAlerts",
                "What went wrong, newest first: failed gates, runs and jobs.",
                access: .needs(.readMonitoring), query: [.project] + Paging.parameters,
                replies: [.init(200, "A page of events.", .init(ModelSchemas.page(of: Self.alert)))]
            ) { request, context in
                let paging = try Paging(request)
                let query = EventQuery(
                    types: Self.alarming, before: Int(paging.after) ?? .max, limit: paging.limit + 1)
                let found = try await management.read(request, context) { registry in
                    try registry.events.newest(query).reversed().map(Alert.init)
                }
                let shown = Array(found.prefix(paging.limit))
                return try Paging.page(
                    shown, next: found.count > shown.count ? shown.last.map { "\($0.position)" } : nil)
            },
        ]
    }

    private static let alarming: [EventType] = [.gateFailed, .runRejected, .runFailed, .jobFailed]

    private struct Alert: Sendable, Encodable {
        var position: Int
        var type: String
        var subject: String
        var time: Timestamp
        var model: String?
        var detail: String?

        init(_ event: Event) {
            position = event.position
            type = EventType(rawValue: event.type)?.short ?? event.type
            subject = event.subject
            time = event.time
            model = event.data["model"]?.text
            detail = event.data["error"]?.text ?? event.data["reason"]?.text
            if detail == nil, let metric = event.data["metric"]?.text, let part = event.data["part"]?.text {
                detail = "\(part) \(metric)"
            }
        }
    }

    private static func metrics(of project: String, _ registry: ModelRegistry) throws -> JSONValue {
        let models = try registry.models.list().map { model -> JSONValue in
            var members: [String: JSONValue] = [
                "model": .text(model.model), "version": .null, "metrics": .object([:]), "gates_passed": .integer(0),
                "gates_failed": .integer(0), "pending": .integer(Int64(model.pending.count)),
            ]
            guard let champion = model.champion else { return .object(members) }
            let run = try registry.models.show(ModelReference(model: model.model, selector: .version(champion))).run
            members["version"] = .integer(Int64(champion))
            var figures: [String: JSONValue] = [:]
            for name in run.metrics.names(in: "test") {
                figures[name] = (run.metrics["test", name]?.value).flatMap { $0.isFinite ? .number($0) : nil } ?? .null
            }
            members["metrics"] = .object(figures)
            members["gates_passed"] = .integer(Int64(run.gates.count { $0.passed }))
            members["gates_failed"] = .integer(Int64(run.gates.count { !$0.passed }))
            return .object(members)
        }
        let runs = try registry.runs.unfinished()
        return .object([
            "project": .text(project), "models": .list(models),
            "runs_running": .list(runs.running.map { .text($0) }),
            "runs_interrupted": .list(runs.interrupted.map { .text($0) }),
            "jobs_open": .integer(Int64(try registry.jobs.openCount())),
            "events": .integer(Int64(try registry.events.head())),
        ])
    }

    private static let metrics = Schema.object(
        .init("project", .text),
        .init(
            "models",
            .list(
                .object(
                    .init("model", .text), .init("version", ModelSchemas.version.orNull, "The champion."),
                    .init("metrics", .object([], additional: .number.orNull), "On the test part."),
                    .init("gates_passed", .integer(minimum: 0)), .init("gates_failed", .integer(minimum: 0)),
                    .init("pending", .integer(minimum: 0), "Versions that wait for approval.")))),
        .init("runs_running", .list(.text), "Trainings at work."),
        .init("runs_interrupted", .list(.text), "Trainings whose process is gone, and which nobody has recorded yet."),
        .init("jobs_open", .integer(minimum: 0), "Queued or running."), .init("events", .integer(minimum: 0)))
    private static let alert = Schema.object(
        .init("position", .integer(minimum: 1)), .init("type", .text), .init("subject", .text),
        .init("time", ModelSchemas.time), .init("model", .text, optional: true),
        .init("detail", .text, optional: true))
}
