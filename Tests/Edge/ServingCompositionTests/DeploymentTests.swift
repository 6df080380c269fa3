import Core
import HTTPAPI
import HTTPTypes
import Identity
import ProjectTestKit
import Projects
import Registry
import ServerTestKit
import Serving
import ServingComposition
import Storage
import TestSupport
import Testing

/// What a server answers while the champion changes, by its own routes and by commands beside it.
@Suite struct `A server that answers` {
    /// A way to ask it: without sockets, or through them.
    private typealias Ask = @Sendable (HTTPRequest.Method, String, String?, String?) async throws -> TestAnswer

    enum Way: CaseIterable { case withoutSockets, withSockets }

    /// Asks one server, in one of both ways.
    private func asking(
        _ server: TestServer, _ way: Way, _ body: @Sendable (Ask) async throws -> Void
    ) async throws {
        switch way {
        case .withoutSockets: try await body { try await server.ask($0, $1, token: $2, body: $3) }
        case .withSockets:
            try await server.listening { port in
                try await body { try await port.ask($0, $1, token: $2, body: $3) }
            }
        }
    }

    /// The version that answers, or the code of the problem.
    private func told(_ answer: TestAnswer) -> String {
        answer.json["version"]?.integer.map(String.init) ?? answer.code
    }

    @Test(arguments: Way.allCases)
    func `says at once what the new champion says, and after a rollback what the old one said`(_ way: Way) async throws
    {
        let wards = try ServedWards()
        wards.watch.look()
        let server = try await wards.server()
        let (viewer, approver) = (try server.token(.viewer), try server.token(.approver))
        try await asking(server, way) { ask in
            func predict() async throws -> (version: String, said: JSONValue?) {
                let answer = try await ask(.post, "/predict", viewer, ServedWards.record)
                return (told(answer), answer.json["predictions"]?.list?.first)
            }
            let before = try await predict()
            #expect(before.version == "1")
            let moved = try await ask(.post, "/api/deploy", approver, #"{"model": "stay@candidate"}"#)
            #expect(moved.json["from"]?.integer == 1 && moved.json["to"]?.integer == 2, "\(moved)")
            let after = try await predict()
            #expect(after.version == "2" && after.said != before.said)
            let status = try await ask(.get, "/api/deploy/status", viewer, nil).json["models"]?.list?.first
            #expect(status?["serving"]?.integer == 2 && status?["champion"]?.integer == 2)
            let back = try await ask(.post, "/api/deploy/rollback", approver, #"{"model": "stay"}"#)
            #expect(back.json["to"]?.integer == 1, "\(back)")
            #expect(try await predict() == before)
            let further = try await ask(.post, "/api/deploy/rollback", approver, #"{"model": "stay"}"#)
            #expect(further.status == 409 && further.code == "registry.no-earlier-champion", "\(further)")
            #expect(try await predict() == before)
        }
    }

    @Test(arguments: Way.allCases)
    func `does not deploy a version that cannot answer, and goes on`(_ way: Way) async throws {
        let wards = try ServedWards()
        wards.watch.look()
        try wards.place.alter(wards.artifact(of: 2))
        let server = try await wards.server()
        let (viewer, approver) = (try server.token(.viewer), try server.token(.approver))
        try await asking(server, way) { ask in
            let refused = try await ask(.put, "/api/models/stay@2/promote", approver, "{}")
            #expect(refused.status == 409 && refused.code == "serving.unusable", "\(refused)")
            #expect(told(try await ask(.post, "/predict", viewer, ServedWards.record)) == "1")
            #expect(try wards.models.history("stay").champion?.version == 1)
            #expect(try await ask(.get, "/health", nil, nil).json["status"]?.text == "healthy")
        }
    }

    @Test func `follows a command beside it at the next look, and says why where it cannot`() async throws {
        let wards = try ServedWards()
        wards.watch.look()
        let server = try await wards.server()
        let viewer = try server.token(.viewer)
        func predict() async throws -> String {
            told(try await server.ask(.post, "/predict", token: viewer, body: ServedWards.record))
        }
        try wards.place.alter(wards.artifact(of: 2))
        try wards.promote(2)
        #expect(try await predict() == "1")
        wards.watch.look()
        #expect(try await predict() == "1")
        let health = try await server.ask(.get, "/health")
        #expect(health.status == 200 && health.json["status"]?.text == "degraded", "\(health)")
        let status = try await server.ask(.get, "/api/deploy/status", token: viewer).json["models"]?.list?.first
        #expect(status?["serving"]?.integer == 1 && status?["champion"]?.integer == 2)
        #expect(status?["trouble"]?.text?.contains("artifact.altered") == true)
        try wards.models.rollback("stay")
        wards.watch.look()
        #expect(try await server.ask(.get, "/health").json["status"]?.text == "healthy")
    }

    @Test(arguments: Way.allCases)
    func `has nothing to say before a version is approved, and never says what a rejected one would`(_ way: Way)
        async throws
    {
        let wards = try ServedWards(("approval: none", "approval: required"))
        wards.watch.look()
        let server = try await wards.server()
        let (viewer, approver) = (try server.token(.viewer), try server.token(.approver))
        try await asking(server, way) { ask in
            func predict() async throws -> String {
                told(try await ask(.post, "/predict", viewer, ServedWards.record))
            }
            #expect(try await predict() == "serving.not-loaded")
            #expect(try await ask(.get, "/health/ready", nil, nil).status == 503)
            let pending = try await ask(.post, "/api/deploy", approver, #"{"model": "stay@1"}"#)
            #expect(pending.status == 409 && pending.code == "registry.pending", "\(pending)")
            let rejected = try await ask(.post, "/api/models/stay@2/reject", approver, #"{"reason": "too early"}"#)
            #expect(rejected.json["approval"]?["state"]?.text == "rejected", "\(rejected)")
            #expect(try await predict() == "serving.not-loaded")
            let approved = try await ask(.post, "/api/models/stay@1/approve", approver, "{}")
            #expect(approved.json["aliases"]?.list == [.text("champion")], "\(approved)")
            #expect(try await predict() == "1")
            #expect(try await ask(.get, "/health/ready", nil, nil).status == 200)
            let late = try await ask(.post, "/api/deploy", approver, #"{"model": "stay@2"}"#)
            #expect(late.status == 409 && late.code == "registry.rejected", "\(late)")
            #expect(try await predict() == "1")
        }
    }

    @Test(
        .enabled(if: TestDatabase.isSQLite, "another program's database cannot be taken away"), arguments: Way.allCases)
    func `is silent once the registry has been away for too long, for the version may be blocked`(_ way: Way)
        async throws
    {
        let wards = try ServedWards(versions: 1, staleLimit: 60)
        wards.watch.look()
        let server = try await wards.server()
        let viewer = try server.token(.viewer)
        try await asking(server, way) { ask in
            #expect(told(try await ask(.post, "/predict", viewer, ServedWards.record)) == "1")
            try wards.place.loseMetadata()
            wards.watch.look()
            wards.clock.advance(seconds: 60)
            #expect(told(try await ask(.post, "/predict", viewer, ServedWards.record)) == "1")
            wards.clock.advance(seconds: 1)
            let late = try await ask(.post, "/predict", viewer, ServedWards.record)
            #expect(late.status == 503 && late.code == "serving.stale", "\(late)")
            #expect(try await ask(.get, "/health/ready", nil, nil).status == 503)
        }
    }

    @Test func `answers every request by one version or the other while they change`() async throws {
        let wards = try ServedWards()
        wards.watch.look()
        let server = try await wards.server()
        let (viewer, approver) = (try server.token(.viewer), try server.token(.approver))
        func answers(of version: Int) async throws -> JSONValue? {
            try wards.promote(version)
            wards.watch.look()
            let answer = try await server.ask(.post, "/predict", token: viewer, body: ServedWards.record)
            return answer.json["predictions"]?.list?.first
        }
        let said = [2: try await answers(of: 2), 1: try await answers(of: 1)]
        try await server.listening { port in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<3 {
                    tasks.addTask {
                        for _ in 0..<60 {
                            let answer = try await port.ask(
                                .post, "/predict", token: viewer, body: ServedWards.record)
                            let version = try #require(answer.json["version"]?.integer, "\(answer)")
                            let prediction = answer.json["predictions"]?.list?.first
                            #expect(said[version] == prediction, "what one version says under the other's number")
                        }
                    }
                }
                tasks.addTask {
                    for round in 0..<10 {
                        let version = round % 2 == 0 ? 2 : 1
                        let moved = try await port.ask(
                            .post, "/api/deploy", token: approver, body: #"{"model": "stay@\#(version)"}"#)
                        #expect(moved.status == 200, "\(moved)")
                        let answer = try await port.ask(.post, "/predict", token: viewer, body: ServedWards.record)
                        #expect(answer.json["version"]?.integer == version, "\(answer)")
                    }
                }
                try await tasks.waitForAll()
            }
        }
    }
}
