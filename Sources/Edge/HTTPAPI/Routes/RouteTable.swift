internal import HTTPTypes
package import Hummingbird

/// All routes of a server, from which the router is built.
///
/// ```swift
/// let table = RouteTable(documenting: "0.1.0", families: [.mlflow], health.routes, predictions.routes, models.routes)
/// let router = table.router(gatekeeper: gate, edge: edge)
/// ```
///
/// A new area of the API is a file with a type that has `routes`, and one line in ``product(_:)``.
package struct RouteTable: Sendable {
    /// All routes in the order of their areas; the one that documents them is the last.
    package let routes: [Route]
    /// The families whose paths are not of Martlet's own API.
    package let families: [RouteFamily]

    private static let methods: [HTTPRequest.Method] =
        [
            .get, .head, .post, .put, .patch, .delete, .options, .trace,
        ] + ["QUERY", "CONNECT", "PROPFIND", "LOCK", "COPY", "MOVE", "LINK", "PURGE"].compactMap { .init($0) }

    /// Combines the routes of several areas, and adds one that documents them all, as OpenAPI does.
    /// - Parameters:
    ///   - families: those whose paths are not of Martlet's own API; the first that covers a path has it.
    ///   - components: schemas that change with what is served.
    package init(
        documenting version: String, families: [RouteFamily] = [],
        components: @escaping @Sendable (_ isKnown: Bool) -> [String: Schema] = { _ in ServedSchemas.components(nil) },
        _ areas: [Route]...
    ) {
        self.families = families
        let routes = areas.flatMap(\.self).map { route in
            var route = route
            route.family = families.covering(route.path)
            return route
        }
        self.routes = routes + [OpenAPIDocument.route(with: routes, version: version, components: components)]
    }

    /// Builds the router, with each route behind the gatekeeper.
    /// - Parameter edge: the outermost middleware.
    package func router(gatekeeper: any Gatekeeper, edge: EdgeMiddleware) -> Router<APIContext> {
        var edge = edge
        edge.families = families
        var middleware: [any MiddlewareProtocol<Request, Response, APIContext>] = [edge]
        if let site = gatekeeper.site { middleware.append(SiteMiddleware(site)) }
        let router = Router(context: APIContext.self, options: [.autoGenerateHeadEndpoints])
        for each in middleware { router.add(middleware: each) }
        for route in routes {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                let context = try await gatekeeper.admit(request, to: route, in: context)
                try route.check(request, context)
                return try await route.handler(request, context)
            }
        }
        // A path that is there, asked with another method, says so.
        for (path, routes) in Dictionary(grouping: routes, by: \.path) {
            var allowed = routes.map(\.method)
            if allowed.contains(.get) { allowed.append(.head) }
            let list = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in RouteTable.methods where !allowed.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    var problem = Problem(.methodNotAllowed, "http.405", "Only \(list) here.")
                    problem.allow = list
                    throw problem
                }
            }
        }
        return router
    }
}
