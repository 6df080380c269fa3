import Core
import Dispatch
import Foundation
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct CompactionTests {
    private let bronze = TableName(.bronze, "things")

    /// Days of readings; the sums of their doubles depend on the order in which they are added.
    private func day(_ number: Int, rows: Int = 700) -> String {
        var text = "id,kind,value\n"
        for row in 0..<rows {
            let value = Double((number * 7919 + row * 104_729) % 10_007) / 7
            text += "\(number * rows + row),k\(row % 3),\(row % 11 == 0 ? "0.1" : "\(value)")\n"
        }
        return text
    }

    private let things = contract(column("id", .bigint), column("kind", .text), column("value", .double))

    private let orderSensitive = """
        SELECT kind, sum(value) AS s, avg(value) AS a, stddev(value) AS d, first(id) AS f, last(id) AS l,
          string_agg(id::TEXT, ',')[1:40] AS t, sum(if(value = 0.1, value, NULL)) AS tenths
        FROM bronze.things GROUP BY kind
        """

    @Test func `rows, their order and all that follows from it stay the same`() throws {
        let sandbox = try Sandbox(threads: 2)
        for number in 0..<12 { try sandbox.ingest(day(number), under: things, name: "\(number).csv") }
        try sandbox.build("silver.sums", orderSensitive)
        let plain = "SELECT id, _file, _row FROM bronze.things"
        let before = (
            rows: try sandbox.rows(plain), sums: try sandbox.rows("SELECT * FROM silver.sums"),
            hash: try sandbox.lake.reference(to: bronze).hash
        )
        let report = try sandbox.lake.compact(bronze)
        #expect(report.version == 12)
        #expect((report.before, report.after, report.compacted, report.rows) == (12, 1, 12, 8400))
        #expect(try sandbox.rows(plain) == before.rows)
        let reference = try sandbox.lake.reference(to: bronze)
        #expect(reference.hash == before.hash)
        #expect(try sandbox.engine.contentHash(of: try sandbox.lake.files(of: bronze)) == before.hash)
        #expect(try sandbox.build("silver.sums", orderSensitive).skipped)
        let again = try sandbox.engine.materialise(
            Query(
                orderSensitive, inputs: [bronze: try sandbox.lake.files(of: bronze)], inRowOrder: true),
            into: sandbox.folder.path + "/again.parquet")
        #expect(try again.hash == sandbox.lake.reference(to: TableName(.silver, "sums")).hash)
        #expect(try sandbox.rows("SELECT count(*) FROM bronze.things", at: [bronze: 3]) == ["2800"])
        #expect(try sandbox.lake.ingestedFiles("things").count == 12)
        #expect(try sandbox.lake.compact(bronze).version == nil)
    }

    @Test func `new files come after a compacted one, and a second compaction keeps the order`() throws {
        let sandbox = try Sandbox()
        for number in 0..<3 { try sandbox.ingest(day(number, rows: 5), under: things, name: "\(number).csv") }
        #expect(try sandbox.lake.compact(bronze).after == 1)
        for number in 3..<5 { try sandbox.ingest(day(number, rows: 5), under: things, name: "\(number).csv") }
        let order = (0..<25).map { "\($0)" }
        #expect(try sandbox.rows("SELECT id FROM bronze.things") == order)
        #expect(try sandbox.lake.compact(bronze).after == 1)
        #expect(try sandbox.rows("SELECT id FROM bronze.things") == order)
        #expect(try sandbox.anew().query("SELECT id FROM bronze.things", at: [:], limit: nil).rows.count == 25)
        #expect(try sandbox.ingest(day(1, rows: 5), under: things, name: "again.csv").outcome == .alreadyKnown)
    }

    @Test func `only neighbours with the same columns and within the target are put together`() throws {
        let sandbox = try Sandbox()
        for number in 0..<2 { try sandbox.ingest(day(number, rows: 5), under: things, name: "\(number).csv") }
        var wider = things
        wider.columns.append(column("note", .text) { $0.optional = true })
        for number in 2..<4 { try sandbox.ingest(day(number, rows: 5), under: wider, name: "\(number).csv") }
        let hash = try sandbox.lake.reference(to: bronze).hash
        let dry = try sandbox.lake.compact(bronze, dryRun: true)
        #expect((dry.before, dry.after, dry.version) == (4, 2, nil))
        #expect(try sandbox.lake.snapshot(of: bronze).version == 3)
        #expect(try sandbox.lake.compact(bronze, target: 100).compacted == 0)
        #expect(try sandbox.lake.compact(bronze).after == 2)
        #expect(try sandbox.engine.contentHash(of: try sandbox.lake.files(of: bronze)) == hash)
        #expect(try sandbox.rows("SELECT id, note FROM bronze.things").count == 20)
    }

    @Test func `a table that was altered from outside is not compacted`() throws {
        let sandbox = try Sandbox()
        for number in 0..<3 { try sandbox.ingest(day(number, rows: 5), under: things, name: "\(number).csv") }
        let files = try sandbox.lake.files(of: bronze)
        let other = try sandbox.engine.materialise(
            Query("SELECT id, kind, value + 1 AS value, _file, _row FROM bronze.things", inputs: [bronze: [files[1]]]),
            into: sandbox.folder.path + "/other.parquet")
        #expect(rename(other.path, files[1]) == 0)
        #expect(refusal { _ = try sandbox.lake.compact(bronze) }?.code == "lake.altered")
        #expect(try sandbox.lake.snapshot(of: bronze).version == 2)
        #expect(try Disk.list(sandbox.lake.table(bronze).folder).count { $0.hasSuffix(".parquet") } == 3)
    }

    @Test func `appends that arrive while files are being put together stay`() throws {
        let sandbox = try Sandbox()
        let name = TableName(.silver, "t")
        try sandbox.appendFiles(0..<40)
        let failures = Mutex<[String]>([])
        let group = DispatchGroup()
        for writer in 0..<2 {
            group.enter()
            let (root, folder) = (sandbox.lake.root, sandbox.folder)
            Thread.detachNewThread {
                defer { group.leave() }
                do {
                    let own = try Sandbox(in: folder)
                    precondition(own.lake.root == root)
                    if writer == 0 {
                        try own.appendFiles(40..<70)
                    } else {
                        for _ in 0..<6 { _ = try own.lake.compact(name) }
                    }
                } catch { failures.withLock { $0.append("\(error)") } }
            }
        }
        group.wait()
        #expect(failures.withLock { $0 } == [])
        let rows = try sandbox.rows("SELECT a FROM silver.t").compactMap { Int($0) }
        #expect(rows == Array(0..<70))
        #expect(try sandbox.lake.snapshot(of: name).transactions.count == 70)
        #expect(try sandbox.lake.history(of: name).contains { $0.operation == "OPTIMIZE" })
    }
}

