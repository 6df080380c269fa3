import Core
import Foundation
import TestSupport
import Testing

@Suite struct `Keeping the lake` {
    /// A project whose bronze came in four runs, with a registered model.
    private static let grown = Result {
        let place = try Wards.run()
        for day in 0..<3 {
            let first = 2000 + day * 50
            try place.write("landing/visits/day\(day).csv", Wards.csv(Wards.rows(first..<first + 50)))
            let outcome = try place.martlet("run", "--to", "transform")
            guard outcome.code == 0 else { throw Unusable(what: "\(outcome)") }
        }
        return place
    }

    private func grown() throws -> Sandbox { try Sandbox(copyOf: Self.grown.get()) }

    private func everything(_ place: Sandbox) throws -> [[JSONValue]] {
        try ["bronze.visits", "silver.visits", "gold.visits", "quarantine.visits"].map { table in
            try place.sql("SELECT * FROM \(table)")
        }
    }

    @Test func `compaction changes no row, has nothing built again, and verify still rebuilds the model`() throws {
        let place = try grown()
        let before = try everything(place)
        let dry = try place.martlet("lake", "compact", "--dry-run", "--json")
        #expect(dry.code == 0, "\(dry)")
        let plan = try dry.json().list?.first { $0["table"]?.text == "bronze.visits" }
        #expect(plan?["before"]?.integer ?? 0 > 1 && plan?["after"]?.integer == 1 && plan?["version"] == nil, "\(dry)")
        let done = try place.martlet("lake", "compact")
        #expect(done.code == 0 && done.output.contains("bronze.visits"), "\(done)")
        #expect(try everything(place) == before)
        let again = try place.martlet("run", "--to", "transform", "--json")
        #expect(again.code == 0 && !again.output.contains("\"done\""), "\(again)")
        let verified = try place.martlet("verify", "stay@1")
        #expect(verified.code == 0, "\(verified)")
        #expect(try place.martlet("lake", "compact").output.contains("Nothing to put together"))
        #expect(try place.martlet("doctor").code == 0)
    }

    @Test func `vacuum keeps what models stand on unless told otherwise, and says which are lost`() throws {
        let place = try grown()
        #expect(try place.martlet("lake", "compact").code == 0)
        try place.write("landing/visits/day3.csv", Wards.csv(Wards.rows(2150..<2200)))
        #expect(try place.martlet("run", "--to", "transform").code == 0)
        let before = try everything(place)
        let short = try place.martlet("lake", "vacuum", "--retain", "1h")
        #expect(short.code == 64 && short.errors.contains("lake.retention"), "\(short)")
        let usual = try place.martlet("lake", "vacuum")
        #expect(usual.code == 0 && usual.output.contains("Nothing to remove"), "\(usual)")
        let kept = try place.martlet("lake", "vacuum", "--retain", "0", "--force", "--json")
        #expect(kept.code == 0, "\(kept)")
        #expect(try kept.json()["unverifiable"]?.list == [])
        #expect(try everything(place) == before)
        #expect(try place.martlet("verify", "stay@1").code == 0)
        let old = try place.martlet("lake", "show", "bronze.visits", "--version", "1")
        #expect(old.code == 1 && old.errors.contains("lake.vacuumed"), "\(old)")
        let all = try place.martlet("lake", "vacuum", "--retain", "0", "--force", "--including-lineage", "--json")
        #expect(all.code == 0, "\(all)")
        #expect(try all.json()["unverifiable"]?.list == [.text("stay@1")], "\(all)")
        #expect(try everything(place) == before)
        let lost = try place.martlet("verify", "stay@1")
        #expect(lost.code == 2 && lost.all.contains("lake.vacuumed"), "\(lost)")
        #expect(try place.martlet("run").code == 0)
    }

    @Test func `tables are seen as they were at a version or a moment`() throws {
        let place = try grown()
        let history = try place.martlet("lake", "history", "bronze.visits", "--json").json().list ?? []
        #expect(history.compactMap { $0["rows"]?.integer } == [790, 740, 690, 640])
        let then = try #require(history[1]["at"]?.text)
        let count = "SELECT count(*) AS n FROM bronze.visits"
        for arguments in [["--at", then], ["--version", "2"], ["--version", "bronze.visits=2"]] {
            let outcome = try place.martlet(["lake", "sql", count, "--json"] + arguments)
            #expect(try outcome.json().list?.first?["n"]?.integer == 740, "\(outcome)")
        }
        let shown = try place.martlet("lake", "show", "bronze.visits", "--at", then, "--limit", "1000", "--json")
        #expect(try shown.json().list?.count == 740)
        #expect(try place.martlet("lake", "history", "bronze.visits", "--at", then, "--json").json().list?.count == 3)
        for (arguments, code, exit) in [
            (["lake", "show", "bronze.visits", "--at", "yesterday"], "settings.time", Int32(64)),
            (["lake", "show", "bronze.visits", "--at", "1999-01-01"], "lake.no-version", 1),
            (["lake", "show", "bronze.visits", "--at", then, "--version", "1"], "lake.version", 64),
            (["lake", "sql", "SELECT 1 FROM bronze.visits, gold.visits", "--version", "1"], "lake.version", 64),
            (["lake", "show", "bronze.visits", "--version", "9"], "lake.no-version", 1),
            (["lake", "vacuum", "--retain", "soon"], "lake.retention", 64),
            (["lake", "vacuum", "--retain", "100000000w"], "lake.retention", 64),
            (["lake", "compact", "visits"], "lake.table-name", 64),
            (["lake", "compact", "gold.visit"], "lake.no-table", 1),
        ] {
            let outcome = try place.martlet(arguments)
            #expect(outcome.code == exit && outcome.errors.contains("[\(code)]"), "\(outcome)")
        }
    }

