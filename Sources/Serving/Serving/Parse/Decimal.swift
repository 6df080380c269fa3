/// Numbers as JSON writes them.
package enum Decimal {
    /// The nearest double of a text that is a JSON number and nothing else; `nil` for any other text, and for a number
    /// that is too large for a double.
    package static func value(of text: String) -> Double? {
        var text = text
        return text.withUTF8 { bytes in
            var scanner = JSONScanner(UnsafeRawBufferPointer(bytes))
            guard let value = try? scanner.double(), scanner.offset == bytes.count else { return nil }
            return value
        }
    }
}
