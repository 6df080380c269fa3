/// A string compared by its UTF-8 bytes instead of by Unicode equivalence.
///
/// SQL, SHA-256 and request bodies compare bytes, while Swift's `String` takes "é" for the same as "e" with a combining
/// accent; cells, levels, keys and groups must not.
///
/// ```swift
/// Set(["caf\u{E9}", "cafe\u{301}"].map(ByteText.init)).count  // 2
/// ```
package struct ByteText: Hashable, Comparable, Sendable {
    /// The string itself, in the Unicode form in which it was given.
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (a: ByteText, b: ByteText) -> Bool { a.text.isSameBytes(as: b.text) }

    package static func < (a: ByteText, b: ByteText) -> Bool { a.text.precedes(inBytes: b.text) }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension String {
    /// Whether both strings have the same UTF-8 bytes.
    package func isSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }

    /// Whether this string's UTF-8 bytes sort before those of `other`.
    package func precedes(inBytes other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
