internal import Core

/// Strict parser of Universal Binary JSON (UBJSON draft 12, as XGBoost writes it).
///
/// Big-endian numbers, optimised arrays and objects, nesting up to 256, nothing after the value.
struct BinaryJSON {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// `nil` for anything that is not exactly one value.
    static func value(of bytes: [UInt8]) -> JSONValue? {
        var reader = BinaryJSON(bytes)
        guard let marker = reader.byte(), let value = reader.value(marker, depth: 0), reader.at == bytes.count else {
            return nil
        }
        return value
    }

    private mutating func byte() -> UInt8? {
        guard at < bytes.count else { return nil }
        at += 1
        return bytes[at - 1]
    }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: mark) else { return false }
        at += 1
        return true
    }

    /// The next `size` bytes as one big-endian number.
    private mutating func bits(_ size: Int) -> UInt64? {
        guard size <= bytes.count - at else { return nil }
        var value: UInt64 = 0
        for _ in 0..<size {
            value = value << 8 | UInt64(bytes[at])
            at += 1
        }
        return value
    }

    private mutating func integer(_ marker: UInt8) -> Int64? {
        switch marker {
        case UInt8(ascii: "i"): bits(1).map { Int64(Int8(truncatingIfNeeded: $0)) }
        case UInt8(ascii: "U"): bits(1).map { Int64($0) }
        case UInt8(ascii: "I"): bits(2).map { Int64(Int16(truncatingIfNeeded: $0)) }
        case UInt8(ascii: "l"): bits(4).map { Int64(Int32(truncatingIfNeeded: $0)) }
        case UInt8(ascii: "L"): bits(8).map { Int64(bitPattern: $0) }
        default: nil
        }
    }

    /// A length, which cannot be more than what is left of the file: each thing it counts takes at least a byte.
    private mutating func count() -> Int? {
        guard let marker = byte(), let value = integer(marker), value >= 0, value <= bytes.count - at else {
            return nil
        }
        return Int(value)
    }

    private mutating func text() -> String? {
        guard let length = count() else { return nil }
        at += length
        return String(validating: bytes[at - length..<at], as: UTF8.self)
    }

    private mutating func value(_ marker: UInt8, depth: Int) -> JSONValue? {
        guard depth < 256 else { return nil }
        switch marker {
        case UInt8(ascii: "Z"): return .null
        case UInt8(ascii: "T"): return .flag(true)
        case UInt8(ascii: "F"): return .flag(false)
        case UInt8(ascii: "d"): return bits(4).map { .number(Double(Float(bitPattern: UInt32($0)))) }
        case UInt8(ascii: "D"): return bits(8).map { .number(Double(bitPattern: $0)) }
        case UInt8(ascii: "C"): return byte().map { .text(String(UnicodeScalar($0))) }
        case UInt8(ascii: "S"): return text().map { .text($0) }
        case UInt8(ascii: "["): return list(depth: depth)
        case UInt8(ascii: "{"): return object(depth: depth)
        default: return integer(marker).map { .integer($0) }
        }
    }

    /// The type and the count that may stand at the beginning of an array or an object.
    private mutating func header() -> (type: UInt8?, count: Int?)? {
        var type: UInt8?
        if take("$") {
            guard let marker = byte(), !"ZTFN".utf8.contains(marker) else { return nil }
            type = marker
        }
        guard take("#") else { return type == nil ? (nil, nil) : nil }
        guard let count = count() else { return nil }
        return (type, count)
    }

    private mutating func element(_ type: UInt8?, depth: Int) -> JSONValue? {
        guard let marker = type ?? byte() else { return nil }
        return value(marker, depth: depth + 1)
    }

    private mutating func list(depth: Int) -> JSONValue? {
        guard let (type, count) = header() else { return nil }
        var items: [JSONValue] = []
        if let count {
            // Lists in lists would each ask for as much as is left of the file.
            if let type, !"[{".utf8.contains(type) { items.reserveCapacity(count) }
            for _ in 0..<count {
                guard let item = element(type, depth: depth) else { return nil }
                items.append(item)
            }
            return .list(items)
        }
        while !take("]") {
            guard let item = element(nil, depth: depth) else { return nil }
            items.append(item)
        }
        return .list(items)
    }

    private mutating func object(depth: Int) -> JSONValue? {
        guard let (type, count) = header() else { return nil }
        var members: [String: JSONValue] = [:]
        var left = count ?? 0
        while count == nil ? !take("}") : left > 0 {
            guard let name = text(), let item = element(type, depth: depth) else { return nil }
            members[name] = item
            left -= 1
        }
        return .object(members)
    }
}
