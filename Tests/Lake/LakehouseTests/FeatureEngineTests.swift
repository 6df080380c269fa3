import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import SourceFormats
import TestSupport
import Testing

/// Single rows of a table, computed from raw rows as of their own moment, against the table built once over everything.
@Suite struct FeatureEngineTests {
    /// Jobs on machines: what they found, and, known later, how long they took.
    static let jobs: Contract = {
        var jobs = contract(
            column("id", .text) { $0.nullable = false }, column("ts", .timestamp) { $0.nullable = false },
            column("machine", .text), column("load", .bigint) { $0.min = "0" },
            column("ended", .timestamp) {
                $0.optional = true
                $0.availableAt = "ended"
            },
            column("took", .bigint) {
                $0.optional = true
                $0.availableAt = "ended"
            }, key: ["id"])
        jobs.eventTime = "ts"
        jobs.onKeyConflict = .latestWins
        return jobs
    }()

    static let recent = """
        SELECT machine, ended, sum(took) OVER (PARTITION BY machine ORDER BY ended
            RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW) AS recent
        FROM bronze.things WHERE ended <= ts + INTERVAL 1 DAY
        """
    static let gold = """
        SELECT t.id, t.ts, t.load, r.recent,
            count(*) OVER (PARTITION BY t.machine ORDER BY t.ts
                RANGE BETWEEN INTERVAL 6 HOURS PRECEDING AND CURRENT ROW) AS busy,
            t.load / 7 AS share, t.machine = 'm1' AS is_first
        FROM bronze.things AS t ASOF LEFT JOIN silver.recent AS r ON t.machine = r.machine AND t.ts >= r.ended
        """
    static let features = ["load", "recent", "busy", "share", "is_first"]

    final class Plant {
        let sandbox: Sandbox
        var same = ["machine"]
        var lookback: Int? = 3 * 86_400
        let plans: [(String, String)]

        init(_ gold: String = FeatureEngineTests.gold, recent: String = FeatureEngineTests.recent) throws {
            sandbox = try Sandbox()
            plans = [("silver.recent", recent), ("gold.jobs", gold)]
            var lines = ["id,ts,machine,load,ended,took"]
            for number in 0..<200 {
                let hour = number * 3 % 24
                let day = number * 3 / 24 + 1
                let end = number % 5 == 0 ? "" : "2024-01-\(day < 9 ? "0" : "")\(day + 1) 0\(number % 9):30:00"
                lines.append(
                    "j\(number),2024-01-\(day < 10 ? "0" : "")\(day) \(hour < 10 ? "0" : "")\(hour):00:00,m\(number % 3),"
                        + "\(number * 37 % 11),\(end),\(end.isEmpty ? "" : "\(number % 7)")")
            }
            try sandbox.ingest(lines.joined(separator: "\n") + "\n", under: FeatureEngineTests.jobs)
            for (name, sql) in plans { try sandbox.build(name, sql) }
        }

        func engine(reference: Bool = true) throws -> DuckDBFeatureEngine {
            let bronze = TableName(.bronze, "things")
            let table = TableName(.gold, "jobs")
            return try DuckDBFeatureEngine(
                FeaturePlan(
                    sources: [
                        .init(
                            contract: FeatureEngineTests.jobs, format: SourceFormat(),
                            files: try sandbox.lake.files(of: bronze), same: same, lookback: lookback)
                    ],
                    transforms: try plans.map { try sandbox.plan($0, $1) }, table: table, key: "id", record: "things",
                    features: FeatureEngineTests.features,
                    reference: reference ? try sandbox.lake.files(of: table) : nil),
                memoryLimit: "1GB", spillFolder: sandbox.folder.path + "/spill", pause: pause)
        }

        func gold(_ id: String) throws -> String {
            try sandbox.rows("SELECT load, recent, busy, share, is_first FROM gold.jobs WHERE id = '\(id)'")[0]
        }
    }

