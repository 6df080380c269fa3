import Core
import HTTPAPI
import HTTPTypes
import Identity
import PredictionLog
import ProjectTestKit
import ServerTestKit
import ServingComposition
import Synchronization
import TestSupport
import Testing

/// What `GET /api/predict/health` says, held against what `POST /api/predict` does.
@Suite struct `The probe of predictions` {
    /// Asks without a token, and holds the answer against the route's schema.
    private func ask(_ server: TestServer, token: String? = nil) async throws -> TestAnswer {
        let answer = try await server.ask(.get, "/api/predict/health", token: token)
        let route = try #require(server.table.routes.first { $0.id == "predictHealth" })
        let schema = route.replies.first { $0.status == answer.status }?.bodies.first?.schema
        #expect(schema?.faults(in: answer.json).isEmpty == true, "\(answer)")
        return answer
    }

    private func predict(_ server: TestServer) async throws -> TestAnswer {
        try await server.ask(
            .post, "/api/predict", token: server.token(.viewer, project: nil), body: ServedWards.record)
    }

    @Test func `names the version that answers, the log and how long the server has been there`() async throws {
        let wards = try ServedWards(log: .written)
        let server = try await wards.server()
        let before = try await ask(server)
        #expect(before.status == 503 && before.json["status"]?.text == "unavailable", "\(before)")
        #expect(before.json["version"] == .null && before.json["log"] == .null)
        wards.watch.look()
        wards.clock.advance(seconds: 90)
        let healthy = try await ask(server)
        #expect(healthy.status == 200 && healthy.json["status"]?.text == "healthy", "\(healthy)")
        #expect(healthy.json["project"]?.text == "wards" && healthy.json["model"]?.text == "stay")
        #expect(healthy.json["version"] == (try await predict(server)).json["version"])
        #expect(healthy.json["log"]?["mode"]?.text == "written" && healthy.json["log"]?["writable"]?.flag == true)
        #expect(healthy.json["uptime_seconds"]?.integer == 90)
        try wards.place.alter(wards.artifact(of: 2))
        try wards.promote(2)
        wards.watch.look()
        let degraded = try await ask(server)
        #expect(degraded.status == 200 && degraded.json["status"]?.text == "degraded", "\(degraded)")
        #expect(degraded.json["version"]?.integer == 1 && degraded.json["trouble"]?.text?.isEmpty == false)
        try await wards.served.log?.shutDown()
    }

    @Test func `asks about the model that the token's project has`() async throws {
        let wards = try ServedWards(versions: 1)
        wards.watch.look()
        let server = try await wards.server()
        let own = try await ask(server, token: server.token(.viewer, project: "wards"))
        #expect(own.status == 200 && own.json["log"] == .null, "\(own)")
        let other = try await ask(server, token: server.token(.viewer, project: "elsewhere"))
        #expect(other.status == 503 && other.json["model"] == .null, "\(other)")
    }

    @Test func `says 503 while the server drains, though it still answers`() async throws {
        let wards = try ServedWards(versions: 1)
        wards.watch.look()
        let drains = Flag()
        let server = try await wards.server(isDraining: { drains.isSet.load(ordering: .relaxed) })
        #expect(try await ask(server).status == 200)
        drains.isSet.store(true, ordering: .relaxed)
        let draining = try await ask(server)
        #expect(draining.status == 503 && draining.json["status"]?.text == "draining", "\(draining)")
        #expect(try await predict(server).status == 200)
    }

    @Test(arguments: PredictionLogMode.allCases)
    func `with a log that takes nothing, says what becomes of predictions`(mode: PredictionLogMode) async throws {
        let disk = FailingDisk()
        let wards = try ServedWards(versions: 1, log: mode, disk: disk)
        wards.watch.look()
        let server = try await wards.server()
        let log = try #require(wards.served.log)
        #expect(try await predict(server).status == 200)
        disk.fails.store(true, ordering: .relaxed)
        // The write that fails; in the mode best-effort nobody waits for it.
        _ = try await predict(server)
        #expect(try await eventually { log.counters.hasFailed })
        let health = try await ask(server)
        #expect(health.json["log"]?["writable"]?.flag == false, "\(health)")
        #expect(health.json["status"]?.text == (mode == .bestEffort ? "degraded" : "unavailable"), "\(health)")
        #expect(health.status == (try await predict(server)).status)
    }
}

/// The real disk until it fails.
private final class FailingDisk: SegmentDisk {
    let fails = Atomic(false)

    func create(_ path: String) throws -> any SegmentFile { File(try RealDisk().create(path), self) }
    func sync(folder: String) throws { try RealDisk().sync(folder: folder) }

    private final class File: SegmentFile {
        private let file: any SegmentFile
        private let disk: FailingDisk

        init(_ file: any SegmentFile, _ disk: FailingDisk) {
            self.file = file
            self.disk = disk
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws {
            if disk.fails.load(ordering: .relaxed) { throw MartletError(.machine, "disk.failed", "planted") }
            try file.write(bytes)
        }

        func sync() throws { try file.sync() }
        func truncate(to size: Int) throws { try file.truncate(to: size) }
    }
}

private final class Flag: Sendable {
    let isSet = Atomic(false)
}
