import Core
import HTTPAPI
import HTTPTypes
import Identity
import ServerTestKit
import Testing

struct SiteTests {
    private let site = Site(names: ["Models.Example.com"], isSecure: false)

    @Test(arguments: [
        "localhost", "localhost:8080", "LOCALHOST", "127.0.0.1:8080", "[::1]:8080", "[::1]", "10.1.2.3",
        "models.example.com", "models.example.com.", "MODELS.example.com:443",
    ])
    func `answers to its names and to addresses`(_ authority: String) { #expect(site.answers(to: authority)) }

    @Test(arguments: [
        "", "evil.com", "evil.com:8080", "127.0.0.1.evil.com", "localhost.evil.com", "127.1", "0x7f.1", "2130706433",
        "user@localhost", "localhost:", "localhost:99999", "localhost:80a", "[evil.com]", "[::1", "[::1]x", "::1",
        "models.example.com.evil", "xmodels.example.com", "localhost\u{0}", "local host", "[127.0.0.1]",
    ])
    func `answers to no other, however it looks`(_ authority: String) { #expect(!site.answers(to: authority)) }

    @Test(arguments: [
        ("http://localhost:8080", "localhost:8080", true), ("http://localhost", "localhost:80", true),
        ("https://models.example.com", "models.example.com", true),
        ("http://localhost:8081", "localhost:8080", false), ("http://127.0.0.1:8080", "localhost:8080", false),
        ("http://evil.com", "localhost", false), ("null", "localhost", false), ("", "localhost", false),
        ("http://localhost.evil.com", "localhost", false), ("http://user@localhost", "localhost", false),
        ("file://localhost", "localhost", false), ("http://localhost/", "localhost", false),
    ])
    func `an origin is its own or foreign`(origin: String, host: String, isOwn: Bool) {
        #expect(site.isOwn(origin: origin, at: host) == isOwn)
    }

    @Test func `over HTTPS a plain page is foreign`() {
        let secure = Site(names: [], isSecure: true)
        #expect(!secure.isOwn(origin: "http://localhost", at: "localhost"))
        #expect(secure.isOwn(origin: "https://localhost", at: "localhost"))
    }

    @Test func `another name is 421 and a foreign page 403, on every route and before who asks`() async throws {
        let fixture = try await TestServer()
        let token = try fixture.token(.admin)
        for route in fixture.table.routes {
            let path = route.pathParameters.reduce(route.path) { $0.replacing("{\($1)}", with: "x") }
            let rebound = try await fixture.ask(route.method, path, host: "evil.com:8080", token: token, body: "{}")
            #expect(rebound.status == 421 && rebound.body.contains("access.host"), "\(route.id): \(rebound)")
            for origin in ["http://evil.com", "null", "http://localhost:9999"] {
                let foreign = try await fixture.ask(
                    route.method, path, token: token, headers: ["Origin": origin], body: "{}")
                #expect(foreign.status == 403 && foreign.body.contains("access.origin"), "\(route.id): \(foreign)")
            }
        }
        let own = try await fixture.ask(
            .get, "/api/models", token: token, headers: ["Origin": "http://localhost:8080"])
        #expect(own.status == 200, "\(own)")
        #expect(try await fixture.ask(.get, "/nowhere", host: "evil.com").status == 421)
    }
}
