/// A text that equals another only where their UTF-8 bytes are the same, and is ordered by them: what SQL, SHA-256 and
/// a request's body see. Swift's `String` takes "é" for the same as "e" with a combining accent; cells, levels, keys and
/// groups must not.
///
///     Set(["caf\u{E9}", "cafe\u{301}"].map(ByteText.init)).count  // 2
package struct ByteText: Hashable, Comparable, Sendable {
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
    /// Whether both are the same bytes of UTF-8.
    package func isSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }

    /// Whether this one's bytes of UTF-8 come first.
    package func precedes(inBytes other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
