internal import Core
internal import HTTPTypes
package import Hummingbird
internal import Logging
internal import Synchronization

extension HTTPField.Name {
    /// A name that is written here; the other side of `??` is for the compiler, since only a bad name gives none.
    static func own(_ name: String) -> Self { Self(name) ?? .via }

    /// Name of the header X-Request-ID.
    package static let requestID = own("X-Request-ID")
}

/// Outermost middleware: request ids, concurrency limit, error responses, metrics and access log.
package struct EdgeMiddleware: RouterMiddleware {
    package typealias Context = APIContext

    private let ids: RequestIDs
    private let isDraining: @Sendable () -> Bool
    private let observer: RequestObserver?
    /// Those in whose form errors are rendered; other paths are of Martlet's own API.
    var families: [RouteFamily] = []

    /// Makes the middleware.
    /// - Parameter observer: counts and limits the requests; `nil` for a router without a server.
    package init(ids: RequestIDs, isDraining: @escaping @Sendable () -> Bool, observer: RequestObserver? = nil) {
        self.ids = ids
        self.isDraining = isDraining
        self.observer = observer
    }

    /// Handles a request with id, limits, errors, metrics and access log around it.
    package func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = Self.accepted(request.headers[.requestID]) ?? ids.make()
        context.logger[metadataKey: "request_id"] = .string(context.requestID)
        var response: Response
        do {
            if let observer {
                response = try await observer.observed(request, &context) { request, context in
                    try Self.checkCodings(request)
                    return try await next(request, context)
                }
            } else {
                response = try await next(request, context)
            }
        } catch {
            let problem = Problem(error)
            if problem.status.code >= 500, problem.isOurs { context.logger.error("\(error)") }
            response = families.covering(request.uri.path).response(to: problem, requestID: context.requestID)
        }
        observer?.end(request, context, response)
        // Also of a refusal: a client takes what stands behind this head for its next answer.
        if request.method == .head { response = response.createHeadResponse() }
        response.headers[.requestID] = context.requestID
        if isDraining() { response.headers[.connection] = "close" }
        return response
    }

    /// A body that is packed for the way (RFC 9112, 6.1) would be taken for what is in the packing.
    private static func checkCodings(_ request: Request) throws {
        guard let codings = request.headers[.transferEncoding] else { return }
        if case .plain = BodyCodings([codings]) { return }
        throw Problem(
            .notImplemented, Problem.packed, "This server does not unpack '\(codings.prefix(80))'.",
            remedy: "Send the body as it is, with Content-Length or Transfer-Encoding: chunked.")
    }

    /// A client's id is taken when it is short and plain, so that it can stand in headers, logs and file names.
    static func accepted(_ given: String?) -> String? {
        guard let given, (1...128).contains(given.utf8.count) else { return nil }
        let isPlain = given.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 46
                || $0 == 95
        }
        return isPlain ? given : nil
    }
}
