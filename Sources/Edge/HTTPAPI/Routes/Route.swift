package import Core
package import HTTPTypes
package import Hummingbird

/// One HTTP route: path, access, schemas and handler.
///
/// The router, the OpenAPI document and the test of every route with every role are made from the same list.
package struct Route: Sendable {
    /// Handles a request: decodes, calls one use case, encodes.
    package typealias Handler = @Sendable (Request, APIContext) async throws -> Response

    /// A request or response body: media type and schema.
    package struct Body: Sendable {
        /// Media type of the body: "application/json", "text/csv".
        package let mediaType: String
        /// Schema of the body as the OpenAPI document shows it.
        package let schema: Schema
        /// Example of the body for the OpenAPI document; `nil` for none.
        package let example: JSONValue?

        /// A JSON body.
        /// - Parameter example: a JSON text.
        package init(_ schema: Schema, example: String? = nil) {
            mediaType = "application/json"
            self.schema = schema
            self.example = example.flatMap { JSONValue(parsing: $0) }
        }

        package init(_ mediaType: String, _ schema: Schema) {
            self.mediaType = mediaType
            self.schema = schema
            example = nil
        }
    }

    /// A documented response: status, description and bodies. Errors common to all routes are not listed.
    package struct Reply: Sendable {
        /// HTTP status code of the response, such as 200.
        package let status: Int
        /// Description of the response in the OpenAPI document.
        package let about: String
        /// The response's possible bodies, one for each media type; empty for a response without a body.
        package let bodies: [Body]

        package init(_ status: Int, _ about: String, _ bodies: Body...) { self.init(status, about, bodies) }

        package init(_ status: Int, _ about: String, _ bodies: [Body]) {
            self.status = status
            self.about = about
            self.bodies = bodies
        }
    }

    /// A parameter of the query string.
    package struct Parameter: Sendable {
        /// Name of the parameter in the query string.
        package let name: String
        /// Schema that a given value must fit; a request that breaks it is answered 400.
        package let schema: Schema
        /// Description of the parameter in the OpenAPI document.
        package let about: String

        package init(_ name: String, _ schema: Schema, _ about: String) {
            self.name = name
            self.schema = schema
            self.about = about
        }
    }

    /// HTTP method; a GET route answers HEAD, too.
    package let method: HTTPRequest.Method
    /// Path with parameters in braces: "/projects/{project}/models/{model}/predict".
    package let path: String
    /// Unique operation id, camel case.
    package let id: String
    /// Summary in one line.
    package let summary: String
    /// Whether anyone may use the route, or only those with a permission.
    package let access: Access
    /// Schemas of path parameters; any text where there is none.
    package let pathSchemas: [String: Schema]
    /// The query parameters that it takes, all optional; a request with any other is refused.
    package let query: [Parameter]
    /// Whether the route supports Idempotency-Key, so that a repeated request has no second effect.
    package let isOnce: Bool
    /// The request bodies it accepts.
    package let accepts: [Body]
    /// The responses that the OpenAPI document lists, without the errors common to all routes.
    package let replies: [Reply]
    /// The family by whose rules its requests authenticate and its errors are rendered; the route table gives it by the
    /// path.
    package internal(set) var family = RouteFamily.api
    /// Answers a request that the gatekeeper admitted and whose path and query fit their schemas.
    package let handler: Handler

    package init(
        _ method: HTTPRequest.Method, _ path: String, id: String, _ summary: String, access: Access,
        path schemas: [String: Schema] = [:], query: [Parameter] = [], isOnce: Bool = false, accepts: [Body] = [],
        replies: [Reply], handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.id = id
        self.summary = summary
        self.access = access
        pathSchemas = schemas
        self.isOnce = isOnce
        self.query = query
        self.accepts = accepts
        self.replies = replies
        self.handler = handler
    }

    /// Returns the schema of a path parameter; `nil` for any text.
    package func path(_ name: String) -> Schema? { pathSchemas[name] }

    /// Names of the path parameters.
    package var pathParameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") && $0.hasSuffix("}") }
            .map { String($0.dropFirst().dropLast()) }
    }
}
