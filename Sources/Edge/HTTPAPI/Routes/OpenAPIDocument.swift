internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity

/// The OpenAPI 3.1 document generated from a route table.
struct OpenAPIDocument: Sendable {
    /// The whole document, without the schemas that depend on what is served now.
    let json: JSONValue

    /// Generates the document.
    /// - Parameter version: the program's.
    init(_ routes: [Route], version: String) {
        var paths: [String: JSONValue] = [:]
        for route in routes {
            var item = paths[route.path]?.members ?? [:]
            item[route.method.rawValue.lowercased()] = OpenAPIDocument.operation(route)
            paths[route.path] = .object(item)
        }
        json = .object([
            "openapi": .text("3.1.0"),
            "info": .object([
                "title": .text("Martlet"), "version": .text(version),
                "description": .text(
                    "Risk models: predictions, training, registry, deployment. Errors are RFC 9457 problem details, "
                        + "or have the form of the protocol that a route speaks."),
                "license": .object(["name": .text("Apache-2.0"), "identifier": .text("Apache-2.0")]),
            ]),
            "paths": .object(paths),
            "components": .object([
                "schemas": .object(["Problem": Problem.schema.json]),
                "responses": .object(OpenAPIDocument.refusals(of: routes.map(\.family))),
                "securitySchemes": .object([
                    "token": .object([
                        "type": .text("http"), "scheme": .text("bearer"),
                        "description": .text("An API token: `martlet tokens create`."),
                    ]),
                    "session": .object([
                        "type": .text("apiKey"), "in": .text("cookie"), "name": .text("martlet_session"),
                        "description": .text("A person's session; changes need X-CSRF-Token too."),
                    ]),
                ]),
            ]),
        ])
    }

