import Core
import Foundation
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import Storage
import TestSupport
import Testing

extension Sandbox {
    /// Makes the newest version of a table one as an earlier program committed it: with a hash by DuckDB, and with a
    /// fingerprint of the SQL, the inputs and the engine's version.
    @discardableResult
    func age(_ name: TableName, madeBy sql: String? = nil, from parents: [TableName] = []) throws -> ContentHash {
        let hash = try engine.contentHash(of: lake.files(of: name), by: .h1)
        let inputs = try parents.map { "\($0)=\(try lake.reference(to: $0).hash)" }.joined(separator: "\n")
        _ = try lake.commit(name) { current in
            var told = current?.commitInfo?["martlet"]?.members ?? [:]
            told["contentHash"] = .text(hash.description)
            told["engine"] = nil
            if let sql { told["fingerprint"] = .text(Digest(of: "\(engine.identity)\n\(name)\n\(inputs)\n\(sql)").hex) }
            if let sql, told["definition"] != nil {
                told["definition"] = .text(Digest(of: "\(engine.identity)\n\(name)\nts 0 0\n\(sql)").hex)
            }
            return [lake.commitInfo("WRITE", told)]
        }
        return hash
    }

    /// Whether the newest commit states the present scheme's hash of the table's rows.
    func statesItsRows(_ name: TableName) throws -> Bool {
        let stated = try lake.reference(to: name).hash
        return try stated.scheme == .h2 && stated == engine.contentHash(of: lake.files(of: name))
    }

    /// Replaces a table's newest file by one with a changed cell.
    func alter(_ name: TableName, _ change: String) throws {
        let file = try #require(try lake.files(of: name).last)
        let other = try engine.materialise(
            Query("SELECT * REPLACE (\(change)) FROM bronze.things", inputs: [TableName(.bronze, "things"): [file]]),
            into: folder.path + "/other.parquet")
        #expect(rename(other.path, file) == 0)
    }
}

@Suite struct `Tables with a content hash of the first scheme` {
    private let bronze = TableName(.bronze, "things")
    private let silver = TableName(.silver, "t")
    private let things = contract(column("id", .bigint), column("value", .double))

    @Test func `are known by what they state, and proved by the scheme that they state`() throws {
        let sandbox = try Sandbox()
        try sandbox.ingest("id,value\n1,2\n", under: things)
        let present = try sandbox.lake.reference(to: bronze).hash
        let hash = try sandbox.age(bronze)
        #expect(hash.scheme == .h1 && hash.rows == 1 && hash.sum != present.sum)
        #expect(!hash.description.contains(":"))
        #expect(try sandbox.anew().reference(to: bronze).hash == hash)
        #expect(try sandbox.lake.history(of: bronze).count == 2)
    }

    @Test(arguments: [false, true]) func `state the present one when rows come`(_ latestWins: Bool) throws {
        let sandbox = try Sandbox()
        var things = things
        if latestWins { (things.key, things.onKeyConflict) = (["id"], .latestWins) }
        try sandbox.ingest("id,value\n1,2\n2,3\n", under: things, name: "a.csv")
        try sandbox.age(bronze)
        try sandbox.ingest("id,value\n2,4\n3,5\n", under: things, name: "b.csv")
        #expect(try sandbox.statesItsRows(bronze))
        #expect(try sandbox.lake.reference(to: bronze).hash.rows == (latestWins ? 3 : 4))
    }

