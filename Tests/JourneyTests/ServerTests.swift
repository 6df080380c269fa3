import Foundation
import Testing
import Vocabulary

/// A server that keeps its promises is one that schemathesis cannot catch.
@Suite(.enabled(if: Program.interop != nil)) struct `The server and its document` {
    /// A server on a free port, over a project with versions and a job; ended with the value.
    private final class Server {
        let process: Process
        let base: String
        let token: String

        init(_ place: Sandbox) throws {
            func martlet(_ arguments: String...) throws -> Outcome { try Program.run(arguments, in: place.folder) }
            _ = try martlet("models", "approve", "downtime@1")
            _ = try martlet("jobs", "submit", "train")
            token = try martlet("tokens", "create", "all", "--role", "admin").output
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let log = place.path("serve.log")
            FileManager.default.createFile(atPath: log, contents: nil)
            process = Process()
            process.executableURL = URL(fileURLWithPath: Program.path + "-serve")
            process.arguments = ["--port", "0"]
            process.currentDirectoryURL = URL(fileURLWithPath: place.folder)
            process.standardError = FileHandle(forWritingAtPath: log)
            try process.run()
            var port: Int?
            for _ in 0..<300 where port == nil {
                usleep(100_000)
                port = try place.read("serve.log").split(separator: "\n").compactMap { line in
                    JSONValue(parsing: String(line)).flatMap { $0["port"]?.text }.flatMap { Int($0) }
                }.first
            }
            guard let port else { throw Unusable(what: "the server does not listen: \(try place.read("serve.log"))") }
            base = "http://127.0.0.1:\(port)"
        }

        deinit {
            process.terminate()
            process.waitUntilExit()
        }
    }

    @Test func `every route keeps what its document says, and a planted field is found`() throws {
        let place = try LookAlikes.downtime()
        let server = try Server(place)
        let fair = try Program.interop("openapi.py", [server.base, server.token, "downtime", "--examples", "10"])
        #expect(fair.code == 0, "\(fair)")
        let planted = try Program.interop(
            "openapi.py", [server.base, server.token, "downtime", "--examples", "2", "--plant"])
        #expect(planted.code == 1 && planted.all.contains("planted"), "\(planted.all.suffix(2000))")
    }
}