    /// Returns the route that serves the document of `routes` and itself.
    /// - Parameter components: schemas that change with what is served; they name the models' columns only to those who are
    ///   known.
    static func route(
        with routes: [Route], version: String, components: @escaping @Sendable (_ isKnown: Bool) -> [String: Schema]
    ) -> Route {
        func make(_ document: OpenAPIDocument?) -> Route {
            Route(
                .get, "/openapi.json", id: "openAPI", "This document.", access: .anyone,
                replies: [
                    .init(
                        200, "OpenAPI 3.1.",
                        .init(
                            .object(
                                [
                                    .init("openapi", .text(pattern: #"^3\.1\."#)),
                                    .init("info", .object([.init("title", .text)], additional: .any)),
                                    .init("paths", .object([], additional: .object([], additional: .any))),
                                ], additional: .any)))
                ]
            ) { _, context in try .json(document?.json(with: components(context.principal != nil)) ?? .null) }
        }
        return make(OpenAPIDocument(routes + [make(nil)], version: version))
    }

    private func json(with components: [String: Schema]) -> JSONValue {
        guard var document = json.members, var parts = document["components"]?.members,
            var schemas = parts["schemas"]?.members
        else { return json }
        for (name, schema) in components { schemas[name] = schema.json }
        parts["schemas"] = .object(schemas)
        document["components"] = .object(parts)
        return .object(document)
    }

    private static func operation(_ route: Route) -> JSONValue {
        var operation: [String: JSONValue] = [
            "operationId": .text(route.id), "summary": .text(route.summary), "responses": responses(route),
            "tags": .list([.text(tag(route))]),
        ]
        var security: [JSONValue] = []
        if case .needs(let permission) = route.access {
            security = route.family.credentials.map(\.rawValue).sorted(by: >).map { .object([$0: .list([])]) }
            let roles = Role.allCases.filter { permission.isAllowed(to: $0) }.map(\.rawValue)
            operation["description"] = .text("Needs `\(permission.rawValue)`: \(roles.joined(separator: ", ")).")
        }
        operation["security"] = .list(security)
        let parameters = parameters(route)
        if !parameters.isEmpty { operation["parameters"] = .list(parameters) }
        if !route.accepts.isEmpty {
            // No body is an empty object, where that fits.
            let isRequired = route.accepts.allSatisfy { !$0.schema.faults(in: .object([:])).isEmpty }
            operation["requestBody"] = .object([
                "required": .flag(isRequired), "content": content(route.accepts),
            ])
        }
        return .object(operation)
    }

    private static func tag(_ route: Route) -> String {
        let parts = route.path.split(separator: "/")
        return parts.first == "api" ? String(parts.dropFirst().first ?? "api") : String(parts.first ?? "root")
    }

    private static func parameters(_ route: Route) -> [JSONValue] {
        var list = route.pathParameters.map { name -> JSONValue in
            .object([
                "name": .text(name), "in": .text("path"), "required": .flag(true),
                "schema": (route.path(name) ?? .text(maxLength: 400)).json,
            ])
        }
        list += route.query.map { parameter in
            .object([
                "name": .text(parameter.name), "in": .text("query"), "schema": parameter.schema.json,
                "description": .text(parameter.about),
            ])
        }
        if route.isOnce {
            list.append(
                .object([
                    "name": .text("Idempotency-Key"), "in": .text("header"),
                    "schema": Schema.text(pattern: "^[!-~]{1,128}$").json,
                    "description": .text("The same request with the same key is done once and answered the same."),
                ]))
        }
        return list
    }

    private static func content(_ bodies: [Route.Body]) -> JSONValue {
        var content: [String: JSONValue] = [:]
        for body in bodies {
            var media: [String: JSONValue] = ["schema": body.schema.json]
            media["example"] = body.example
            content[body.mediaType] = .object(media)
        }
        return .object(content)
    }

    /// What the route says, and what may happen to any request.
    private static func responses(_ route: Route) -> JSONValue {
        var responses: [String: JSONValue] = [:]
        var common = [400, 404, 405, 408, 421, 422, 429, 500, 503]
        if !route.accepts.isEmpty { common += [413, 415, 501] }
        if route.access != .anyone { common += [401] }
        common += [403]
        if route.isOnce { common += [409] }
        for status in common {
            let refusal = Self.refusal(status, of: route.family)
            responses["\(refusal.status)"] = .object(["$ref": .text("#/components/responses/\(refusal.component)")])
        }
        for reply in route.replies {
            var response: [String: JSONValue] = ["description": .text(reply.about)]
            if !reply.bodies.isEmpty { response["content"] = content(reply.bodies) }
            responses["\(reply.status)"] = .object(response)
        }
        return .object(responses)
    }

    private static let sentences = [
        400: "The request cannot be understood.", 401: "No token or session, or one that does not hold.",
        403: "Not allowed.", 404: "There is no such thing.", 405: "Not with this method.",
        408: "It came too slowly.", 409: "The state of things forbids it.", 413: "Too many bytes.",
        415: "Not in this form.", 421: "Not this server's name.",
        422: "It does not fit the schema; each fault has its JSONPath.", 429: "Too many requests.",
        500: "A fault of Martlet.", 501: "The body is packed for the way.", 503: "Not now.",
    ]

    /// The status with which a family answers a problem, and the component that describes it. Asks what the family would
    /// say, so that the document cannot differ from it.
    private static func refusal(_ status: Int, of family: RouteFamily) -> (status: Int, component: String) {
        let problem = Problem(.init(code: status), "http.\(status)", sentences[status] ?? "")
        let rendered = family.refusal(problem, requestID: "").status.code
        return (rendered, family.name == RouteFamily.api.name ? "\(rendered)" : "\(family.name).\(rendered)")
    }

    private static func refusals(of families: [RouteFamily]) -> [String: JSONValue] {
        var responses: [String: JSONValue] = [:]
        for family in Dictionary(families.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }).values {
            for (status, sentence) in sentences.sorted(by: { $0.key < $1.key }) {
                let refusal = refusal(status, of: family)
                // A status that stands for two problems is described as the one that is its own.
                if refusal.status != status, responses[refusal.component] != nil { continue }
                responses[refusal.component] = .object([
                    "description": .text(sentence), "content": content([family.errors]),
                ])
            }
        }
        return responses
    }
}

extension Route.Reply {
    /// Returns a problem response of a route, for its documentation.
    package static func problem(_ status: Int, _ about: String) -> Route.Reply {
        .init(status, about, .init("application/problem+json", .named("Problem")))
    }
}
