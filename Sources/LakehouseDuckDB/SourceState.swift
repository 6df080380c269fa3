internal import DuckDB
internal import Lakehouse
internal import Vocabulary

/// A bronze table in memory, and the statements by which rows come in and go out.
///
/// `state.<source>` holds all that is known; `_martlet_rows('call <source>')` the rows of the request at hand, and
/// `'over <source>'` those of them that stand in place of, or beside, the rows of the state for this request only.
final class SourceState {
    let source: FeaturePlan.Source
    let state: String
    let call: String
    let overlay: String
    private let raw: String
    private let callName: String
    private let overlayName: String
    private let connection: Connection
    private let handed: HandedRows
    private let sql: ContractSQL
    private let rules: [ContractSQL.Rule]
    private let check: PreparedStatement
    /// For a source with a key: the request's rows whose key is known, as (number, rowid, whether they tell more).
    private let known: PreparedStatement?
    /// For a source without a key: numbers of the request's rows that the lake covers.
    private let covered: PreparedStatement?
    /// Rows of the state that the overlay stands for.
    private var hidden: [Int64] = []
    private var newRows: [Int64] = []
    private var tellingRows: [Int64] = []

    init(
        _ source: FeaturePlan.Source, _ connection: Connection, _ handed: HandedRows, _ engine: DuckDBLakeEngine
    ) throws {
        self.source = source
        self.connection = connection
        self.handed = handed
        let contract = source.contract
        let name = contract.source
        raw = "raw \(name)"
        callName = "call \(name)"
        overlayName = "over \(name)"
        state = "state.\(Quote.name(name))"
        call = "_martlet_rows(\(Quote.text(callName)))"
        overlay = "_martlet_rows(\(Quote.text(overlayName)))"
        try Self.load(source, into: state, connection)

        // In the state's own types, and with the numbers of the request's rows as `_row`.
        let present = contract.columns.enumerated().map { (column: $1, raw: "c\($0)") }
        sql = ContractSQL(contract: contract, present: present, absent: [])
        rules = sql.layeredRules
        var format = source.format
        // Empty texts are missing, as they are in files.
        format.kind = .parquet
        handed.declare(raw, like: KeptRows(texts: present.map(\.raw), []))
        let layers = sql.layers(over: "SELECT * FROM _martlet_rows(\(Quote.text(raw)))") {
            engine.cleaned($0, $1.missing, format)
        }
        let typed = contract.columns.enumerated().map { "t\($0) AS \(Quote.name($1.name))" }
        let broken = rules.map { "CAST(coalesce(\($0.breach), false) AS BIGINT)" }
        let kept = "SELECT * FROM \(state) LIMIT 0"
        handed.declare(name, like: try connection.query(kept).kept())
        handed.declare(callName, like: try connection.query(kept).kept())
        handed.declare(overlayName, like: try connection.query(kept).kept())
        check = try PreparedStatement(
            """
            SELECT \((typed + ["'(raw)' AS _file", "n AS _row"] + broken.indices.map { "b\($0)" }).joined(separator: ", "))
            FROM (SELECT *, \((sql.layeredProjection + broken.enumerated().map { "\($1) AS b\($0)" }).joined(separator: ", "))
              FROM (\(layers)))
            """, connection)
        if contract.key.isEmpty {
            known = nil
            covered = try Self.covered(contract, state, call, connection)
        } else {
            covered = nil
            let on = contract.key.map { "s.\(Quote.name($0)) = n.\(Quote.name($0))" }
            let more = contract.laterColumns.map {
                "(s.\(Quote.name($0.name)) IS NULL AND n.\(Quote.name($0.name)) IS NOT NULL)"
            }
            known = try PreparedStatement(
                """
                SELECT n._row, s.rowid, CAST(\(more.isEmpty ? "false" : more.joined(separator: " OR ")) AS BIGINT)
                FROM \(call) AS n JOIN \(state) AS s ON \(on.joined(separator: " AND "))
                """, connection)
        }
    }

