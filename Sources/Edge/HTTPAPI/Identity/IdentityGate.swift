internal import Core
internal import HTTPTypes
package import Hummingbird
package import Identity
internal import Logging

/// Gatekeeper that authenticates API tokens (`Authorization: Bearer …`) and session cookies, whichever of them a route's
/// family takes, and checks permissions.
///
/// Deny by default: without one only routes for anyone are allowed. A token costs a digest and a look into a table;
/// no database is asked.
///
/// ```swift
/// let router = table.router(gatekeeper: IdentityGate(identity), edge: edge)
/// ```
package struct IdentityGate: Gatekeeper {
    private let identity: IdentityService

    package init(_ identity: IdentityService) { self.identity = identity }

    package var site: Site? { identity.site }

    /// Authenticates a fast-path request that may predict; `nil` leaves it to the router.
    package func admitsImmediately(host: String?, authorization: String?, project: String) -> Principal? {
        guard let host, identity.site.answers(to: host), !identity.known.isStale, var header = authorization else {
            return nil
        }
        return header.withUTF8 { bytes in
            guard bytes.count > 7, bytes[..<7].elementsEqual("Bearer ".utf8) else { return nil }
            let token = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[7...]))
            let principal = identity.known.principal(token: token, at: identity.execution.now())
            return principal?.may(.predict, in: project) ?? false ? principal : nil
        }
    }

    /// Authenticates a request and checks the route's permission; throws a problem when it is not allowed.
    package func admit(_ request: Request, to route: Route, in context: APIContext) async throws -> APIContext {
        guard case .needs(let permission) = route.access else {
            var context = context
            // What anyone may read may tell more to those who are known.
            context.principal = await known(request, by: route.family.credentials)
            return context
        }
        guard !identity.known.isStale else {
            // Nobody may be let in by what may have been revoked.
            throw Problem(
                .serviceUnavailable, "identity.stale",
                "People and tokens have not been readable for too long, so nobody is let in.",
                remedy: "Bring the metadata database back; the server goes on by itself.")
        }
        var context = context
        let credentials = route.family.credentials
        let principal: Principal
        if credentials.contains(.token), let header = request.headers[.authorization] {
            do { principal = try token(header, of: credentials) } catch is Problem {
                // It may have been made a moment ago.
                do { try await identity.lookAgain() } catch {
                    context.logger.error("people and tokens cannot be read: \(error)")
                }
                principal = try token(header, of: credentials)
            }
        } else if credentials.contains(.session) {
            (principal, context.session) = try await session(request, of: credentials)
        } else {
            throw IdentityGate.unknown("This needs a token.", taking: credentials)
        }
        guard principal.may(permission) else {
            var problem = Problem(
                .forbidden, "access.role", "\(principal.actor) is \(principal.role.rawValue) and may not do this.",
                remedy: "It needs the permission \(permission.rawValue).")
            problem.challenge = #"Bearer realm="martlet", error="insufficient_scope""#
            throw problem
        }
        context.principal = principal
        if let project = context.segment("project") { try context.require(project: project) }
        return context
    }

    /// Who makes a request that anyone may make; `nil` for nobody who is known.
    private func known(_ request: Request, by credentials: Set<RouteFamily.Credential>) async -> Principal? {
        if identity.known.isStale { return nil }
        if credentials.contains(.token), let header = request.headers[.authorization] {
            return try? token(header, of: credentials)
        }
        guard credentials.contains(.session),
            request.cookies[SessionCookie.name(isSecure: identity.site.isSecure)] != nil
        else { return nil }
        return try? await session(request, of: credentials).0
    }

    private func token(_ header: String, of credentials: Set<RouteFamily.Credential>) throws -> Principal {
        guard header.utf8.count > 7, header.prefix(7).lowercased() == "bearer " else {
            throw IdentityGate.unknown(
                "Authorization is not 'Bearer TOKEN'.", #", error="invalid_request""#, taking: credentials)
        }
        guard let principal = identity.known.principal(token: String(header.dropFirst(7)), at: identity.execution.now())
        else {
            throw IdentityGate.unknown(
                "This token is none, was revoked, or has expired.", #", error="invalid_token""#, taking: credentials)
        }
        return principal
    }

    /// The person, and the session's id. A request that changes something must show that a page of this session makes
    /// it: other sites' forms can make a browser send its cookies, but cannot read the session's token.
    private func session(
        _ request: Request, of credentials: Set<RouteFamily.Credential>
    ) async throws -> (Principal, String) {
        guard let cookie = request.cookies[SessionCookie.name(isSecure: identity.site.isSecure)] else {
            throw IdentityGate.unknown(
                credentials.contains(.token) ? "This needs a token or a session." : "This needs a session.",
                taking: credentials)
        }
        let now = identity.execution.now()
        guard let claim = await identity.cookies.claim(in: cookie.value, at: now),
            let principal = identity.known.principal(session: claim.session, at: now)
        else { throw IdentityGate.unknown("This session has ended.", taking: credentials) }
        let isSafe = [.get, .head, .options].contains(request.method)
        guard isSafe || Secret.areEqual(request.headers[.csrfToken] ?? "", claim.csrf) else {
            throw Problem(
                .forbidden, "access.csrf", "A change in a session needs the session's X-CSRF-Token.",
                remedy: "GET /api/session tells it.")
        }
        return (principal, claim.session)
    }

    /// - Parameter error: what the challenge says of a token that was sent.
    static func unknown(
        _ detail: String, _ error: String = "", taking credentials: Set<RouteFamily.Credential>
    ) -> Problem {
        let token = "Send `Authorization: Bearer TOKEN` (`martlet tokens create`)"
        let remedy =
            credentials.contains(.token) ? token + (credentials.contains(.session) ? ", or log in." : ".") : "Log in."
        var problem = Problem(.unauthorized, "access.unknown", detail, remedy: remedy)
        if credentials.contains(.token) { problem.challenge = #"Bearer realm="martlet""# + error }
        return problem
    }
}

extension HTTPField.Name {
    /// X-CSRF-Token.
    static let csrfToken = own("X-CSRF-Token")
}

/// Reads and writes the session cookie.
enum SessionCookie {
    /// With the prefix a browser takes it only over HTTPS, from this very host, for all paths.
    static func name(isSecure: Bool) -> String { isSecure ? "__Host-martlet" : "martlet_session" }

    static func cookie(_ value: String, seconds: Int, isSecure: Bool) -> Cookie {
        Cookie(
            name: name(isSecure: isSecure), value: value, maxAge: seconds, path: "/", secure: isSecure, httpOnly: true,
            sameSite: .strict)
    }
}
