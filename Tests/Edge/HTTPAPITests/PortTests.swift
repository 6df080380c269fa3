import HTTPAPI
import HTTPTypes
import Identity
import Registry
import ServerTestKit
import Testing

/// The same route table through a socket.
struct PortTests {
    @Test func `every route that reads answers through a socket as it does without one`() async throws {
        let server = try await TestServer()
        let token = try server.token(.admin)
        // What costs change, and what differs by the name that the server is asked under.
        let different: Set<String> = ["metrics", "setupPage"]
        let routes = server.table.routes.filter {
            $0.method == .get && $0.pathParameters.isEmpty && !different.contains($0.id)
        }
        #expect(routes.count > 15)
        try await server.listening { port in
            for route in routes {
                for token in [token, nil] {
                    let without = try await server.ask(.get, route.path, token: token, headers: ["X-Request-ID": "r"])
                    let through = try await port.ask(.get, route.path, token: token, headers: ["X-Request-ID": "r"])
                    #expect(
                        through.status == without.status && through.body == without.body,
                        "\(route.id): \(through) \(without)")
                    #expect(through.headers[.requestID] == "r")
                }
            }
        }
    }

    @Test func `a change through the socket stands in the stores, and one that is refused does not`() async throws {
        let server = try await TestServer()
        let (viewer, operator1) = (try server.token(.viewer), try server.token(.operator))
        try await server.listening { port in
            let refused = try await port.ask(.post, "/api/training/start", token: viewer, body: #"{"kind": "train"}"#)
            #expect(refused.status == 403 && refused.code == "access.role", "\(refused)")
            #expect(try server.registry.jobs.openCount() == 0)
            let taken = try await port.ask(.post, "/api/training/start", token: operator1, body: #"{"kind": "train"}"#)
            #expect(taken.status == 202, "\(taken)")
            #expect(try server.registry.jobs.openCount() == 1)
        }
    }
}
