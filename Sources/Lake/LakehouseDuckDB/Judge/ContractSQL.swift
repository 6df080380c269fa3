internal import DuckDB
internal import Lakehouse
internal import SourceFormats

/// Translates a contract into DuckDB SQL expressions over a table of raw texts.
///
/// Every expression is over raw cells (`VARCHAR`, null = missing), so that a rejected cell can be shown as it came.
struct ContractSQL {
    let contract: Contract
    /// Contract columns that the file brings, with the name of the raw column.
    let present: [(column: Contract.Column, raw: String)]
    let absent: [Contract.Column]
    /// Whether rows without any value are reported.
    var tellsEmptyRows = false
    /// How numbers are written.
    var numbers = NumberForm()
    /// A column that is false for rows without a blank at either end of any cell; `nil` when there is none.
    var padColumn: String?

    /// A rule of one column: a condition that is true for a violation.
    struct Rule {
        let column: Contract.Column
        let raw: String
        let name: String
        let breach: String
        var isWarning: Bool
        /// What is said of rows that break it, where it is about the whole row.
        var ofRow: String?

        /// The warning for this many rows.
        func warning(_ rows: Int) -> String {
            ofRow.map { "\(rows) rows \($0)" } ?? "\(rows) rows break \(column.name): \(name)"
        }
    }

    /// The bare cast of a cell, which is more lenient than a contract; `nil` for text, which needs none.
    func cast(_ column: Contract.Column, _ cell: String) -> String? {
        let type = DeltaTypes.duck(column.type)
        switch column.type {
        case .text: return nil
        case .date, .timestamp:
            if let format = column.format {
                return "CAST(try_strptime(\(cell), \(Quote.text(format))) AS \(type))"
            }
            guard column.type == .timestamp else { return "TRY_CAST(\(cell) AS DATE)" }
            // A bare cast to TIMESTAMP would drop an offset; the session's zone is UTC. In nineteen places with
            // colons where these are, there is no room for an offset, and the bare cast is four times as fast.
            // Without four digits at the beginning it would be a year of fewer, or a word such as "epoch".
            return
                "CASE WHEN \(cell) LIKE '____-__-_____:__:__' AND \(cell) >= '0' THEN TRY_CAST(\(cell) AS TIMESTAMP) "
                + "WHEN regexp_full_match(\(cell), '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T].*)?') "
                + "THEN CAST(TRY_CAST(\(cell) AS TIMESTAMPTZ) AS TIMESTAMP) END"
        case .boolean:
            // DuckDB's own cast takes y and n, too.
            return "CASE WHEN \(cell) IN ('true', '1') THEN true WHEN \(cell) IN ('false', '0') THEN false "
                + "WHEN lower(\(cell)) IN ('true', 't', 'yes') THEN true "
                + "WHEN lower(\(cell)) IN ('false', 'f', 'no') THEN false END"
        case .bigint, .integer, .double, .decimal: return "TRY_CAST(\(cell) AS \(type))"
        }
    }

    /// The typed value: the cast where the text is spelled as the contract wants it, else null.
    func strict(_ column: Contract.Column, _ cell: String, _ cast: String) -> String {
        switch column.type {
        case .text: cell
        case .boolean: cast
        case .double:
            "CASE WHEN isfinite(\(cast)) AND NOT contains(\(cell), '_') AND \(unpadded(cell)) THEN \(cast) END"
        // "12.0" is a whole number; "12.5", "0x1F", "15e-1" and "1_000" are none, though a bare cast takes them.
        case .bigint, .integer: exactly(cell, cast, "[+-]?[0-9]+([.]0*)?")
        case .decimal(_, let scale): exactly(cell, cast, "[+-]?[0-9]*([.][0-9]{0,\(scale)}0*)?")
        case .date where column.format == nil:
            // What prints back in ten places is YYYY-MM-DD; infinities and years of five digits are not.
            "CASE WHEN (length(\(cell)) = 10 AND CAST(\(cast) AS VARCHAR) = \(cell)) "
                + "OR regexp_full_match(\(cell), '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') THEN \(cast) END"
        case .timestamp where column.format == nil:
            // Infinities lie outside. Not by year(), which makes a table of years for every statement that is run.
            "CASE WHEN \(cast) >= TIMESTAMP '0001-01-01' AND \(cast) < TIMESTAMP '10000-01-01' "
                + "AND \(unpadded(cell)) THEN \(cast) END"
        case .date, .timestamp:
            // try_strptime takes a year of fewer digits, which is one before 1000, and the words "epoch" and
            // "infinity", as 1900-01-01; only what comes out so is held against the format's own form.
            "CASE WHEN NOT \(unpadded(cell)) THEN NULL "
                + "WHEN \(cast) >= DATE '1000-01-01' AND \(cast) <> DATE '1900-01-01' THEN \(cast) "
                + "WHEN regexp_full_match(\(cell), \(Quote.text(Self.form(of: column.format ?? "")))) THEN \(cast) END"
        }
    }