@Suite struct VacuumTests {
    private let name = TableName(.silver, "t")

    /// The lake as it is some days later; files keep the real time, so that is where days count from.
    private func later(_ sandbox: Sandbox, days: Double) -> Lake {
        let clock = VirtualClock(start: Int64(Date().timeIntervalSince1970 + days * 86_400))
        return Lake(root: sandbox.lake.root, engine: sandbox.engine, context: clock.context())
    }

    private func parquet(_ sandbox: Sandbox) throws -> Int {
        try Disk.list(sandbox.silver.folder).count { $0.hasSuffix(".parquet") }
    }

    @Test func `nothing goes while a version that somebody needs cannot be read`() throws {
        let sandbox = try Sandbox()
        for number in 0..<5 { try sandbox.build("silver.t", "SELECT \(number) AS a") }
        let lake = later(sandbox, days: 10)
        let entry = lake.table(name).entry(1)
        let bytes = try Disk.read(entry)
        try Disk.replaceDurably(entry, Array("{broken".utf8))
        let refused = refusal { _ = try lake.vacuum(name, retain: 7 * 86_400, youngest: 86_400, pinned: [1]) }
        #expect(refused.map { ["lake.unproved", "lake.corrupt-log"].contains($0.code) } == true, "\(refused as Any)")
        #expect(try parquet(sandbox) == 5)
        // A version that the log does not have proves nothing either.
        try Disk.replaceDurably(entry, bytes)
        let unknown = refusal { _ = try lake.vacuum(name, retain: 7 * 86_400, youngest: 86_400, pinned: [-1]) }
        #expect(unknown?.code == "lake.unproved" && unknown?.remedy?.contains("--including-lineage") == true)
        #expect(try parquet(sandbox) == 5)
        #expect(try lake.vacuum(name, retain: 7 * 86_400, youngest: 86_400, pinned: [1]).files == 3)
    }

