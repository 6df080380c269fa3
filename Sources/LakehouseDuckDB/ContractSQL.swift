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
        case .double:
            return
                "CASE WHEN isfinite(TRY_CAST(\(cell) AS DOUBLE)) AND NOT contains(\(cell), '_') THEN TRY_CAST(\(cell) AS DOUBLE) END"
        case .bigint, .integer:
            // "12.0" is a whole number; "12.5", "0x1F", "15e-1" and "1_000" are none, though a bare cast takes them.
            return exactly(cell, type, "[+-]?[0-9]+([.]0*)?")
        case .boolean: return "TRY_CAST(\(cell) AS BOOLEAN)"
        case .date:
            guard let format = column.format else {
                return
                    "CASE WHEN regexp_full_match(\(cell), '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') THEN TRY_CAST(\(cell) AS DATE) END"
            }
            return "CAST(try_strptime(\(cell), \(Quote.text(format))) AS DATE)"
        case .timestamp:
            guard let format = column.format else {
                // A bare cast to TIMESTAMP would drop an offset; the session's zone is UTC.
                let moment = "CAST(TRY_CAST(\(cell) AS TIMESTAMPTZ) AS TIMESTAMP)"
                return "CASE WHEN isfinite(\(moment)) AND year(\(moment)) BETWEEN 1 AND 9999 THEN \(moment) END"
            }
            return "CAST(try_strptime(\(cell), \(Quote.text(format))) AS TIMESTAMP)"
        case .decimal(_, let scale): return exactly(cell, type, "[+-]?[0-9]*([.][0-9]{0,\(scale)}0*)?")
        }
    }

    /// A cast that takes nothing but the exact spelling: what prints back as it was, or else fits the pattern.
    private func exactly(_ cell: String, _ type: String, _ pattern: String) -> String {
        let value = "TRY_CAST(\(cell) AS \(type))"
        return
            "CASE WHEN CAST(\(value) AS VARCHAR) = \(cell) OR regexp_full_match(\(cell), '\(pattern)') THEN \(value) END"
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
