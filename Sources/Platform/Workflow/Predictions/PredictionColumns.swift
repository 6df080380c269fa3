internal import Core
internal import Lakehouse
internal import PredictionLog

/// Converts predictions of one model to the columns of its lake table.
///
/// Beside the columns that every such table has stands one for each feature, under its own name: numbers as they are, the
/// names of categories. A feature whose name is taken, by one of those or by a column of another type in the table, gets
/// `feature_` before its name or its type behind it.
struct PredictionColumns {
    /// The columns that every table has, with the SQL that gives each its type.
    private let fixed: [(name: String, sql: String)]

    private(set) var columns: [(name: String, column: LakeColumn)] = []

    /// - Parameters:
    ///   - sources: those of all rows that come into the same file, these and others: their columns are the same in all.
    ///   - known: columns of the table.
    init(_ rows: [LoggedPrediction], of sources: [PredictionSource], known: [DeltaField]) {
        let names = Self.names(known)
        columns = zip(names, PredictionField.allCases).map { name, field in (name, Self.column(field, rows)) }
        fixed = zip(names, PredictionField.allCases).map { name, field in (name, Self.sql(field, name)) }
        addFeatures(rows, sources, known)
    }

    /// The SELECT that gives the columns their types, over a relation that has them as they are in memory.
    func select(from relation: String) -> String {
        let fixed = fixed.map { "\($0.sql) AS \($0.name)" }
        let features = columns.dropFirst(fixed.count).map { "\"\($0.name.replacing("\"", with: "\"\""))\"" }
        return "SELECT \((fixed + features).joined(separator: ", ")) FROM \(relation)"
    }

    /// What each field's column is called.
    ///
    /// A table of before version 2 may have a feature that is called like a field that is new: that keeps its name, and
    /// the field gets `prediction_` before its own, from then on.
    private static func names(_ known: [DeltaField]) -> [String] {
        let taken = Set(known.map { $0.name.lowercased() })
        let added = PredictionField.allCases.filter { !$0.isInVersion1 }
        let isOld = !added.allSatisfy { taken.contains($0.rawValue) || taken.contains("prediction_\($0.rawValue)") }
        return PredictionField.allCases.map { field in
            let other = "prediction_\(field.rawValue)"
            let gives = taken.contains(other) || (isOld && taken.contains(field.rawValue))
            return !field.isInVersion1 && gives ? other : field.rawValue
        }
    }

    private static func sql(_ field: PredictionField, _ name: String) -> String {
        switch field.form {
        case .flag: "\(name) = 1"
        case .time: "make_timestamp(\(name))"
        case .text, .texts, .whole, .number: name
        }
    }

    private static func column(_ field: PredictionField, _ rows: [LoggedPrediction]) -> LakeColumn {
        switch field.form {
        case .text, .texts:
            return coded(
                rows.map { row in
                    switch field.value(in: row) {
                    case .text(let text): text
                    case .texts(let texts): texts.isEmpty ? nil : texts.joined(separator: "; ")
                    case .whole, .number, .flag, .time: nil
                    }
                })
        case .number:
            return .number(rows.map { if case .number(let value) = field.value(in: $0) { value } else { .nan } })
        case .whole, .flag, .time:
            let values = rows.map { row -> Int64? in
                switch field.value(in: row) {
                case .whole(let value): value
                case .flag(let flag): flag.map { $0 ? 1 : 0 }
                case .time(let time): time.microseconds
                case .text, .texts, .number: nil
                }
            }
            return .integer(values.map { $0 ?? 0 }, valid: values.map { $0 != nil })
        }
    }

    /// The feature columns of a file, and the position of each in the input of each source.
    private struct Layout {
        var names: [String] = []
        var areTexts: [Bool] = []
        /// For each source the place in its input of each column, -1 where it has none.
        var places: [PredictionSource: [Int]] = [:]
    }

    private func layout(_ sources: [PredictionSource], _ known: [DeltaField]) -> Layout {
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
        let layout = layout(sources, known)
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
}
