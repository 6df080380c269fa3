internal import Core
internal import Yams

/// A YAML file validated against a schema; without faults, all values have the right type.
struct YAMLFile {
    let path: String
    let root: YAMLValue
    /// Everything that is not of its shape, with file, line and key.
    let faults: [MartletError]

    /// - Throws: `config.yaml` or `config.empty`, when there is nothing to look at.
    init(path: String, text: String, shape: ConfigSchema) throws {
        self.path = path
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch let error as YamlError { throw Self.syntax(error, path) }
        guard let node else {
            throw MartletError(.input, "config.empty", "The file is empty.", at: .init(file: path))
        }
        root = YAMLValue(node: node, path: path, key: "", keyLine: nil)
        var faults: [MartletError] = []
        root.check(shape, &faults)
        self.faults = faults
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

/// One value of a YAML file, with its location.
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

    /// Notes whatever is not of the shape.
    func check(_ shape: ConfigSchema, _ faults: inout [MartletError]) {
        func need(_ isRight: Bool) { if !isRight { faults.append(unexpected(shape)) } }
        switch shape {
        case .text(let allowed):
            guard let text = node.scalar?.string, !isNull else { return need(false) }
            if !allowed.isEmpty, !allowed.contains(text) {
                let near = Spelling.nearest(to: text, among: allowed)
                faults.append(
                    failure(
                        "config.value", "\(text) is not \(shape.expected).",
                        remedy: near.map { "Did you mean \($0)?" }))
            }
        case .number(let min, let max):
            need(number.map { value in min.map { value >= $0 } ?? true && max.map { value <= $0 } ?? true } ?? false)
        case .integer(let min, let max):
            need(integer.map { value in min.map { value >= $0 } ?? true && max.map { value <= $0 } ?? true } ?? false)
        case .flag: need(flag != nil)
        case .scalar: need(node.scalar != nil && !isNull)
        case .list(let item):
            guard node.sequence != nil else { return need(false) }
            for value in items { value.check(item, &faults) }
        case .map(let item):
            guard node.mapping != nil else { return need(false) }
            for (_, value) in members { value.check(item, &faults) }
        case .object(let fields):
            guard node.mapping != nil else { return need(false) }
            check(fields, &faults)
        }
    }

    private func check(_ fields: [SchemaField], _ faults: inout [MartletError]) {
        let byName = Dictionary(fields.map { ($0.name, $0) }) { first, _ in first }
        let members = members
        let given = Set(members.map(\.0))
        // A key that is there under a misspelt name is not missing as well.
        var meant: Set<String> = []
        for (name, value) in members {
            guard let field = byName[name] else {
                let near =
                    Spelling.nearest(to: name, among: byName.keys.filter { !given.contains($0) })
                    ?? Spelling.nearest(to: name, among: byName.keys)
                if let near { meant.insert(near) }
                faults.append(
                    value.failure(
                        "config.unknown-key", "There is no key \(name) here.",
                        remedy: near.map { "Did you mean \($0)?" }
                            ?? "Possible keys: \(fields.map(\.name).joined(separator: ", "))."))
                continue
            }
            value.check(field.shape, &faults)
        }
        for field in fields where field.isRequired && !given.contains(field.name) && !meant.contains(field.name) {
            faults.append(
                failure(
                    "config.missing-key", "The key \(field.name) is missing: \(field.doc).",
                    remedy: "Add \(field.name): with \(field.shape.expected)."))
        }
    }

    private func unexpected(_ shape: ConfigSchema) -> MartletError {
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
        Self.joined(node.mapping.map { Array($0) } ?? []).map { name, value in
            let word = name.scalar?.string ?? "?"
            return (
                word,
                YAMLValue(
                    node: value, path: path, key: key.isEmpty ? word : "\(key).\(word)", keyLine: name.mark?.line)
            )
        }
    }

    /// In braces YAML ends a value at the comma: `{type: decimal(12,2)}` has the keys `type` and `2)`. What was meant is
    /// put together again.
    private static func joined(_ pairs: [(key: Node, value: Node)]) -> [(key: Node, value: Node)] {
        var out: [(key: Node, value: Node)] = []
        for pair in pairs {
            if let last = out.last?.value.scalar, last.style == .plain, last.string.hasPrefix("decimal("),
                !last.string.hasSuffix(")"), let rest = pair.key.scalar?.string, rest.hasSuffix(")"),
                rest.dropLast().allSatisfy(\.isNumber), pair.value.scalar?.string.isEmpty ?? false
            {
                out[out.count - 1].value = .scalar(
                    .init("\(last.string),\(rest)", last.tag, last.style, last.mark))
                continue
            }
            out.append(pair)
        }
        return out
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
