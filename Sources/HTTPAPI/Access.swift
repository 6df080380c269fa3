package import Hummingbird
package import Vocabulary

/// Who may use a route. Every route declares one; there is no default, so that a forgotten one does not compile.
package enum RequiredRole: String, Sendable, CaseIterable {
    /// Anyone, without a token: probes and what a login needs.
    case anyone
    /// Looks and predicts.
    case viewer
    /// Starts work: training, jobs, deployments.
    case `operator`
    /// Decides on versions.
    case approver
    /// Everything, users included.
    case admin
}

/// Decides whether a request may use a route, and finds out who makes it.
package protocol Gatekeeper: Sendable {
    /// Gives the context with the principal that the request proved to be.
    /// - Throws: an error with the code `access.…` when the request may not use the route.
    func admit(_ request: Request, to route: Route, in context: APIContext) async throws -> APIContext

    /// Whether a request for predictions of a project may be answered at once, on the event loop; blocks on nothing. What
    /// it does not let in goes to the router, where `admit` decides and says why.
    /// - Parameter authorization: the header of that name, as it came.
    func admitsAtOnce(authorization: String?, project: String) -> Bool
}

/// Lets everybody in: for a server that only this machine reaches, and for tests of something else.
package struct OpenGate: Gatekeeper {
    package init() {}

    package func admit(_ request: Request, to route: Route, in context: APIContext) async throws -> APIContext {
        context
    }

    package func admitsAtOnce(authorization: String?, project: String) -> Bool { true }
}