    @Test func `retention takes the oldest whole files, and says how many rows`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<4)
        let before = try sandbox.lake.snapshot(of: name).files
        #expect(before.count == 4)
        let size = before.reduce(Int64(0)) { $0 + $1.size }
        let lake = later(sandbox, days: 1)
        #expect(try lake.expire([name], before: nil) { _ in nil } == LakeExpiry())
        let report = try lake.expire([name], before: nil) { own in
            #expect(own == size)
            return size - 1
        }
        #expect(report.files == 1 && report.rows == 1 && report.bytes == before[0].size)
        #expect(try sandbox.rows("SELECT a FROM silver.t ORDER BY a") == ["1", "2", "3"])
        #expect(!Disk.exists(sandbox.silver.path(of: before[0])), "the disk has the room")
        #expect(
            try sandbox.lake.reference(to: name).hash
                == sandbox.engine.contentHash(of: try sandbox.lake.files(of: name)))
        #expect(try sandbox.lake.history(of: name).map(\.operation).contains("DELETE"))
        // What was committed once stays so: a compaction does not bring the rows again.
        #expect(try sandbox.lake.snapshot(of: name).transactions.count == 4)
        let rest = try later(sandbox, days: 2).expire([name], before: .init(microseconds: .max)) { _ in nil }
        #expect(rest.files == 3)
        #expect(try later(sandbox, days: 3).query("SELECT count(*) FROM silver.t", at: [:], limit: nil).rows == [["0"]])
    }

    @Test func `what no version within the retention names goes, and the error names the vacuum`() throws {
        let sandbox = try Sandbox()
        for number in 0..<5 { try sandbox.build("silver.t", "SELECT \(number) AS a") }
        let lake = later(sandbox, days: 10)
        let dry = try lake.vacuum(name, retain: 7 * 86_400, youngest: 86_400, pinned: [1], dryRun: true)
        #expect((dry.files, dry.oldest, dry.pinned, dry.lost) == (3, 4, [1], [0, 2, 3]))
        #expect(try parquet(sandbox) == 5)
        #expect(try lake.snapshot(of: name).version == 4)
        let report = try lake.vacuum(name, retain: 7 * 86_400, youngest: 86_400, pinned: [1])
        #expect(report.files == 3)
        #expect(try parquet(sandbox) == 2)
        #expect(try lake.history(of: name).map(\.operation).suffix(2) == ["VACUUM START", "VACUUM END"])
        #expect(try lake.query("SELECT a FROM silver.t", at: [:], limit: nil).rows == [["4"]])
        #expect(try lake.query("SELECT a FROM silver.t", at: [name: 1], limit: nil).rows == [["1"]])
        let error = refusal { _ = try lake.query("SELECT a FROM silver.t", at: [name: 2], limit: nil) }
        #expect(error?.code == "lake.vacuumed")
        #expect(error?.message.contains("vacuum on 20") == true)
        #expect(try sandbox.build("silver.t", "SELECT 4 AS a").skipped)
        #expect(try lake.vacuum(name, retain: 7 * 86_400, youngest: 86_400, pinned: [1]).files == 0)
    }

    @Test func `versions within the retention stay, with all that was added since`() throws {
        let sandbox = try Sandbox()
        for number in 0..<5 { try sandbox.build("silver.t", "SELECT \(number) AS a") }
        // The clock of the sandbox counts seconds from 2023; a retention that reaches there keeps everything.
        let lake = later(sandbox, days: 1)
        let reaching = Int(Date().timeIntervalSince1970) - 1_700_000_000 + 86_400 * 2
        #expect(try lake.vacuum(name, retain: reaching, youngest: 0).files == 0)
        #expect(try parquet(sandbox) == 5)
    }

    @Test func `files of killed runs and temporary names go when they are old enough`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT 1 AS a")
        _ = try sandbox.engine.materialise(Query("SELECT 2 AS a"), into: sandbox.silver.folder + "/part-lost.parquet")
        for place in [
            "silver/t/.x.9-1.tmp", "silver/t/_delta_log/.00000000000000000001.json.9-1.tmp", "silver/t/notes.txt",
        ] {
            try sandbox.folder.write("lake/" + place, [1])
        }
        #expect(try later(sandbox, days: 0.5).vacuum(name, retain: 86_400, youngest: 86_400).files == 0)
        #expect(try parquet(sandbox) == 2)
        let report = try later(sandbox, days: 1.5).vacuum(name, retain: 86_400, youngest: 86_400)
        #expect((report.files, report.temporary) == (1, 2))
        #expect(try parquet(sandbox) == 1)
        #expect(Disk.exists(sandbox.silver.folder + "/notes.txt"))
        #expect(try sandbox.rows("SELECT a FROM silver.t") == ["1"])
    }

    @Test func `what tables are built on is known`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT 1 AS a")
        try sandbox.build("gold.u", "SELECT a FROM silver.t")
        try sandbox.build("silver.t", "SELECT 2 AS a")
        #expect(try sandbox.lake.parentVersions() == [name: [0]])
    }
}

