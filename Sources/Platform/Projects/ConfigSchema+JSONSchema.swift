package import Core

extension ConfigSchema {
    /// Returns the schema as a JSON Schema (draft 2020-12); unknown keys are not allowed.
    package func jsonSchema(title: String) -> JSONValue {
        guard case .object(var members) = schema(doc: nil) else { return .null }
        members["$schema"] = .text("https://json-schema.org/draft/2020-12/schema")
        members["title"] = .text(title)
        return .object(members)
    }

    private func schema(doc: String?) -> JSONValue {
        var members: [String: JSONValue] = [:]
        if let doc { members["description"] = .text(doc) }
        switch self {
        case .text(let allowed):
            members["type"] = .text("string")
            if !allowed.isEmpty { members["enum"] = .list(allowed.map { .text($0) }) }
        case .number(let min, let max):
            members["type"] = .text("number")
            if let min { members["minimum"] = .number(min) }
            if let max { members["maximum"] = .number(max) }
        case .integer(let min, let max):
            members["type"] = .text("integer")
            if let max { members["maximum"] = .integer(Int64(max)) }
            if let min { members["minimum"] = .integer(Int64(min)) }
        case .flag: members["type"] = .text("boolean")
        case .scalar: members["type"] = .list([.text("string"), .text("number"), .text("boolean")])
        case .list(let item):
            members["type"] = .text("array")
            members["items"] = item.schema(doc: nil)
        case .map(let item):
            members["type"] = .text("object")
            members["additionalProperties"] = item.schema(doc: nil)
        case .object(let fields):
            members["type"] = .text("object")
            members["additionalProperties"] = .flag(false)
            var properties: [String: JSONValue] = [:]
            for field in fields { properties[field.name] = field.shape.schema(doc: field.doc) }
            members["properties"] = .object(properties)
            let required = fields.filter(\.isRequired).map { JSONValue.text($0.name) }
            if !required.isEmpty { members["required"] = .list(required) }
        }
        return .object(members)
    }
}
