import Core
import Foundation
import HTTPAPI
import HTTPTypes
import Identity
import Registry
import ServerTestKit
import TestSupport
import Testing

struct SessionTests {
    private func login(_ fixture: TestServer, _ name: String = "ada", _ password: String = TestServer.password)
        async throws
        -> TestAnswer
    {
        try await fixture.ask(
            .post, "/api/session", body: #"{"name": "\#(name)", "password": "\#(password)"}"#)
    }

    @Test func `the setup link makes the first admin once, and logs in`() async throws {
        let fixture = try await TestServer()
        let secret = try #require(try fixture.store.setupSecret(seconds: 60)).text
        let body = #"{"secret": "\#(secret)", "name": "ada", "password": "\#(TestServer.password)"}"#
        #expect(try await fixture.ask(.post, "/api/setup", body: body.replacing(secret, with: "x")).status == 409)
        let made = try await fixture.ask(.post, "/api/setup", body: body)
        #expect(made.status == 200 && made.json["role"]?.text == "admin", "\(made)")
        let me = try await fixture.ask(.get, "/api/session", headers: ["Cookie": made.cookie])
        #expect(me.json["name"]?.text == "ada" && me.json["kind"]?.text == "user", "\(me)")
        let again = try await fixture.ask(.post, "/api/setup", body: body.replacing("ada", with: "eve"))
        #expect(again.status == 409 && again.code == "identity.setup", "\(again)")
        #expect(!made.body.contains(TestServer.password))
    }

    @Test func `a session changes things only with its own CSRF token`() async throws {
        let fixture = try await TestServer()
        try fixture.store.addUser("ada", role: .operator, password: TestServer.password)
        try fixture.store.addUser("bob", role: .operator, password: TestServer.password)
        let (ada, bob) = (try await login(fixture), try await login(fixture, "bob"))
        let token = try #require(ada.json["csrf_token"]?.text)
        func start(_ headers: [String: String]) async throws -> TestAnswer {
            try await fixture.ask(
                .post, "/api/training/start",
                headers: headers.merging(["Cookie": ada.cookie]) { first, _ in first }, body: "{}")
        }
        #expect(try await start([:]).code == "access.csrf")
        #expect(try await start(["X-CSRF-Token": ""]).code == "access.csrf")
        #expect(try await start(["X-CSRF-Token": bob.json["csrf_token"]?.text ?? ""]).code == "access.csrf")
        #expect(try fixture.registry.jobs.list().isEmpty)
        let done = try await start(["X-CSRF-Token": token])
        #expect(done.status == 202 && done.json["actor"]?.text == "user:ada", "\(done)")
        // Looking needs none, and who looks can ask for it.
        let me = try await fixture.ask(.get, "/api/session", headers: ["Cookie": ada.cookie])
        #expect(me.json["csrf_token"]?.text == token)
    }

    @Test func `the cookie is out of reach of pages, other sites and plain HTTP`() async throws {
        for isSecure in [false, true] {
            let fixture = try await TestServer(isSecure: isSecure)
            try fixture.store.addUser("ada", role: .viewer, password: TestServer.password)
            let cookie = try await login(fixture).headers[.setCookie] ?? ""
            for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
                #expect(cookie.contains(part), "\(cookie)")
            }
            #expect(cookie.contains("Secure") == isSecure)
            #expect(cookie.hasPrefix("__Host-") == isSecure)
            #expect(!cookie.contains("Domain"))
        }
    }

    @Test func `a session ends by logging out, in time, and when its person is disabled`() async throws {
        let fixture = try await TestServer()
        try fixture.store.addUser("root", role: .admin, password: TestServer.password)
        try fixture.store.addUser("ada", role: .viewer, password: TestServer.password)
        func me(_ login: TestAnswer) async throws -> Int {
            try await fixture.ask(.get, "/api/session", headers: ["Cookie": login.cookie]).status
        }
        let first = try await login(fixture)
        #expect(try await me(first) == 200)
        let out = try await fixture.ask(
            .delete, "/api/session",
            headers: ["Cookie": first.cookie, "X-CSRF-Token": first.json["csrf_token"]?.text ?? ""])
        #expect(out.status == 204, "\(out)")
        #expect(try await me(first) == 401)
        let second = try await login(fixture)
        try fixture.store.setDisabled("ada", true)
        try fixture.identity.known.refresh()
        #expect(try await me(second) == 401)
        #expect(try await login(fixture).status == 401)
        try fixture.store.setDisabled("ada", false)
        let third = try await login(fixture)
        fixture.clock.advance(seconds: 8 * 3600)
        #expect(try await me(third) == 401)
    }

