internal import FoundationEssentials

/// Any JSON value, for documents whose shape Martlet does not define: commit information, step results.
///
/// ```swift
/// let value = JSONValue(parsing: #"{"rows": 3}"#)
/// value?["rows"]?.integer  // 3
/// ```
package enum JSONValue: Sendable, Equatable, Codable {
    case null
    case flag(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    package init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if box.decodeNil() {
            self = .null
        } else if let value = try? box.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? box.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? box.decode(Double.self) {
            self = .number(value)
        } else if let value = try? box.decode(String.self) {
            self = .text(value)
        } else if let value = try? box.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try box.decode([String: JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.singleValueContainer()
        switch self {
        case .null: try box.encodeNil()
        case .flag(let value): try box.encode(value)
        case .integer(let value): try box.encode(value)
        case .number(let value): try box.encode(value)
        case .text(let value): try box.encode(value)
        case .list(let value): try box.encode(value)
        case .object(let value): try box.encode(value)
        }
    }

    /// The member with this name; `nil` when the value is no object or has no such member.
    package subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { return members[key] }
        return nil
    }

    /// The string; `nil` for other values.
    package var text: String? {
        if case .text(let value) = self { return value }
        return nil
    }

    /// The number as an integer; `nil` for other values.
    package var integer: Int? {
        if case .integer(let value) = self { return Int(value) }
        return nil
    }

    /// The number as a 64-bit integer; `nil` for other values.
    package var long: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    /// The Boolean; `nil` for other values.
    package var flag: Bool? {
        if case .flag(let value) = self { return value }
        return nil
    }

    /// The members of an object; `nil` for other values.
    package var members: [String: JSONValue]? {
        if case .object(let value) = self { return value }
        return nil
    }

    /// The elements of an array; `nil` for other values.
    package var list: [JSONValue]? {
        if case .list(let value) = self { return value }
        return nil
    }
}

/// JSON encoder and decoder with one canonical form: keys sorted, so that equal values give equal bytes.
///
/// ```swift
/// let bytes = try JSON.encode(report, pretty: true)
/// let again = try JSON.decode(Report.self, from: bytes)
/// ```
package enum JSON {
    /// Encodes a value as UTF-8 JSON with sorted keys.
    package static func encode(_ value: some Encodable, pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do { return Array(try encoder.encode(value)) } catch {
            throw MartletError(.defect, "json.encode", "A value could not be written as JSON: \(error)")
        }
    }

    /// Encodes a value as a JSON string with sorted keys.
    package static func text(_ value: some Encodable, pretty: Bool = false) throws -> String {
        String(decoding: try encode(value, pretty: pretty), as: UTF8.self)
    }

    /// Decodes a value from UTF-8 JSON.
    package static func decode<T: Decodable>(_ type: T.Type, from bytes: some Sequence<UInt8>) throws -> T {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try decoder.decode(type, from: Data(bytes))
    }

    /// Decodes a value from a JSON string.
    package static func decode<T: Decodable>(_ type: T.Type, from text: String) throws -> T {
        try decode(type, from: Array(text.utf8))
    }
}
