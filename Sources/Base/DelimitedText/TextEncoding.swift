internal import CLibrary

/// A character encoding: UTF-8, or any that the platform's iconv knows.
///
/// ```swift
/// guard let encoding = TextEncoding("windows-1252") else { … }
/// let converter = TextEncoding.Converter(encoding)
/// try converter?.convert(bytes, into: &utf8)
/// ```
package struct TextEncoding: Sendable, Equatable, CustomStringConvertible {
    /// The name as the caller gave it, in lowercase.
    package let name: String
    /// What iconv calls it.
    let system: String
    /// Size of the smallest code unit in bytes: 1, 2 or 4.
    package let unit: Int
    /// Whether the first byte of a unit is the most significant one; meaningless for a unit of 1.
    package let isBigEndian: Bool
    /// Whether every byte below 128 is the ASCII character wherever it stands.
    package let keepsASCII: Bool

    /// The encoding UTF-8, which needs no conversion.
    package static let utf8 = TextEncoding(
        name: "utf-8", system: "UTF-8", unit: 1, isBigEndian: false, keepsASCII: true)

    /// Whether the encoding is UTF-8, so that nothing has to be converted.
    package var isUTF8: Bool { system == "UTF-8" }
    package var description: String { name }

    private init(name: String, system: String, unit: Int, isBigEndian: Bool, keepsASCII: Bool) {
        self.name = name
        self.system = system
        self.unit = unit
        self.isBigEndian = isBigEndian
        self.keepsASCII = keepsASCII
    }

    /// Looks up an encoding by name; `nil` for a name that iconv does not know.
    ///
    /// `latin-1` and its other names are read as windows-1252, which has printable characters where ISO 8859-1 has
    /// controls that no table holds: the Encoding Standard (WHATWG), section 4.2, has the same rule.
    package init?(_ text: String) {
        let name = text.lowercased()
        guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.:+()".contains($0)) })
        else { return nil }
        switch name {
        case "utf-8", "utf8": self = .utf8
        case "latin-1", "latin1", "iso-8859-1", "iso8859-1", "windows-1252", "cp1252":
            self.init(name: name, system: "CP1252", unit: 1, isBigEndian: false, keepsASCII: true)
        case "utf-16", "utf16", "utf-16le", "ucs-2", "unicode":
            self.init(name: name, system: "UTF-16LE", unit: 2, isBigEndian: false, keepsASCII: false)
        case "utf-16be":
            self.init(name: name, system: "UTF-16BE", unit: 2, isBigEndian: true, keepsASCII: false)
        case "utf-32", "utf-32le":
            self.init(name: name, system: "UTF-32LE", unit: 4, isBigEndian: false, keepsASCII: false)
        case "utf-32be":
            self.init(name: name, system: "UTF-32BE", unit: 4, isBigEndian: true, keepsASCII: false)
        default:
            let system = name.uppercased()
            guard let converter = Converter(from: system) else { return nil }
            // An encoding in which an ASCII line end is not one byte would need a reader of its own.
            var line: [UInt8] = []
            guard (try? converter.convert([65, 44, 10], into: &line)) != nil, line == [65, 44, 10] else { return nil }
            let isSingleByte = ["ISO-8859", "ISO8859", "WINDOWS-125", "CP125", "KOI8", "MACINTOSH"].contains {
                system.hasPrefix($0)
            }
            self.init(name: name, system: system, unit: 1, isBigEndian: false, keepsASCII: isSingleByte)
        }
    }

    /// Returns the encoding with the byte order of a byte order mark at the start of a text, and the mark's length.
    package func adjusted(to head: [UInt8]) -> (encoding: TextEncoding, mark: Int) {
        if isUTF8 { return (self, head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0) }
        func with(_ system: String, _ isBigEndian: Bool, _ mark: Int) -> (TextEncoding, Int) {
            let encoding = TextEncoding(
                name: name, system: system, unit: unit, isBigEndian: isBigEndian, keepsASCII: false)
            return (encoding, mark)
        }
        if unit == 2, head.starts(with: [0xFF, 0xFE]) { return with("UTF-16LE", false, 2) }
        if unit == 2, head.starts(with: [0xFE, 0xFF]) { return with("UTF-16BE", true, 2) }
        if unit == 4, head.starts(with: [0xFF, 0xFE, 0, 0]) { return with("UTF-32LE", false, 4) }
        if unit == 4, head.starts(with: [0, 0, 0xFE, 0xFF]) { return with("UTF-32BE", true, 4) }
        return (self, 0)
    }

    /// Guesses the encoding of a text that is not UTF-8 from its first bytes; only for an error message.
    package static func guess(_ head: UnsafeRawBufferPointer) -> String {
        if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) { return "utf-16" }
        let zeros = head.prefix(400).count { $0 == 0 }
        if zeros * 3 > min(400, head.count) { return "utf-16" }
        // Pairs of high bytes are East Asian text; windows-1252 has them seldom, Cyrillic pages all the time.
        var high = 0
        var upper = 0
        for byte in head where byte >= 0x80 {
            high += 1
            if byte >= 0xC0 { upper += 1 }
        }
        let share = Double(high) / Double(max(1, head.count))
        if share > 0.25 { return upper * 10 > high * 9 ? "windows-1251 or koi8-r" : "gb18030, shift_jis or big5" }
        return "windows-1252"
    }

    /// Converts whole lines from an encoding to UTF-8. Not Sendable: one thread at a time uses it.
    package final class Converter {
        /// Thrown for bytes that are no character of the encoding.
        package struct Invalid: Error {
            /// Offset of the first invalid byte in the input.
            package var offset: Int
        }

        private let handle: iconv_t

        /// Opens a converter from this encoding; `nil` when iconv cannot convert it.
        package convenience init?(_ encoding: TextEncoding) { self.init(from: encoding.system) }

        fileprivate init?(from system: String) {
            guard let handle = iconv_open("UTF-8", system), handle != iconv_t(bitPattern: -1) else { return nil }
            self.handle = handle
        }

        deinit { iconv_close(handle) }

        /// Converts bytes to UTF-8 and appends them to `text`; they must begin and end with whole characters.
        package func convert(_ bytes: [UInt8], into text: inout [UInt8]) throws(Invalid) {
            let outcome: Result<Void, Invalid> = bytes.withUnsafeBytes { bytes in
                Result { () throws(Invalid) in try convert(bytes, into: &text) }
            }
            try outcome.get()
        }

        /// Converts bytes to UTF-8 and appends them to `text`; they must begin and end with whole characters.
        package func convert(_ bytes: UnsafeRawBufferPointer, into text: inout [UInt8]) throws(Invalid) {
            // The state of the line before, an error's included, is none of this one's.
            iconv(handle, nil, nil, nil, nil)
            guard let base = bytes.baseAddress else { return }
            var source =
                UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: CChar.self)) as UnsafeMutablePointer<CChar>?
            var left = bytes.count
            while left > 0 {
                let room = max(64, left * 2)
                var code = 0
                var number: Int32 = 0
                let start = text.count
                text.append(contentsOf: repeatElement(0, count: room))
                let written = text.withUnsafeMutableBytes { all -> Int in
                    var target = all.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self)
                    var free = room
                    code = iconv(handle, &source, &left, &target, &free)
                    number = errno
                    return room - free
                }
                text.removeLast(room - written)
                if code == -1, number != E2BIG { throw Invalid(offset: bytes.count - left) }
            }
        }
    }
}
