import Foundation
import Testing
import Vocabulary

/// Raw rows over HTTP, with a feature worker that is killed in between.
@Suite(.enabled(if: Program.interop != nil)) struct `Raw rows` {
    @Test func `are made features, scored, and outlive the worker`() throws {
        let place = try Wards.written()
        try place.edit("contracts/visits.yaml", "key: [visit_id]", "key: [visit_id]\nevent_time: seen_at")
        try place.write("landing/visits/first.csv", Wards.csv(Wards.rows(0..<600)))
        let run = try place.martlet("run")
        try #require(run.code == 0, "\(run)")
        let token = try place.martlet("tokens", "create", "all", "--role", "operator").output
            .trimmingCharacters(in: .whitespacesAndNewlines)

        let log = place.path("serve.log")
        FileManager.default.createFile(atPath: log, contents: nil)
        let server = Process()
        server.executableURL = URL(fileURLWithPath: Program.path + "-serve")
        server.arguments = ["--port", "0"]
        server.currentDirectoryURL = URL(fileURLWithPath: place.folder)
        server.standardError = FileHandle(forWritingAtPath: log)
        try server.run()
        defer {
            server.terminate()
            server.waitUntilExit()
        }
        var port: Int?
        for _ in 0..<300 where port == nil {
            usleep(100_000)
            port = try place.read("serve.log").split(separator: "\n").compactMap { line in
                JSONValue(parsing: String(line)).flatMap { $0["port"]?.text }.flatMap { Int($0) }
            }.first
        }
        let base = "http://127.0.0.1:\(try #require(port))"
        let talk = try Program.interop("process.py", [base, token, "\(server.processIdentifier)"])
        let said = try place.read("serve.log").suffix(2000)
        #expect(talk.code == 0, "\(talk)\n\(said)")
    }
}
