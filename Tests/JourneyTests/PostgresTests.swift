import Core
import Foundation
import TestSupport
import Testing

/// A server of its own, on loopback; ended with the value.
final class PostgresServer {
    static let script = Program.root + "/scripts/postgres"
    static let isInstalled = (try? Program.run(script, ["start"], in: "/"))?.code != 69
    let place: Sandbox
    let address: String

    init() throws {
        place = try Sandbox()
        address = try Program.run(Self.script, ["start", place.folder], in: "/").output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func start() throws { _ = try Program.run(Self.script, ["start", place.folder], in: "/") }
    func kill() throws { _ = try Program.run(Self.script, ["kill", place.folder], in: "/") }

    deinit { _ = try? Program.run(Self.script, ["stop", place.folder], in: "/") }
}

/// A project whose metadata are in PostgreSQL, from the first run to the last answer without a database.
@Suite(
    "Metadata in PostgreSQL", .enabled(if: PostgresServer.isInstalled, "needs PostgreSQL, which `make setup` installs"))
struct PostgresTests {
    let postgres: PostgresServer
    let place: Sandbox

    init() throws {
        postgres = try PostgresServer()
        place = try Wards.written()
        try place.write("landing/visits/first.csv", Wards.first)
        try place.write("landing/visits/later.csv", Wards.unlabelled)
        try place.write("martlet.yaml", "metadata: \(postgres.address)\n" + place.read("martlet.yaml"))
    }

    @Test func `the whole journey goes as in SQLite, and nothing of it is in a file`() throws {
        let run = try martlet("run")
        #expect(run.code == 0, "\(run)")
        #expect(!place.exists(".martlet/martlet.db"))
        #expect(try martlet("models", "list", "--json").json().at("0.champion")?.integer == 1)
        #expect(try martlet("run", "--split-seed", "7").code == 0)
        #expect(try martlet("models", "promote", "stay@2").code == 0)
        #expect(try martlet("models", "rollback", "stay").code == 0)
        #expect(try martlet("models", "history", "stay").output.contains("champion"))
        #expect(try martlet("verify", "stay@1").code == 0)
        #expect(try martlet("events", "list", "--json", "--limit", "1000").output.contains("dev.martlet.alias.moved"))
        let job = try martlet("jobs", "submit", "run", "--json").json()["id"]?.text ?? ""
        #expect(try martlet("worker", "--once").code == 0)
        #expect(try martlet("jobs", "show", job, "--json").json()["state"]?.text == "finished")
        #expect(try martlet("audit", "--json").output.contains("alias.moved"))
        let doctor = try martlet("doctor")
        #expect(doctor.code == 0 && doctor.output.contains("PostgreSQL"), "\(doctor)")
        let told = try [run, doctor, martlet("runs", "list")].map { "\($0)" }.joined()
        #expect(!told.contains("martlet:martlet"), "the password is told")
    }

    @Test func `a server goes on without its database for the limit, then says that it cannot know`() throws {
        #expect(try martlet("run").code == 0)
        let server = try RunningServer(serving: place, role: "operator", ["--stale-limit", "4", "--workers", "0"])
        let body =
            #"{"record": {"ward": "north", "weight": 80, "readings": 4, "weight_per_reading": 20}}"#
        func status(_ path: String = "/predict") throws -> (Int, String) {
            let outcome = try Program.run(
                #require(Program.which("curl")),
                [
                    "-s", "-w", "\n%{http_code}", "-H", "Authorization: Bearer \(server.token)", "-H",
                    "Content-Type: application/json",
                ] + (path == "/predict" ? ["-d", body] : []) + [server.base + path], in: place.folder)
            let lines = outcome.output.split(separator: "\n")
            return (lines.last.flatMap { Int($0) } ?? 0, lines.dropLast().joined(separator: "\n"))
        }
        let before = try status()
        #expect(before.0 == 200, "\(before)")
        try postgres.kill()
        #expect(try status().0 == 200)
        try until("it says what is wrong") { try status("/health").1.contains("metadata.away") }
        #expect(try !status("/health").1.contains("127.0.0.1"), "where the database is, is for no stranger")
        try until("it stops") { try status().0 == 503 }
        let refused = try status()
        #expect(refused.1.contains(".stale"), "\(refused)")
        #expect(try status("/health/ready").0 == 503)
        #expect(try status("/health/live").0 == 200)
        try postgres.start()
        try until("it goes on by itself") { try status().0 == 200 }
    }

    @Test func `a database that is away is told as that, at once and without its password`() throws {
        try place.write(
            "martlet.yaml",
            place.read("martlet.yaml").replacing(postgres.address, with: "postgres://ada:hidden@127.0.0.1:1/none"))
        let outcome = try martlet("models", "list")
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("[metadata.away]"), "\(outcome)")
        #expect(!outcome.errors.contains("hidden"))
        try place.write(
            "martlet.yaml", place.read("martlet.yaml").replacing(/metadata: .*/, with: "metadata: mysql://x"))
        #expect(try martlet("models", "list").errors.contains("[metadata.address]"))
    }

    private func martlet(_ arguments: String...) throws -> Outcome { try place.martlet(arguments) }

    private func until(_ what: String, _ isSo: () throws -> Bool) throws {
        for _ in 0..<300 {
            if try isSo() { return }
            Thread.sleep(forTimeInterval: 0.2)
        }
        Issue.record("not within a minute: \(what)")
    }
}
