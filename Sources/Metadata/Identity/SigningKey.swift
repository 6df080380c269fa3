internal import Core
internal import FoundationEssentials
internal import Storage

/// The server's secret key for signing sessions, stored in a file that only its account may read.
///
/// ```swift
/// let key = try SigningKey(path: project.home.sessionKey, random: context.randomBytes)
/// ```
///
/// Made at the first start. Without the file, or with another, all sessions end; nothing else depends on it.
package struct SigningKey: Sendable {
    /// The key, 32 bytes.
    package let bytes: [UInt8]

    /// Reads the key from a file, or creates it. Its folder must exist.
    /// - Throws: `identity.key-readable` when others may read the file, `identity.key` when it holds no key.
    package init(path: String, random: (Int) -> [UInt8]) throws {
        if !Disk.exists(path) {
            let line = Data(random(32)).base64EncodedString() + "\n"
            // Another server may be faster; then its key is the one.
            _ = try Disk.createDurably(path, Array(line.utf8), permissions: 0o600)
        }
        guard let permissions = Disk.permissions(path), permissions & 0o077 == 0 else {
            throw MartletError(
                .machine, "identity.key-readable", "Others may read the key that sessions are signed with.",
                at: .init(file: path), remedy: "If nobody did: `chmod 600`. Else remove it; a new one is made.")
        }
        let text = String(decoding: try Disk.read(path).prefix { $0 > 32 }, as: UTF8.self)
        guard let key = Data(base64Encoded: text), key.count == 32 else {
            throw MartletError(
                .input, "identity.key", "This file holds no key of 256 bits.", at: .init(file: path),
                remedy: "Remove it; a new one is made, and everybody logs in again.")
        }
        bytes = Array(key)
    }
}
