internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import Logging
internal import NIOCore

/// Routes for login, logout and the setup of the first admin.
///
/// ```swift
/// let routes = SessionRoutes(identity).routes
/// ```
struct SessionRoutes: Sendable {
    let identity: IdentityService

    init(_ identity: IdentityService) { self.identity = identity }

    /// The routes with their handlers.
    var routes: [Route] {
        [
            Route(
                .post, "/api/session", id: "logIn", "Log in with name and password.", access: .anyone,
                accepts: [
                    .init(Self.login, example: #"{"name": "ada", "password": "correct horse battery staple"}"#)
                ],
                replies: [
                    .init(200, "Logged in; the cookie is set.", .init(Self.session)),
                    .problem(401, "Name or password is wrong."), .problem(429, "Too many tries."),
                ], handler: logIn),
            Route(
                .get, "/api/session", id: "whoAmI", "Who makes this request.", access: .needs(.ownSession),
                replies: [.init(200, "The person or token.", .init(Self.session))], handler: whoAmI),
            Route(
                .delete, "/api/session", id: "logOut", "End the session.", access: .needs(.ownSession),
                replies: [.init(204, "Ended; the cookie is gone."), .problem(409, "A token has no session.")],
                handler: logOut),
            Route(
                .post, "/api/setup", id: "setUp", "Make the first admin with the link that the server printed.",
                access: .anyone,
                accepts: [
                    .init(
                        Self.setup,
                        example: #"{"secret": "AAAA", "name": "ada", "password": "correct horse battery staple"}"#)
                ],
                replies: [
                    .init(200, "Made, and logged in.", .init(Self.session)), .problem(409, "The link does not work."),
                    .problem(429, "Too many tries."),
                ], handler: setUp),
        ]
    }

    @Sendable private func logIn(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await context.object(request, Self.login)
        let (name, password) = (try body.text("name"), try body.text("password"))
        try throttled(name, context)
        guard let user = try await identity.hashing({ try identity.store.authenticate(name, password) }) else {
            context.logger.notice("login failed", metadata: ["address": "\(context.address)"])
            throw IdentityGate.unknown("Name or password is wrong.", taking: RouteFamily.api.credentials)
        }
        return try await welcome(user, context)
    }

    @Sendable private func setUp(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await context.object(request, Self.setup)
        let (secret, name, password) = (try body.text("secret"), try body.text("name"), try body.text("password"))
        try throttled("setup", context)
        let store = identity.store.acting(as: Author(actor: "setup", request: context.requestID))
        let user = try await identity.hashing { try store.setUp(secret, name: name, password: password) }
        return try await welcome(user, context)
    }

    @Sendable private func whoAmI(_ request: Request, _ context: APIContext) async throws -> Response {
        let principal = try context.known
        var csrf: String?
        if context.session != nil, let cookie = request.cookies[SessionCookie.name(isSecure: identity.site.isSecure)] {
            csrf = await identity.cookies.claim(in: cookie.value, at: identity.execution.now())?.csrf
        }
        return try .json(Self.told(principal, csrf: csrf))
    }

    @Sendable private func logOut(_ request: Request, _ context: APIContext) async throws -> Response {
        let principal = try context.known
        guard let session = context.session else {
            throw Problem(
                .conflict, "access.no-session", "A token has no session to end.",
                remedy: "`martlet tokens revoke` takes a token out of use.")
        }
        let store = identity.store.acting(as: context.author)
        try await identity.change { try store.endSession(session, of: principal.name) }
        var response = Response(status: .noContent)
        response.setCookie(SessionCookie.cookie("", seconds: 0, isSecure: identity.site.isSecure))
        return response
    }

    private func throttled(_ name: String, _ context: APIContext) throws {
        // The clock that only goes forward: one that is put back would lock people out for as long.
        let now = Timestamp(microseconds: Int64(identity.execution.uptime() * 1e6))
        guard let seconds = identity.throttle.enter(name: name, address: AddressKey.of(context.address), at: now) else {
            return
        }
        var problem = Problem(
            .tooManyRequests, "access.throttled", "Too many tries; the next one is taken in \(seconds) s.")
        problem.retryAfter = seconds
        throw problem
    }

    private func welcome(_ user: User, _ context: APIContext) async throws -> Response {
        identity.throttle.succeeded(name: user.name, address: AddressKey.of(context.address))
        let store = identity.store.acting(as: Author(actor: "user:\(user.name)", request: context.requestID))
        let session = try await identity.change { try store.openSession(for: user, seconds: identity.sessionSeconds) }
        let principal = Principal(
            kind: .user, id: user.id, name: user.name, role: user.role, expires: session.expires)
        var response = try Response.json(Self.told(principal, csrf: session.csrf))
        response.setCookie(
            SessionCookie.cookie(
                try await identity.cookies.token(for: session), seconds: identity.sessionSeconds,
                isSecure: identity.site.isSecure))
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private static func told(_ principal: Principal, csrf: String?) -> JSONValue {
        .object([
            "kind": .text(principal.kind.rawValue), "name": .text(principal.name),
            "role": .text(principal.role.rawValue), "project": principal.project.map { .text($0) } ?? .null,
            "expires": principal.expires.map { .text($0.description) } ?? .null,
            "csrf_token": csrf.map { .text($0) } ?? .null,
        ])
    }

    private static let login = Schema.object(
        .init("name", .text(maxLength: 64)), .init("password", .text(maxLength: 256)))
    private static let setup = Schema.object(
        .init("secret", .text(maxLength: 64)), .init("name", .text(maxLength: 64)),
        .init("password", .text(maxLength: 256)))
    private static let session = Schema.object(
        .init("kind", .text(oneOf: ["user", "token"])), .init("name", .text),
        .init("role", .text(oneOf: Role.allCases.map(\.rawValue))),
        .init("project", .text.orNull, "The only project it may touch; null for all."),
        .init("expires", .text(format: "date-time").orNull),
        .init("csrf_token", .text.orNull, "What each change in this session sends as X-CSRF-Token."))
}
