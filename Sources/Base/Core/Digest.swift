internal import Crypto

/// A SHA-256, as 64 lowercase hexadecimal digits. Files, artifacts, configurations and models are known by it.
package struct Digest: Sendable, Hashable, Comparable, CustomStringConvertible, Codable {
    package let hex: String

    /// Takes a digest written by Martlet; `nil` unless it is 64 lowercase hexadecimal digits.
    package init?(hex: String) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            return nil
        }
        self.hex = hex
    }

    package init(of bytes: some Sequence<UInt8>) {
        var hasher = DigestBuilder()
        hasher.update(Array(bytes))
        self = hasher.finish()
    }

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
    /// The first twelve digits, for people.
    package var short: String { String(hex.prefix(12)) }
    package static func < (a: Digest, b: Digest) -> Bool { a.hex < b.hex }
}

/// Digests a stream piece by piece.
package struct DigestBuilder {
    private var hasher = SHA256()

    package init() {}

    package mutating func update(_ bytes: [UInt8]) { hasher.update(data: bytes) }
    package mutating func update(_ bytes: UnsafeRawBufferPointer) { hasher.update(bufferPointer: bytes) }
    package mutating func finish() -> Digest { Digest(raw: hasher.finalize()) }
}

/// The portable uniform number of a key: the first eight bytes of SHA-256("seed:key") as a big-endian integer
/// over 2^64, in [0, 1]. Any tool that has SHA-256 can rebuild it.
package func portableUniform(seed: Int, key: String) -> Double {
    var hasher = SHA256()
    var text = "\(seed):\(key)"
    text.withUTF8 { hasher.update(bufferPointer: UnsafeRawBufferPointer($0)) }
    var value: UInt64 = 0
    for byte in hasher.finalize().prefix(8) { value = value << 8 | UInt64(byte) }
    return Double(value) / 18446744073709551616.0
}