    @Test func `state the present one when another program's rows are appended, or old ones go`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<3)
        try sandbox.age(silver)
        let file = "\(sandbox.silver.folder)/more.parquet"
        let more = try sandbox.engine.materialise(Query("SELECT 'more' AS a"), into: file)
        #expect(try sandbox.lake.append(more, to: silver, once: "test", upTo: 1) != nil)
        #expect(try sandbox.statesItsRows(silver))
        try sandbox.age(silver)
        #expect(try sandbox.lake.expire([silver], before: nil) { $0 - 1 }.files == 1)
        #expect(try sandbox.statesItsRows(silver))
    }

    @Test func `keep it through a compaction, which proves it`() throws {
        let sandbox = try Sandbox()
        for number in 0..<3 { try sandbox.ingest("id,value\n\(number),2\n", under: things, name: "\(number).csv") }
        let hash = try sandbox.age(bronze)
        #expect(try sandbox.lake.compact(bronze).after == 1)
        #expect(try sandbox.lake.reference(to: bronze).hash == hash)
        try sandbox.ingest("id,value\n7,2\n", under: things, name: "7.csv")
        #expect(try sandbox.statesItsRows(bronze))
    }

    @Test func `do not get another hash when their files were altered`() throws {
        let sandbox = try Sandbox()
        for number in 0..<2 { try sandbox.ingest("id,value\n\(number),2\n", under: things, name: "\(number).csv") }
        try sandbox.age(bronze)
        try sandbox.alter(bronze, "value + 1 AS value")
        let version = try sandbox.lake.snapshot(of: bronze).version
        let taken = refusal { try sandbox.ingest("id,value\n7,2\n", under: things, name: "7.csv") }
        #expect(taken?.code == "lake.altered")
        #expect(refusal { _ = try sandbox.lake.compact(bronze) }?.code == "lake.altered")
        #expect(try sandbox.anew().snapshot(of: bronze).version == version)
    }

    @Test func `are not built again as long as nothing of theirs changes`() throws {
        let sandbox = try Sandbox()
        let (first, second) = ("SELECT id, value FROM bronze.things", "SELECT sum(id) AS n FROM silver.t")
        try sandbox.ingest("id,value\n1,2\n", under: things, name: "a.csv")
        try sandbox.build("silver.t", first)
        try sandbox.build("gold.n", second)
        try sandbox.age(bronze)
        try sandbox.age(silver, madeBy: first, from: [bronze])
        try sandbox.age(TableName(.gold, "n"), madeBy: second, from: [silver])
        #expect(try sandbox.build("silver.t", first).skipped)
        #expect(try sandbox.build("gold.n", second).skipped)
        #expect(try sandbox.lake.isUpToDate(try sandbox.plan("gold.n", second)))
        #expect(try !sandbox.build("gold.n", second + " WHERE true").skipped)
        try sandbox.ingest("id,value\n2,2\n", under: things, name: "b.csv")
        #expect(try !sandbox.build("silver.t", first).skipped)
        #expect(try sandbox.statesItsRows(silver))
    }

    @Test func `are built in part when their inputs grow, and state the present one`() throws {
        let sandbox = try Sandbox()
        var readings = contract(column("id", .bigint), column("ts", .timestamp) { $0.nullable = false })
        readings.eventTime = "ts"
        let plain = try sandbox.plan("silver.t", "SELECT id, ts FROM bronze.things")
        var transform = plain.transform
        transform.incremental = .init(by: "ts")
        let planned = PlannedTransform(
            transform: transform, analysis: plain.analysis,
            moments: [bronze: .init(column: "ts", isNullable: false)])
        try sandbox.ingest("id,ts\n1,2024-01-01 00:00:00\n", under: readings, name: "a.csv")
        _ = try sandbox.lake.build(planned)
        try sandbox.age(bronze)
        try sandbox.age(silver, madeBy: transform.sql, from: [bronze])
        #expect(try sandbox.lake.build(planned).skipped)
        try sandbox.ingest("id,ts\n2,2024-01-05 00:00:00\n", under: readings, name: "b.csv")
        let report = try sandbox.lake.build(planned)
        #expect(report.rows == 2 && report.computed == 1 && report.whole == nil, "\(report)")
        #expect(try sandbox.statesItsRows(silver))
    }
}

@Suite struct `Another version of the engine` {
    @Test func `gives the same hashes and fingerprints, so nothing is built again`() throws {
        let sandbox = try Sandbox()
        let things = contract(column("id", .bigint), column("value", .double))
        let sql = "SELECT id, value FROM bronze.things"
        try sandbox.ingest("id,value\n1,2\n", under: things, name: "a.csv")
        try sandbox.build("silver.t", sql)
        let silver = TableName(.silver, "t")
        let before = try sandbox.lake.reference(to: silver)
        let engine = sandbox.engine
        let upgraded = LazyLakeEngine(identity: "duckdb v9.9.9") { engine }
        let lake = Lake(root: sandbox.lake.root, engine: upgraded, context: sandbox.lake.context)
        #expect(try lake.build(try sandbox.plan("silver.t", sql)).skipped)
        #expect(try lake.isUpToDate(try sandbox.plan("silver.t", sql)))
        // A table that it makes has the fingerprint that it would have had, and says by which engine it was made.
        _ = try lake.build(try sandbox.plan("silver.t", sql + " -- again"))
        _ = try lake.build(try sandbox.plan("silver.t", sql))
        let after = try lake.reference(to: silver)
        #expect(after.version == 2 && after.fingerprint == before.fingerprint && after.hash == before.hash)
        #expect(try lake.snapshot(of: silver).commitInfo?["martlet"]?["engine"]?.text == "duckdb v9.9.9")
    }
}
