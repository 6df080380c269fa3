internal import Core
internal import Foundation
internal import Storage

/// A folder that goes when the test ends.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.path + "/martlet-" + UUID().uuidString
        try Disk.makeDirectory(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    /// Writes a file, in folders that are made when needed.
    /// - Returns: its path.
    @discardableResult
    package func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        let file = path + "/" + name
        try Disk.makeDirectory(Disk.parent(of: file))
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String { try write(name, text.utf8) }

    /// Writes a script that can be run.
    package func write(program name: String, _ text: String) throws -> String {
        let file = try write(name, text)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: file)
        return file
    }

    /// Takes away what is at an absolute path.
    package func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }
}
