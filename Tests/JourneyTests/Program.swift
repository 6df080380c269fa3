import Core
import Foundation
import TestSupport
import Testing

/// The built program, run as a child process, as a person runs it.
enum Program {
    /// The package's folder.
    static let root = packageFolder

    static let path = root + "/.build/release/martlet"

    /// Runs `martlet` with arguments, in a folder, with none of the caller's MARTLET_ settings.
    static func run(
        _ arguments: [String], in folder: String, environment: [String: String] = [:]
    ) throws -> Outcome {
        try run(path, arguments, in: folder, environment: environment)
    }

    /// Runs any program; standard output and standard error go through files, so that nothing can block.
    static func run(
        _ program: String, _ arguments: [String], in folder: String, environment: [String: String] = [:]
    ) throws -> Outcome {
        let started = try start(program, arguments, in: folder, environment: environment)
        return try started.finish()
    }

    static func start(
        _ program: String, _ arguments: [String], in folder: String, environment: [String: String] = [:]
    ) throws -> Started {
        let scratch = try Sandbox()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = try self.environment(in: folder, arguments).merging(environment) { _, new in new }
        process.standardInput = FileHandle.nullDevice
        for name in ["out", "err"] { try scratch.write(name, "") }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: scratch.path("out")))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: scratch.path("err")))
        try process.run()
        return Started(process: process, scratch: scratch, arguments: arguments)
    }

    /// None of the caller's MARTLET_ settings; the metadata are where the tests are told to keep them.
    static func environment(in folder: String, _ arguments: [String]) throws -> [String: String] {
        var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("MARTLET_") }
        variables["NO_COLOR"] = "1"
        let project = arguments.firstIndex(of: "--project").flatMap { arguments.dropFirst($0 + 1).first }
        let place = project ?? folder
        let settings = (try? String(contentsOfFile: place + "/martlet.yaml", encoding: .utf8)) ?? ""
        if !settings.hasPrefix("metadata:") { variables["MARTLET_METADATA"] = try TestDatabase.address(of: place) }
        return variables
    }

    /// The interpreter that reads tables with delta-rs; `make test` sets it.
    static let interop = ProcessInfo.processInfo.environment["MARTLET_INTEROP_PYTHON"]

    /// The interpreter that has one of the large clients; `make interop` sets it.
    static func python(of client: String) -> String? {
        ProcessInfo.processInfo.environment["MARTLET_\(client.uppercased())_PYTHON"]
    }

    /// The machine's Python 3, which setup needs anyway; `nil` when there is none.
    static let python = which("python3")

    static func which(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs one of scripts/interop/.
    static func interop(_ script: String, _ arguments: [String]) throws -> Outcome {
        guard let interop else { throw Unusable(what: "MARTLET_INTEROP_PYTHON is not set") }
        return try run(interop, ["\(root)/scripts/interop/\(script)"] + arguments, in: root)
    }
}

/// Reasons to leave a test out; `scripts/skipped` sums them up, and takes those that name `make` for faults of setup.
extension Trait where Self == ConditionTrait {
    static var needsInterop: Self {
        .enabled(if: Program.interop != nil, "MARTLET_INTEROP_PYTHON is not set; `make test` sets it")
    }

    /// A program on the PATH that `scripts/setup` installs or asks for.
    static func needs(_ program: String) -> Self {
        .enabled(if: Program.which(program) != nil, "\(program) is not there; `make setup` brings it")
    }
}

/// A test's own context are not what it needs.
struct Unusable: Error, CustomStringConvertible {
    var what: String
    var description: String { what }
}

/// A program at work.
struct Started {
    let process: Process
    let scratch: Sandbox
    let arguments: [String]

    func finish() throws -> Outcome {
        process.waitUntilExit()
        let isSignal = process.terminationReason == .uncaughtSignal
        return Outcome(
            arguments: arguments, code: process.terminationStatus, isSignal: isSignal, output: try scratch.read("out"),
            errors: try scratch.read("err"))
    }
}

/// What a program said and how it ended.
struct Outcome: CustomStringConvertible {
    var arguments: [String]
    /// The exit code, or the signal's number.
    var code: Int32
    var isSignal: Bool
    var output: String
    var errors: String

    var all: String { output + errors }
    var description: String {
        "martlet \(arguments.joined(separator: " ")) → \(isSignal ? "signal" : "exit") \(code)\n\(all)"
    }

    /// Standard output as JSON.
    func json() throws -> JSONValue { try JSON.decode(JSONValue.self, from: output) }

    /// Ended by itself, and not by a trap, an assertion or a stub of a library.
    var isClean: Bool {
        !isSignal
            && !["Fatal error", "CPython entry point", "terminate called", "Swift/"].contains { all.contains($0) }
    }
}

extension JSONValue {
    /// The value at a path like "metrics.test.roc_auc.value" or "0.name".
    func at(_ path: String) -> JSONValue? {
        var here: JSONValue? = self
        for part in path.split(separator: ".") {
            if let index = Int(part), let list = here?.list {
                here = list.indices.contains(index) ? list[index] : nil
            } else {
                here = here?[String(part)]
            }
        }
        return here
    }

    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    var flag: Bool? {
        if case .flag(let value) = self { value } else { nil }
    }
}