    @Test func `tables are read without the registry`() throws {
        let place = try Wards.run()
        for name in place.list(".martlet") where name.hasPrefix("martlet.db") { try place.remove(".martlet/\(name)") }
        #expect(try place.martlet("lake", "tables", "--json").json().list?.count == Wards.counts.count)
        #expect(try place.count("SELECT count(*) FROM gold.visits") == 640)
        #expect(!place.exists(".martlet/martlet.db"))
    }

    @Test func `columns of one name are all printed`() throws {
        let place = try Wards.run()
        let row = try place.sql("SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a FROM bronze.visits LIMIT 1").first
        #expect(row == .object(["a": .integer(1), "a_2": .integer(2), "a_1": .integer(3), "a_3": .integer(4)]))
    }

    @Test func `a pivot that takes its columns from the data is refused by name, one that names them is not`() throws {
        let place = try Wards.run()
        let open = try place.martlet("lake", "sql", "PIVOT bronze.visits ON ward USING count(*)")
        #expect(open.code == 1 && open.errors.contains("[transform.pivot]") && open.errors.contains("IN ("), "\(open)")
        let rows = try place.sql(
            "PIVOT (SELECT ward FROM bronze.visits) ON ward IN ('north', 'south') USING count(*)")
        #expect(rows.first?["north"]?.integer ?? 0 > 100)
        let two = try place.martlet("lake", "sql", "SELECT 1; SELECT 2")
        #expect(two.code == 1 && two.errors.contains("[transform.many-statements]"), "\(two)")
    }

    @Test func `doctor and compaction tell a table that was altered from outside`() throws {
        let place = try grown()
        let bronze = place.files(".martlet/lake/bronze/visits", ending: ".parquet")
        #expect(bronze.count == 4)
        try place.write(bronze[1], bytes: try place.bytes(bronze[2]))
        let doctor = try place.martlet("doctor")
        #expect(doctor.code == 1 && doctor.output.contains("lake.altered"), "\(doctor)")
        let compact = try place.martlet("lake", "compact", "bronze.visits")
        #expect(compact.code == 1 && compact.errors.contains("lake.altered"), "\(compact)")
    }

    @Test func `a landed file whose name is no text is left alone and named`() throws {
        let place = try Wards.run()
        let copy = try Program.run(
            "/bin/sh", ["-c", #"cp landing/visits/first.csv "landing/visits/$(printf 'caf\351.csv')""#],
            in: place.folder)
        #expect(copy.code == 0, "\(copy)")
        for command in ["run", "ingest"] {
            let outcome = try place.martlet(command)
            #expect(outcome.code == 0 && outcome.errors.contains(#"caf\xE9.csv"#), "\(outcome)")
            #expect(outcome.errors.contains("not UTF-8"), "\(outcome)")
        }
    }

    /// One process ingests day after day, another compacts without a pause; every row must be there once.
    @Test func `compaction races with ingestion and nothing is lost or doubled`() throws {
        let place = try Wards.run()
        let before = try #require(try place.sql("SELECT sum(visit_id) AS s FROM bronze.visits").first?["s"])
        var sum = Int(before.text ?? "") ?? before.integer ?? 0
        var compactions = 0
        for day in 0..<8 {
            let ids = 3000 + day * 20..<3020 + day * 20
            try place.write("landing/visits/day\(day).csv", Wards.csv(Wards.rows(ids)))
            sum += ids.reduce(0, +)
            let ingesting = try Program.start(Program.path, ["ingest"], in: place.folder)
            repeat {
                let outcome = try place.martlet("lake", "compact", "--json")
                #expect(outcome.code == 0, "\(outcome)")
                compactions += try outcome.json().list?.count { $0["version"] != nil } ?? 0
            } while ingesting.process.isRunning
            var ingested = try ingesting.finish()
            if ingested.errors.contains("lake.concurrent-write") { ingested = try place.martlet("ingest") }
            #expect(ingested.code == 0, "\(ingested)")
        }
        #expect(compactions > 0)
        let after = try #require(
            try place.sql(
                "SELECT sum(visit_id)::BIGINT AS s, count(*) AS n, count(DISTINCT visit_id) AS d FROM bronze.visits"
            )
            .first)
        #expect(after["s"]?.integer == sum)
        #expect(after["n"]?.integer == 800 && after["d"]?.integer == 800)
        #expect(try place.martlet("doctor").code == 0)
    }

    @Test func `with a checkpoint at every version all goes on as before`() throws {
        let place = try Wards.written()
        let often = ["MARTLET_CHECKPOINT_EVERY": "1"]
        for day in 0..<3 {
            try place.write("landing/visits/\(day).csv", Wards.csv(Wards.rows(day * 200 + 1..<day * 200 + 201)))
            let outcome = try place.martlet("run", environment: often)
            #expect(outcome.code == 0, "\(outcome)")
        }
        let log = place.list(".martlet/lake/bronze/visits/_delta_log")
        #expect(log.count { $0.hasSuffix(".checkpoint.parquet") } == 2)
        let again = try place.martlet("run", "--json", environment: often)
        #expect(again.code == 0 && !again.output.contains("\"done\""), "\(again)")
        for name in log where name.hasSuffix("0.json") || name.hasSuffix("1.json") {
            try place.remove(".martlet/lake/bronze/visits/_delta_log/\(name)")
        }
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 600)
        let odd = try place.martlet("run", environment: ["MARTLET_CHECKPOINT_EVERY": "0"])
        #expect(odd.code == 64 && odd.errors.contains("settings.checkpoints"), "\(odd)")
    }
}
