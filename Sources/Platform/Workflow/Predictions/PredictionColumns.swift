internal import Core
internal import Lakehouse
internal import PredictionLog

/// Converts predictions of one model to the columns of its lake table.
///
/// Beside the columns that every such table has stands one for each feature, under its own name: numbers as they are, the
/// names of categories. A feature whose name is taken, by one of those or by a column of another type in the table, gets
/// `feature_` before its name or its type behind it.
struct PredictionColumns {
    /// Columns whose value is written as it is kept in memory, and the SQL that gives them their type.
    private static let fixed: [(name: String, sql: String)] = [
        ("request_id", "request_id"), ("idempotency_key", "idempotency_key"), ("entity_id", "entity_id"),
        ("project", "project"), ("model", "model"), ("version", "version"), ("signature", "signature"),
        ("time", "make_timestamp(time)"), ("score", "score"), ("decision", "decision = 1"),
        ("latency_ms", "latency_ms"), ("reasons", "reasons = 1"), ("warnings", "warnings"),
    ]

    private(set) var columns: [(name: String, column: LakeColumn)] = []

    /// - Parameters:
    ///   - sources: those of all rows that come into the same file, these and others: their columns are the same in all.
    ///   - known: columns of the table.
    init(_ rows: [LoggedPrediction], of sources: [PredictionSource], known: [DeltaField]) {
        columns = [
            ("request_id", text(rows) { $0.requestID }), ("idempotency_key", text(rows) { $0.idempotencyKey }),
            ("entity_id", text(rows) { $0.entityID }), ("project", text(rows) { $0.source.project }),
            ("model", text(rows) { $0.source.model }), ("version", whole(rows) { Int64($0.source.version) }),
            ("signature", text(rows) { $0.source.signature.hex }), ("time", whole(rows) { $0.time.microseconds }),
            ("score", .number(rows.map(\.score))), ("decision", whole(rows) { row in row.decision.map { $0 ? 1 : 0 } }),
            ("latency_ms", .number(rows.map { Double($0.latency) / 1e6 })),
            ("reasons", whole(rows) { $0.hasReasons ? 1 : 0 }),
            ("warnings", text(rows) { $0.warnings.isEmpty ? nil : $0.warnings.joined(separator: "; ") }),
        ]
        addFeatures(rows, sources, known)
    }

    /// The SELECT that gives the columns their types, over a relation that has them as they are in memory.
    func select(from relation: String) -> String {
        let fixed = Self.fixed.map { "\($0.sql) AS \($0.name)" }
        let features = columns.dropFirst(fixed.count).map { "\"\($0.name.replacing("\"", with: "\"\""))\"" }
        return "SELECT \((fixed + features).joined(separator: ", ")) FROM \(relation)"
    }

    /// The feature columns of a file, and the position of each in the input of each source.
    private struct Layout {
        var names: [String] = []
        var areTexts: [Bool] = []
        /// For each source the place in its input of each column, -1 where it has none.
        var places: [PredictionSource: [Int]] = [:]
    }

    private static func layout(_ sources: [PredictionSource], _ known: [DeltaField]) -> Layout {
        let types = Dictionary(known.map { ($0.name.lowercased(), $0.type) }, uniquingKeysWith: { a, _ in a })
        let taken = Set(fixed.map(\.name))
        // A column's case does not tell it from another one: the table's spelling counts, then the first that comes.
        var spelling = Dictionary(known.map { ($0.name.lowercased(), $0.name) }, uniquingKeysWith: { a, _ in a })
        func spelled(_ name: String) -> String {
            let known = spelling[name.lowercased()] ?? name
            spelling[name.lowercased()] = known
            return known
        }
        var layout = Layout()
        var numbers: [String: Int] = [:]
        for source in sources where layout.places[source] == nil {
            // Those that keep their names come first.
            var own = Set(source.columns.map { $0.name.lowercased() }).subtracting(taken)
            var places = [Int](repeating: -1, count: layout.names.count)
            for (place, column) in source.columns.enumerated() {
                let isText = column.levels != nil
                var name = column.name
                if taken.contains(name.lowercased()) {
                    repeat { name = "feature_\(name)" } while !own.insert(name.lowercased()).inserted
                }
                name = spelled(name)
                let other = numbers[name].map { layout.areTexts[$0] != isText } ?? false
                if other || types[name.lowercased()].map({ ($0 == "string") != isText }) ?? false {
                    name = spelled(name + (isText ? "_text" : "_number"))
                }
                if let number = numbers[name] {
                    places[number] = place
                } else {
                    numbers[name] = layout.names.count
                    layout.names.append(name)
                    layout.areTexts.append(isText)
                    places.append(place)
                }
            }
            layout.places[source] = places
        }
        return layout
    }

    private mutating func addFeatures(
        _ rows: [LoggedPrediction], _ sources: [PredictionSource], _ known: [DeltaField]
    ) {
        let layout = Self.layout(sources, known)
        // Rows of one source mostly follow one another.
        var runs: [(rows: Range<Int>, source: PredictionSource, places: [Int])] = []
        for (index, row) in rows.enumerated() {
            if let last = runs.last, last.source == row.source {
                runs[runs.count - 1].rows = last.rows.lowerBound..<(index + 1)
            } else {
                runs.append((index..<(index + 1), row.source, layout.places[row.source] ?? []))
            }
        }
        for (number, name) in layout.names.enumerated() {
            var values = [Double](repeating: .nan, count: rows.count)
            var texts = [String?](repeating: nil, count: layout.areTexts[number] ? rows.count : 0)
            for run in runs where number < run.places.count && run.places[number] >= 0 {
                let place = run.places[number]
                let column = run.source.columns[place]
                for index in run.rows where place < rows[index].features.count {
                    if layout.areTexts[number] {
                        texts[index] = column.level(rows[index].features[place])
                    } else {
                        values[index] = rows[index].features[place]
                    }
                }
            }
            columns.append((name, layout.areTexts[number] ? Self.coded(texts) : .number(values)))
        }
    }

    private static func coded(_ values: [String?]) -> LakeColumn {
        var levels: [String] = []
        var known: [ByteText: Int32] = [:]
        let codes = values.map { value -> Int32 in
            guard let value else { return -1 }
            if let code = known[ByteText(value)] { return code }
            let code = Int32(levels.count)
            known[ByteText(value)] = code
            levels.append(value)
            return code
        }
        return .text(codes: codes, levels: levels)
    }

    private func text(_ rows: [LoggedPrediction], _ value: (LoggedPrediction) -> String?) -> LakeColumn {
        Self.coded(rows.map(value))
    }

    private func whole(_ rows: [LoggedPrediction], _ value: (LoggedPrediction) -> Int64?) -> LakeColumn {
        let values = rows.map(value)
        return .integer(values.map { $0 ?? 0 }, valid: values.map { $0 != nil })
    }
}
