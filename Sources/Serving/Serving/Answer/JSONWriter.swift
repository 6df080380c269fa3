/// Writes JSON as bytes, nothing but the digits of a number passing through a string.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Bytes that are JSON already.
    @inline(__always)
    package mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func raw(_ text: some Collection<UInt8>) { bytes.append(contentsOf: text) }

    /// The shortest decimal that reads back as the same double; null for what JSON cannot say.
    package mutating func number(_ value: Double) {
        guard value.isFinite else { return raw("null") }
        var text = value.description
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    package mutating func integer(_ value: Int) {
        if value >= 0, value < 10 { return bytes.append(48 + UInt8(value)) }
        var text = String(value)
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    package mutating func flag(_ value: Bool) { if value { raw("true") } else { raw("false") } }

    package mutating func text(_ value: String) {
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { units in
            if units.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
                bytes.append(contentsOf: units)
            } else {
                for unit in units { escaped(unit) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escaped(_ unit: UInt8) {
        switch unit {
        case UInt8(ascii: "\""): raw("\\\"")
        case UInt8(ascii: "\\"): raw("\\\\")
        case 10: raw("\\n")
        case 13: raw("\\r")
        case 9: raw("\\t")
        case 0..<0x20:
            raw("\\u00")
            let digits: StaticString = "0123456789abcdef"
            bytes.append(digits.utf8Start[Int(unit >> 4)])
            bytes.append(digits.utf8Start[Int(unit & 15)])
        default: bytes.append(unit)
        }
    }
}
