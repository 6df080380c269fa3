internal import Core
internal import Lakehouse
internal import SQLLineage
internal import SourceFormats

extension Project {
    /// Reads a contract; whatever is wrong with its columns comes in one error.
    /// - Parameter format: how the source's files are written, which decides what a contract may say of places.
    static func contract(_ source: String, _ path: String, _ format: SourceFormat) throws -> Contract {
        let text = try text(path)
        let file = try YAMLFile(path: path, text: text, shape: ConfigSchemas.contract)
        let root = file.root
        var faults = file.faults
        let misshapen = faults.compactMap(\.location?.key)
        let columns = (root["columns"]?.members ?? []).compactMap { name, value -> Contract.Column? in
            if misshapen.contains(where: { $0 == value.key || $0.hasPrefix(value.key + ".") }) { return nil }
            do { return try column(name, value) } catch {
                if let error = error as? MartletError { faults.append(error) }
                return nil
            }
        }
        if let error = MartletError.first(of: faults) { throw error }
        guard !columns.isEmpty else { throw root.failure("contract.no-columns", "The contract has no columns.") }
        var seen: Set<String> = []
        for column in columns where !seen.insert(column.name.lowercased()).inserted {
            throw root.failure(
                "contract.repeated-column", "Two columns have the name \(column.name).",
                remedy: "SQL does not tell upper case from lower case.")
        }
        let places = columns.compactMap(\.position)
        if let twice = places.first(where: { place in places.count { $0 == place } > 1 }) {
            throw root.failure("contract.position", "Two columns have the position \(twice).")
        }
        if !format.header, !places.isEmpty, let column = columns.first(where: { $0.position == nil }) {
            throw root.failure(
                "contract.position", "\(column.name) has no position, and other columns have.",
                remedy: "Where files have no header, give a position to all columns or to none.")
        }
        var contract = Contract(source: source, file: path, columns: columns)
        for item in root["key"]?.items ?? [] {
            guard columns.contains(where: { $0.name == item.text }) else {
                let near = Spelling.nearest(to: item.text, among: columns.map(\.name))
                throw item.failure(
                    "contract.key", "The key names \(item.text), which is no column.",
                    remedy: near.map { "Did you mean \($0)?" })
            }
            if columns.first(where: { $0.name == item.text })?.optional == true {
                throw item.failure(
                    "contract.key", "The key column \(item.text) is optional, and a row without it has no key.",
                    remedy: "Take away optional: true, or leave the column out of the key.")
            }
            contract.key.append(item.text)
        }
        if let text = root["on_violation"]?.text { contract.onViolation = .init(rawValue: text) ?? .rejectRow }
        if let text = root["on_key_conflict"]?.text { contract.onKeyConflict = .init(rawValue: text) ?? .reject }
        if let share = root["max_rejected"]?.number { contract.maxRejected = share }
        contract.eventTime = try root["event_time"].map { try moment($0, columns) }
        contract.availableAt = try root["available_at"].map { try moment($0, columns) }
        for (name, value) in root["columns"]?.members ?? [] {
            guard let given = value["available_at"], let index = contract.columns.firstIndex(where: { $0.name == name })
            else { continue }
            contract.columns[index].availableAt = try availability(given, contract)
        }
        contract.revision = revision(contract, format)
        return contract
    }

    /// Changes with what decides which rows are taken and how they are read: not with comments and descriptions, units,
    /// or with what says since when something is known.
    private static func revision(_ contract: Contract, _ format: SourceFormat) -> String {
        var terms = [
            format.settings, "\(contract.onViolation)", "\(contract.maxRejected ?? -1)", "\(contract.onKeyConflict)",
        ]
        terms += contract.key.map { "key \($0)" }
        for column in contract.columns {
            terms.append(
                "\([column.name, "\(column.type)"]) \(column.from) \(column.position ?? 0) \(column.nullable) \(column.optional) "
                    + "\([column.min, column.max, column.pattern, column.format]) \(column.allowed) \(column.missing) "
                    + "\(column.onViolation.map { $0.rawValue } ?? "as the contract")")
        }
        return Digest(of: terms.joined(separator: "\n")).hex
    }

    /// The name of a column that holds moments.
    private static func moment(_ value: YAMLValue, _ columns: [Contract.Column]) throws -> String {
        guard let column = columns.first(where: { $0.name == value.text }) else {
            let near = Spelling.nearest(to: value.text, among: columns.map(\.name))
            throw value.failure(
                "contract.time", "\(value.text) is no column of the contract.",
                remedy: near.map { "Did you mean \($0)?" })
        }
        guard [.timestamp, .date, .bigint, .integer].contains(column.type) else {
            throw value.failure(
                "contract.time",
                "\(column.name) is \(column.type); a moment is a timestamp, a date or a number that rises with time.")
        }
        return column.name
    }

