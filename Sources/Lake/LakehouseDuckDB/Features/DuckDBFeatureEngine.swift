internal import Core
internal import DuckDB
package import Lakehouse
internal import SQLLineage

/// The `FeatureEngine` on DuckDB: computes single feature rows by the project's own SQL.
///
/// ```swift
/// let engine = try DuckDBFeatureEngine(plan, memoryLimit: "1GB", spillFolder: spill, pause: context.clock.block)
/// let proof = try engine.prove(records: 200)
/// let row = try engine.features(of: "v-17")
/// ```
///
/// The bronze tables lie in memory. For each record the rows that matter, cut to what was known at its
/// moment, are handed to the project's own SELECTs, which are views over them; the statement that asks the model's
/// table for one key is planned once.
package final class DuckDBFeatureEngine: FeatureEngine {
    let plan: FeaturePlan
    let engine: DuckDBLakeEngine
    let connection: Connection
    let handed: TableFunctionRows
    var sources: [String: SourceState] = [:]
    /// Names and Delta types of the table's columns.
    package private(set) var columns: [DeltaField] = []
    private let one: PreparedStatement
    /// A key as the record's source spells it.
    private let spelled: PreparedStatement
    private let record: SourceState
    private let eventType: ColumnType
    /// For each mark of a record's row by which others are chosen, the source of these.
    private let choosing: [String]
    var isRestricted = true

    /// Loads the bronze tables and plans the SELECTs.
    /// - Throws: what is wrong with SQL, contracts or files, as for a run.
    package init(
        _ plan: FeaturePlan, memoryLimit: String, spillFolder: String, pause: @escaping (Double) -> Void
    ) throws {
        self.plan = plan
        engine = try DuckDBLakeEngine(threads: 1, memoryLimit: memoryLimit, spillFolder: spillFolder, pause: pause)
        connection = engine.connection
        do {
            // A plan that is kept must not rest on the rows of the moment at which it was made: DuckDB 1.5 would let
            // statistics of tables into prepared statements (duckdb#23704, duckdb#24182).
            try connection.execute(
                """
                SET disabled_optimizers = 'statistics_propagation,compressed_materialization';
                CREATE SCHEMA state
                """)
            handed = try TableFunctionRows.register(with: connection)
            let chosen = plan.sources.flatMap { source in
                source.same.map { name in
                    (
                        source: source.contract.source, column: name,
                        type: source.contract.columns.first { $0.name == name }.map { DeltaTypes.duck($0.type) }
                            ?? "VARCHAR"
                    )
                }
            }
            choosing = chosen.map(\.source)
            for source in plan.sources {
                let isRecord = source.contract.source == plan.record
                let index = IndexPlan(
                    source.contract, same: source.same,
                    record: isRecord ? (key: plan.key, chosen: chosen.map { ($0.column, $0.type) }) : nil)
                sources[source.contract.source] = try SourceState(source, index, connection, handed, engine)
            }
            guard let record = sources[plan.record], record.index.plan.record != nil else {
                throw Self.unknown(plan.record)
            }
            self.record = record
            let contract = record.source.contract
            func type(_ name: String) -> ColumnType { contract.columns.first { $0.name == name }?.type ?? .text }
            eventType = type(contract.eventTime ?? "")
            let key = Quote.name(plan.key)
            spelled = try PreparedStatement(
                "SELECT CAST(TRY_CAST($1 AS \(DeltaTypes.duck(type(plan.key)))) AS VARCHAR)", connection)
            try Self.makeViews(plan, engine)
            let table = Self.name(plan.table)
            columns = try engine.fields(of: "SELECT * FROM \(table)")
            // Few rows on each side, and a side may have none, which DuckDB 1.5's sorting ASOF join does not survive in
            // a plan that is used again.
            try connection.execute("SET asof_loop_join_threshold = 1000000000")
            one = try PreparedStatement(
                "SELECT \(Self.cells(columns)) FROM \(table) WHERE \(key) = $1", connection)
            try connection.execute("RESET asof_loop_join_threshold")
        } catch let error as DuckDBError { throw Self.explain(error, engine) }
    }

    private static func makeViews(_ plan: FeaturePlan, _ engine: DuckDBLakeEngine) throws {
        for source in plan.sources {
            let name = source.contract.source
            try engine.connection.execute(
                "CREATE VIEW bronze.\(Quote.name(name)) AS SELECT * FROM _martlet_rows(\(Quote.text(name)))")
        }
        let readInOrder = Set(plan.transforms.filter(\.analysis.orderSensitive).flatMap(\.analysis.tables))
        for item in plan.transforms {
            var query = item.transform.query(over: [:], inRowOrder: false)
            if !readInOrder.contains(item.transform.table) { query.orderedBy = nil }
            try engine.explained(query) {
                let (fields, select) = try engine.projection(query)
                // As the table is kept.
                let sorted = query.orderedBy.map { engine.order(fields, by: $0) } ?? ""
                try engine.connection.execute("CREATE VIEW \(name(item.transform.table)) AS \(select) \(sorted)")
            }
        }
    }

    static func name(_ table: TableName) -> String { "\(table.layer.rawValue).\(Quote.name(table.name))" }

    private static func unknown(_ source: String) -> MartletError {
        MartletError(.input, "process.record", "The model's table is not made from the source \(source).")
    }

    static func explain(_ error: DuckDBError, _ engine: DuckDBLakeEngine) -> MartletError {
        engine.explain(error, Query(""))
    }

    // MARK: Rows as values

    /// The columns in the three types that cross over.
    static func cells(_ columns: [DeltaField]) -> String {
        columns.map { "CAST(\(Quote.name($0.name)) AS \(carrier($0.type)))" }.joined(separator: ", ")
    }

    private static func carrier(_ type: String) -> String {
        switch type {
        case "double", "float": "DOUBLE"
        case "long", "integer", "short", "byte": "BIGINT"
        default: "VARCHAR"
        }
    }

    func rows(_ result: QueryResult) throws -> [[FeatureValue]] {
        let columns = try result.columns()
        return (0..<(columns.first?.count ?? 0)).map { row in
            zip(columns, self.columns).map { column, field in
                switch column {
                case .doubles(let values): values[row].isNaN ? .null : .number(values[row])
                case .integers(let values, let valid): valid[row] ? .integer(values[row]) : .null
                case .texts(let codes, let levels):
                    if codes[row] < 0 {
                        .null
                    } else if field.type == "boolean" {
                        .flag(levels[Int(codes[row])] == "true")
                    } else {
                        .text(levels[Int(codes[row])])
                    }
                }
            }
        }
    }

    // MARK: One record

    /// Returns the keys of the records among the rows checked last.
    package func keys() throws -> [String] {
        var seen: Set<String> = []
        return record.calledKeys.filter { seen.insert($0).inserted }
    }

    /// Computes the feature row of a record; `nil` when no source has the record.
    package func features(of key: String) throws -> FeatureRow? {
        try features(of: key, isRestricted: isRestricted)
    }

    func features(of key: String, isRestricted: Bool) throws -> FeatureRow? {
        do { return try computed(key, isRestricted) } catch let error as DuckDBError {
            throw Self.explain(error, engine)
        }
    }

    private func all(_ key: String) -> String {
        "SELECT \(Self.cells(columns)) FROM \(Self.name(plan.table)) WHERE \(Quote.name(plan.key)) = \(Quote.text(key))"
    }

    private func computed(_ key: String, _ isRestricted: Bool) throws -> FeatureRow? {
        var found = record.record(key)
        if found == nil, let spelling = try spelled.query(key).texts().first?[0], spelling != key {
            found = record.record(spelling)
        }
        guard let (index, place) = found else { return nil }
        guard let event = index.plan.record.flatMap({ index.moment($0.event) }), let moment = index.texts[place].moment
        else {
            throw MartletError(
                .input, "process.no-moment", "The record \(key) has no event time, so nothing is known of its moment.",
                remedy: "Give its row the contract's event_time.")
        }
        let view = RecordView(
            moment: moment, time: index.moments[event][place], eventType: eventType,
            chosen: Dictionary(zip(choosing, index.chosen).map { ($0, [$1[place]]) }) { $0 + $1 })
        for source in sources.values { try source.hand(to: view, isRestricted: isRestricted) }
        defer { for name in sources.keys { handed.put(nil, as: name) } }
        // Over all rows another plan is right than over few.
        let rows = try rows(isRestricted ? one.query(key) : connection.query(all(key)))
        guard rows.count <= 1 else {
            throw MartletError(
                .input, "process.repeated-key", "\(plan.table) has \(rows.count) rows for the record \(key).",
                remedy: "The SQL must give one row a key.")
        }
        return FeatureRow(key: key, moment: moment, values: rows.first)
    }
}
