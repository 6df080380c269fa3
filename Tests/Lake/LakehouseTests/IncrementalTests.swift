import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import Testing

/// A table built in part must be, row for row, what building it whole gives.
@Suite struct IncrementalTests {
    /// Readings with a moment, an entity and a whole number.
    private static func readings(latestWins: Bool = false) -> Contract {
        var readings = contract(
            column("id", .bigint), column("ts", .timestamp) { $0.nullable = false }, column("who", .text),
            column("v", .bigint), key: latestWins ? ["id"] : [])
        readings.eventTime = "ts"
        if latestWins { readings.onKeyConflict = .latestWins }
        return readings
    }

    fileprivate static let window = """
        SELECT id, ts, who, v,
            sum(v) OVER (PARTITION BY who ORDER BY ts RANGE BETWEEN INTERVAL 2 DAY PRECEDING AND CURRENT ROW) AS recent
        FROM bronze.things
        """
    fileprivate static let hourly = """
        SELECT date_trunc('hour', ts) AS hour, who, count(*) AS n, sum(v) AS total
        FROM bronze.things GROUP BY ALL
        """
    fileprivate static let daily = "SELECT CAST(hour AS DATE) AS day, max(total) AS peak FROM silver.hours GROUP BY ALL"

    /// A lake with three incremental tables, one of them upon another.
    private final class Plant {
        let sandbox: Sandbox
        let contract: Contract
        let lookback: Int

        init(_ contract: Contract, lookback: Int = 2 * 86_400) throws {
            sandbox = try Sandbox()
            self.contract = contract
            self.lookback = lookback
        }

        func land(_ rows: [String], _ name: String) throws {
            try sandbox.ingest("id,ts,who,v\n" + rows.joined(separator: "\n") + "\n", under: contract, name: name)
        }

        @discardableResult
        func build() throws -> [BuildReport] {
            let things = TableName(.bronze, "things")
            let hours = TableName(.silver, "hours")
            let nullable = contract.columns.first { $0.name == "ts" }?.nullable ?? true
            let steps: [(String, String, Transform.Incremental, TableName, String)] = [
                ("silver.recent", IncrementalTests.window, .init(by: "ts", lookback: lookback), things, "ts"),
                ("silver.hours", IncrementalTests.hourly, .init(by: "hour", lookahead: 3600), things, "ts"),
                ("gold.days", IncrementalTests.daily, .init(by: "day", lookahead: 86_400), hours, "hour"),
            ]
            return try steps.map { name, sql, incremental, parent, column in
                let plain = try sandbox.plan(name, sql)
                var transform = plain.transform
                transform.incremental = incremental
                return try sandbox.lake.build(
                    PlannedTransform(
                        transform: transform, analysis: plain.analysis,
                        moments: [parent: .init(column: column, isNullable: parent == things && nullable)]))
            }
        }

        /// All rows of the three tables, in the order in which they are kept.
        func content() throws -> [[String]] {
            try ["silver.recent", "silver.hours", "gold.days"].map { try sandbox.rows("SELECT * FROM \($0)") }
        }

        func committedHashes() throws -> [String] {
            try [TableName(.silver, "recent"), TableName(.silver, "hours"), TableName(.gold, "days")].map {
                try sandbox.lake.reference(to: $0).hash.description
            }
        }

        func computedHashes() throws -> [String] {
            try [TableName(.silver, "recent"), TableName(.silver, "hours"), TableName(.gold, "days")].map {
                try sandbox.engine.contentHash(of: sandbox.lake.files(of: $0)).description
            }
        }
    }

    private static func row(_ id: Int, minute: Int, _ generator: inout SeededGenerator) -> String {
        let moment = Timestamp(microseconds: (1_704_067_200 + Int64(minute) * 60) * 1_000_000).description.prefix(19)
        let who = ["ada", "ben", "cy"][Int(generator.next() % 3)]
        return "\(id),\(moment),\(who),\(generator.next() % 1000)"
    }

    @Test(arguments: 1...6) func `days in and out of order give what a whole build gives`(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let contract = Self.readings(latestWins: seed % 3 == 0)
        let plant = try Plant(contract)
        var landed: [(rows: [String], name: String)] = []
        var id = 0
        var parts = 0
        for day in 0..<8 {
            // Mostly the next day; now and then a late one, or corrections of rows known before.
            let late = day > 2 && generator.next() % 4 == 0
            let start = (late ? Int(generator.next() % 3) : day) * 1440
            var rows: [String] = []
            for _ in 0..<Int(generator.next() % 40) + 1 {
                if contract.onKeyConflict == .latestWins, id > 10, generator.next() % 5 == 0 {
                    rows.append(Self.row(Int(generator.next() % UInt64(id)), minute: start, &generator))
                } else {
                    id += 1
                    rows.append(Self.row(id, minute: start + Int(generator.next() % 1440), &generator))
                }
            }
            landed.append((rows, "day\(day).csv"))
            try plant.land(rows, "day\(day).csv")
            parts += try plant.build().count { $0.computed != nil }
        }
        let whole = try Plant(contract)
        for (rows, name) in landed { try whole.land(rows, name) }
        try whole.build()
        #expect(try plant.content() == whole.content())
        #expect(try plant.committedHashes() == whole.committedHashes())
        #expect(try plant.committedHashes() == plant.computedHashes())
        #expect(parts >= 12)
    }