    /// `available_at` of a column: another column, or in words when no column says it.
    private static func availability(_ value: YAMLValue, _ contract: Contract) throws -> String {
        switch Availability(value.text) {
        case .afterwards: return value.text
        case .next(let entity):
            guard let column = contract.columns.first(where: { $0.name == entity }) else {
                let near = Spelling.nearest(to: entity, among: contract.columns.map(\.name))
                throw value.failure(
                    "contract.time", "\(entity) is no column of the contract.",
                    remedy: near.map { "Did you mean \($0)?" })
            }
            guard contract.eventTime != nil else {
                throw value.failure(
                    "contract.time", "The next row of the same \(column.name) is one by event_time, which is not set.",
                    remedy: "Add event_time: to the contract.")
            }
            return "next \(column.name)"
        default: return try moment(value, contract.columns)
        }
    }

    private static func column(_ name: String, _ value: YAMLValue) throws -> Contract.Column {
        if name.hasPrefix("_") {
            throw value.failure(
                "contract.reserved", "Names that begin with _ are Martlet's own.", remedy: "Rename \(name).")
        }
        let spelling = value["type"]?.text ?? ""
        guard let type = ColumnType(spelling) else {
            let near = Spelling.nearest(to: spelling, among: ColumnType.spellings)
            throw (value["type"] ?? value).failure(
                "contract.type", "There is no type \(spelling).",
                remedy: near.map { "Did you mean \($0)?" } ?? "Types: \(ColumnType.spellings.joined(separator: ", ")).")
        }
        var column = Contract.Column(name: name, type: type)
        column.from = value["from"]?.items.map(\.text) ?? []
        column.position = value["position"]?.integer
        if let position = value["position"], !column.from.isEmpty {
            throw position.failure("contract.position", "from: and position: both say where \(name) stands.")
        }
        column.nullable = value["nullable"]?.flag ?? true
        column.optional = value["optional"]?.flag ?? false
        column.min = try bound(value["min"], type)
        column.max = try bound(value["max"], type)
        column.allowed = try (value["allowed"]?.items ?? []).map { try bound($0, type, ordered: false) ?? "" }
        column.pattern = value["pattern"]?.text
        column.format = value["format"]?.text
        column.unit = value["unit"]?.text
        column.missing = value["missing"]?.items.map(\.text) ?? []
        column.onViolation = value["on_violation"].flatMap { .init(rawValue: $0.text) }
        if column.format != nil, type != .date, type != .timestamp {
            throw value.failure("contract.format", "format: is for dates and timestamps only.")
        }
        if let pattern = value["pattern"], type != .text {
            throw pattern.failure("contract.pattern", "pattern: is for text only.", remedy: "Use min and max.")
        }
        if let low = column.min.flatMap({ Double($0) }), let high = column.max.flatMap({ Double($0) }), low > high {
            throw value.failure("contract.range", "min \(low) is above max \(high).")
        }
        // Dates in ISO 8601 sort as texts.
        if type == .date || type == .timestamp, column.format == nil, let low = column.min, let high = column.max,
            low > high
        {
            throw value.failure("contract.range", "min \(low) is above max \(high).")
        }
        return column
    }

    /// A bound as written, after a look whether it can be one of this type.
    private static func bound(_ value: YAMLValue?, _ type: ColumnType, ordered: Bool = true) throws -> String? {
        guard let value else { return nil }
        switch type {
        case .bigint, .integer, .double, .decimal:
            guard value.number != nil else {
                throw value.failure("contract.bound", "\(value.text) is not a number, and the column is \(type).")
            }
            if type == .bigint || type == .integer, let number = value.number, number != number.rounded() {
                throw value.failure("contract.bound", "\(value.text) is not a whole number, and the column is \(type).")
            }
        case .text, .boolean:
            if type == .boolean, !ordered, value.flag == nil {
                throw value.failure("contract.bound", "\(value.text) is neither true nor false.")
            }
            if ordered { throw value.failure("contract.bound", "min and max are for numbers, dates and timestamps.") }
        case .date, .timestamp:
            // "epoch" and "infinity" are moments to the engine.
            guard value.text.contains(where: \.isNumber) else {
                throw value.failure(
                    "contract.bound", "\(value.text) is not a \(type).",
                    remedy: "Write it as the column's format has it, or as 2024-02-29.")
            }
        }
        return value.text
    }
}