@Suite struct HistoryTests {
    private let name = TableName(.silver, "t")

    @Test func `tells of every version, and which one was the latest at a moment`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<3)
        _ = try sandbox.lake.compact(name)
        let history = try sandbox.lake.history(of: name)
        #expect(history.map(\.version) == [0, 1, 2, 3])
        #expect(history.map(\.rows) == [1, 2, 3, 3])
        #expect(history.map(\.dataFiles) == [1, 2, 3, 1])
        #expect(history.map(\.operation) == ["WRITE", "WRITE", "WRITE", "OPTIMIZE"])
        let times = history.compactMap(\.at)
        #expect(times == times.sorted() && Set(times).count == 4)
        for entry in history {
            #expect(try sandbox.lake.version(of: name, at: entry.at ?? Timestamp(microseconds: 0)) == entry.version)
        }
        let between = Timestamp(microseconds: times[2].microseconds - 1)
        #expect(try sandbox.lake.version(of: name, at: between) == 1)
        #expect(try sandbox.lake.version(of: name, at: Timestamp(microseconds: .max)) == 3)
        let early = refusal { _ = try sandbox.lake.version(of: name, at: Timestamp(microseconds: 0)) }
        #expect(early?.code == "lake.no-version")
    }

    @Test func `begins at the checkpoint when older commits are gone`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<4)
        try sandbox.lake.checkpoint(name, at: 2)
        sandbox.forget(0...1)
        let history = try sandbox.anew().history(of: name)
        #expect(history.map(\.version) == [2, 3])
        #expect(history.map(\.rows) == [3, 4])
    }
}

@Suite struct LineageTests {
    private let things = contract(column("id", .bigint))
    private let bronze = TableName(.bronze, "things")

    private func names(_ lake: Lake, upTo version: Int? = nil) throws -> [String] {
        try lake.ingestedFiles("things", upTo: version).map { "\($0.name) \($0.rows)" }
    }

    @Test func `landed files are known after their commits were cleaned away`() throws {
        let sandbox = try Sandbox()
        for number in 0..<6 { try sandbox.ingest("id\n\(number)\n", under: things, name: "\(number).csv") }
        let all = (0..<6).map { "\($0).csv 1" }
        #expect(try names(sandbox.lake) == all)
        try sandbox.lake.checkpoint(bronze, at: 3)
        try sandbox.lake.checkpoint(bronze, at: 5)
        let log = sandbox.lake.table(bronze).logFolder
        for version in 0..<5 { Disk.remove("\(log)/0000000000000000000\(version).json") }
        #expect(try names(sandbox.anew()) == all)
        #expect(try names(sandbox.anew(), upTo: 3) == Array(all.prefix(4)))
        let lists = sandbox.lake.table(bronze).folder + "/_martlet"
        #expect(try Disk.list(lists).count == 2)
        for name in try Disk.list(lists) { try Data("[".utf8).write(to: URL(fileURLWithPath: "\(lists)/\(name)")) }
        let left = try sandbox.anew().ingestedFiles("things")
        #expect(left.count == 6)
        #expect(Set(left.map(\.digest)) == Set((0..<6).map { Digest(of: Array("id\n\($0)\n".utf8)) }))
        #expect(left.first?.name == "5.csv")
    }
}
