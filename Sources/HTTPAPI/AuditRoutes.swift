internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import Vocabulary

/// The audit, for those who may read it.
package struct AuditRoutes: Sendable {
    let desk: IdentityDesk

    package init(_ desk: IdentityDesk) { self.desk = desk }

    package var routes: [Route] {
        [
            Route(
                .get, "/api/audit", id: "listAudit", "Who changed what, oldest first.", access: .needs(.readAudit),
                query: [
                    .init("actor", .text(maxLength: 80), "Only what this one did: user:ada."),
                    .init("subject", .text(maxLength: 300), "Only this subject and what is below it."),
                ] + Paging.parameters,
                replies: [.init(200, "A page of changes.", .init(ModelSchemas.page(of: Self.entry)))]
            ) { request, context in
                let paging = try Paging(request)
                let query = request.uri.queryParameters
                let wanted = AuditQuery(
                    actor: query["actor"].map(String.init), subject: query["subject"].map(String.init),
                    after: Int(paging.after) ?? 0, limit: paging.limit + 1)
                let found = try await desk.aside { try desk.store.audit(wanted) }
                let shown = Array(found.prefix(paging.limit))
                return try Paging.page(
                    shown, next: found.count > shown.count ? shown.last.map { "\($0.position)" } : nil)
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
