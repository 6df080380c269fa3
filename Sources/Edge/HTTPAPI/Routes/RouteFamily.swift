package import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Routes that share a protocol: where they are, how their requests authenticate, and how they render an error.
///
/// A path belongs to the first family of a route table that covers it. So every error below a family's paths has the
/// family's form, whoever raises it: the handler, the checks before it, or the router that finds no route.
///
/// ```swift
/// extension RouteFamily {
///     static let pages = RouteFamily(
///         "pages", at: ["/ui"], credentials: [.session], errors: .init("text/html", .text)
///     ) { problem, _ in Refusal(problem.status, "text/html; charset=utf-8", Array(page(problem).utf8)) }
/// }
/// ```
package struct RouteFamily: Sendable {
    /// What a request can show to prove who makes it.
    package enum Credential: String, Sendable {
        /// An API token: `Authorization: Bearer TOKEN`.
        case token
        /// The cookie of a person's session; a change needs its X-CSRF-Token, too.
        case session
    }

    /// An error as it is sent.
    package struct Refusal: Sendable {
        /// Status in the family's protocol; a problem's own, or the one that its clients know for it.
        package let status: HTTPResponse.Status
        /// Media type of the body.
        package let contentType: String
        /// The body.
        package let bytes: [UInt8]
        /// Further headers, such as Location; those of the problem are sent as well.
        package let headers: HTTPFields
        /// Seconds for the Retry-After header.
        fileprivate(set) var retryAfter: Int?

        package init(
            _ status: HTTPResponse.Status, _ contentType: String, _ bytes: [UInt8], headers: HTTPFields = [:]
        ) {
            self.status = status
            self.contentType = contentType
            self.bytes = bytes
            self.headers = headers
        }
    }

    /// Name in the OpenAPI document: "mlflow".
    package let name: String
    /// What a request may authenticate with, on routes that are not for anyone.
    package let credentials: Set<Credential>
    /// Body of an error as the OpenAPI document shows it.
    package let errors: Route.Body
    private let paths: [[Substring]]
    private let render: @Sendable (Problem, _ requestID: String) -> Refusal

    /// Makes a family.
    /// - Parameters:
    ///   - paths: it has these and all below them; a segment in braces stands for any.
    ///   - render: gives a problem the family's form.
    package init(
        _ name: String, at paths: [String], credentials: Set<Credential>, errors: Route.Body,
        render: @escaping @Sendable (Problem, _ requestID: String) -> Refusal
    ) {
        self.name = name
        self.paths = paths.map { $0.split(separator: "/") }
        self.credentials = credentials
        self.errors = errors
        self.render = render
    }

    /// Whether a path is one of the family's, or below one. Segments count, as for the router.
    package func covers(_ path: String) -> Bool {
        let path = path.split(separator: "/")
        return paths.contains { own in
            own.count <= path.count && zip(own, path).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
    }

    /// Returns a problem in the family's form.
    package func refusal(_ problem: Problem, requestID: String) -> Refusal {
        var refusal = render(problem, requestID)
        refusal.retryAfter = problem.retryAfter
        return refusal
    }

    /// Returns the response to a request that ends with a problem.
    func response(to problem: Problem, requestID: String) -> Response {
        let refusal = refusal(problem, requestID: requestID)
        var headers = problem.headers
        headers[.contentType] = refusal.contentType
        headers.append(contentsOf: refusal.headers)
        return Response(
            status: refusal.status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: refusal.bytes)))
    }
}

extension [RouteFamily] {
    /// Returns the first family that covers a path, else Martlet's own API.
    package func covering(_ path: String) -> RouteFamily { first { $0.covers(path) } ?? .api }
}

extension Problem {
    /// The headers that belong to it in every family.
    fileprivate var headers: HTTPFields {
        var headers: HTTPFields = [:]
        if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
        if let allow { headers[.allow] = allow }
        if let challenge { headers[.wwwAuthenticate] = challenge }
        if let acceptEncoding { headers[.acceptEncoding] = acceptEncoding }
        return headers
    }
}