    /// All rows of the lake, in its order.
    private static func load(_ source: FeaturePlan.Source, into state: String, _ connection: Connection) throws {
        let columns = source.contract.columns.map { "\(Quote.name($0.name)) \(DeltaTypes.duck($0.type))" }
        try connection.execute("CREATE TABLE \(state) (\(columns.joined(separator: ", ")), _file VARCHAR, _row BIGINT)")
        if source.files.isEmpty { return }
        try connection.execute("INSERT INTO \(state) BY NAME SELECT * FROM \(Quote.parquet(source.files))")
    }

    /// A source without a key cannot tell a row that comes again: what the lake reaches up to, it knows.
    private static func covered(
        _ contract: Contract, _ state: String, _ call: String, _ connection: Connection
    ) throws -> PreparedStatement? {
        guard let event = contract.eventTime.map({ Quote.name($0) }),
            let newest = try connection.value("SELECT CAST(max(\(event)) AS VARCHAR) FROM \(state)")
        else { return nil }
        return try PreparedStatement("SELECT _row FROM \(call) WHERE \(event) <= \(Quote.text(newest))", connection)
    }

    // MARK: In

    /// Reads raw rows; without faults they are this request's rows.
    /// - Parameter place: the rows' place in the request as a JSON path.
    func look(at rows: [[String: JSONValue]], place: String, _ verdict: inout RowVerdict) throws {
        let names = source.contract.columns.map(\.name)
        for (index, row) in rows.enumerated() {
            for (name, value) in row {
                switch value {
                case .list, .object:
                    verdict.faults.append(
                        RowFault(path: "\(place)[\(index)].\(name)", rule: "one value", value: nil))
                default:
                    if !names.contains(name), !name.hasPrefix("_") {
                        verdict.warnings.append(
                            RowFault(path: "\(place)[\(index)].\(name)", rule: "unknown column", value: nil))
                    }
                }
            }
            for column in source.contract.columns where !column.optional && row[column.name] == nil {
                verdict.faults.append(
                    RowFault(path: "\(place)[\(index)].\(column.name)", rule: "required", value: nil))
            }
        }
        guard verdict.faults.isEmpty else { return }
        handed.put(
            KeptRows(texts: names.indices.map { "c\($0)" }, rows.map { row in names.map { row[$0]?.cell } }), as: raw)
        let typed = try check.query().kept()
        handed.put(nil, as: raw)
        let numbers = typed.integers(names.count + 1)
        for (offset, rule) in rules.enumerated() {
            for (place_, isBroken) in typed.integers(names.count + 2 + offset).enumerated() where isBroken != 0 {
                let row = rows[Int(numbers[place_])]
                // What a source may leave out may be left out.
                if rule.name == "not null", rule.column.optional, row[rule.column.name] == nil { continue }
                let fault = RowFault(
                    path: "\(place)[\(numbers[place_])].\(rule.column.name)", rule: rule.name,
                    value: row[rule.column.name]?.cell)
                if rule.isWarning { verdict.warnings.append(fault) } else { verdict.faults.append(fault) }
            }
        }
        handed.put(typed, as: callName)
        try dropRepeated(rows.count)
        try compare(rows.count, &verdict)
    }

    /// Of several rows under one key in a request, the last counts.
    private func dropRepeated(_ count: Int) throws {
        guard count > 1, !source.contract.key.isEmpty else { return }
        let key = source.contract.key.map { Quote.name($0) }.joined(separator: ", ")
        handed.put(
            try connection.query(
                """
                SELECT * FROM \(call) QUALIFY row_number() OVER (PARTITION BY \(key) ORDER BY _row DESC) = 1
                ORDER BY _row
                """
            ).kept(), as: callName)
    }

