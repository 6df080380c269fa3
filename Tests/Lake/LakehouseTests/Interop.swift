import Core
import Foundation
import TestSupport
import Testing

/// Other programs that read what a lake writes: Python with delta-rs and arro3, from scripts/venv interop.
enum Interop {
    static let python = ProcessInfo.processInfo.environment["MARTLET_INTEROP_PYTHON"]

    /// The JSON that one of scripts/interop/ prints.
    static func json(_ script: String, _ arguments: String...) throws -> JSONValue {
        try json(script, arguments)
    }

    static func json(_ script: String, _ arguments: [String]) throws -> JSONValue {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(python))
        process.arguments = ["\(packageFolder)/scripts/interop/\(script)"] + arguments
        let out = Pipe()
        process.standardOutput = out
        try process.run()
        let data = try out.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return try #require(JSONValue(parsing: data))
    }
}

extension Trait where Self == ConditionTrait {
    static var needsInterop: Self {
        .enabled(if: Interop.python != nil, "MARTLET_INTEROP_PYTHON is not set; `make test` sets it")
    }
}