    private func shown(_ engine: DuckDBFeatureEngine, _ key: String) throws -> String {
        let row = try #require(try engine.features(of: key))
        let values = try #require(row.values)
        return zip(engine.columns, values).filter { Self.features.contains($0.0.name) }.map { _, value in
            switch value {
            case .null: "–"
            case .number(let number): "\(number)"
            case .integer(let number): "\(number)"
            case .flag(let flag): "\(flag)"
            case .text(let text): text
            }
        }.joined(separator: "|")
    }

    private func row(_ id: String, _ ts: String, _ machine: String, _ load: Int, _ more: [String: JSONValue] = [:])
        -> [String: JSONValue]
    {
        ["id": .text(id), "ts": .text(ts), "machine": .text(machine), "load": .integer(Int64(load))]
            .merging(more) { $1 }
    }

    @Test(arguments: [true, false], [["machine"], ["load", "machine"], ["machine", "id"]])
    func everyRowIsTheTablesOwn(reference: Bool, same: [String]) throws {
        let plant = try Plant()
        plant.same = same
        let engine = try plant.engine(reference: reference)
        let proof = try engine.prove(records: 50)
        #expect(proof.difference == nil && proof.restriction == nil && proof.isRestricted && proof.records == 50)
        for number in stride(from: 199, through: 0, by: -3) {
            #expect(try shown(engine, "j\(number)") == plant.gold("j\(number)"))
        }
        #expect(try engine.features(of: "nobody") == nil)
    }

    @Test func aPromiseThatDoesNotHoldIsGivenUp() throws {
        let plant = try Plant()
        plant.lookback = 3600
        let engine = try plant.engine()
        let proof = try withExtendedLifetime(plant) { try engine.prove(records: 50) }
        #expect(!proof.isRestricted && proof.difference == nil)
        #expect(proof.restriction?.hasPrefix("busy of ") == true || proof.restriction?.hasPrefix("recent of ") == true)
        #expect(try shown(engine, "j150") == plant.gold("j150"))
    }

    @Test func aWrongEntityIsFoundOut() throws {
        let plant = try Plant()
        plant.same = ["id"]
        let proof = try withExtendedLifetime(plant) { try plant.engine().prove(records: 50) }
        #expect(!proof.isRestricted && proof.difference == nil)
    }

    @Test func theFutureInGoldIsFoundOut() throws {
        // The next job of a machine comes nine hours later.
        let ahead = Self.gold.replacing("AND CURRENT ROW", with: "AND INTERVAL 12 HOURS FOLLOWING")
        let plant = try Plant(ahead)
        let proof = try withExtendedLifetime(plant) { try plant.engine().prove(records: 50) }
        #expect(proof.difference?.hasPrefix("busy of ") == true)
    }

    @Test func theFutureInSilverIsFoundOut() throws {
        let ahead = Self.recent.replacing("AND CURRENT ROW", with: "AND INTERVAL 1 DAY FOLLOWING")
        let plant = try Plant(recent: ahead)
        let proof = try withExtendedLifetime(plant) { try plant.engine().prove(records: 50) }
        #expect(proof.difference?.hasPrefix("recent of ") == true)
    }

    @Test func rowsThatArriveCountFromThenOn() throws {
        let plant = try Plant()
        let engine = try plant.engine()
        let first = row("n1", "2024-02-01 10:00:00", "m1", 4)
        var verdict = try engine.look(at: ["things": [first]])
        let keys = try engine.keys()
        #expect(verdict.faults.isEmpty && verdict.news == ["things": [0]] && keys == ["n1"])
        // Seen by its own record before it is kept, and by later ones after that.
        #expect(try shown(engine, "n1") == "4|–|1|\(4.0 / 7)|true")
        try engine.keep(verdict)
        #expect(try shown(engine, "n1") == "4|–|1|\(4.0 / 7)|true")
        verdict = try engine.look(at: ["things": [row("n2", "2024-02-01 11:00:00", "m1", 7)]])
        #expect(try shown(engine, "n2") == "7|–|2|1.0|true")
        try engine.keep(verdict)
        // A later row of another moment does not change what an earlier record saw.
        #expect(try shown(engine, "n1") == "4|–|1|\(4.0 / 7)|true")
        // What was not known yet is filled in; nothing that is known is taken back.
        let ended: [String: JSONValue] = ["ended": .text("2024-02-01 10:30:00"), "took": .integer(5)]
        verdict = try engine.look(at: ["things": [row("n1", "2024-02-01 10:00:00", "m1", 4, ended)]])
        #expect(verdict.news == ["things": [0]])
        try engine.keep(verdict)
        #expect(try engine.look(at: ["things": [first]]).news.isEmpty)
        #expect(try shown(engine, "n2") == "7|5|2|1.0|true")
        #expect(try shown(engine, "n1") == "4|–|1|\(4.0 / 7)|true")
    }

