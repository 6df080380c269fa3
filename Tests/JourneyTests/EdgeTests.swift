import Core
import Foundation
import TestSupport
import Testing

/// What stands between a server and the network.
@Suite(.needsInterop) struct `The server and its network` {
    private func edge(_ kind: String, _ server: RunningServer, _ more: String...) throws -> Outcome {
        try Program.interop("edge.py", [kind, "\(server.port)", server.token] + more)
    }

    @Test func `slow clients are ended, and too many are told so`() throws {
        let server = try RunningServer(
            try LookAlikes.downtime(), "--client-timeout", "1", "--idle-timeout", "2", "--max-connections", "20",
            "--max-requests", "8")
        let outcome = try edge("slow", server)
        #expect(outcome.code == 0, "\(outcome)")
    }

    @Test func `nobody waits for what another client asks for`() throws {
        let place = try LookAlikes.downtime()
        let server = try RunningServer(place)
        let others = try ["other", "third", "fourth"].map { name in
            let made = try Program.run(["tokens", "create", name, "--role", "viewer"], in: place.folder).output
            return String(made.split(separator: "\n").last ?? "")
        }
        let outcome = try edge("load", server, others[0], others[1], others[2])
        #expect(outcome.code == 0, "\(outcome)")
    }

    @Test func `each request has its own answer, whatever comes with it`() throws {
        let outcome = try edge("frames", RunningServer(try LookAlikes.downtime()))
        #expect(outcome.code == 0, "\(outcome)")
    }

    #if os(Linux)
        @Test func `a prediction log that has stopped is told of where health is asked for`() throws {
            let server = try RunningServer(try LookAlikes.downtime())
            let limited = try Program.run(
                "/usr/bin/env", ["prlimit", "--pid", "\(server.process.processIdentifier)", "--fsize=16"], in: "/")
            #expect(limited.code == 0, "\(limited)")
            let outcome = try edge("stopped", server)
            #expect(outcome.code == 0, "\(outcome)")
        }
    #endif

    @Test func `a client has so many requests, with a token and without`() throws {
        let outcome = try edge("rate", RunningServer(try LookAlikes.downtime(), "--rate-limit", "20/60"))
        #expect(outcome.code == 0, "\(outcome)")
    }

    @Test func `behind a proxy its last word counts`() throws {
        let server = try RunningServer(
            try LookAlikes.downtime(), "--behind-proxy", "--host", "0.0.0.0", "--allow-host", "models.example",
            "--rate-limit", "20/60", "--access-log")
        let outcome = try edge("proxy", server)
        #expect(outcome.code == 0, "\(outcome)")
        let told = try server.log().filter { $0["message"]?.text == "request" }
        #expect(told.contains { $0["address"]?.text == "203.0.113.7" && $0["status"]?.text == "429" })
        #expect(
            told.contains {
                $0["route"]?.text == "/predict" && $0["principal"]?.text == "token:all" && $0["request_id"] != nil
                    && $0["ms"] != nil
            })
    }

    @Test func `a certificate is used, and renewed while the server runs`() throws {
        let place = try LookAlikes.downtime()
        func certificate(_ name: String) throws {
            let made = try Program.run(
                "/usr/bin/env",
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", "\(name).key", "-out", "\(name).pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost",
                ], in: place.folder)
            #expect(made.code == 0, "\(made)")
        }
        try certificate("first")
        try certificate("second")
        func refused(_ options: String...) throws -> Outcome {
            try Program.run(Program.path + "-serve", ["--port", "0"] + options, in: place.folder)
        }
        let mismatch = try refused("--tls-certificate", "first.pem", "--tls-key", "second.key")
        #expect(mismatch.code != 0 && mismatch.errors.contains("tls.key-mismatch"), "\(mismatch)")
        let missing = try refused("--tls-certificate", "first.pem", "--tls-key", "none.key")
        #expect(missing.errors.contains("none.key") && missing.errors.contains("[tls.key]"), "\(missing)")
        #expect(
            try refused("--tls-certificate", "martlet.yaml", "--tls-key", "first.key").errors.contains(
                "tls.certificate"))
        #expect(try refused("--tls-certificate", "first.pem").code == 64)
        #expect(try refused("--host", "0.0.0.0").errors.contains("--behind-proxy"))

        for name in ["pem", "key"] { try place.write("used.\(name)", bytes: place.bytes("first.\(name)")) }
        let server = try RunningServer(
            place, "--host", "0.0.0.0", "--tls-certificate", "used.pem", "--tls-key", "used.key")
        let before = try edge("tls", server, place.path("first.pem"))
        #expect(before.code == 0, "\(before)")
        for name in ["key", "pem"] { try place.write("used.\(name)", bytes: place.bytes("second.\(name)")) }
        let isRenewed = try eventually {
            let after = try edge("tls", server, place.path("second.pem"))
            return after.code == 0 && after.output != before.output
        }
        #expect(isRenewed)
    }

    @Test func `files with digests of secrets are the account's alone`() throws {
        let place = try LookAlikes.downtime()
        _ = try Program.run("/bin/chmod", ["644", ".martlet/martlet.db"], in: place.folder)
        let server = try RunningServer(place)
        #expect(server.port > 0)
        for name in place.list(".martlet") where name.hasPrefix("martlet.db") || name == "session.key" {
            let attributes = try FileManager.default.attributesOfItem(atPath: place.path(".martlet/\(name)"))
            #expect((attributes[.posixPermissions] as? Int).map { $0 & 0o077 } == 0, "\(name)")
        }
    }
}
