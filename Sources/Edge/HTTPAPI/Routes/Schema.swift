package import Core

/// A JSON Schema (draft 2020-12), limited to what the routes' bodies need. Objects are closed unless they say so.
package indirect enum Schema: Sendable, Equatable {
    case null
    /// Any JSON value.
    case any
    case boolean
    case integer(minimum: Int? = nil, maximum: Int? = nil)
    case number(minimum: Double? = nil, maximum: Double? = nil)
    case text(format: String? = nil, pattern: String? = nil, oneOf: [String]? = nil, maxLength: Int? = nil)
    case list(Schema, minItems: Int = 0, maxItems: Int? = nil)
    /// Members by name; each required unless it says `optional`.
    case object([Member], additional: Schema? = nil)
    case oneOf([Schema])
    case anyOf([Schema])
    /// A schema of the document's components, by name.
    case named(String)

    /// A member of an object schema.
    package struct Member: Sendable, Equatable {
        /// Name of the member in the JSON object.
        package let name: String
        /// Schema of the member's value.
        package let schema: Schema
        /// Whether an object without the member is invalid.
        package let isRequired: Bool
        /// Description of the member in the OpenAPI document; `nil` for none.
        package let about: String?

        package init(_ name: String, _ schema: Schema, optional: Bool = false, _ about: String? = nil) {
            self.name = name
            self.schema = schema
            isRequired = !optional
            self.about = about
        }
    }

    /// Any integer.
    package static var integer: Schema { .integer() }
    /// Any number.
    package static var number: Schema { .number() }
    /// Any string.
    package static var text: Schema { .text() }
    /// A text of any length, but without the character that no database takes.
    static var line: Schema { .text(pattern: withoutNUL) }
    static let withoutNUL = "^[^\\u0000]*$"
    /// An object with these members and no others.
    package static func object(_ members: Member...) -> Schema { .object(members) }
    /// The schema, or null.
    package var orNull: Schema { .oneOf([self, .null]) }
}

extension Schema {
    /// The schema as JSON.
    package var json: JSONValue {
        switch self {
        case .null: .object(["type": .text("null")])
        case .any:
            .object([
                "type": .list(["object", "array", "string", "number", "boolean", "null"].map { .text($0) })
            ])
        case .boolean: .object(["type": .text("boolean")])
        case .integer(let minimum, let maximum):
            // All are held in 64 bits, so that is said: an unbounded schema would promise more.
            Self.typed(
                "integer", ("format", .text("int64")), ("minimum", .integer(minimum.map { Int64($0) } ?? .min)),
                ("maximum", .integer(maximum.map { Int64($0) } ?? .max)))
        case .number(let minimum, let maximum):
            Self.typed("number", ("minimum", minimum.map { .number($0) }), ("maximum", maximum.map { .number($0) }))
        case .text(let format, let pattern, let oneOf, let maxLength):
            Self.typed(
                "string", ("format", format.map { .text($0) }),
                ("pattern", (pattern ?? (oneOf == nil && maxLength != nil ? Self.withoutNUL : nil)).map { .text($0) }),
                ("enum", oneOf.map { .list($0.map { .text($0) }) }),
                ("maxLength", maxLength.map { .integer(Int64($0)) }))
        case .list(let items, let minItems, let maxItems):
            Self.typed(
                "array", ("items", items.json), ("minItems", minItems > 0 ? .integer(Int64(minItems)) : nil),
                ("maxItems", maxItems.map { .integer(Int64($0)) }))
        case .object(let members, let additional): Self.closed(members, additional)
        case .oneOf(let schemas): .object(["oneOf": .list(schemas.map(\.json))])
        case .anyOf(let schemas): .object(["anyOf": .list(schemas.map(\.json))])
        case .named(let name): .object(["$ref": .text("#/components/schemas/\(name)")])
        }
    }

    private static func typed(_ type: String, _ rest: (String, JSONValue?)...) -> JSONValue {
        var members: [String: JSONValue] = ["type": .text(type)]
        for (name, value) in rest { members[name] = value }
        return .object(members)
    }

    private static func closed(_ members: [Member], _ additional: Schema?) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for member in members {
            guard let about = member.about, case .object(var schema) = member.schema.json else {
                properties[member.name] = member.schema.json
                continue
            }
            schema["description"] = .text(about)
            properties[member.name] = .object(schema)
        }
        var object: [String: JSONValue] = [
            "type": .text("object"), "properties": .object(properties),
            "additionalProperties": additional?.json ?? .flag(false),
        ]
        let required = members.filter(\.isRequired).map(\.name)
        if !required.isEmpty { object["required"] = .list(required.map { .text($0) }) }
        return .object(object)
    }
}
