internal import Core
internal import Lakehouse
internal import SQLLineage
internal import Training

/// Reads a gold table as training input, as typed columns.
struct TrainingTable {
    let model: ModelSpecification
    let engine: any QueryEngine
    /// The table's Parquet files.
    let files: [String]

    private var query: Query {
        Query("SELECT * FROM \(model.table.layer.rawValue).\"\(model.table.name)\"", inputs: [model.table: files])
    }

    /// The features in table order, with how to read each.
    func features() throws -> [(name: String, kind: ReadKind)] { try features(among: try engine.describe(query)) }

    /// SQL for the rows that have a label; `nil` when there is no column to have one in.
    func isLabelled() throws -> String? {
        guard try engine.describe(query).contains(where: { $0.name == model.target }) else { return nil }
        return "\"\(model.target.replacing("\"", with: "\"\""))\" IS NOT NULL"
    }

    /// The features of a table with these columns.
    /// - Throws: what the model names and the table does not have, or a model cannot use.
    func features(among fields: [DeltaField]) throws -> [(name: String, kind: ReadKind)] {
        let names = fields.map(\.name)
        for (role, name) in [
            ("key", model.key), ("target", model.target), ("group", model.group), ("event_time", model.eventTime),
            ("entity", model.plan.entity),
        ] {
            if let name { try require(name, role, names) }
        }
        if let name = model.eventTime, let type = fields.first(where: { $0.name == name })?.type, isWhole(type),
            case .seconds? = model.plan.crossValidation?.gap
        {
            throw failure(
                "cross-validation.gap", "The event time \(name) is a number, and the gap a length of time.",
                remedy: "Give the gap as a number of rows, or make \(name) a timestamp.")
        }
        if let name = model.eventTime, let type = fields.first(where: { $0.name == name })?.type, !isMoment(type) {
            throw failure(
                "model.event-time", "The event_time \(name) of \(model.table) is \(spelled(type)), which is no moment.",
                remedy: "Make a timestamp, a date or a whole number that rises with time of it in the SQL.")
        }
        for name in model.exclude { try require(name, "features.exclude", names) }
        for name in model.categorical { try require(name, "features.categorical", names) }
        for name in model.include ?? [] { try require(name, "features.include", names) }
        let reserved = Set(
            [model.key, model.target, model.group, model.eventTime, model.plan.entity].compactMap(\.self)
                + model.exclude)
        if let clash = model.include?.first(where: { $0 == model.target || $0 == model.key }) {
            throw failure(
                "model.leak",
                "The column \(clash) is the \(clash == model.target ? "target" : "key") and cannot be a feature.")
        }
        let wanted = model.include.map(Set.init)
        let chosen = fields.filter { field in
            if let wanted { return wanted.contains(field.name) }
            return !reserved.contains(field.name) && !field.name.hasPrefix("_")
        }
        return try chosen.map { ($0.name, try kind($0)) }
    }

    private func isMoment(_ type: String) -> Bool {
        type.hasPrefix("timestamp") || type == "date" || isWhole(type)
    }
    private func isWhole(_ type: String) -> Bool { ["long", "integer", "short", "byte"].contains(type) }
    private func spelled(_ type: String) -> String { type == "string" ? "text" : "of the type \(type)" }

    private func kind(_ field: DeltaField) throws -> ReadKind {
        if model.categorical.contains(field.name) { return .text }
        switch field.type {
        case "string", "boolean": return .text
        case "date", "timestamp", "timestamp_ntz", "binary":
            throw failure(
                "model.feature-type", "The column \(field.name) is a \(field.type), which a model cannot learn from.",
                remedy: "Make a number of it in the SQL (an age, a weekday), or name it under features.exclude.")
        default: return .number
        }
    }

    private func require(_ name: String, _ role: String, _ names: [String]) throws {
        guard !names.contains(name) else { return }
        let near = Spelling.nearest(to: name, among: names)
        throw failure(
            "model.no-column", "\(model.table) has no column \(name), which the model names as \(role).",
            remedy: near.map { "Did you mean \($0)?" } ?? "It has: \(names.prefix(20).joined(separator: ", ")).")
    }

    private func failure(_ code: String, _ message: String, remedy: String? = nil) -> MartletError {
        MartletError(
            .input, code, message, at: .init(file: "martlet.yaml", key: "models.\(model.name)"), remedy: remedy)
    }

    /// The whole table as training input for a task, ordered by key.
    func read<Task: PredictionTask>(for task: Task.Type) throws -> TrainingInput<Task.Label> {
        let features = try features()
        guard !features.isEmpty else {
            throw failure("model.no-features", "\(model.table) has no column left to learn from.")
        }
        var columns = try read(
            features, with: [model.key, model.target] + [model.group].compactMap(\.self), model.eventTime)
        let keys = try keys(columns.extra[0])
        let labels = try Task.labels(of: target(columns.extra[1]))
        let groups = model.group.map { _ in columns.extra[2].texts.enumerated().map { $1 ?? "\u{0}key \(keys[$0])" } }
        defer { columns.extra = [] }
        return TrainingInput(
            columns: columns.features, labels: labels, keys: keys, groups: groups, eventTimes: columns.eventTimes)
    }

    /// Rows to be scored.
    struct Unscored {
        var keys: [String]
        var columns: [NamedColumn]
        /// Whether the table's key is a whole number.
        var keyIsInteger: Bool
    }

    /// What a version learned from and the table does not have.
    func columnsLacking(_ signature: Signature) throws -> [String] {
        let types = Dictionary(try engine.describe(query).map { ($0.name, $0.type) }) { first, _ in first }
        return signature.columns.compactMap { column in
            guard let type = types[column.name] else { return column.name }
            return column.type == .number && ["string", "boolean"].contains(type) ? "\(column.name) (as a number)" : nil
        }
    }

    /// Keys and features of the rows of a table, for scoring.
    /// - Parameters:
    ///   - condition: SQL that the rows must meet.
    ///   - wanted: which keys.
    func readForScoring(
        _ signature: Signature, where condition: String? = nil, keys wanted: ((String) -> Bool)? = nil
    ) throws -> Unscored {
        let kinds: [(name: String, kind: ReadKind)] = signature.columns.map {
            ($0.name, $0.type == .category ? .text : .number)
        }
        if let name = try columnsLacking(signature).first {
            throw failure(
                "model.no-column", "\(model.table) has no column \(name), which this version learned from.",
                remedy: "Put it back in the SQL, or make a version that was trained without it the champion.")
        }
        let columns = try read(kinds, with: [model.key], nil, where: condition)
        let keys = try keys(columns.extra[0])
        var unscored = Unscored(keys: keys, columns: columns.features, keyIsInteger: try keyIsInteger())
        if let wanted {
            let rows = keys.indices.filter { wanted(keys[$0]) }
            unscored.keys = rows.map { keys[$0] }
            unscored.columns = columns.features.map { $0.picking(rows) }
        }
        return unscored
    }

    private func keyIsInteger() throws -> Bool {
        try engine.describe(query).first { $0.name == model.key }.map { isWhole($0.type) } ?? false
    }

    private struct Read {
        var features: [NamedColumn]
        var extra: [LakeColumn]
        var eventTimes: [Int64?]?
    }

    private func read(
        _ features: [(name: String, kind: ReadKind)], with extra: [String], _ eventTime: String?,
        where condition: String? = nil
    ) throws -> Read {
        var kinds = extra.map { (name: $0, kind: ReadKind.text) } + features
        var query = query
        if let condition { query.sql += " WHERE \(condition)" }
        if let eventTime {
            kinds.append(("\u{1}event_time", .integer))
            let quoted = "\"\(eventTime.replacing("\"", with: "\"\""))\""
            let isNumber = try engine.describe(query).contains { $0.name == eventTime && isWhole($0.type) }
            let moment = isNumber ? quoted : "epoch_us(CAST(\(quoted) AS TIMESTAMP))"
            query.sql = "SELECT *, \(moment) AS \"\u{1}event_time\" FROM (\(query.sql))"
        }
        var columns = try inKeyOrder(try engine.columns(query, as: kinds, orderedBy: []))
        var times: [Int64?]?
        if eventTime != nil, case .integer(let values, let valid)? = columns.popLast() {
            times = zip(values, valid).map { $1 ? $0 : nil }
        }
        let rest = columns[extra.count...]
        let named = zip(features, rest).map { feature, column in
            switch column {
            case .number(let values): NamedColumn(feature.name, .number(values))
            case .text(let codes, let levels): NamedColumn(feature.name, .category(codes: codes, levels: levels))
            case .integer(let values, let valid):
                NamedColumn(feature.name, .number(zip(values, valid).map { $1 ? Double($0) : .nan }))
            }
        }
        return Read(features: named, extra: Array(columns[..<extra.count]), eventTimes: times)
    }

    /// Rows ordered by key, numbers by value and texts by their bytes: sorting here is much cheaper than sorting
    /// whole rows in the engine.
    private func inKeyOrder(_ columns: [LakeColumn]) throws -> [LakeColumn] {
        guard let key = columns.first, case .text(let codes, let levels) = key else { return columns }
        var order = Array(codes.indices)
        if try keyIsInteger() {
            let numbers = levels.map { Int64($0) }
            let values = codes.map { $0 < 0 ? Int64.min : numbers[Int($0)] ?? 0 }
            if zip(values, values.dropFirst()).allSatisfy({ $0 <= $1 }) { return columns }
            order.sort { (values[$0], $0) < (values[$1], $1) }
        } else {
            let ranks = ranks(of: levels)
            order.sort {
                (codes[$0] < 0 ? -1 : ranks[Int(codes[$0])], $0) < (codes[$1] < 0 ? -1 : ranks[Int(codes[$1])], $1)
            }
        }
        return columns.map { $0.picking(order) }
    }

    private func ranks(of levels: [String]) -> [Int] {
        var ranks = [Int](repeating: 0, count: levels.count)
        for (rank, index) in levels.indices.sorted(by: { levels[$0].precedes(inBytes: levels[$1]) })
            .enumerated()
        {
            ranks[index] = rank
        }
        return ranks
    }

    private func keys(_ column: LakeColumn) throws -> [String] {
        try column.texts.map { text in
            guard let text else {
                throw failure(
                    "model.null-key", "The key \(model.key) is null in a row of \(model.table).",
                    remedy: "Give every row a key in the SQL.")
            }
            return text
        }
    }

    private func target(_ column: LakeColumn) -> TargetColumn {
        guard case .text(let codes, let levels) = column else {
            return TargetColumn(codes: [], levels: [], name: model.target, table: "", positive: model.positive)
        }
        return TargetColumn(
            codes: codes, levels: levels, name: model.target, table: "\(model.table)", positive: model.positive)
    }
}

extension NamedColumn {
    /// The rows of these indices, in this order.
    fileprivate func picking(_ rows: [Int]) -> NamedColumn {
        switch column {
        case .number(let values): NamedColumn(name, .number(rows.map { values[$0] }))
        case .category(let codes, let levels):
            NamedColumn(name, .category(codes: rows.map { codes[$0] }, levels: levels))
        }
    }
}
