internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity

/// Routes that read the audit log.
///
/// ```swift
/// let routes = AuditRoutes(management).routes
/// ```
struct AuditRoutes: Sendable {
    let management: Management

    init(_ management: Management) { self.management = management }

    /// The routes with their handlers.
    var routes: [Route] {
        [
            Route(
                .get, "/api/audit", id: "listAudit",
                "Who changed what in all projects of this server, by time, oldest first.", access: .needs(.readAudit),
                query: [
                    .init("actor", .text(maxLength: 80), "Only what this one did: user:ada."),
                    .init("action", .text(maxLength: 80), "Only this action, or all of its kind: alias.moved, alias."),
                    .init("subject", .text(maxLength: 300), "Only this subject and what is below it."),
                    .init("since", ModelSchemas.moment, "Only at this moment or later: 2026-01-31T08:15:00Z."),
                    .init("until", ModelSchemas.moment, "Only before this moment."),
                ] + Paging.parameters,
                replies: [.init(200, "A page of changes.", .init(ModelSchemas.page(of: Self.entry)))]
            ) { request, context in
                let paging = try Paging(request)
                let query = request.uri.queryParameters
                let wanted = AuditQuery(
                    actor: query["actor"].map(String.init), action: query["action"].map(String.init),
                    subject: query["subject"].map(String.init), since: query["since"].flatMap { Timestamp(String($0)) },
                    until: query["until"].flatMap { Timestamp(String($0)) }, limit: paging.limit)
                let found = try await management.identity.aside {
                    try management.audit().list(wanted, behind: ServerAudit.Place(paging.after))
                }
                return try Paging.page(found.entries, next: found.next?.description)
            }
        ]
    }

    private static let entry = Schema.object(
        .init("position", .integer(minimum: 1)), .init("at", ModelSchemas.time), .init("actor", .text),
        .init("action", .text), .init("subject", .text), .init("project", .text, optional: true),
        .init("before", .object([], additional: .any), optional: true),
        .init("after", .object([], additional: .any), optional: true),
        .init("request", .text, optional: true, "The id of the request that asked for it."))
}
