/// Schema of a value in a YAML file, for checks, messages and JSON Schemas for editors.
package indirect enum ConfigSchema: Sendable {
    case text(allowed: [String] = [])
    case number(min: Double? = nil, max: Double? = nil)
    case integer(min: Int? = nil, max: Int? = nil)
    case flag
    case list(ConfigSchema)
    case object([SchemaField])
    /// Keys chosen by the user, all values of one shape.
    case map(ConfigSchema)
    /// Text, a number or a flag.
    case scalar

    /// What it is, for "expected ...".
    var expected: String {
        switch self {
        case .text(let allowed) where !allowed.isEmpty: "one of " + allowed.joined(separator: ", ")
        case .text: "text"
        case .number(let min, let max): "a number" + ConfigSchema.range(min.map { "\($0)" }, max.map { "\($0)" })
        case .integer(let min, let max): "a whole number" + ConfigSchema.range(min.map { "\($0)" }, max.map { "\($0)" })
        case .flag: "true or false"
        case .list(let item): "a list of " + item.expected
        case .object: "keys and values"
        case .map: "names with values"
        case .scalar: "a text, a number, true or false"
        }
    }

    private static func range(_ min: String?, _ max: String?) -> String {
        switch (min, max) {
        case (let min?, let max?): " from \(min) to \(max)"
        case (let min?, nil): " of at least \(min)"
        case (nil, let max?): " of at most \(max)"
        case (nil, nil): ""
        }
    }
}

/// A key of an object in a ``ConfigSchema``.
package struct SchemaField: Sendable {
    let name: String
    let shape: ConfigSchema
    let isRequired: Bool
    let doc: String

    init(_ name: String, _ shape: ConfigSchema, required: Bool = false, _ doc: String) {
        self.name = name
        self.shape = shape
        isRequired = required
        self.doc = doc
    }
}
