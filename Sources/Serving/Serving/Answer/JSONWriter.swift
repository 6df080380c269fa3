/// Writer that appends JSON to a reusable byte buffer without intermediate strings.
///
/// ```swift
/// var writer = JSONWriter()
/// writer.raw("{\"probability\":")
/// writer.number(0.25)
/// writer.raw("}")
/// ```
package struct JSONWriter: Sendable {
    /// The JSON written so far.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    /// Empties the buffer and keeps its capacity.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Appends text that is JSON already.
    @inline(__always)
    package mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends bytes that are JSON already.
    package mutating func raw(_ text: some Collection<UInt8>) { bytes.append(contentsOf: text) }

    /// Appends the shortest decimal that reads back as the same double; null for NaN and infinities.
    package mutating func number(_ value: Double) {
        guard value.isFinite else { return raw("null") }
        var text = value.description
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    /// Appends an integer in decimal digits.
    package mutating func integer(_ value: Int) {
        if value >= 0, value < 10 { return bytes.append(48 + UInt8(value)) }
        var text = String(value)
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    /// Appends `true` or `false`.
    package mutating func flag(_ value: Bool) { if value { raw("true") } else { raw("false") } }

    /// Appends a quoted and escaped string.
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
