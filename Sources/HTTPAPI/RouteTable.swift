package import Hummingbird

/// All routes of a server. A new area of the API is a file with a function that gives `[Route]`, and one line in
/// `FrontServer`; nothing else has to know of it.
package struct RouteTable: Sendable {
    package let routes: [Route]

    package init(_ areas: [Route]...) { routes = areas.flatMap(\.self) }

    /// The router, with each route behind the gatekeeper.
    func router(gatekeeper: any Gatekeeper, middleware: [any MiddlewareProtocol<Request, Response, APIContext>])
        -> Router<APIContext>
    {
        let router = Router(context: APIContext.self, options: [.autoGenerateHeadEndpoints])
        for each in middleware { router.add(middleware: each) }
        for route in routes {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                try await route.handler(request, gatekeeper.admit(request, to: route, in: context))
            }
        }
        return router
    }
}
