internal import JSONText

/// Parser of JSON numbers.
package enum Decimal {
    /// Returns the nearest double of a JSON number; `nil` for any other text, and for a number too large for a double.
    package static func value(of text: String) -> Double? {
        var text = text
        return text.withUTF8 { bytes in
            var scanner = JSONScanner(UnsafeRawBufferPointer(bytes))
            guard let value = try? scanner.double(), scanner.offset == bytes.count else { return nil }
            return value
        }
    }
}
