import CLibrary
import Core
import Foundation
import Storage
import TestSupport
import Testing

/// What a project's state is on the disk, and what happens to a server when something happens to it.
@Suite(.enabled(if: Program.which("curl") != nil)) struct `The state of a project` {
    private func ask(_ server: RunningServer, _ path: String, _ more: String...) throws -> (status: Int, body: String) {
        let outcome = try Program.run(
            "/usr/bin/env",
            [
                "curl", "-s", "-i", "-H", "Authorization: Bearer \(server.token)", "-w", "\n%{http_code}",
                server.base + path,
            ]
                + more, in: "/")
        let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
    }

    /// Three records of the table that the model learned from.
    private func predict(_ server: RunningServer, _ place: Sandbox) throws -> (status: Int, body: String) {
        if !place.exists("rows.json") {
            let rows = try place.sql("SELECT * EXCLUDE (failure, reading_date) FROM gold.readings LIMIT 3")
            try place.write("rows.json", try JSON.text(JSONValue.object(["records": .list(rows)])))
        }
        return try ask(
            server, "/predict", "-H", "Content-Type: application/json", "--data-binary", "@" + place.path("rows.json"))
    }

    /// Below the state: what somebody else may do anything with.
    private func open(_ place: Sandbox) -> [String] {
        let names = FileManager.default.enumerator(atPath: place.path(".martlet"))?.compactMap { $0 as? String } ?? []
        return ([""] + names).filter { name in
            (Disk.permissions(place.path(".martlet/\(name)")) ?? 0) & 0o077 != 0
        }
    }

    private func stop(_ server: RunningServer, _ signal: Int32 = SIGTERM) {
        kill(server.process.processIdentifier, signal)
        server.process.waitUntilExit()
    }

    @Test func `is for its account alone, whoever wrote it, and what was there before becomes so`() throws {
        let place = try LookAlikes.downtime()
        #expect(open(place) == [], "a run with DuckDB's own files")
        _ = try place.martlet("predict", "landing/readings/look-alikes.csv", "--output", "scores.csv")
        if place.exists("scores.csv") { #expect(Disk.permissions(place.path("scores.csv")) == 0o600) }
        // As an earlier version left it.
        let names = FileManager.default.enumerator(atPath: place.path(".martlet"))?.compactMap { $0 as? String } ?? []
        for name in [""] + names {
            let path = place.path(".martlet/\(name)")
            chmod(path, Disk.isDirectory(path) ? 0o755 : 0o644)
        }
        let server = try RunningServer(place)
        _ = try predict(server, place)
        stop(server)
        #expect(open(place) == [])
    }

    @Test func `is not made anew by a running server or by a command that reads`() throws {
        let place = try LookAlikes.downtime()
        let server = try RunningServer(place)
        #expect(try ask(server, "/api/models").status == 200)
        for name in place.list(".martlet") where name.hasPrefix("martlet.db") {
            try place.move(".martlet/\(name)", to: "aside-\(name)")
        }
        for path in ["/api/models", "/api/training/status", "/api/audit", "/health", "/metrics", "/api/models/nothing"]
        {
            let answer = try ask(server, path)
            #expect(!answer.body.contains(place.folder), "\(path): \(answer.body)")
        }
        for command in [
            ["models", "list"], ["jobs", "list"], ["users", "list"], ["audit"], ["runs", "list"], ["doctor"],
        ] {
            _ = try place.martlet(command)
        }
        let isTold = try eventually {
            let health = try ask(server, "/health").body
            return health.contains("registry.gone") && health.contains("degraded")
        }
        #expect(isTold)
        #expect(!place.exists(".martlet/martlet.db"))
        let second = try Program.run(Program.path + "-serve", ["--port", "0"], in: place.folder)
        #expect(second.code == 1 && second.errors.contains("[registry.gone]"), "\(second)")
        for name in place.list("") where name.hasPrefix("aside-") {
            try place.move(name, to: ".martlet/\(name.dropFirst("aside-".count))")
        }
        #expect(try ask(server, "/api/models").status == 200)
        stop(server)
        #expect(try place.martlet("models", "list").code == 0)
        #expect(try place.martlet("users", "list").output.contains("ada"))
    }

    @Test func `is not begun by looking at a new project`() throws {
        let place = try Sandbox()
        #expect(try place.martlet("init", "new", "--template", "downtime").code == 0)
        for command in [
            ["doctor"], ["lineage"], ["lake", "tables"], ["models", "list"], ["jobs", "list"], ["runs", "list"],
            ["predictions", "list"], ["users", "list"], ["audit"], ["quarantine", "list"], ["events", "list"],
        ] {
            let outcome = try Program.run(command, in: place.path("new"))
            #expect(outcome.isClean && !place.exists("new/.martlet/martlet.db"), "\(outcome)")
        }
    }

    @Test func `a damaged piece of the prediction log is told everywhere`() throws {
        let place = try LookAlikes.downtime()
        do {
            let server = try RunningServer(place)
            for _ in 0..<20 {
                let answer = try predict(server, place)
                #expect(answer.status == 200, "\(answer)")
            }
            stop(server, SIGKILL)
        }
        let segment = try #require(place.files(".martlet/predictions", ending: ".segment").first)
        var bytes = try place.bytes(segment)
        bytes[bytes.count / 2] ^= 0xFF
        try place.write(segment, bytes: bytes)
        let server = try RunningServer(serving: place, role: "admin", token: "second")
        let told = try server.log().first { $0["message"]?.text?.contains("stand aside") == true }
        #expect(told?["files"]?.text == "1" && told?["level"]?.text == "error", "\(told as Any)")
        let health = try ask(server, "/health").body
        #expect(health.contains("degraded") && health.contains("1 damaged piece"), "\(health)")
        #expect(
            try ask(server, "/metrics").body.contains("martlet_prediction_log_set_aside_files{project=\"downtime\"} 1"))
        stop(server)
        #expect(try place.martlet("predictions", "list").output.contains("set aside"))
        for _ in 0..<2 {
            let outcome = try place.martlet("predictions", "compact")
            #expect(outcome.code == 0 && outcome.errors.contains("set aside for a person"), "\(outcome)")
        }
    }

    @Test func `segments are compacted by the server, and removed when they are too many`() throws {
        let place = try LookAlikes.downtime()
        do {
            let server = try RunningServer(place)
            for _ in 0..<3 { #expect(try predict(server, place).status == 200) }
            stop(server)
        }
        #expect(!place.files(".martlet/predictions", ending: ".segment").isEmpty)
        let server = try RunningServer(serving: place, role: "admin", ["--compact-minutes", "0.001"], token: "second")
        #expect(
            eventually { (try? place.count("SELECT count(*) FROM monitoring.predictions_downtime")) == 9 })
        stop(server)
        let outcome = try place.martlet("predictions", "compact", "--keep-bytes", "1KB")
        #expect(outcome.code == 0 && outcome.output.contains("removed by retention"), "\(outcome)")
        for bad in [["--keep-days", "0"], ["--keep-share", "2"], ["--keep-bytes", "much"]] {
            #expect(try place.martlet(["predictions", "compact"] + bad).code == 64)
        }
        for bad in [
            ["--log-share", "2"], ["--log-keep-bytes", "1KB"], ["--log-keep-share", "7"], ["--log-keep-days=-1"],
        ] {
            #expect(try place.martlet(["serve"] + bad).code == 64)
        }
    }
}
