internal import Vocabulary
internal import Yams

/// A YAML file checked against a shape: what can be read from it afterwards is of the right kind.
struct YAMLFile {
    let path: String
    let root: YAMLValue

    /// - Throws: `config.*`, with file, line and key.
    init(path: String, text: String, shape: Shape) throws {
        self.path = path
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch let error as YamlError { throw Self.syntax(error, path) }
        guard let node else {
            throw MartletError(.input, "config.empty", "The file is empty.", at: .init(file: path))
        }
        root = YAMLValue(node: node, path: path, key: "", keyLine: nil)
        try root.check(shape)
    }

    private static func syntax(_ error: YamlError, _ path: String) -> MartletError {
        var location = MartletError.Location(file: path)
        var message = "\(error)"
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            location.line = mark.line
            location.column = mark.column
            message = problem
        case .duplicatedKeysInMapping(let duplicates, let context):
            message = "the key \(duplicates.joined(separator: ", ")) comes twice"
            location.line = context.mark.line
        default: break
        }
        return MartletError(
            .input, "config.yaml", "This is not valid YAML: \(message).", at: location,
            remedy: "Check indentation and quotes at this line; texts with : or # need quotes.")
    }
}

/// One value of a YAML file, with its place.
struct YAMLValue {
    let node: Node
    let path: String
    let key: String
    /// Where the key itself stands: a block below it begins on a later line.
    let keyLine: Int?

    var location: MartletError.Location {
        .init(file: path, line: keyLine ?? node.mark?.line, key: key.isEmpty ? nil : key)
    }

    // MARK: Checking

    func check(_ shape: Shape) throws {
        switch shape {
        case .text(let allowed):
            guard let text = node.scalar?.string, !isNull else { throw unexpected(shape) }
            if !allowed.isEmpty, !allowed.contains(text) {
                let near = Spelling.nearest(to: text, among: allowed)
                throw MartletError(
                    .input, "config.value", "\(text) is not \(shape.expected).", at: location,
                    remedy: near.map { "Did you mean \($0)?" })
            }
        case .number(let min, let max):
            guard let value = number, min.map({ value >= $0 }) ?? true, max.map({ value <= $0 }) ?? true else {
                throw unexpected(shape)
            }
        case .integer(let min, let max):
            guard let value = integer, min.map({ value >= $0 }) ?? true, max.map({ value <= $0 }) ?? true else {
                throw unexpected(shape)
            }
        case .flag: guard flag != nil else { throw unexpected(shape) }
        case .scalar: guard node.scalar != nil, !isNull else { throw unexpected(shape) }
        case .list(let item):
            guard node.sequence != nil else { throw unexpected(shape) }
            for value in items { try value.check(item) }
        case .map(let item):
            guard node.mapping != nil else { throw unexpected(shape) }
            for (_, value) in members { try value.check(item) }
        case .object(let fields): try check(fields, shape)
        }
    }

    private func check(_ fields: [Field], _ shape: Shape) throws {
        guard node.mapping != nil else { throw unexpected(shape) }
        let byName = Dictionary(fields.map { ($0.name, $0) }) { first, _ in first }
        for (name, value) in members {
            guard let field = byName[name] else {
                let near = Spelling.nearest(to: name, among: byName.keys)
                throw MartletError(
                    .input, "config.unknown-key", "There is no key \(name) here.", at: value.location,
                    remedy: near.map { "Did you mean \($0)?" }
                        ?? "Possible keys: \(fields.map(\.name).joined(separator: ", ")).")
            }
            try value.check(field.shape)
        }
        for field in fields where field.isRequired && self[field.name] == nil {
            throw MartletError(
                .input, "config.missing-key", "The key \(field.name) is missing: \(field.doc).", at: location,
                remedy: "Add \(field.name): with \(field.shape.expected).")
        }
    }

    private func unexpected(_ shape: Shape) -> MartletError {
        let found =
            node.mapping != nil ? "keys and values" : node.sequence != nil ? "a list" : isNull ? "nothing" : "\(text)"
        return MartletError(
            .input, "config.value", "Expected \(shape.expected), found \(found).", at: location)
    }

    // MARK: Reading (after `check`)

    private var isNull: Bool {
        guard let scalar = node.scalar, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// The scalar as it is written: `NO` stays "NO".
    var text: String { node.scalar?.string ?? "" }
    var number: Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }
    var integer: Int? { Int(text) }
    var flag: Bool? { text == "true" ? true : text == "false" ? false : nil }
    var isPlain: Bool { node.scalar?.style == .plain }

    subscript(name: String) -> YAMLValue? {
        members.first { $0.0 == name }?.1
    }

    var members: [(String, YAMLValue)] {
        (node.mapping.map { Array($0) } ?? []).map { name, value in
            let word = name.scalar?.string ?? "?"
            return (
                word,
                YAMLValue(
                    node: value, path: path, key: key.isEmpty ? word : "\(key).\(word)", keyLine: name.mark?.line)
            )
        }
    }

    var items: [YAMLValue] {
        (node.sequence.map { Array($0) } ?? []).enumerated().map { index, value in
            YAMLValue(node: value, path: path, key: "\(key)[\(index)]", keyLine: nil)
        }
    }

    /// Where the value at a path like "learner.parameters.num_leaves" stands, as far as there is one.
    func location(of path: String?) -> MartletError.Location {
        var here = self
        for part in (path ?? "").split(separator: ".") {
            guard let next = here[String(part)] else { break }
            here = next
        }
        return here.location
    }

    func failure(_ code: String, _ message: String, remedy: String? = nil) -> MartletError {
        MartletError(.input, code, message, at: location, remedy: remedy)
    }
}
