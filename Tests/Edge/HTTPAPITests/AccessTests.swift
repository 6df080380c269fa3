import Core
import HTTPAPI
import HTTPTypes
import Identity
import Registry
import ServerTestKit
import TestSupport
import Testing

/// Every route with every role, from the route table itself.
struct AccessTests {
    private static let least = LeastRole.ofRoute.compactMapValues { Role(rawValue: $0) }

    private func path(_ route: Route, project: String = TestServer.project) -> String {
        // The versions of a model; elsewhere one of them.
        let id = route.id == "listVersions" ? "readmission" : "readmission@1"
        let values = ["project": project, "model": "readmission", "id": id, "job": "abcdef", "version": "1"]
        return route.pathParameters.reduce(route.path) { $0.replacing("{\($1)}", with: values[$1] ?? "x") }
    }

    @Test func `what each role may do is what is written down`() async throws {
        let fixture = try await TestServer()
        let known = Set(Self.least.keys).union(LeastRole.nobody)
        #expect(Set(fixture.table.routes.map(\.id)) == known)
        #expect(Self.least.count == LeastRole.ofRoute.count && LeastRole.nobody.isDisjoint(with: Self.least.keys))
        #expect(Set(fixture.table.routes.map(\.id)).count == fixture.table.routes.count, "ids are unique")
        for role in Role.allCases {
            let token = try fixture.token(role)
            for route in fixture.table.routes {
                let answer = try await fixture.ask(route.method, path(route), token: token, body: "{}")
                guard let least = Self.least[route.id] else {
                    // A login without a name is refused for its body, never for who asks.
                    #expect(answer.code.hasPrefix("access.role") == false, "\(route.id) \(answer)")
                    continue
                }
                let isAllowed = role >= least
                #expect((answer.status == 403) == !isAllowed, "\(role) \(route.id): \(answer)")
                if !isAllowed { #expect(answer.code == "access.role") }
                #expect(answer.status != 401)
            }
        }
    }

    @Test func `nobody, and whoever is nobody any more, gets 401 and is told how to ask`() async throws {
        let fixture = try await TestServer()
        let expired = try fixture.token(.admin, seconds: 60)
        let revoked = try fixture.token(.admin)
        try fixture.store.revokeToken(String(revoked.prefix(12)))
        try fixture.identity.known.refresh()
        fixture.clock.advance(seconds: 60)
        let credentials: [(String, [String: String])] = [
            ("none", [:]), ("expired", ["Authorization": "Bearer \(expired)"]),
            ("revoked", ["Authorization": "Bearer \(revoked)"]), ("invented", ["Authorization": "Bearer martlet_x"]),
            ("empty", ["Authorization": ""]), ("basic", ["Authorization": "Basic YWRhOmFkYQ=="]),
            ("cookie", ["Cookie": "martlet_session=eyJhbGciOiJub25lIn0.e30."]),
        ]
        for (what, headers) in credentials {
            for route in fixture.table.routes where Self.least[route.id] != nil {
                let answer = try await fixture.ask(route.method, path(route), headers: headers, body: "{}")
                let refusal = route.family.refusal(Problem(.unauthorized, "", ""), requestID: "")
                #expect(answer.status == refusal.status.code, "\(what) \(route.id): \(answer)")
                #expect(answer.headers[.contentType] == refusal.contentType)
                let asks = answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer realm=") == true
                #expect(asks == route.family.credentials.contains(.token))
            }
        }
    }

    @Test func `a token of another project touches nothing of this one`() async throws {
        let fixture = try await TestServer()
        let other = try fixture.token(.admin, project: "elsewhere")
        for route in fixture.table.routes where Self.least[route.id] != nil {
            let hasQuery = route.query.contains { $0.name == "project" }
            let named = path(route) + (hasQuery ? "?project=\(TestServer.project)" : "")
            let answer = try await fixture.ask(route.method, named, token: other, body: "{}")
            if LeastRole.ofNoProject.contains(route.id) { continue }
            if route.pathParameters.contains("project") || hasQuery {
                #expect(
                    answer.status == 403 && answer.code == "access.project" || answer.status == 422,
                    "\(route.id): \(answer)")
            }
            // A model of the Open Inference Protocol names its project, or is the first of that name.
            if route.pathParameters.contains("model"), !route.pathParameters.contains("project") {
                #expect(answer.status == 403, "\(route.id): \(answer)")
            }
            // Unnamed, its own project is meant, which this server does not have.
            let unnamed = try await fixture.ask(route.method, path(route), token: other, body: "{}")
            #expect([403, 404, 422].contains(unnamed.status), "\(route.id): \(unnamed)")
        }
        let events = try fixture.registry.events.head()
        _ = try await fixture.ask(
            .post, "/api/training/start?project=lab", token: other, body: #"{"kind": "train"}"#)
        #expect(try fixture.registry.events.head() == events)
    }

    @Test func `another method is 405 with the methods that are allowed, and another path 404`() async throws {
        let fixture = try await TestServer()
        let token = try fixture.token(.admin)
        let answer = try await fixture.ask(.delete, "/api/models", token: token)
        #expect(answer.status == 405 && answer.headers[.allow] == "GET, HEAD, POST", "\(answer)")
        #expect(try await fixture.ask(.get, "/api/nothing", token: token).status == 404)
    }
}
