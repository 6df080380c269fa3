internal import Core
internal import DuckDB
internal import Lakehouse
internal import SourceFormats

/// A bronze table in memory: rows in DuckDB's vectors, with an index to find and select them.
///
/// Rows of the request at hand lie apart. Those of them that stand in place of, or beside, the rows of the state for this
/// request only are the overlay.
final class SourceState {
    let source: FeaturePlan.Source
    let handed: TableFunctionRows
    let connection: Connection
    /// All that is known, in the lake's order, then as it came.
    let store: RowStore
    private(set) var index: RowIndex
    /// The request's rows.
    private(set) var call: (rows: RetainedRows, index: RowIndex)?
    /// Those that count for this request beside the state.
    private(set) var overlay: [Int] = []
    /// Rows of the state that the overlay stands for.
    private(set) var hidden: Set<Int> = []
    /// Of the overlay's rows, the row of the state that each stands for.
    private(set) var twins: [Int: Int] = [:]
    /// Columns that are known later than their row.
    let later: [Int]
    /// Rows by the value in each column that rows are chosen by, and by their keys.
    private(set) var places: [[Int64: [Int32]]]
    private var known: [RowIndex.Key: Int32] = [:]
    /// Of the record's source: the row of each record.
    private var records: [ByteText: Int32] = [:]
    let width: Int
    private let raw: String
    private let sql: ContractSQL
    private let rules: [ContractSQL.Rule]
    private let check: PreparedStatement
    /// A source without a key cannot tell a row that comes again: what the lake reaches up to, it knows.
    private let newest: Int64?
    private var newRows: [Int] = []
    private var tellingRows: [(row: Int, place: Int)] = []

    init(
        _ source: FeaturePlan.Source, _ plan: IndexPlan, _ connection: Connection, _ handed: TableFunctionRows,
        _ engine: DuckDBLakeEngine
    ) throws {
        self.source = source
        self.connection = connection
        self.handed = handed
        let contract = source.contract
        let name = contract.source
        raw = "raw \(name)"
        let table = "state.\(Quote.name(name))"
        try Self.make(table, contract, connection)
        let like = try connection.query("SELECT * FROM \(table) LIMIT 0").kept()
        width = like.names.count
        store = RowStore(like: like, columns: width)
        places = plan.same.map { _ in [:] }
        let laterNames = Set(contract.laterColumns.map(\.name))
        later = contract.columns.indices.filter { laterNames.contains(contract.columns[$0].name) }

        // In the state's own types, and with the numbers of the request's rows as `_row`.
        let present = contract.columns.enumerated().map { (column: $1, raw: "c\($0)") }
        sql = ContractSQL(contract: contract, present: present, absent: [])
        rules = sql.layeredRules
        var format = source.format
        // Empty texts are missing, as they are in files.
        format.kind = "parquet"
        handed.declare(raw, like: RetainedRows(texts: present.map(\.raw), []))
        handed.declare(name, like: like)
        handed.declare("all \(name)", like: like)
        let layers = sql.layers(over: "SELECT * FROM _martlet_rows(\(Quote.text(raw)))") {
            engine.cleaned($0, $1.missing, format)
        }
        let typed = contract.columns.enumerated().map { "t\($0) AS \(Quote.name($1.name))" }
        let broken = rules.map { "CAST(coalesce(\($0.breach), false) AS BIGINT)" }
        let cells = typed + ["'(raw)' AS _file", "n AS _row"] + broken.indices.map { "b\($0)" }
        check = try PreparedStatement(
            """
            SELECT \((["*"] + plan.projection).joined(separator: ", ")) FROM (
              SELECT \(cells.joined(separator: ", "))
              FROM (SELECT *, \((sql.layeredProjection + broken.enumerated().map { "\($1) AS b\($0)" }).joined(separator: ", "))
                FROM (\(layers))))
            """, connection)
        let all = try connection.query(
            "SELECT \((["*"] + plan.projection).joined(separator: ", ")) FROM (\(Self.lake(source, table)))"
        ).kept()
        store.append(all, 0..<all.count)
        let loaded = RowIndex(plan, all, from: width)
        newest =
            contract.key.isEmpty
            ? contract.eventTime.flatMap { loaded.moment($0) }.flatMap { event in
                loaded.moments[event].filter { $0 != .max }.max()
            } : nil
        index = loaded
        try connection.execute("DROP TABLE \(table)")
        for place in 0..<index.count { enter(place) }
    }

    /// An empty table with the columns that the contract says.
    private static func make(_ table: String, _ contract: Contract, _ connection: Connection) throws {
        let columns = contract.columns.map { "\(Quote.name($0.name)) \(DeltaTypes.duck($0.type))" }
        try connection.execute("CREATE TABLE \(table) (\(columns.joined(separator: ", ")), _file VARCHAR, _row BIGINT)")
    }

