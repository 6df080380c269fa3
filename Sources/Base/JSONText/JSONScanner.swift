/// Strict pull parser of JSON (RFC 8259) over bytes that it does not copy.
///
/// Refuses NaN and infinities (unless told otherwise), leading zeros, trailing commas, comments, raw control characters,
/// text that is not UTF-8 and nesting deeper than 64. Nothing is allocated but for strings with escapes.
///
/// ```swift
/// var scanner = JSONScanner(bytes)
/// try scanner.expect(UInt8(ascii: "{"), "an object")
/// let key = scanner.string(try scanner.key())
/// ```
package struct JSONScanner {
    /// Where and why a body is malformed; the caller adds the `path`.
    package struct Fault: Error {
        /// Offset of the byte at which reading stopped.
        package var offset: Int
        /// What is wrong there.
        package var reason: Reason

        @inlinable
        package init(offset: Int, reason: Reason) {
            self.offset = offset
            self.reason = reason
        }
    }

    /// What is wrong with a body.
    package enum Reason: Sendable {
        case ended
        case expected(StaticString)
        case number, tooLarge, control, escape, utf8, deep, after
        case notFinite
    }

    /// A string as it stands in the body, without its quotes.
    package struct Text {
        /// Offset of its first byte.
        package var start: Int
        /// Number of bytes.
        package var count: Int
        /// Whether an escape stands in it, so that it has to be decoded.
        package var hasEscapes: Bool

        @inlinable
        package init(start: Int, count: Int, hasEscapes: Bool) {
            self.start = start
            self.count = count
            self.hasEscapes = hasEscapes
        }
    }

    /// What may come next in a body.
    package enum Kind: Sendable { case object, list, text, number, flag, null, end, other }

    /// The body.
    package let bytes: UnsafeRawBufferPointer
    /// Offset of the next byte.
    package var offset: Int
    /// Whether NaN, Infinity and -Infinity are taken, as other writers give them for missing numbers.
    package var takesNotFinite = false

    @inlinable
    package init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    @usableFromInline
    var count: Int { bytes.count }

    @inlinable
    package func fault(_ reason: Reason) -> Fault { Fault(offset: offset, reason: offset >= count ? .ended : reason) }

    @inlinable
    @inline(__always)
    package mutating func skipSpace() {
        while offset < count {
            let byte = bytes[offset]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            offset &+= 1
        }
    }

    /// What comes next, space skipped.
    @inlinable
    @inline(__always)
    package mutating func next() -> Kind {
        skipSpace()
        guard offset < count else { return .end }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .list
        case UInt8(ascii: "\""): return .text
        case 48...57: return .number
        case UInt8(ascii: "-"): return isNotFinite ? .other : .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .flag
        case UInt8(ascii: "n"): return .null
        default: return .other
        }
    }

    /// Takes this byte if it comes next, space skipped.
    @inlinable
    @inline(__always)
    package mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard offset < count, bytes[offset] == byte else { return false }
        offset &+= 1
        return true
    }

    @inlinable
    @inline(__always)
    package mutating func expect(_ byte: UInt8, _ what: StaticString) throws(Fault) {
        guard take(byte) else { throw fault(.expected(what)) }
    }

    /// Nothing but space may follow.
    package mutating func expectEnd() throws(Fault) {
        skipSpace()
        guard offset == count else { throw Fault(offset: offset, reason: .after) }
    }

    /// The key of a member and its colon.
    @inlinable
    @inline(__always)
    package mutating func key() throws(Fault) -> Text {
        skipSpace()
        let key = try text()
        try expect(UInt8(ascii: ":"), "a colon")
        return key
    }

    /// A comma before a further item (`true`) or the closing bracket (`false`).
    @inlinable
    @inline(__always)
    package mutating func more(_ close: UInt8) throws(Fault) -> Bool {
        skipSpace()
        guard offset < count else { throw fault(.ended) }
        let byte = bytes[offset]
        offset &+= 1
        if byte == UInt8(ascii: ",") { return true }
        if byte == close { return false }
        offset &-= 1
        throw fault(.expected("a comma or a closing bracket"))
    }

    package mutating func null() throws(Fault) { try word("null") }

    package mutating func flag() throws(Fault) -> Bool {
        if offset < count, bytes[offset] == UInt8(ascii: "t") {
            try word("true")
            return true
        }
        try word("false")
        return false
    }

    private mutating func word(_ word: StaticString) throws(Fault) {
        let length = word.utf8CodeUnitCount
        guard count - offset >= length else { throw Fault(offset: count, reason: .ended) }
        for index in 0..<length where bytes[offset + index] != word.utf8Start[index] { throw fault(.expected(word)) }
        offset += length
    }

    /// Passes over a number.
    package mutating func number() throws(Fault) {
        var at = offset
        func digits() -> Int {
            let start = at
            while at < count, bytes[at] &- 48 <= 9 { at &+= 1 }
            return at &- start
        }
        if at < count, bytes[at] == UInt8(ascii: "-") { at &+= 1 }
        let first = at
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[first] != 48 else { throw fault(.number) }
        if at < count, bytes[at] == UInt8(ascii: ".") {
            at &+= 1
            guard digits() > 0 else { throw fault(.number) }
        }
        if at < count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if at < count, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") { at &+= 1 }
            guard digits() > 0 else { throw fault(.number) }
        }
        offset = at
    }

    /// A string.
    @inlinable
    @inline(__always)
    package mutating func text() throws(Fault) -> Text {
        guard offset < count, bytes[offset] == UInt8(ascii: "\"") else { throw fault(.expected("a string")) }
        let start = offset &+ 1
        var at = start
        var high: UInt8 = 0
        while at < count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                if high >= 0x80 { try checkUTF8(start, at) }
                offset = at &+ 1
                return Text(start: start, count: at &- start, hasEscapes: false)
            }
            if byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            high |= byte
            at &+= 1
        }
        return try escapedText(start, at)
    }

    /// Goes on where an escape was met.
    @usableFromInline
    @inline(never)
    mutating func escapedText(_ start: Int, _ from: Int) throws(Fault) -> Text {
        var at = from
        while at < count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                try checkUTF8(start, at)
                offset = at + 1
                return Text(start: start, count: at - start, hasEscapes: true)
            }
            if byte < 0x20 { throw Fault(offset: at, reason: .control) }
            guard byte == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            guard at + 1 < count else { throw Fault(offset: count, reason: .ended) }
            switch bytes[at + 1] {
            case UInt8(ascii: "u"):
                guard at + 5 < count, (2...5).allSatisfy({ Self.hexDigit(bytes[at + $0]) != nil }) else {
                    throw Fault(offset: at, reason: .escape)
                }
                at += 6
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                at += 2
            default: throw Fault(offset: at, reason: .escape)
            }
        }
        throw Fault(offset: count, reason: .ended)
    }

    @usableFromInline
    func checkUTF8(_ start: Int, _ end: Int) throws(Fault) {
        guard String(validating: UnsafeRawBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self) != nil else {
            throw Fault(offset: start, reason: .utf8)
        }
    }

    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 48...57: UInt32(byte - 48)
        case 65...70: UInt32(byte - 55)
        case 97...102: UInt32(byte - 87)
        default: nil
        }
    }

    /// Passes over any value.
    package mutating func skipValue(depth: Int = 0) throws(Fault) {
        guard depth < 64 else { throw fault(.deep) }
        switch next() {
        case .text: _ = try text()
        case .number: try number()
        case .flag: _ = try flag()
        case .null: try null()
        case .object:
            offset += 1
            if take(UInt8(ascii: "}")) { return }
            repeat {
                _ = try key()
                try skipValue(depth: depth + 1)
            } while try more(UInt8(ascii: "}"))
        case .list:
            offset += 1
            if take(UInt8(ascii: "]")) { return }
            repeat { try skipValue(depth: depth + 1) } while try more(UInt8(ascii: "]"))
        case .end: throw fault(.ended)
        case .other:
            if takeNotFinite() { return }
            throw fault(isNotFinite ? .notFinite : .expected("a value"))
        }
    }

    /// Whether NaN or Infinity comes next, which other writers give for missing numbers.
    package var isNotFinite: Bool {
        guard offset < count else { return false }
        let byte = bytes[offset]
        if byte == UInt8(ascii: "-") { return offset + 1 < count && bytes[offset + 1] == UInt8(ascii: "I") }
        return byte == UInt8(ascii: "N") || byte == UInt8(ascii: "I")
    }

    /// Passes over NaN, Infinity or -Infinity where they are taken; `false` for anything else.
    @inline(never)
    package mutating func takeNotFinite() -> Bool {
        guard takesNotFinite, isNotFinite else { return false }
        for name: StaticString in ["NaN", "Infinity", "-Infinity"] where (try? word(name)) != nil { return true }
        return false
    }
}