    @Test func `computes only what is new`() throws {
        var generator = SeededGenerator(seed: 7)
        let plant = try Plant(Self.readings())
        for day in 0..<20 {
            try plant.land(
                (0..<50).map { Self.row(day * 50 + $0, minute: day * 1440 + $0, &generator) }, "day\(day).csv")
        }
        try plant.build()
        try plant.land((0..<50).map { Self.row(1000 + $0, minute: 20 * 1440 + $0, &generator) }, "day20.csv")
        let reports = try plant.build()
        #expect(reports.map(\.computed) == [50, 3, 2])
        #expect(reports.map(\.whole) == [nil, nil, nil])
        #expect(try plant.build().allSatisfy(\.skipped))
        #expect(try plant.sandbox.lake.files(of: TableName(.silver, "recent")).count == 2)
    }

    @Test func `a new day that begins at seven keeps the promise of a table by days`() throws {
        var generator = SeededGenerator(seed: 11)
        let plant = try Plant(Self.readings())
        for day in 0..<6 {
            let rows = (0..<20).map { Self.row(day * 20 + $0, minute: day * 1440 + 425 + $0 * 40, &generator) }
            try plant.land(rows, "day\(day).csv")
            let reports = try plant.build()
            if day > 2 {
                #expect(reports.map(\.whole) == [nil, nil, nil] && reports.allSatisfy { $0.computed != nil })
            }
        }
    }

    @Test func `a lookback that is too short is found, told and made good`() throws {
        var generator = SeededGenerator(seed: 3)
        let rows = (0..<10).map { day in
            (0..<20).map { Self.row(day * 20 + $0, minute: day * 1440 + $0 * 60, &generator) }
        }
        let short = try Plant(Self.readings(), lookback: 3600)
        let right = try Plant(Self.readings())
        for (day, part) in rows.enumerated() {
            try short.land(part, "day\(day).csv")
            try right.land(part, "day\(day).csv")
            let reports = try short.build()
            // The first two days: everything there is lies within the audited day.
            if day > 1 {
                #expect(reports[0].computed == nil)
                #expect(reports[0].whole?.contains("recent") == true)
            }
        }
        try right.build()
        #expect(try short.content() == right.content())
    }

    @Test func `other SQL, other columns or another promise build the table whole`() throws {
        var generator = SeededGenerator(seed: 5)
        let sandbox = try Sandbox()
        let contract = Self.readings()
        func build(_ sql: String, _ incremental: Transform.Incremental) throws -> BuildReport {
            let plain = try sandbox.plan("silver.t", sql)
            var transform = plain.transform
            transform.incremental = incremental
            return try sandbox.lake.build(
                PlannedTransform(
                    transform: transform, analysis: plain.analysis,
                    moments: [TableName(.bronze, "things"): .init(column: "ts", isNullable: false)]))
        }
        func land(_ day: Int) throws {
            let rows = (0..<5).map { Self.row(day * 5 + $0, minute: day * 1440 + $0, &generator) }
            try sandbox.ingest(
                "id,ts,who,v\n" + rows.joined(separator: "\n") + "\n", under: contract, name: "\(day).csv")
        }
        try land(0)
        let sql = "SELECT id, ts, v FROM bronze.things"
        _ = try build(sql, .init(by: "ts"))
        try land(1)
        #expect(try build(sql, .init(by: "ts")).computed == 5)
        try land(2)
        #expect(try build(sql + " WHERE id >= 0", .init(by: "ts")).computed == nil)
        try land(3)
        #expect(try build(sql + " WHERE id >= 0", .init(by: "ts", lookback: 60)).computed == nil)
        try land(4)
        #expect(try build("SELECT * FROM bronze.things", .init(by: "ts", lookback: 60)).computed == nil)
        #expect(try sandbox.rows("SELECT count(*) FROM silver.t") == ["25"])
    }

    @Test func `rows without a moment, and a column that is none, are refused`() throws {
        let sandbox = try Sandbox()
        func build(_ sql: String, by: String) throws {
            let plain = try sandbox.plan("silver.t", sql)
            var transform = plain.transform
            transform.incremental = .init(by: by)
            _ = try sandbox.lake.build(PlannedTransform(transform: transform, analysis: plain.analysis))
        }
        let missing = refusal { try build("SELECT CAST(NULL AS TIMESTAMP) AS ts, 1 AS n", by: "ts") }
        #expect(missing?.code == "transform.incremental")
        #expect(missing?.location?.file == "transforms/silver.t.sql")
        let absent = refusal { try build("SELECT TIMESTAMP '2024-01-01' AS ts", by: "tss") }
        #expect(absent?.remedy == "Did you mean ts?")
    }

    @Test func `a table without event time among the inputs is read whole, and a change of it builds all`() throws {
        let sandbox = try Sandbox()
        var generator = SeededGenerator(seed: 9)
        let contract = Self.readings()
        func land(_ day: Int) throws {
            let rows = (0..<5).map { Self.row(day * 5 + $0, minute: day * 1440 + $0, &generator) }
            try sandbox.ingest(
                "id,ts,who,v\n" + rows.joined(separator: "\n") + "\n", under: contract, name: "\(day).csv")
        }
        func build() throws -> BuildReport {
            let plain = try sandbox.plan(
                "silver.t", "SELECT id, ts, v * factor AS w FROM bronze.things CROSS JOIN silver.factors")
            var transform = plain.transform
            transform.incremental = .init(by: "ts")
            return try sandbox.lake.build(
                PlannedTransform(
                    transform: transform, analysis: plain.analysis,
                    moments: [TableName(.bronze, "things"): .init(column: "ts", isNullable: false)]))
        }
        try sandbox.build("silver.factors", "SELECT 2 AS factor")
        try land(0)
        _ = try build()
        try land(1)
        #expect(try build().computed == 5)
        try sandbox.build("silver.factors", "SELECT 3 AS factor")
        let whole = try build()
        #expect(whole.computed == nil)
        #expect(whole.whole?.contains("silver.factors changed") == true)
    }
}
