/// Validator for UTF-8 (Unicode 16, table 3-7).
///
/// ```swift
/// let isValid = bytes.withUnsafeBytes { UTF8Check.firstInvalid($0) } == nil
/// ```
package enum UTF8Check {
    /// Returns the offset of the first invalid byte; `nil` for valid UTF-8.
    package static func firstInvalid(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var at = 0
        let count = bytes.count
        while at < count {
            // Eight bytes of ASCII at a time.
            while at &+ 8 <= count,
                bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                at &+= 8
            }
            guard at < count else { return nil }
            let length = character(bytes, at)
            if length == 0 { return at }
            at &+= length
        }
        return nil
    }

    /// How many bytes the character at a place has; 0 if there is none.
    private static func character(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int {
        let lead = bytes[at]
        if lead < 0x80 { return 1 }
        func follows(_ place: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            at + place < bytes.count && range.contains(bytes[at + place])
        }
        switch lead {
        case 0xC2...0xDF: return follows(1) ? 2 : 0
        case 0xE0...0xEF:
            let second: ClosedRange<UInt8> = lead == 0xE0 ? 0xA0...0xBF : lead == 0xED ? 0x80...0x9F : 0x80...0xBF
            return follows(1, second) && follows(2) ? 3 : 0
        case 0xF0...0xF4:
            let second: ClosedRange<UInt8> = lead == 0xF0 ? 0x90...0xBF : lead == 0xF4 ? 0x80...0x8F : 0x80...0xBF
            return follows(1, second) && follows(2) && follows(3) ? 4 : 0
        default: return 0
        }
    }
}
