package import Core

extension Schema {
    /// Validates a value; returns each fault with its JSONPath, empty when it is valid.
    ///
    /// The same schema stands in the OpenAPI document, so that what is published is what is checked.
    package func faults(in value: JSONValue, at path: String = "$") -> [Problem.Fault] {
        func wrong(_ code: String, _ detail: String) -> [Problem.Fault] {
            [Problem.Fault(path: path, code: code, detail: detail)]
        }
        func type(_ name: String) -> [Problem.Fault] { wrong("body.type", "must be \(name)") }
        switch (self, value) {
        case (.null, .null), (.boolean, .flag), (.any, _): return []
        case (.null, _): return type("null")
        case (.boolean, _): return type("true or false")
        case (.integer(let minimum, let maximum), .integer(let number)):
            return Schema.range(number, minimum.map { Int64($0) }, maximum.map { Int64($0) }, path)
        case (.integer(let minimum, let maximum), .number(let number)):
            // JSON Schema knows numbers by their value: 7.0 is a whole one.
            guard let whole = Int64(exactly: number) else { return type("a whole number") }
            return Schema.range(whole, minimum.map { Int64($0) }, maximum.map { Int64($0) }, path)
        case (.integer, _): return type("a whole number")
        case (.number(let minimum, let maximum), .integer(let number)):
            return Schema.range(Double(number), minimum, maximum, path)
        case (.number(let minimum, let maximum), .number(let number)):
            return Schema.range(number, minimum, maximum, path)
        case (.number, _): return type("a number")
        case (.text(let format, let pattern, let choices, let maxLength), .text(let text)):
            if let choices, !choices.contains(text) {
                return wrong("body.value", "must be one of \(choices.joined(separator: ", "))")
            }
            if let maxLength, text.unicodeScalars.count > maxLength {
                return wrong("body.value", "must have at most \(maxLength) characters")
            }
            if let pattern, pattern != Schema.withoutNUL, let rule = try? Regex(pattern),
                text.firstMatch(of: rule) == nil
            {
                return wrong("body.value", "must look like \(pattern)")
            }
            if format == "date-time" || format == "date", Timestamp(text) == nil {
                return wrong("body.value", "must be a time such as 2026-01-31 or 2026-01-31T08:15:00Z")
            }
            return text.utf8.contains(0) ? wrong("body.value", "must not hold a NUL character") : []
        case (.text, _): return type("a text")
        case (.list(let items, let least, let most), .list(let values)):
            if values.count < least { return wrong("body.value", "must have at least \(least) items") }
            if let most, values.count > most { return wrong("body.value", "must have at most \(most) items") }
            return values.enumerated().flatMap { items.faults(in: $1, at: "\(path)[\($0)]") }
        case (.list, _): return type("a list")
        case (.object(let members, let additional), .object(let values)):
            return Schema.faults(in: values, members, additional, path)
        case (.object, _): return type("an object")
        case (.oneOf(let schemas), _), (.anyOf(let schemas), _):
            let found = schemas.map { $0.faults(in: value, at: path) }
            // Of the right type, where one is.
            let near = found.filter { $0.contains { $0.path != path || $0.code != "body.type" } }
            return found.contains { $0.isEmpty }
                ? [] : (near.isEmpty ? found : near).min { $0.count < $1.count } ?? []
        case (.named, _): return []
        }
    }

    private static func faults(
        in values: [String: JSONValue], _ members: [Member], _ additional: Schema?, _ path: String
    ) -> [Problem.Fault] {
        var faults: [Problem.Fault] = []
        for member in members {
            if let value = values[member.name] {
                faults += member.schema.faults(in: value, at: Schema.path(path, member.name))
            } else if member.isRequired {
                faults.append(
                    Problem.Fault(path: Schema.path(path, member.name), code: "body.missing", detail: "must be there"))
            }
        }
        let known = members.map(\.name)
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
            if let additional {
                faults += additional.faults(in: value, at: Schema.path(path, name))
            } else {
                let near = Spelling.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
                faults.append(
                    Problem.Fault(
                        path: Schema.path(path, name), code: "body.unknown", detail: "is not known here\(near)"))
            }
        }
        return faults
    }

    /// RFC 9535: `.name` for a plain name, `['…']` for others.
    private static func path(_ parent: String, _ name: String) -> String {
        let isPlain = name.utf8.enumerated().allSatisfy { at, byte in
            (97...122).contains(byte) || (65...90).contains(byte) || byte == 95 || (at > 0 && (48...57).contains(byte))
        }
        if isPlain, !name.isEmpty { return "\(parent).\(name)" }
        let quoted = name.prefix(80).replacing("\\", with: "\\\\").replacing("'", with: "\\'")
        return "\(parent)['\(quoted)']"
    }

    private static func range<Number: Comparable>(
        _ number: Number, _ minimum: Number?, _ maximum: Number?, _ path: String
    ) -> [Problem.Fault] {
        if let minimum, number < minimum {
            return [Problem.Fault(path: path, code: "body.value", detail: "must be at least \(minimum)")]
        }
        if let maximum, number > maximum {
            return [Problem.Fault(path: path, code: "body.value", detail: "must be at most \(maximum)")]
        }
        return []
    }
}
