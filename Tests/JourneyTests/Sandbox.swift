import Core
import Foundation
import Synchronization
import TestSupport

/// A folder that goes when the last one who knows it does.
final class Sandbox: Sendable {
    let folder: String

    private static let count = Atomic<Int>(0)
    /// Everything of this test process stands in one folder, which goes when the process ends.
    private static let base: String = {
        let path =
            FileManager.default.temporaryDirectory.path
            + "/martlet-journey-\(ProcessInfo.processInfo.processIdentifier)"
        try? FileManager.default.removeItem(atPath: path)
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: Sandbox.base) }
        return path
    }()

    init() throws {
        folder = "\(Sandbox.base)/\(Sandbox.count.add(1, ordering: .relaxed).newValue)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// A copy of another one as it is now.
    convenience init(copyOf other: Sandbox) throws {
        try self.init()
        for name in try FileManager.default.contentsOfDirectory(atPath: other.folder) {
            try FileManager.default.copyItem(atPath: other.path(name), toPath: path(name))
        }
        try TestDatabase.copy(from: other.folder, to: folder)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { "\(folder)/\(name)" }
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
    func read(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))) }

    func write(_ name: String, _ text: String) throws { try write(name, bytes: Array(text.utf8)) }

    func write(_ name: String, bytes: [UInt8]) throws {
        let url = URL(fileURLWithPath: path(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func append(_ name: String, _ text: String) throws { try write(name, try read(name) + text) }
    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    func move(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: path(name), toPath: path(other))
    }

    /// Replaces a text that must be there.
    func edit(_ name: String, _ old: String, _ new: String) throws {
        let text = try read(name)
        guard text.contains(old) else { throw Unusable(what: "\(name) does not hold \(old)") }
        try write(name, text.replacingOccurrences(of: old, with: new))
    }

    /// Names in a folder, sorted; empty when there is none.
    func list(_ name: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path(name))) ?? []).sorted()
    }

    /// Files below a folder whose name ends so, as paths relative to this one.
    func files(_ name: String, ending suffix: String) -> [String] {
        (FileManager.default.enumerator(atPath: path(name))?.compactMap { $0 as? String } ?? [])
            .filter { $0.hasSuffix(suffix) }.sorted().map { "\(name)/\($0)" }
    }

    /// Runs `martlet` here.
    func martlet(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
        try Program.run(arguments, in: folder, environment: environment)
    }

    func martlet(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        try Program.run(arguments, in: folder, environment: environment)
    }

    /// The rows that a SELECT gives, as JSON.
    func sql(_ select: String) throws -> [JSONValue] {
        let outcome = try martlet("lake", "sql", select, "--json")
        guard outcome.code == 0 else { throw Unusable(what: "\(outcome)") }
        return try outcome.json().list ?? []
    }

    /// The number in the only row and column of a SELECT.
    func count(_ select: String) throws -> Int? { try sql("SELECT (\(select)) AS n").first?["n"]?.integer }
}
