internal import HTTPTypes
package import Hummingbird
internal import Logging
package import Vocabulary

extension HTTPField.Name {
    /// A name that is written here; the other side of `??` is for the compiler, since only a bad name gives none.
    static func own(_ name: String) -> Self { Self(name) ?? .via }

    package static let requestID = own("X-Request-ID")
}

/// The outermost one: gives each request its id, turns what is thrown into a problem, and tells the id in the answer.
package struct EdgeMiddleware: RouterMiddleware {
    package typealias Context = APIContext

    private let ids: RequestIDs
    private let isDraining: @Sendable () -> Bool

    package init(ids: RequestIDs, isDraining: @escaping @Sendable () -> Bool) {
        self.ids = ids
        self.isDraining = isDraining
    }

    package func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = Self.accepted(request.headers[.requestID]) ?? ids.make()
        context.logger[metadataKey: "request_id"] = .string(context.requestID)
        var response: Response
        do { response = try await next(request, context) } catch {
            let problem = Problem(error)
            if problem.status.code >= 500 { context.logger.error("\(error)") }
            response = problem.response(requestID: context.requestID)
        }
        response.headers[.requestID] = context.requestID
        if isDraining() { response.headers[.connection] = "close" }
        return response
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
