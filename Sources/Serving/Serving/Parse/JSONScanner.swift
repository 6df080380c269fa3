/// Strict pull parser of JSON (RFC 8259) over bytes that it does not copy.
///
/// Refuses NaN and infinities (unless told otherwise), leading zeros, trailing commas, comments, raw control characters, text that is not UTF-8
/// and nesting deeper than 64. Nothing is allocated but for strings with escapes.
struct JSONScanner {
    /// Where and why a body is malformed; the caller adds the `path`.
    struct Fault: Error {
        var offset: Int
        var reason: Reason
    }

    enum Reason {
        case ended
        case expected(StaticString)
        case number, tooLarge, control, escape, utf8, deep, after
        case notFinite
    }

    /// A string as it stands in the body, without its quotes.
    struct Text {
        var start: Int
        var count: Int
        var hasEscapes: Bool
    }

    enum Kind { case object, list, text, number, flag, null, end, other }

    let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int
    /// Whether NaN, Infinity and -Infinity are taken, as other writers give them for missing numbers.
    var takesNotFinite = false

    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    private var count: Int { bytes.count }

    func fault(_ reason: Reason) -> Fault { Fault(offset: offset, reason: offset >= count ? .ended : reason) }

    @inline(__always)
    mutating func skipSpace() {
        while offset < count {
            let byte = bytes[offset]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            offset &+= 1
        }
    }

    /// What comes next, space skipped.
    @inline(__always)
    mutating func next() -> Kind {
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
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard offset < count, bytes[offset] == byte else { return false }
        offset &+= 1
        return true
    }

    @inline(__always)
    mutating func expect(_ byte: UInt8, _ what: StaticString) throws(Fault) {
        guard take(byte) else { throw fault(.expected(what)) }
    }

    /// Nothing but space may follow.
    mutating func expectEnd() throws(Fault) {
        skipSpace()
        guard offset == count else { throw Fault(offset: offset, reason: .after) }
    }

    /// The key of a member and its colon.
    @inline(__always)
    mutating func key() throws(Fault) -> Text {
        skipSpace()
        let key = try text()
        try expect(UInt8(ascii: ":"), "a colon")
        return key
    }

    /// A comma before a further item (`true`) or the closing bracket (`false`).
    @inline(__always)
    mutating func more(_ close: UInt8) throws(Fault) -> Bool {
        skipSpace()
        guard offset < count else { throw fault(.ended) }
        let byte = bytes[offset]
        offset &+= 1
        if byte == UInt8(ascii: ",") { return true }
        if byte == close { return false }
        offset &-= 1
        throw fault(.expected("a comma or a closing bracket"))
    }

    mutating func null() throws(Fault) { try word("null") }

    mutating func flag() throws(Fault) -> Bool {
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

    /// A number as it is written, with where it stands.
    @inline(__always)
    mutating func decimal() throws(Fault) -> (number: DecimalText, start: Int) {
        let start = offset
        var number = DecimalText()
        var at = offset
        if at < count, bytes[at] == UInt8(ascii: "-") {
            number.isNegative = true
            at &+= 1
        }
        let first = at
        var digits: UInt64 = 0
        while at < count {
            let digit = bytes[at] &- 48
            guard digit <= 9 else { break }
            digits = digits &* 10 &+ UInt64(digit)
            at &+= 1
        }
        let whole = at &- first
        guard whole > 0, whole == 1 || bytes[first] != 48 else { throw fault(.number) }
        var significant = whole
        var exponent = 0
        if at < count, bytes[at] == UInt8(ascii: ".") {
            at &+= 1
            let point = at
            while at < count {
                let digit = bytes[at] &- 48
                guard digit <= 9 else { break }
                digits = digits &* 10 &+ UInt64(digit)
                at &+= 1
            }
            guard at > point else { throw fault(.number) }
            exponent = point &- at
            significant &+= at &- point
        }
        if at < count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            exponent &+= try self.exponent(&at)
        }
        number.digits = digits
        number.exponent = exponent
        if significant > 19 { number.recount(bytes, from: first) }
        offset = at
        return (number, start)
    }

    private mutating func exponent(_ at: inout Int) throws(Fault) -> Int {
        var isNegative = false
        if at < count, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") {
            isNegative = bytes[at] == UInt8(ascii: "-")
            at += 1
        }
        let start = at
        var value = 0
        while at < count, bytes[at] &- 48 <= 9 {
            // Beyond this every number is 0 or infinite, however many digits it has in front.
            if value < 100_000_000 { value = value * 10 + Int(bytes[at] - 48) }
            at += 1
        }
        guard at > start else { throw fault(.number) }
        return isNegative ? -value : value
    }

    /// A number as the nearest double. Refuses one that is too large for any.
    @inline(__always)
    mutating func double() throws(Fault) -> Double {
        let (number, start) = try decimal()
        let value = number.value(UnsafeRawBufferPointer(rebasing: bytes[start..<offset]))
        guard value.isFinite else { throw Fault(offset: start, reason: .tooLarge) }
        return value
    }

    /// A string.
    @inline(__always)
    mutating func text() throws(Fault) -> Text {
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
    @inline(never)
    private mutating func escapedText(_ start: Int, _ from: Int) throws(Fault) -> Text {
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

    private func checkUTF8(_ start: Int, _ end: Int) throws(Fault) {
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
    mutating func skipValue(depth: Int = 0) throws(Fault) {
        guard depth < 64 else { throw fault(.deep) }
        switch next() {
        case .text: _ = try text()
        case .number: _ = try decimal()
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
    var isNotFinite: Bool {
        guard offset < count else { return false }
        let byte = bytes[offset]
        if byte == UInt8(ascii: "-") { return offset + 1 < count && bytes[offset + 1] == UInt8(ascii: "I") }
        return byte == UInt8(ascii: "N") || byte == UInt8(ascii: "I")
    }

    /// Passes over NaN, Infinity or -Infinity where they are taken; `false` for anything else.
    @inline(never)
    mutating func takeNotFinite() -> Bool {
        guard takesNotFinite, isNotFinite else { return false }
        for name: StaticString in ["NaN", "Infinity", "-Infinity"] where (try? word(name)) != nil { return true }
        return false
    }
}

extension DecimalText {
    /// Counts the digits again, leading zeros left out and those after the nineteenth not taken.
    @inline(never)
    mutating func recount(_ bytes: UnsafeRawBufferPointer, from first: Int) {
        digits = 0
        var taken = 0
        var at = first
        var pointAt: Int?
        var scale = 0
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "."), pointAt == nil {
                pointAt = at
                at += 1
                continue
            }
            let digit = byte &- 48
            guard digit <= 9 else { break }
            if taken == 0, digit == 0 {
                if pointAt != nil { scale -= 1 }
            } else if taken < 19 {
                digits = digits * 10 + UInt64(digit)
                taken += 1
                if pointAt != nil { scale -= 1 }
            } else {
                if digit != 0 { isCut = true }
                if pointAt == nil { scale += 1 }
            }
            at += 1
        }
        // `exponent` was the written one less the digits after the point.
        let fraction = pointAt.map { at - $0 - 1 } ?? 0
        exponent = exponent + fraction + scale
    }
}
