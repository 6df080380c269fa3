internal import Core

/// An order-independent hash of rows: their number, and the sum and exclusive-or of one 64-bit hash a row.
///
/// Hashes of parts add up to the hash of the whole. docs/content-hash.md defines the row hash of the present scheme.
///
/// ```swift
/// let whole = try engine.contentHash(of: files)
/// print(whole)  // h2:3-1405a7d22cbd9fd61-b1e8a4ab0f9e11
/// ```
package struct ContentHash: Sendable, Equatable, CustomStringConvertible {
    /// How a row is hashed.
    package enum Scheme: String, Sendable {
        /// By DuckDB's own `hash` function; written until 2026-11-29, since then only to compare with what was recorded.
        case h1
        /// By XXH64 of canonical bytes, whatever the engine.
        case h2
    }

    /// How its rows were hashed; hashes of different schemes say nothing of each other.
    package var scheme: Scheme
    /// Number of rows that the hash covers.
    package var rows: Int
    /// Sum of the row hashes, modulo 2^128.
    package var sum: UInt128
    /// Exclusive-or of the row hashes.
    package var xor: UInt64

    /// Makes a hash from its parts; without any, that of no rows.
    package init(_ scheme: Scheme = .h2, rows: Int = 0, sum: UInt128 = 0, xor: UInt64 = 0) {
        self.scheme = scheme
        self.rows = rows
        self.sum = sum
        self.xor = xor
    }

    /// Parses the form that `description` writes; `nil` for other texts. One that names no scheme is ``Scheme/h1``.
    package init?(_ text: String) {
        let named = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let scheme = named.count == 1 ? .h1 : Scheme(rawValue: String(named[0])), let value = named.last else {
            return nil
        }
        let parts = value.split(separator: "-")
        guard parts.count == 3, let rows = Int(parts[0]), let sum = UInt128(parts[1], radix: 16),
            let xor = UInt64(parts[2], radix: 16)
        else { return nil }
        self.init(scheme, rows: rows, sum: sum, xor: xor)
    }

    /// `h2:ROWS-SUM-XOR`, sum and exclusive-or in hexadecimal; of the first scheme `ROWS-SUM-XOR`, as it was recorded.
    package var description: String {
        let value = "\(rows)-\(String(sum, radix: 16))-\(String(xor, radix: 16))"
        return scheme == .h1 ? value : "\(scheme.rawValue):\(value)"
    }

    /// The hash of two sets of rows together, of the same scheme.
    package static func + (a: ContentHash, b: ContentHash) -> ContentHash {
        precondition(a.scheme == b.scheme, "hashes of one scheme add up")
        return ContentHash(a.scheme, rows: a.rows &+ b.rows, sum: a.sum &+ b.sum, xor: a.xor ^ b.xor)
    }

    /// The hash of the rows that remain when those of `b`, of the same scheme, are removed.
    package static func - (a: ContentHash, b: ContentHash) -> ContentHash {
        precondition(a.scheme == b.scheme, "hashes of one scheme add up")
        return ContentHash(a.scheme, rows: a.rows &- b.rows, sum: a.sum &- b.sum, xor: a.xor ^ b.xor)
    }

    /// The hash when the rows of `old` are replaced by those of `new`.
    func replacing(_ old: ContentHash, with new: ContentHash) -> ContentHash { self - old + new }
}

extension ContentHash {
    /// Seed of the row hashes of ``Scheme/h2``: XXH64 of the names and Delta types of the columns, in order.
    ///
    /// The same values under other names or of another type are other content.
    package static func seed(of fields: [DeltaField]) -> UInt64 {
        var bytes: [UInt8] = []
        for text in fields.flatMap({ [$0.name, $0.type] }) {
            withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: text.utf8)
        }
        return XXHash64.hash(bytes)
    }
}
