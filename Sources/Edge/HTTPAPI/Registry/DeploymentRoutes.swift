internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import Registry
internal import Serving

/// Routes that show and change which model version is served.
///
/// A deployment is a move of the champion: the server follows it by itself.
///
/// ```swift
/// let routes = DeploymentRoutes(management, catalog: catalog).routes
/// ```
struct DeploymentRoutes: Sendable {
    let management: Management
    let catalog: ModelCatalog

    init(_ management: Management, catalog: ModelCatalog) {
        self.management = management
        self.catalog = catalog
    }

    /// The routes with their handlers.
    var routes: [Route] {
        [
            Route(
                .post, "/api/deploy", id: "deploy", "Let a version answer: make it the champion.",
                access: .needs(.changeDeployment), query: [.project], isOnce: true,
                accepts: [.init(Self.order, example: #"{"model": "readmission@candidate", "reason": "better"}"#)],
                replies: [
                    .init(200, "It is the champion.", .init(ModelSchemas.move)), .problem(404, "No such version."),
                    .problem(409, "It waits for approval, was rejected, or cannot answer."),
                ]
            ) { request, context in
                let body = try await context.object(request, Self.order)
                let reference = try ModelReference(parsing: body.text("model"))
                return try await management.change(request, body, context) { [management] project, registry in
                    try JSON.text(
                        management.promote(reference, reason: body.optionalText("reason"), in: project, registry))
                }
            },
            Route(
                .post, "/api/deploy/rollback", id: "rollback", "Make the champion before this one the champion again.",
                access: .needs(.changeDeployment), query: [.project], isOnce: true,
                accepts: [.init(Self.rollback, example: #"{"model": "readmission", "reason": "too many alarms"}"#)],
                replies: [
                    .init(200, "It is the champion again.", .init(ModelSchemas.move)), .problem(404, "No such model."),
                    .problem(409, "There is none before, or it cannot answer."),
                ]
            ) { request, context in
                let body = try await context.object(request, Self.rollback)
                let model = try body.text("model")
                return try await management.change(request, body, context) {
                    [prepare = management.prepare] project, registry in
                    let earlier = try registry.models.history(model).line.dropLast().last
                    if let earlier { try prepare(project.name, model, earlier) }
                    return try JSON.text(
                        registry.models.rollback(model, to: earlier, reason: body.optionalText("reason")))
                }
            },
            Route(
                .get, "/api/deploy/status", id: "deploymentStatus", "Which version of each model answers here.",
                access: .needs(.readDeployment), query: [.project],
                replies: [.init(200, "By model.", .init(Self.status))], handler: status),
        ]
    }

    @Sendable private func status(_ request: Request, _ context: APIContext) async throws -> Response {
        let project = try management.project(request, context).name
        let slots = catalog.slots.filter { $0.key.project == project }
        let standings = try await management.read(request, context) { registry in
            try slots.map { slot -> (champion: ModelHistory.Standing?, isKnown: Bool) in
                let isKnown = try registry.models.list().contains { $0.model == slot.key.model }
                return (isKnown ? try registry.models.history(slot.key.model).champion : nil, isKnown)
            }
        }
        return try .json(
            JSONValue.object([
                "project": .text(project),
                "models": .list(
                    zip(slots, standings).map { slot, standing in
                        let champion = standing.champion
                        return .object([
                            "model": .text(slot.key.model),
                            "serving": slot.served.map { .integer(Int64($0.version)) } ?? .null,
                            "champion": champion.map { .integer(Int64($0.version)) } ?? .null,
                            "since": champion.map { .text($0.since.description) } ?? .null,
                            "by": champion.map { .text($0.actor) } ?? .null,
                            "trouble": slot.trouble.map { .text($0) } ?? .null,
                        ])
                    }),
            ]))
    }

    private static let order = Schema.object(
        .init("model", ModelSchemas.versionReference, "NAME@3 or NAME@candidate."),
        .init("reason", ModelSchemas.reason, optional: true, "Why; it stays in the history."))
    private static let rollback = Schema.object(
        .init("model", ModelSchemas.name), .init("reason", ModelSchemas.reason, optional: true))
    private static let status = Schema.object(
        .init("project", .text),
        .init(
            "models",
            .list(
                .object(
                    .init("model", .text), .init("serving", ModelSchemas.version.orNull, "What answers here now."),
                    .init("champion", ModelSchemas.version.orNull, "What the registry says shall answer."),
                    .init("since", ModelSchemas.time.orNull), .init("by", .text.orNull),
                    .init("trouble", .text.orNull, "Why the two differ.")))))
}
