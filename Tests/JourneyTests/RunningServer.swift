import Core
import Foundation

/// A server on a free port; ended with the value.
final class RunningServer {
    let process: Process
    let port: Int
    let token: String
    private let place: Sandbox

    var base: String { "http://127.0.0.1:\(port)" }

    /// Over the finished downtime project.
    convenience init(_ place: Sandbox, _ options: String...) throws {
        func martlet(_ arguments: String...) throws -> Outcome { try Program.run(arguments, in: place.folder) }
        _ = try martlet("models", "approve", "downtime@1")
        _ = try martlet("jobs", "submit", "train")
        _ = try Program.run(
            "/bin/sh", ["-c", "echo 'correct horse battery staple' | \(Program.path) users add ada --role admin"],
            in: place.folder)
        try self.init(serving: place, role: "admin", options)
    }

    /// Over any project, with a token of the role; its name must be new.
    init(serving place: Sandbox, role: String, _ options: [String] = [], token name: String = "all") throws {
        self.place = place
        token = try Program.run(["tokens", "create", name, "--role", role], in: place.folder).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let log = place.path("serve.log")
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process = Process()
        process.executableURL = URL(fileURLWithPath: Program.path + "-serve")
        process.arguments = ["--port", "0"] + options
        process.currentDirectoryURL = URL(fileURLWithPath: place.folder)
        process.environment = try Program.environment(in: place.folder, options)
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
        self.port = port
    }

    /// What it answers, as its token's holder.
    func ask(_ path: String, _ body: String? = nil, method: String? = nil) throws -> JSONValue {
        let outcome = try Program.run(
            Program.which("curl") ?? "curl",
            ["-s", "-S", "-H", "Authorization: Bearer \(token)", "-H", "Content-Type: application/json"]
                + (body.map { ["-d", $0] } ?? []) + (method.map { ["-X", $0] } ?? []) + [base + path],
            in: place.folder)
        return JSONValue(parsing: outcome.output) ?? .text("\(outcome)")
    }

    /// The entries of its log so far.
    func log() throws -> [JSONValue] {
        try place.read("serve.log").split(separator: "\n").compactMap { JSONValue(parsing: String($0)) }
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
    }
}