    /// What of the request's rows the state does not hold. Until they are kept, all of them lie over the state.
    private func compare(_ count: Int, _ verdict: inout RowVerdict) throws {
        hidden = []
        tellingRows = []
        var old: Set<Int64> = []
        if let known {
            for case let (number, row, tells) in try known.query().integers({ ($0[0], $0[1], $0[2]) }) {
                old.insert(number)
                hidden.append(row)
                if tells != 0 { tellingRows.append(number) }
            }
        } else if let covered {
            old = Set(try covered.query().integers { $0[0] })
        }
        let numbers = try connection.query("SELECT _row FROM \(call)").integers { $0[0] }
        newRows = numbers.filter { !old.contains($0) }
        let news = (newRows + tellingRows).sorted().map { Int($0) }
        if !news.isEmpty { verdict.news[source.contract.source] = news }
        handed.put(
            known == nil
                ? try connection.query("SELECT * FROM \(call) WHERE _row IN (\(Self.list(newRows)))").kept()
                : try connection.query("SELECT * FROM \(call)").kept(), as: overlayName)
    }

    /// Makes what is new in the request's rows part of the state.
    func keep() throws {
        if !newRows.isEmpty {
            try connection.execute("INSERT INTO \(state) SELECT * FROM \(call) WHERE _row IN (\(Self.list(newRows)))")
            // They are seen in the state from now on.
            handed.put(
                try connection.query("SELECT * FROM \(call) WHERE _row NOT IN (\(Self.list(newRows)))").kept(),
                as: overlayName)
        }
        if !tellingRows.isEmpty {
            let later = source.contract.laterColumns.map { Quote.name($0.name) }
            let on = source.contract.key.map { "s.\(Quote.name($0)) = n.\(Quote.name($0))" }
            try connection.execute(
                """
                UPDATE \(state) AS s SET \(later.map { "\($0) = coalesce(s.\($0), n.\($0))" }.joined(separator: ", "))
                FROM (SELECT * FROM \(call) WHERE _row IN (\(Self.list(tellingRows)))) AS n
                WHERE \(on.joined(separator: " AND "))
                """)
        }
        newRows = []
        tellingRows = []
    }

    /// Forgets the request's rows.
    func clear() {
        handed.put(nil, as: callName)
        handed.put(nil, as: overlayName)
        hidden = []
        newRows = []
        tellingRows = []
    }

    private static func list(_ numbers: [Int64]) -> String {
        numbers.isEmpty ? "-1" : numbers.map(String.init).joined(separator: ", ")
    }

    // MARK: Out

    /// The SELECT of the rows that a record sees.
    /// - Parameter values: what the record's row says in the columns that rows are chosen by.
    func rows(before moment: String, of values: [String: String], isRestricted: Bool) -> String {
        let contract = source.contract
        var conditions: [String] = []
        if let event = contract.eventTime {
            let column = contract.columns.first { $0.name == event }
            let cell = Quote.name(event)
            // Rows of later moments go sooner; `knownThen` says the rest.
            conditions.append("\(cell) <= \(Quote.text(moment))")
            if isRestricted, let lookback = source.lookback, let type = column?.type,
                type == .timestamp || type == .date
            {
                conditions.append(
                    "\(cell) >= CAST(TIMESTAMP \(Quote.text(moment)) - INTERVAL \(lookback) SECONDS AS \(DeltaTypes.duck(type)))"
                )
            }
        }
        var seen = conditions
        if !hidden.isEmpty { conditions.append("rowid NOT IN (\(Self.list(hidden)))") }
        if isRestricted, !source.same.isEmpty {
            let any = source.same.map { name in
                values[name].map { "\(Quote.name(name)) = \(Quote.text($0))" } ?? "\(Quote.name(name)) IS NULL"
            }
            conditions.append("(\(any.joined(separator: " OR ")))")
            seen.append("(\(any.joined(separator: " OR ")))")
        }
        func filtered(_ table: String, _ conditions: [String]) -> String {
            "SELECT * FROM \(table)" + (conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND "))
        }
        return contract.knownThen(
            moment, in: "(\(filtered(state, conditions)) UNION ALL \(filtered(overlay, seen)))")
    }
}

extension JSONValue {
    /// The value as a cell of a file; `nil` for null.
    fileprivate var cell: String? {
        switch self {
        case .null, .list, .object: nil
        case .flag(let value): value ? "true" : "false"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): value
        }
    }
}
