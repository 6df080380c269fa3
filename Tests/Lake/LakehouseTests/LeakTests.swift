import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import Testing

@Suite struct LeakTests {
    /// The laboratory's contracts, as LAB.md describes the logs.
    static let contracts: [Contract] = [
        source(
            "workflow_logs", key: ["experiment_id"], event: "submitted_ts",
            "experiment_id bigint, submitted_ts timestamp, experiment_type text, priority text, scientist_id text, experience text, instrument_id text, n_steps integer, planned_start_ts timestamp, planned_duration_min double, reagent_id text, required_units integer, actual_end_ts timestamp, delay_min double @actual_end_ts, delayed boolean @actual_end_ts"
        ),
        source(
            "queue_logs", key: ["queue_event_id"], event: "enqueue_ts",
            "queue_event_id bigint, experiment_id bigint, instrument_id text, enqueue_ts timestamp, queue_length_at_enqueue integer, backlog_min_at_enqueue double, lab_active_jobs_at_enqueue integer, priority text, dequeue_ts timestamp, wait_min double @dequeue_ts"
        ),
        source(
            "instrument_telemetry", key: ["ts", "instrument_id"], event: "ts",
            "ts timestamp, instrument_id text, vibration_mm_s double, temperature_c double, pressure_bar double, error_count integer, days_since_calibration double"
        ),
        source(
            "reagent_logs", key: [], event: "ts",
            "ts timestamp, reagent_id text, lot_id text, event_type text, quantity_units double, stock_after_units double, lot_expiry_ts timestamp, lot_qc_status text, expected_delivery_ts timestamp, storage_excursion_48h boolean"
        ),
    ]

    static func source(_ name: String, key: [String], event: String?, _ columns: String) -> Contract {
        var contract = Contract(
            source: name, file: "contracts/\(name).yaml",
            columns: columns.split(separator: ", ").map { text in
                let parts = text.split(separator: " ", maxSplits: 2)
                var column = Contract.Column(name: String(parts[0]), type: ColumnType(String(parts[1])) ?? .text)
                if parts.count > 2 { column.availableAt = String(parts[2].dropFirst()) }
                return column
            })
        contract.key = key
        contract.eventTime = event
        return contract
    }

    static func leaks(_ example: LeakCase) throws -> [Leak] {
        let engine = try Sandbox().engine
        let tables =
            example.silver.map { (TableName(.silver, $0.key), $0.value) }
            + [(TableName(.gold, "experiments"), example.gold)]
        let planned = try tables.map { table, sql in
            let file = "/p/transforms/\(table.layer.rawValue)/\(table.name).sql"
            return PlannedTransform(
                transform: Transform(table: table, file: file, sql: sql),
                analysis: try engine.parse(sql, file: file).analysis())
        }
        let lineage = try ProjectLineage(
            sources: contracts.map(\.schema),
            queries: try TransformPlan.order(planned, sources: Set(contracts.map(\.source)))
                .map(\.transform.lineageQuery), parser: engine)
        let model = LeakCheck.Model(
            name: "delay-risk", table: TableName(.gold, "experiments"), target: "delayed", eventTime: "submitted_ts",
            others: ["experiment_id", "delayed", "submitted_ts", "outcome_min"], include: nil)
        return LeakCheck(lineage, model)?.leaks() ?? []
    }

    @Test(arguments: LeakCase.leaks + LeakCase.nullLeaks + LeakCase.timeLeaks)
    func `refuses a feature that knows what is not known yet`(_ example: LeakCase)
        throws
    {
        let leaks = try Self.leaks(example)
        let told = leaks.map { "[\($0.code.rawValue)] \($0.sentence(in: "/p"))" }.joined(separator: "\n")
        #expect(leaks.contains { $0.code.rawValue == example.code }, "\(told)")
        for part in example.path { #expect(told.contains(part), "\(told)") }
    }

    @Test(arguments: LeakCase.fine + LeakCase.nullFine + LeakCase.timeFine)
    func `lets a feature pass that keeps to what is known`(_ example: LeakCase) throws {
        let leaks = try Self.leaks(example)
        #expect(
            leaks.isEmpty, "\(leaks.map { "[\($0.code.rawValue)] \($0.sentence(in: "/p"))" }.joined(separator: "\n"))")
    }

