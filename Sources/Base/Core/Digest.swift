internal import Crypto

/// A SHA-256 digest as 64 lowercase hexadecimal digits; identifies files, artifacts, configurations and models.
///
/// ```swift
/// let digest = Digest(of: try Disk.read(path))
/// print(digest.short)  // the first twelve digits
/// ```
package struct Digest: Sendable, Hashable, Comparable, CustomStringConvertible, Codable {
    /// The digest as 64 lowercase hexadecimal digits.
    package let hex: String

    /// Parses a digest in hexadecimal; `nil` unless it is 64 lowercase hexadecimal digits.
    package init?(hex: String) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            return nil
        }
        self.hex = hex
    }

    /// Computes the SHA-256 of bytes.
    package init(of bytes: some Sequence<UInt8>) {
        var hasher = DigestBuilder()
        hasher.update(Array(bytes))
        self = hasher.finish()
    }

    /// Computes the SHA-256 of a text's UTF-8 bytes.
    package init(of text: String) { self.init(of: Array(text.utf8)) }

    fileprivate init(raw: some Sequence<UInt8>) {
        let digits = Array("0123456789abcdef".utf8)
        var out: [UInt8] = []
        out.reserveCapacity(64)
        for byte in raw {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        hex = String(decoding: out, as: UTF8.self)
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let digest = Digest(hex: text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a SHA-256 in hexadecimal"))
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }

    package var description: String { hex }
    /// The first twelve hexadecimal digits, for display.
    package var short: String { String(hex.prefix(12)) }
    package static func < (a: Digest, b: Digest) -> Bool { a.hex < b.hex }
}

/// Computes a SHA-256 incrementally from a stream of byte pieces.
///
/// ```swift
/// var builder = DigestBuilder()
/// try Disk.scan(path) { builder.update($0); return true }
/// let digest = builder.finish()
/// ```
package struct DigestBuilder {
    private var hasher = SHA256()

    package init() {}

    /// Adds bytes to the digest.
    package mutating func update(_ bytes: [UInt8]) { hasher.update(data: bytes) }
    /// Adds bytes to the digest.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) { hasher.update(bufferPointer: bytes) }
    /// Returns the digest of all bytes added.
    package mutating func finish() -> Digest { Digest(raw: hasher.finalize()) }
}

/// Returns a number in [0, 1] derived from a seed and a key, the same with any SHA-256 implementation.
///
/// The first eight bytes of SHA-256("seed:key") as a big-endian integer over 2^64.
package func portableUniform(seed: Int, key: String) -> Double {
    var hasher = SHA256()
    var text = "\(seed):\(key)"
    text.withUTF8 { hasher.update(bufferPointer: UnsafeRawBufferPointer($0)) }
    var value: UInt64 = 0
    for byte in hasher.finalize().prefix(8) { value = value << 8 | UInt64(byte) }
    return Double(value) / 18446744073709551616.0
}