    @Test func aRowThatIsKnownIsSeenAsItIsSentButNotChanged() throws {
        let plant = try Plant()
        let engine = try plant.engine()
        let sent = row("j100", "2024-01-13 12:00:00", "m1", 70)
        let verdict = try engine.look(at: ["things": [sent]])
        #expect(verdict.faults.isEmpty && verdict.news.isEmpty)
        #expect(try shown(engine, "j100").hasPrefix("70|"))
        _ = try engine.look(at: [:])
        #expect(try shown(engine, "j100") == plant.gold("j100"))
    }

    @Test func brokenPromisesAreNamedWithTheirPlace() throws {
        let engine = try Plant().engine()
        func faults(_ row: [String: JSONValue]) throws -> [String] {
            try engine.look(at: ["things": [self.row("a", "2024-02-01 10:00:00", "m1", 1), row]]).faults.map {
                "\($0.path) \($0.rule) \($0.value ?? "–")"
            }
        }
        let good = row("b", "2024-02-01 10:00:00", "m1", 1)
        #expect(try faults(good).isEmpty)
        #expect(try faults(good.merging(["load": .integer(-1)]) { $1 }) == ["$.rows.things[1].load min 0 -1"])
        #expect(try faults(good.merging(["load": .text("x")]) { $1 }) == ["$.rows.things[1].load type bigint x"])
        #expect(try faults(good.merging(["ts": .null]) { $1 }) == ["$.rows.things[1].ts not null –"])
        #expect(try faults(good.merging(["ts": .list([])]) { $1 }) == ["$.rows.things[1].ts one value –"])
        #expect(try faults(good.filter { $0.key != "machine" }) == ["$.rows.things[1].machine required –"])
        #expect(try engine.look(at: ["nothing": []]).faults.map(\.path) == ["$.rows.nothing"])
        // Nothing of a refused request stays.
        #expect(try engine.keys().isEmpty && (try engine.features(of: "a")) == nil)
    }

    @Test func aSourceWithoutAKeyTakesOnlyWhatTheLakeDoesNotCover() throws {
        let sandbox = try Sandbox()
        var readings = contract(column("ts", .timestamp) { $0.nullable = false }, column("v", .bigint))
        readings.eventTime = "ts"
        try sandbox.ingest("ts,v\n2024-01-01 00:00:00,1\n2024-01-02 00:00:00,2\n", under: readings)
        let sql = "SELECT ts, CAST(ts AS VARCHAR) AS id, sum(v) OVER (ORDER BY ts) AS total FROM bronze.things"
        let engine = try DuckDBFeatureEngine(
            FeaturePlan(
                sources: [
                    .init(
                        contract: readings, format: SourceFormat(),
                        files: try sandbox.lake.files(of: TableName(.bronze, "things")))
                ],
                transforms: [try sandbox.plan("gold.t", sql)], table: TableName(.gold, "t"), key: "ts",
                record: "things", features: ["total"]),
            memoryLimit: "1GB", spillFolder: sandbox.folder.path + "/spill", pause: pause)
        let verdict = try engine.look(
            at: [
                "things": [
                    ["ts": .text("2024-01-02 00:00:00"), "v": .integer(2)],
                    ["ts": .text("2024-01-03 00:00:00"), "v": .integer(4)],
                ]
            ])
        #expect(verdict.news == ["things": [1]])
        try engine.keep(verdict)
        let row = try #require(try engine.features(of: "2024-01-03 00:00:00"))
        #expect(row.values?.last == .integer(7))
    }
}