    /// True for a cell that neither begins nor ends with a blank. All blanks sort before "!"; at the end, six
    /// comparisons cost less than one expression.
    private func unpadded(_ cell: String) -> String {
        let ends = [" ", "\t", "\n", "\r", "\u{B}", "\u{C}"].map { "suffix(\(cell), \(Quote.text($0)))" }
        let check = "(\(cell) >= '!' AND NOT (\(ends.joined(separator: " OR "))))"
        return padColumn.map { "(NOT \($0) OR \(check))" } ?? check
    }

    /// A regular expression for texts that are written in a strptime format: as many digits as its fields have.
    static func form(of format: String) -> String {
        var form = "(?is)"
        var rest = format[...]
        while let character = rest.popFirst() {
            switch character {
            case "%":
                if rest.first == "-" { rest.removeFirst() }
                switch rest.popFirst() {
                case "Y": form += "[0-9]{4}"
                case "d", "m", "y", "H", "I", "M", "S": form += "[0-9]{1,2}"
                case "j", "g": form += "[0-9]{1,3}"
                case "f", "n": form += "[0-9]{1,9}"
                case "%": form += "%"
                default: form += ".+"
                }
            case " ": form += "[ \\t]+"
            default: form += character.isLetter || character.isNumber ? "\(character)" : "\\\(character)"
            }
        }
        return form
    }

    /// Nothing but the exact spelling: what prints back as it was, or else fits the pattern.
    private func exactly(_ cell: String, _ cast: String, _ pattern: String) -> String {
        "CASE WHEN CAST(\(cast) AS VARCHAR) = \(cell) OR regexp_full_match(\(cell), '\(pattern)') THEN \(cast) END"
    }

    /// The typed value as one expression over the raw cell; null when the text cannot be one.
    func typed(_ column: Contract.Column, _ raw: String) -> String {
        let cell = numbers.plain(Quote.name(raw), column.type)
        return strict(column, cell, cast(column, cell).map { "(\($0))" } ?? cell)
    }

