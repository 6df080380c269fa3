internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import Registry

/// Routes for registered models: list, register, approve, reject, promote.
///
/// ```swift
/// let routes = ModelRoutes(management).routes
/// ```
struct ModelRoutes: Sendable {
    let management: Management

    init(_ management: Management) { self.management = management }

    /// The routes with their handlers.
    var routes: [Route] {
        [
            Route(
                .get, "/api/models", id: "listModels", "The registered models, by name.", access: .needs(.readModels),
                query: [.project] + Paging.parameters,
                replies: [.init(200, "A page of them.", .init(ModelSchemas.page(of: ModelSchemas.model)))]
            ) { request, context in
                let models = try await management.read(request, context) { try $0.models.list() }
                return try Paging(request).page(models) { $0.model }
            },
            Route(
                .post, "/api/models", id: "registerModel", "Register the model of a run as the next version.",
                access: .needs(.registerModels), query: [.project], isOnce: true,
                accepts: [.init(Self.run, example: #"{"run": "0190b2f4a6c27d10b6a2f1f2a3b4c5d6"}"#)],
                replies: [
                    .init(201, "Registered, now or before.", .init(ModelSchemas.registration)),
                    .problem(404, "No such run."), .problem(409, "The run may not be registered."),
                ]
            ) { request, context in
                let body = try await context.object(request, Self.run)
                let run = try body.text("run")
                return try await management.change(request, body, context, status: .created) { project, registry in
                    let model = try registry.runs.show(run).model
                    return try JSON.text(
                        registry.models.register(run: run, approval: project.policies[model] ?? .required))
                }
            },
            Route(
                .get, "/api/models/{id}", id: "getModel",
                "A version with all that its run measured: NAME@3, NAME@candidate; NAME is the champion.",
                access: .needs(.readModels), path: ["id": ModelSchemas.reference], query: [.project],
                replies: [.init(200, "The version.", .init(ModelSchemas.whole)), .problem(404, "No such version.")]
            ) { request, context in
                let reference = try Self.reference(context)
                return try .json(await management.read(request, context) { try $0.models.show(reference) })
            },
            Route(
                .get, "/api/models/{id}/versions", id: "listVersions", "The versions of a model, newest first.",
                access: .needs(.readModels), path: ["id": ModelSchemas.name], query: [.project] + Paging.parameters,
                replies: [
                    .init(200, "A page of them.", .init(ModelSchemas.page(of: ModelSchemas.summary))),
                    .problem(404, "No such model."),
                ]
            ) { request, context in
                let name = try Self.reference(context).model
                let versions = try await management.read(request, context) { try $0.models.versions(of: name) }
                return try Paging(request).page(versions) { Paging.descending($0.version) }
            },
            move(
                .put, "promote", id: "promoteModel", "Make a version the champion.",
                ModelSchemas.move, reason: .optional
            ) { [management] in try JSON.text(management.promote($2, reason: $3, in: $0, $1)) },
            move(
                .post, "approve", id: "approveModel", "Approve a version that waits for it.", ModelSchemas.summary,
                reason: .optional
            ) { [management] in try JSON.text(management.approve($2, reason: $3, in: $0, $1)) },
            move(
                .post, "reject", id: "rejectModel", "Reject a version that waits for approval, for good.",
                ModelSchemas.summary, reason: .required
            ) { try JSON.text($1.models.reject($2, reason: $3 ?? "")) },
        ]
    }

    private enum Reason { case optional, required }

    /// A route that moves or decides on one version.
    private func move(
        _ method: HTTPRequest.Method, _ verb: String, id: String, _ summary: String, _ answer: Schema, reason: Reason,
        _ act: @escaping @Sendable (ManagedProject, ModelRegistry, ModelReference, String?) throws -> String
    ) -> Route {
        let schema = Schema.object(
            .init(
                "reason", reason == .required ? .text(pattern: #"\S"#, maxLength: 2000) : ModelSchemas.reason,
                optional: reason == .optional, "Why; it stays in the history."))
        return Route(
            method, "/api/models/{id}/\(verb)", id: id, summary, access: .needs(.promoteModels),
            path: ["id": ModelSchemas.versionReference], query: [.project], isOnce: method == .post,
            accepts: [.init(schema, example: #"{"reason": "read the card"}"#)],
            replies: [
                .init(200, "Done.", .init(answer)), .problem(404, "No such version."),
                .problem(409, "Its approval, or the state of the registry, forbids it, or it cannot answer."),
            ]
        ) { request, context in
            let body = try await context.object(request, schema)
            let reference = try Self.reference(context)
            return try await management.change(request, body, context) { project, registry in
                try act(project, registry, reference, body.optionalText("reason"))
            }
        }
    }

    static func reference(_ context: APIContext) throws -> ModelReference {
        try ModelReference(parsing: context.requiredSegment("id"))
    }

    private static let run = Schema.object(
        .init("run", .text(pattern: "^[0-9a-f]{6,32}$"), "The run's id, or digits that only it begins with."))
}
