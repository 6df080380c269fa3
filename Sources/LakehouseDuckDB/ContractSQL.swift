internal import DuckDB
internal import Lakehouse

/// A contract spelled in DuckDB's SQL, over a table of raw texts.
///
/// Every expression stands on raw cells (`VARCHAR`, null = missing), so that a refused cell can be shown as it came.
struct ContractSQL {
    let contract: Contract
    /// Contract columns that the file brings, with the name of the raw column.
    let present: [(column: Contract.Column, raw: String)]
    let absent: [Contract.Column]

    /// A promise of one column: a condition that is true for a breach.
    struct Rule {
        let column: Contract.Column
        let raw: String
        let name: String
        let breach: String
        var isWarning: Bool
    }

    /// The typed value; null when the text cannot be one.
    func typed(_ column: Contract.Column, _ raw: String) -> String {
        let cell = Quote.name(raw)
        let type = DeltaTypes.duck(column.type)
        switch column.type {
        case .text: return cell
        case .double: return "CASE WHEN isfinite(TRY_CAST(\(cell) AS DOUBLE)) THEN TRY_CAST(\(cell) AS DOUBLE) END"
        case .bigint, .integer:
            // "12.0" is an integer, "12.5" is none: a bare cast would round it.
            return "CASE WHEN \(cell) LIKE '%.%' AND TRY_CAST(\(cell) AS DOUBLE) <> trunc(TRY_CAST(\(cell) AS DOUBLE)) "
                + "THEN NULL ELSE TRY_CAST(\(cell) AS \(type)) END"
        case .boolean: return "TRY_CAST(\(cell) AS BOOLEAN)"
        case .date:
            guard let format = column.format else { return "TRY_CAST(\(cell) AS DATE)" }
            return "CAST(try_strptime(\(cell), \(Quote.text(format))) AS DATE)"
        case .timestamp:
            guard let format = column.format else { return "TRY_CAST(\(cell) AS TIMESTAMP)" }
            return "CAST(try_strptime(\(cell), \(Quote.text(format))) AS TIMESTAMP)"
        case .decimal: return "TRY_CAST(\(cell) AS \(type))"
        }
    }

    /// Every promise, in column order: null, type, range, allowed, pattern.
    var rules: [Rule] {
        present.flatMap { column, raw in
            let isWarning = (column.onViolation ?? contract.onViolation) == .warn
            let cell = Quote.name(raw)
            let typed = typed(column, raw)
            var rules: [Rule] = []
            func add(_ name: String, _ breach: String) {
                rules.append(Rule(column: column, raw: raw, name: name, breach: breach, isWarning: isWarning))
            }
            if !column.nullable { add("not null", "\(cell) IS NULL") }
            if column.type != .text { add("type \(column.type)", "(\(cell) IS NOT NULL AND \(typed) IS NULL)") }
            if let min = column.min { add("min \(min)", "\(typed) < \(literal(min, column))") }
            if let max = column.max { add("max \(max)", "\(typed) > \(literal(max, column))") }
            if !column.allowed.isEmpty {
                let values = column.allowed.map { literal($0, column) }.joined(separator: ", ")
                add("allowed values", "\(typed) NOT IN (\(values))")
            }
            if let pattern = column.pattern { add("pattern", "NOT regexp_full_match(\(cell), \(Quote.text(pattern)))") }
            return rules
        }
    }

    /// True for a row that bronze refuses.
    var isRejected: String {
        let breaches = rules.filter { !$0.isWarning }.map { "coalesce(\($0.breach), false)" }
        return breaches.isEmpty ? "false" : breaches.joined(separator: " OR ")
    }

    /// The typed columns, in contract order.
    var projection: [String] {
        let raws = Dictionary(present.map { ($0.column.name, $0.raw) }) { first, _ in first }
        return contract.columns.map { column in
            let value = raws[column.name].map { typed(column, $0) } ?? "CAST(NULL AS \(DeltaTypes.duck(column.type)))"
            return "\(value) AS \(Quote.name(column.name))"
        }
    }

    func key(_ name: String) -> String {
        guard let pair = present.first(where: { $0.column.name == name }) else { return "NULL" }
        return typed(pair.column, pair.raw)
    }

    private func literal(_ text: String, _ column: Contract.Column) -> String {
        switch column.type {
        case .text: Quote.text(text)
        case .date where column.format != nil:
            "CAST(coalesce(try_strptime(\(Quote.text(text)), \(Quote.text(column.format ?? ""))), TRY_CAST(\(Quote.text(text)) AS TIMESTAMP)) AS DATE)"
        default: "CAST(\(Quote.text(text)) AS \(DeltaTypes.duck(column.type)))"
        }
    }
}
