internal import CLibrary
internal import DelimitedText

extension CSVRows {
    /// Whether there is no quote in the bytes, so that every newline ends a line and every comma a cell.
    static func hasNoQuotes(_ bytes: UnsafeRawBufferPointer) -> Bool { !has(UInt8(ascii: "\""), bytes) }

    static func has(_ byte: UInt8, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        return memchr(base, Int32(byte), bytes.count) != nil
    }

    /// Whether the bytes are UTF-8 without NUL, as text is.
    static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return true }
        // A loop that ends nowhere early, so that it looks at many bytes at once.
        var (all, least) = (UInt8(0), UInt8.max)
        for place in 0..<bytes.count {
            all |= base[place]
            least = min(least, base[place])
        }
        return least > 0 && (all < 0x80 || UTF8Check.firstInvalid(bytes) == nil)
    }

    /// Why bytes are no text, as the second half of "line 7: …".
    static func reason(_ bytes: UnsafeRawBufferPointer) -> String {
        let zero = bytes.firstIndex(of: 0)
        let invalid = UTF8Check.firstInvalid(bytes)
        if let zero, zero < invalid ?? .max { return "byte \(zero + 1) of the row is NUL" }
        guard let invalid else { return "it is no text" }
        let digits = String(bytes[invalid], radix: 16, uppercase: true)
        return "byte \(invalid + 1) of the row (0x\(digits.count < 2 ? "0" : "")\(digits)) is not UTF-8"
    }

    /// Bytes that are no text as one that can be shown: U+FFFD stands for what is none.
    static func repaired(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes, as: UTF8.self).replacing("\0", with: "\u{FFFD}")
    }
}

extension String {
    /// The same with a capital at the beginning.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
