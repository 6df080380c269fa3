package import HTTPTypes
package import Hummingbird

/// One route: what it is called, who may use it, what goes in and what comes out, and the handler that does it. The
/// router, the OpenAPI document and the test of every route with every role are made from the same list.
package struct Route: Sendable {
    /// Five lines: decode, call one use case, encode.
    package typealias Handler = @Sendable (Request, APIContext) async throws -> Response

    /// A body, or one of several forms of it.
    package struct Body: Sendable {
        package let mediaType: String
        package let schema: Schema

        /// JSON.
        package init(_ schema: Schema) { self.init("application/json", schema) }

        package init(_ mediaType: String, _ schema: Schema) {
            self.mediaType = mediaType
            self.schema = schema
        }
    }

    /// What a route answers with one status; errors common to all routes are not named.
    package struct Reply: Sendable {
        package let status: Int
        package let about: String
        package let bodies: [Body]

        package init(_ status: Int, _ about: String, _ bodies: Body...) {
            self.status = status
            self.about = about
            self.bodies = bodies
        }
    }

    /// A parameter of the query string.
    package struct Parameter: Sendable {
        package let name: String
        package let schema: Schema
        package let about: String

        package init(_ name: String, _ schema: Schema, _ about: String) {
            self.name = name
            self.schema = schema
            self.about = about
        }
    }

    package let method: HTTPRequest.Method
    /// With parameters in braces: "/projects/{project}/models/{model}/predict".
    package let path: String
    /// Unique, camel case: the operation's id.
    package let id: String
    /// One line.
    package let summary: String
    package let role: RequiredRole
    package let query: [Parameter]
    package let accepts: [Body]
    package let replies: [Reply]
    package let handler: Handler

    package init(
        _ method: HTTPRequest.Method, _ path: String, id: String, _ summary: String, role: RequiredRole,
        query: [Parameter] = [], accepts: [Body] = [], replies: [Reply], handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.id = id
        self.summary = summary
        self.role = role
        self.query = query
        self.accepts = accepts
        self.replies = replies
        self.handler = handler
    }

    /// Names of the parameters in the path.
    package var pathParameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") && $0.hasSuffix("}") }
            .map { String($0.dropFirst().dropLast()) }
    }
}
