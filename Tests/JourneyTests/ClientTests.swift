import Core
import Foundation
import Testing

/// Real clients, each with its habits, and forms that ask for more than they are.
@Suite(.enabled(if: Program.interop != nil, "MARTLET_INTEROP_PYTHON is not set; `make test` sets it"))
struct `Clients as they are` {
    private func run(_ kind: String, _ server: RunningServer, model: String = "downtime", _ more: String...) throws {
        let outcome = try Program.interop("clients.py", [kind, "\(server.port)", server.token, model] + more)
        #expect(outcome.code == 0, "\(outcome)")
    }

    private func server(_ options: String...) throws -> (RunningServer, Sandbox) {
        let place = try LookAlikes.downtime()
        #expect(try place.martlet("models", "approve", "downtime@1").code == 0)
        return (try RunningServer(serving: place, role: "viewer", ["--workers", "0"] + options), place)
    }

    @Test func `get the same answers by libraries and by programs`() throws {
        let (server, place) = try server()
        try run("libraries", server)
        _ = place
    }

    @Test func `are told what is wrong with a form, and nothing is done by half`() throws {
        let (server, _) = try server()
        try run("forms", server)
        let errors = try server.log().filter { $0["level"]?.text == "error" }
        #expect(errors.isEmpty, "what clients do wrong is no error of the server: \(errors)")
    }

    @Test func `may send a whole file before they read anything`() throws {
        let (server, place) = try server("--client-timeout", "2")
        try run("batch", server, "\(server.process.processIdentifier)")
        #expect(place.list(".martlet/scratch").isEmpty, "what waited has no name")
    }

    @Test func `are held to what a request may cost, before it costs that`() throws {
        let (server, place) = try server("--batch-rows", "20000", "--batch-log", "4")
        try run("parquet", server, place.path(".martlet/predictions"))
        try run("bounds", server, place.path(".martlet/predictions"))
    }

    @Test func `may send the documented most of rows to a wide model, all of which are logged`() throws {
        let place = try LookAlikes.readmission()
        _ = try place.martlet("models", "approve", "readmission@1")
        let server = try RunningServer(serving: place, role: "viewer", ["--workers", "0"])
        try run("rows", server, model: "readmission")
        #expect(try place.martlet("predictions", "show").output.split(separator: "\n").count == 20_000)
    }

    @Test func `that never read what they are sent are ended, and their answer takes no more than its room`() throws {
        let (server, _) = try server("--client-timeout", "2", "--batch-spool", "4")
        try run("spool", server)
    }
}