    /// All rows of the lake, in its order.
    private static func lake(_ source: FeaturePlan.Source, _ table: String) -> String {
        if source.files.isEmpty { return "SELECT * FROM \(table)" }
        return "SELECT * FROM \(table) UNION ALL BY NAME SELECT * FROM \(Quote.parquet(source.files))"
    }

    /// Makes a row of the state one that is found.
    private func enter(_ place: Int) {
        for column in index.same.indices { places[column][index.same[column][place], default: []].append(Int32(place)) }
        if index.plan.hasKey, index.keys[place].first >= 0 { known[index.keys[place]] = Int32(place) }
        if index.plan.record != nil, let key = index.texts[place].key.map(ByteText.init), records[key] == nil {
            records[key] = Int32(place)
        }
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
            RetainedRows(texts: names.indices.map { "c\($0)" }, rows.map { row in names.map { row[$0]?.cell } }),
            as: raw)
        let typed = try check.query().kept()
        handed.put(nil, as: raw)
        let numbers = typed.integers(names.count + 1)
        for (offset, rule) in rules.enumerated() {
            for (place_, isBroken) in typed.integers(width + offset).enumerated() where isBroken != 0 {
                let row = rows[Int(numbers[place_])]
                // What a source may leave out may be left out.
                if rule.name == "not null", rule.column.optional, row[rule.column.name] == nil { continue }
                let fault = RowFault(
                    path: "\(place)[\(numbers[place_])].\(rule.column.name)", rule: rule.name,
                    value: row[rule.column.name]?.cell)
                if rule.isWarning { verdict.warnings.append(fault) } else { verdict.faults.append(fault) }
            }
        }
        call = (typed, RowIndex(index.plan, typed, from: width + rules.count))
        compare(&verdict)
    }

    /// What of the request's rows the state does not hold. Until they are kept, all of them lie over the state.
    private func compare(_ verdict: inout RowVerdict) {
        guard var call else { return }
        newRows = []
        tellingRows = []
        hidden = []
        overlay = []
        twins = [:]
        if index.plan.hasKey {
            // Of several rows under one key in a request, the last counts.
            var last: [RowIndex.Key: Int] = [:]
            for (row, key) in call.index.keys.enumerated() where key.first >= 0 {
                if last.updateValue(row, forKey: key) != nil { verdict.hasRepeatedKeys = true }
            }
            for (row, key) in call.index.keys.enumerated() where key.first < 0 || last[key] == row {
                overlay.append(row)
                guard key.first >= 0, let place = known[key].map({ Int($0) }) else {
                    newRows.append(row)
                    continue
                }
                hidden.insert(place)
                twins[row] = place
                // What is known is not taken back by a row that leaves it out.
                for moment in index.moments.indices where call.index.moments[moment][row] == .max {
                    call.index.set(moment: moment, row, to: index.moments[moment][place])
                }
                if later.contains(where: { store.isNull($0, place) && !call.rows.isNull($0, row) }) {
                    tellingRows.append((row, place))
                }
            }
        } else {
            let event = source.contract.eventTime.flatMap { index.moment($0) }
            newRows = (0..<call.rows.count).filter { row in
                guard let newest, let event else { return true }
                return call.index.moments[event][row] > newest
            }
            overlay = newRows
        }
        self.call = call
        let numbers = call.rows.integers(width - 1)
        let news = (newRows + tellingRows.map(\.row)).map { Int(numbers[$0]) }.sorted()
        if !news.isEmpty { verdict.news[source.contract.source] = news }
    }

    /// Makes what is new in the request's rows part of the state.
    func keep() {
        guard let call else { return }
        store.append(call.rows, newRows)
        for row in newRows {
            index.append(call.index, row)
            enter(index.count - 1)
        }
        // They are seen in the state from now on.
        overlay.removeAll { newRows.contains($0) }
        for (row, place) in tellingRows {
            for column in later where store.isNull(column, place) && !call.rows.isNull(column, row) {
                store.set(column, place, to: call.rows, row)
                guard let moment = index.moment(source.contract.columns[column].name) else { continue }
                index.set(moment: moment, place, to: call.index.moments[moment][row])
            }
        }
        newRows = []
        tellingRows = []
    }

    /// Forgets the request's rows.
    func clear() {
        call = nil
        overlay = []
        hidden = []
        twins = [:]
        newRows = []
        tellingRows = []
    }

    // MARK: Records

    /// The keys of the request's rows.
    var calledKeys: [String] { call?.index.texts.compactMap(\.key) ?? [] }

    /// Where a record's row is: among the request's, which come first, or in the state.
    func record(_ key: String) -> (index: RowIndex, place: Int)? {
        if let call, let row = overlay.first(where: { call.index.texts[$0].key?.isSameBytes(as: key) ?? false }) {
            return (call.index, row)
        }
        return records[ByteText(key)].map { (index, Int($0)) }
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
