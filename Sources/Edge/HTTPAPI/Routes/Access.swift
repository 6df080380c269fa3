package import Hummingbird
package import Identity

/// Access rule of a route: for anyone, or by permission.
///
/// Every route declares it; there is no default, so that a forgotten one does not compile.
package enum Access: Sendable, Equatable {
    /// Anyone, without a token: probes, and what a login needs.
    case anyone
    /// Whoever has this permission, by `Permission.table`.
    case needs(Permission)
}

/// Authenticates requests and decides whether they may use a route.
package protocol Gatekeeper: Sendable {
    /// Gives the context with the principal that the request proved to be.
    /// - Throws: a `Problem` with a code `access.…` when the request may not use the route.
    func admit(_ request: Request, to route: Route, in context: APIContext) async throws -> APIContext

    /// Whether a request for predictions of a project may be answered at once, on the event loop; blocks on nothing. What
    /// it does not let in goes to the router, where `admit` decides and says why.
    /// - Parameters:
    ///   - host: the header of that name, as it came.
    ///   - authorization: the same.
    /// - Returns: who asks; `nil` when it is not let in here.
    func admitsImmediately(host: String?, authorization: String?, project: String) -> Principal?

    /// What was let in at once goes to the router all the same, where it is counted once more.
    func undoAdmission(_ principal: Principal)

    /// The names that the server answers to; `nil` for any.
    var site: Site? { get }
}

extension Gatekeeper {
    /// Does nothing: for gatekeepers that count no requests.
    package func undoAdmission(_ principal: Principal) {}
}