    /// Statements of all kinds over tables that all look alike.
    @Test(arguments: AnalysisTests.cases.map(\.sql) + unusual)
    func `follows any SELECT, or refuses it by name`(_ sql: String) throws {
        let engine = try Sandbox().engine
        let symbols = SymbolSource()
        let source = Self.source(
            "any", key: ["id"], event: "ts",
            "id bigint, ts timestamp, x double, y double @until, z text, k text, kind text, n integer, until timestamp")
        do {
            let relation = try engine.parse(sql, file: "x.sql").lineage(symbols: symbols) { _ in
                Relation.rows(of: source.schema, symbols)
            }
            #expect(!relation.columns.isEmpty || relation.rest != nil)
        } catch let error as MartletError { #expect(error.code.hasPrefix("lineage."), "\(error)") }
    }

    /// DuckDB would refuse most of these when they are run; reading them must not fail in any other way.
    @Test(arguments: LeakCase.oddPlaces) func `reads constants of any size`(_ place: String) throws {
        let engine = try Sandbox().engine
        for constant in LeakCase.oddConstants {
            let symbols = SymbolSource()
            let source = Self.source(
                "any", key: ["id"], event: "ts", "id bigint, ts timestamp, x double, k text, until timestamp")
            do {
                let sql = place.replacing("$", with: constant)
                let relation = try engine.parse(sql, file: "x.sql").lineage(symbols: symbols) { _ in
                    Relation.rows(of: source.schema, symbols)
                }
                let order = TimeOrder(
                    facts: relation.facts, instances: relation.instances, outer: relation.outer,
                    nullable: relation.nullable)
                for moment in relation.columns.compactMap(\.value.moment) {
                    #expect(order.proves(moment, notAfter: moment))
                }
            } catch is MartletError {
                // Not SQL with this constant in this place.
            }
        }
    }

    @Test func `says that a guard may be null`() throws {
        for example in LeakCase.nullLeaks where example.name.contains("ended") {
            let leaks = try Self.leaks(example)
            #expect(leaks.contains { $0.remedy.contains("actual_end_ts IS NOT NULL") }, "\(example.name): \(leaks)")
        }
    }

    static let unusual = [
        "SELECT COLUMNS(c -> c LIKE 'x%') FROM bronze.a", "SELECT * LIKE 'x%' FROM bronze.a",
        "SELECT min(COLUMNS(*)) FROM bronze.a", "SELECT struct_pack(*COLUMNS('x|y')) FROM bronze.a",
        "SELECT a, a.x, a['x'], {'b': a}.b.x FROM bronze.a AS a", "SELECT x AS y, y AS x FROM bronze.a",
        "SELECT x AS q, q + 1 AS q2, q2 * 2 AS q3 FROM bronze.a WHERE q > 1 ORDER BY q3",
        "SELECT k, sum(x) AS s, s / count(*) FROM bronze.a GROUP BY k HAVING s > 1 QUALIFY rank() OVER (ORDER BY s) < 3",
        "SELECT k, GROUPING(k), sum(x) FROM bronze.a GROUP BY ROLLUP (k, kind)",
        "SELECT sum(sum(x)) OVER (ORDER BY k) FROM bronze.a GROUP BY k",
        "SELECT unnest([x, y]) AS u, generate_series(1, n) FROM bronze.a",
        "SELECT * FROM bronze.a, unnest([x, y]) AS u(v), range(n) AS r(i)",
        "SELECT * FROM bronze.a FULL JOIN bronze.b USING (id) RIGHT JOIN bronze.c USING (id) NATURAL JOIN bronze.d",
        "SELECT (SELECT x FROM bronze.b WHERE b.id = a.id ORDER BY ts LIMIT 1) FROM bronze.a GROUP BY ALL",
        "SELECT ARRAY(SELECT x FROM bronze.b), x = ANY (SELECT y FROM bronze.b), (x, y) IN (SELECT x, y FROM bronze.b) FROM bronze.a",
        "SELECT CASE k WHEN 'a' THEN ts WHEN 'b' THEN until ELSE least(ts, until) END FROM bronze.a",
        "SELECT x FROM bronze.a INTERSECT ALL SELECT x FROM bronze.b EXCEPT SELECT x FROM bronze.c LIMIT 3 OFFSET 1",
        "SELECT x FROM bronze.a UNION BY NAME SELECT y FROM bronze.b UNION ALL BY NAME SELECT z FROM bronze.c",
        "SELECT DISTINCT ON (k, kind) * FROM bronze.a ORDER BY k, kind DESC, ts DESC LIMIT 10%",
        "WITH RECURSIVE t(i, ts) AS (SELECT id, ts FROM bronze.a UNION ALL SELECT i + 1, t.ts FROM t, bronze.b WHERE i < 5) SELECT * FROM t, t AS u",
        "SELECT first_value(x ORDER BY y) OVER (PARTITION BY k ORDER BY ts GROUPS BETWEEN 2 PRECEDING AND n FOLLOWING EXCLUDE TIES) FROM bronze.a",
        "SELECT list_reduce(list(x ORDER BY ts DESC), lambda p, q: p + q + n) FROM bronze.a GROUP BY n",
        "SELECT [v + x for v in [1, 2] if v > n], MAP {'a': x}['a'], z[1:2], z ->> '$.a' FROM bronze.a",
        "SELECT * FROM (PIVOT bronze.a ON kind IN ('p', 'q'), k IN ('r') USING sum(n) AS s, max(ts) GROUP BY id)",
        "SELECT * FROM (UNPIVOT bronze.a ON COLUMNS(* EXCLUDE (id, ts, z, k, kind, until)) INTO NAME m VALUE v)",
        "SELECT TRY(x / 0), x BETWEEN 1 AND 2, NOT x IS DISTINCT FROM y, x COLLATE nocase, ts AT TIME ZONE 'UTC' FROM bronze.a",
        "SELECT ts - ts, ts + (until - ts), epoch(ts) * 60 / 3600 - 5, date_diff('month', ts, until) > 1 OR NOT (ts < until AND x > 1) FROM bronze.a",
        "SELECT " + String(repeating: "(", count: 90) + "x" + String(repeating: ")", count: 90) + " FROM bronze.a",
        "SELECT x" + String(repeating: " + x", count: 150) + " FROM bronze.a",
    ]
}
