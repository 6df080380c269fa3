import Core
import Foundation
import TestSupport
import Testing

/// What becomes of a version that cannot answer.
@Suite(.enabled(if: Program.which("curl") != nil)) struct `Deploying a version` {
    /// A project with two versions, the first one champion, and a server over it.
    private func started() throws -> (place: Sandbox, server: RunningServer) {
        let place = try Wards.run()
        try place.edit("martlet.yaml", "num_leaves: 4", "num_leaves: 6")
        let second = try place.martlet("run")
        #expect(second.code == 0 && second.errors.contains("stay@2"), "\(second)")
        return (place, try RunningServer(serving: place, role: "admin", ["--workers", "0"]))
    }

    private func deploy(_ server: RunningServer, _ place: Sandbox, _ reference: String) throws -> JSONValue {
        try server.ask("/api/deploy", #"{"model": "\#(reference)", "reason": "test"}"#)
    }

    private func serving(_ server: RunningServer, _ place: Sandbox) throws -> Int? {
        try server.ask("/api/deploy/status").at("models.0.serving")?.integer
    }

    /// The file of an artifact of a version.
    private func file(of name: String, _ version: Int, _ place: Sandbox) throws -> String {
        let shown = try place.martlet("models", "show", "stay@\(version)", "--json").json()
        let digest = shown["artifacts"]?.list?.first { $0["name"]?.text == name }?["digest"]?.text
        let suffix = try #require(digest)
        return try #require(place.files(".martlet/artifacts", ending: suffix).first)
    }

    @Test(arguments: ["model.txt", "model.json", "samples.json"])
    func `a damaged one is refused, and all stays as it was; mended it is taken`(_ artifact: String) throws {
        let (place, server) = try started()
        #expect(try serving(server, place) == 1)
        let path = try file(of: artifact, 2, place)
        let bytes = try place.bytes(path)
        try place.write(path, bytes: bytes.map { $0 == 49 ? 50 : $0 })
        let refused = try deploy(server, place, "stay@2")
        #expect(refused["status"]?.integer == 409 && refused["code"]?.text == "serving.unusable", "\(refused)")
        #expect(refused["detail"]?.text?.contains("stay@1 goes on") == true, "\(refused)")
        let promoted = try server.ask("/api/models/stay@2/promote", "{}", method: "PUT")
        #expect(promoted["code"]?.text == "serving.unusable" && promoted["status"]?.integer == 409, "\(promoted)")
        #expect(try serving(server, place) == 1)
        let history = try place.martlet("models", "history", "stay", "--json").json()
        #expect(history.at("champion.version")?.integer == 1, "\(history)")
        try place.remove(path)
        #expect(try deploy(server, place, "stay@2")["code"]?.text == "serving.unusable")
        try place.write(path, bytes: bytes)
        #expect(try deploy(server, place, "stay@candidate").at("to")?.integer == 2)
        #expect(try serving(server, place) == 2)
        // And back, as long as what is there before can answer.
        let first = try file(of: "model.txt", 1, place)
        let kept = try place.bytes(first)
        try place.remove(first)
        let stuck = try server.ask("/api/deploy/rollback", #"{"model": "stay"}"#)
        #expect(stuck["code"]?.text == "serving.unusable" && stuck["status"]?.integer == 409, "\(stuck)")
        #expect(try serving(server, place) == 2)
        try place.write(first, bytes: kept)
        #expect(try server.ask("/api/deploy/rollback", #"{"model": "stay"}"#).at("to")?.integer == 1)
        #expect(try serving(server, place) == 1)
    }

    @Test func `after a restart the last one that can answers`() throws {
        let (place, server) = try started()
        #expect(try deploy(server, place, "stay@2").at("to")?.integer == 2)
        try place.remove(try file(of: "model.txt", 2, place))
        server.process.terminate()
        server.process.waitUntilExit()
        let again = try RunningServer(serving: place, role: "admin", ["--workers", "0"], token: "again")
        #expect(try serving(again, place) == 1)
        let health = try again.ask("/health")
        #expect(health["status"]?.text == "degraded", "\(health)")
        #expect(health.at("models.0.trouble")?.text?.contains("model.txt is gone") == true, "\(health)")
    }
}
