internal import FoundationEssentials

/// Any JSON value, for the few places whose shape is not ours: commit information, step results.
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

    package subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { return members[key] }
        return nil
    }

    package var text: String? {
        if case .text(let value) = self { return value }
        return nil
    }

    package var integer: Int? {
        if case .integer(let value) = self { return Int(value) }
        return nil
    }

    package var long: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    package var flag: Bool? {
        if case .flag(let value) = self { return value }
        return nil
    }

    package var members: [String: JSONValue]? {
        if case .object(let value) = self { return value }
        return nil
    }

    package var list: [JSONValue]? {
        if case .list(let value) = self { return value }
        return nil
    }
}

/// Writing and reading JSON in one way everywhere: keys sorted, so that equal values give equal bytes.
package enum JSON {
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

    package static func text(_ value: some Encodable, pretty: Bool = false) throws -> String {
        String(decoding: try encode(value, pretty: pretty), as: UTF8.self)
    }

    package static func decode<T: Decodable>(_ type: T.Type, from bytes: some Sequence<UInt8>) throws -> T {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try decoder.decode(type, from: Data(bytes))
    }

    package static func decode<T: Decodable>(_ type: T.Type, from text: String) throws -> T {
        try decode(type, from: Array(text.utf8))
    }
}
