internal import Core
internal import DuckDB
internal import Lakehouse
internal import SQLLineage

/// The integers by which rows of a source are found and selected, computed by the SQL beside the columns.
///
/// Moments, hashes of keys and of the columns that rows are selected by; of the record's source, also each row's own
/// moment and key.
struct IndexPlan {
    /// Columns that hold a moment: the event, and what says since when something is known.
    let moments: [String]
    let same: [String]
    let hasKey: Bool
    /// Of the record's source: the column that names a record, and the columns, as other sources type them, that rows of
    /// these are chosen by.
    let record: (key: String, event: String, chosen: [(column: String, type: String)])?
    private let key: [String]

    /// Whether times of these types can be compared as numbers.
    static func areAlike(_ one: ColumnType, _ other: ColumnType) -> Bool {
        func isTime(_ type: ColumnType) -> Bool { type == .timestamp || type == .date }
        return isTime(one) == isTime(other)
    }

    init(_ contract: Contract, same: [String], record: (key: String, chosen: [(column: String, type: String)])?) {
        var moments: [String] = []
        let later = contract.columns.compactMap { column -> String? in
            if case .at(let name)? = column.availability { return name }
            return nil
        }
        for name in [contract.eventTime, contract.availableAt].compactMap(\.self) + later where !moments.contains(name)
        {
            moments.append(name)
        }
        self.moments = moments
        self.same = same
        key = contract.key
        hasKey = !key.isEmpty
        self.record = record.flatMap { record in
            contract.eventTime.map { (key: record.key, event: $0, chosen: record.chosen) }
        }
        types = Dictionary(contract.columns.map { ($0.name, $0.type) }) { first, _ in first }
    }

    private let types: [String: ColumnType]

    /// The expressions, in the order in which ``RowIndex`` reads them.
    var projection: [String] {
        func hash(_ cell: String) -> String { "CAST(hash(CAST(\(cell) AS VARCHAR)) >> 1 AS BIGINT)" }
        var list = moments.map { name -> String in
            let cell = Quote.name(name)
            guard types[name] == .timestamp || types[name] == .date else {
                return "coalesce(CAST(\(cell) AS BIGINT), \(Int64.max))"
            }
            return """
                CASE WHEN isfinite(\(cell)) THEN epoch_us(CAST(\(cell) AS TIMESTAMP)) \
                WHEN \(cell) < '0001-01-01' THEN \(Int64.min) + 1 ELSE \(Int64.max) END
                """
        }
        list += same.map { hash(Quote.name($0)) }
        if hasKey {
            let cells = key.map { Quote.name($0) }
            let isNull = cells.map { "\($0) IS NULL" }.joined(separator: " OR ")
            for salt in ["'first'", "'second'"] {
                list.append(
                    "CASE WHEN \(isNull) THEN -1 ELSE CAST(hash(\(salt), \(cells.joined(separator: ", "))) >> 1 AS BIGINT) END"
                )
            }
        }
        if let record {
            list += record.chosen.map { hash("TRY_CAST(\(Quote.name($0.column)) AS \($0.type))") }
            list += [record.event, record.key].map { "CAST(\(Quote.name($0)) AS VARCHAR)" }
        }
        return list
    }
}

/// The index values of rows, in the order of the rows.
struct RowIndex {
    /// A key as two hashes, 126 bits together. A row without a key has none.
    struct Key: Hashable {
        let first: Int64
        let second: Int64
    }

    let plan: IndexPlan
    /// Microseconds, or numbers that rise with time; what is missing is later than all.
    private(set) var moments: [[Int64]]
    private(set) var same: [[Int64]]
    private(set) var keys: [Key] = []
    private(set) var chosen: [[Int64]]
    private(set) var texts: [(moment: String?, key: String?)] = []
    private(set) var count = 0

    init(_ plan: IndexPlan) {
        self.plan = plan
        moments = plan.moments.map { _ in [] }
        same = plan.same.map { _ in [] }
        chosen = (plan.record?.chosen ?? []).map { _ in [] }
    }

    /// The marks of rows that have theirs from column `start` on.
    init(_ plan: IndexPlan, _ rows: RetainedRows, from start: Int) {
        self.init(plan)
        var next = start
        func numbers() -> [Int64] {
            defer { next += 1 }
            return rows.integers(next)
        }
        for place in moments.indices { moments[place] = numbers() }
        for place in same.indices { same[place] = numbers() }
        if plan.hasKey {
            let first = numbers()
            keys = zip(first, numbers()).map { Key(first: $0, second: $1) }
        }
        for place in chosen.indices { chosen[place] = numbers() }
        if plan.record != nil { texts = zip(rows.texts(next), rows.texts(next + 1)).map { ($0, $1) } }
        count = rows.count
    }

    mutating func append(_ other: RowIndex, _ place: Int) {
        for column in moments.indices { moments[column].append(other.moments[column][place]) }
        for column in same.indices { same[column].append(other.same[column][place]) }
        if plan.hasKey { keys.append(other.keys[place]) }
        for column in chosen.indices { chosen[column].append(other.chosen[column][place]) }
        if plan.record != nil { texts.append(other.texts[place]) }
        count += 1
    }

    /// A moment that became known.
    mutating func set(moment column: Int, _ place: Int, to value: Int64) { moments[column][place] = value }

    func moment(_ name: String) -> Int? { plan.moments.firstIndex(of: name) }
}