    /// Every promise, in column order: null, type, range, allowed, pattern; then the rules for whole rows.
    /// - Parameters:
    ///   - cell: SQL for the cell's text, from the raw column.
    ///   - value: SQL for its typed value.
    func rules(
        cell: (_ raw: String) -> String, value: (Contract.Column, _ raw: String) -> String
    ) -> [Rule] {
        var all = present.flatMap { column, raw in
            let isWarning = (column.onViolation ?? contract.onViolation) == .warn
            let cell = cell(raw)
            let typed = value(column, raw)
            var rules: [Rule] = []
            func add(_ name: String, _ breach: String) {
                rules.append(Rule(column: column, raw: raw, name: name, breach: breach, isWarning: isWarning))
            }
            if !column.nullable {
                add("not null", "\(cell) IS NULL")
            } else if contract.key.contains(column.name) {
                // Nothing tells rows without a key apart, nor that one came again.
                add("key not null", "\(cell) IS NULL")
            }
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
        if tellsEmptyRows, let first = present.first {
            let texts = present.map { cell($0.raw) }.joined(separator: ", ")
            all.append(
                Rule(
                    column: first.column, raw: first.raw, name: "empty row", breach: "coalesce(\(texts)) IS NULL",
                    isWarning: true, ofRow: "have no value in any column of the contract"))
        }
        return all
    }

    /// The same, over raw cells.
    var rules: [Rule] { rules(cell: { Quote.name($0) }, value: typed) }

    /// True where one of these promises is broken.
    static func any(_ rules: [Rule]) -> String {
        rules.isEmpty ? "false" : "coalesce(\(rules.map { "(\($0.breach))" }.joined(separator: " OR ")), false)"
    }

    func key(_ name: String) -> String {
        guard let pair = present.first(where: { $0.column.name == name }) else { return "NULL" }
        return typed(pair.column, pair.raw)
    }

    // MARK: In layers
    //
    // A subquery a step: SQL has no other way to name an intermediate value, and a cast that is spelled out in
    // every place where it is used is worked out in every one of them.

    /// Names of a raw cell's text without what means missing, and of its typed value.
    static func text(_ raw: String) -> String { "d_\(raw)" }
    static func value(_ raw: String) -> String { "v_\(raw)" }

    /// All columns of a SELECT over raw cells, with `d_…` (texts) and `v_…` (typed values) added.
    /// - Parameter cleaned: a raw cell after trimming, with the texts that mean missing made null.
    func layers(over source: String, cleaned: (_ raw: String, Contract.Column) -> String) -> String {
        let texts = present.map { "\(cleaned($0.raw, $0.column)) AS \(Self.text($0.raw))" }
        func plain(_ column: Contract.Column, _ raw: String) -> String {
            numbers.isPlain || !NumberForm.isNumber(column.type) ? Self.text(raw) : "p_\(raw)"
        }
        let plains = present.compactMap { column, raw in
            plain(column, raw) == Self.text(raw) ? nil : "\(numbers.plain(Self.text(raw), column.type)) AS p_\(raw)"
        }
        let casts = present.compactMap { column, raw in cast(column, plain(column, raw)).map { "\($0) AS x_\(raw)" } }
        let values = present.map { column, raw in
            let text = plain(column, raw)
            return "\(strict(column, text, column.type == .text ? text : "x_\(raw)")) AS \(Self.value(raw))"
        }
        func add(_ columns: [String], to source: String) -> String {
            columns.isEmpty ? source : "SELECT *, \(columns.joined(separator: ", ")) FROM (\(source))"
        }
        return add(values, to: add(casts, to: add(plains, to: add(texts, to: source))))
    }

    /// Every promise, over `layers`.
    var layeredRules: [Rule] { rules(cell: Self.text) { Self.value($1) } }

    /// The typed columns in contract order as `t0`, `t1`, …, over `layers`.
    var layeredProjection: [String] {
        let raws = Dictionary(present.map { ($0.column.name, $0.raw) }) { first, _ in first }
        return contract.columns.enumerated().map { index, column in
            let value = raws[column.name].map(Self.value) ?? "CAST(NULL AS \(DeltaTypes.duck(column.type)))"
            return "\(value) AS t\(index)"
        }
    }

    private func literal(_ text: String, _ column: Contract.Column) -> String {
        switch column.type {
        case .text: Quote.text(text)
        case .date where column.format != nil, .timestamp where column.format != nil:
            // In the column's own format, or else as ISO 8601 has it; an error when it is neither.
            "CAST(coalesce(CAST(try_strptime(\(Quote.text(text)), \(Quote.text(column.format ?? ""))) AS VARCHAR), "
                + "\(Quote.text(text))) AS \(DeltaTypes.duck(column.type)))"
        default: "CAST(\(Quote.text(text)) AS \(DeltaTypes.duck(column.type)))"
        }
    }
}

/// Decimal and thousands separators of a source.
struct NumberForm: Equatable {
    var decimal = "."
    var thousands = ""

    init() {}

    init(_ format: SourceFormat) {
        decimal = format.decimal
        thousands = format.thousands
    }

    /// Whether numbers are written as SQL reads them.
    var isPlain: Bool { self == NumberForm() }

    static func isNumber(_ type: ColumnType) -> Bool {
        switch type {
        case .bigint, .integer, .double, .decimal: true
        case .text, .boolean, .date, .timestamp: false
        }
    }

    /// SQL for a number's text as SQL reads it; null for what is no number in this form.
    func plain(_ cell: String, _ type: ColumnType) -> String {
        guard !isPlain, Self.isNumber(type) else { return cell }
        // Whoever separates by spaces also uses those that do not break the line.
        let signs = thousands == " " ? [" ", "\u{A0}", "\u{202F}"] : thousands.isEmpty ? [] : [thousands]
        let any = "[" + signs.map { Self.escaped($0) }.joined() + "]"
        let groups = signs.isEmpty ? "" : "|[0-9]{1,3}(\(any)[0-9]{3})+"
        let pattern = "[+-]?([0-9]*\(groups))(\(Self.escaped(decimal))[0-9]*)?([eE][+-]?[0-9]+)?"
        let joined = signs.reduce(cell) { "replace(\($0), \(Quote.text($1)), '')" }
        return "CASE WHEN regexp_full_match(\(cell), \(Quote.text(pattern))) "
            + "THEN replace(\(joined), \(Quote.text(decimal)), '.') END"
    }

    private static func escaped(_ sign: String) -> String {
        sign.allSatisfy { $0.isASCII && !$0.isLetter && !$0.isNumber && $0 != " " } ? "\\\(sign)" : sign
    }
}
