internal import HTTPTypes
internal import Hummingbird

/// Middleware that rejects requests for another host (421) and cross-site requests from browsers (403).
struct SiteMiddleware: RouterMiddleware {
    typealias Context = APIContext

    private let site: Site

    init(_ site: Site) { self.site = site }

    /// Rejects the request, or passes it on.
    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let forwarded = site.isBehindProxy ? Forwarded.host(request.headers) : nil
        let authority = forwarded ?? request.head.authority ?? ""
        guard site.answers(to: authority) else {
            throw Problem(
                .misdirectedRequest, "access.host", "This server does not answer to '\(authority.prefix(80))'.",
                remedy: "If it should, start it with `--allow-host NAME`.")
        }
        if let origin = request.headers[.origin], !site.isOwn(origin: origin, at: authority) {
            throw Problem(.forbidden, "access.origin", "Pages of '\(origin.prefix(80))' may not ask this server.")
        }
        var response = try await next(request, context)
        // Browsers come by HTTPS from now on (RFC 6797).
        if site.isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        return response
    }
}