    @Test func `a cookie that somebody altered is worth nothing`() async throws {
        let fixture = try await TestServer()
        try fixture.store.addUser("ada", role: .viewer, password: TestServer.password)
        let whole = try await login(fixture).cookie
        let parts = whole.split(separator: "=", maxSplits: 1)[1].split(separator: ".").map(String.init)
        #expect(parts.count == 3)
        func base64(_ text: String) -> String {
            Data(text.utf8).base64EncodedString().replacingOccurrences(of: "=", with: "")
        }
        let none = base64(#"{"alg":"none","typ":"JWT"}"#)
        let claims = parts[1]
        for forged in [
            "\(none).\(claims).", "\(none).\(claims).\(parts[2])", "\(parts[0]).\(claims).",
            "\(parts[0]).\(claims).\(String(parts[2].reversed()))",
            "\(parts[0]).\(base64(#"{"jti":"1"}"#)).\(parts[2])",
            "\(parts[0]).\(claims)", "", "a.b.c", String(repeating: "a", count: 5000),
        ] {
            let answer = try await fixture.ask(.get, "/api/session", headers: ["Cookie": "martlet_session=\(forged)"])
            #expect(answer.status == 401, "\(forged.prefix(60)): \(answer)")
        }
        // Another server's key signs nothing here.
        let other = try await TestServer()
        try other.store.addUser("ada", role: .admin, password: TestServer.password)
        let foreign = try await login(other).cookie
        #expect(try await fixture.ask(.get, "/api/session", headers: ["Cookie": foreign]).status == 401)
    }

    @Test func `guessing is slowed down, and says nothing about names`() async throws {
        let fixture = try await TestServer()
        try fixture.store.addUser("ada", role: .viewer, password: TestServer.password)
        let (wrong, unknown) = (try await login(fixture, "ada", "wrong"), try await login(fixture, "eve", "wrong"))
        #expect(wrong.status == 401 && unknown.status == 401)
        #expect(wrong.json["detail"] == unknown.json["detail"] && wrong.code == unknown.code)
        for _ in 0..<4 { _ = try await login(fixture, "ada", "wrong") }
        let slow = try await login(fixture)
        #expect(slow.status == 429 && slow.code == "access.throttled", "\(slow)")
        let wait = try #require(slow.headers[.retryAfter].flatMap { Double($0) })
        fixture.clock.advance(seconds: wait)
        #expect(try await login(fixture).status == 200)
    }

    @Test func `who did what comes from the token, and stands in the audit with the request`() async throws {
        let fixture = try await TestServer()
        let token = try fixture.token(.operator)
        let answer = try await fixture.ask(
            .post, "/retraining", token: token, headers: ["X-Request-ID": "req-7", "X-Actor": "mallory"],
            body: #"{"kind": "train"}"#)
        #expect(answer.status == 202, "\(answer)")
        let lie = try await fixture.ask(
            .post, "/retraining", token: token, body: #"{"kind": "train", "actor": "mallory"}"#)
        #expect(lie.status == 422 && lie.body.contains("$.actor"), "\(lie)")
        let entry = try #require(try fixture.store.audit.newest(AuditQuery(limit: 1)).first)
        #expect(entry.action == "job.submitted" && entry.request == "req-7" && entry.project == TestServer.project)
        #expect(entry.actor.hasPrefix("token:operator-"))
        #expect(answer.headers[HTTPField.Name("X-Request-ID") ?? .accept] == "req-7")
        let admin = try fixture.token(.admin)
        let page = try await fixture.ask(.get, "/api/audit?limit=1&subject=jobs", token: admin)
        #expect(page.status == 200 && page.json["items"]?.list?.first?["actor"]?.text == entry.actor, "\(page)")
    }
}
