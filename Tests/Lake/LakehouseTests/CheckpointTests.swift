import Core
import Foundation
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import Storage
import TestSupport
import Testing

/// A lake whose tables get commits without a query each: what is tested is the log.
extension Sandbox {
    /// Commits `count` files of one row each to silver.t, every commit with a transaction of its own.
    func appendFiles(_ range: Range<Int>) throws {
        let name = TableName(.silver, "t")
        let table = lake.table(name)
        try Disk.makeDirectory(table.folder)
        for number in range {
            let file = "\(table.folder)/part-\(number).parquet"
            let written = try engine.materialise(Query("SELECT '\(number)' AS a"), into: file)
            _ = try lake.commit(name) { current in
                let before = current?.commitInfo?["martlet"]?["contentHash"]?.text.flatMap { ContentHash($0) }
                let hash = (before ?? ContentHash()) + written.hash
                var actions = [lake.commitInfo("WRITE", ["contentHash": .text(hash.description)])]
                if current == nil { actions += try lake.header(written.fields) }
                let txn = DeltaTransaction(appId: "martlet/file/\(number)", version: 1, lastUpdated: 7)
                actions.append(DeltaAction(txn: txn))
                actions.append(try lake.add(written, to: table))
                return actions
            }
        }
    }

    var silver: DeltaTable { lake.table(TableName(.silver, "t")) }

    func forget(_ versions: some Sequence<Int>) {
        for version in versions { Disk.remove(logFile(version, "json")) }
    }

    func logFile(_ version: Int, _ kind: String) -> String {
        "\(silver.logFolder)/\(String(repeating: "0", count: 20 - "\(version)".count))\(version).\(kind)"
    }

    /// The same lake as another process sees it.
    func anew() -> Lake { Lake(root: lake.root, engine: engine, context: lake.context) }
}

private func summary(_ snapshot: DeltaSnapshot) -> [String] {
    snapshot.files.map { "\($0.path) \($0.size) \($0.rows ?? -1) \($0.position ?? "")" }
        + snapshot.transactions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        + ["\(snapshot.version) \(snapshot.metadata?.schemaString ?? "") \(snapshot.metadata?.id ?? "")"]
        + ["\(snapshot.protocol?.minReaderVersion ?? 0)"]
}

@Suite struct CheckpointTests {
    private let name = TableName(.silver, "t")

    @Test func `every hundred versions a checkpoint is written, and reads as the commits do`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<205)
        let log = try sandbox.silver.log()
        #expect(log.checkpoints.map(\.version) == [100, 200])
        let hint = try #require(JSONValue(parsing: try Disk.read(sandbox.silver.logFolder + "/_last_checkpoint")))
        #expect(hint["version"]?.integer == 200)
        #expect(hint["size"]?.integer == 2 + 2 * 201)
        let fromCommits = try sandbox.silver.snapshot()
        let fromCheckpoint = try sandbox.anew().snapshot(of: name)
        #expect(fromCheckpoint.checkpoint == 200)
        #expect(fromCommits.checkpoint == nil)
        #expect(summary(fromCheckpoint) == summary(fromCommits))
        #expect(
            summary(try sandbox.anew().snapshot(of: name, at: 150)) == summary(try sandbox.silver.snapshot(at: 150)))
        #expect(try Disk.list(sandbox.silver.logFolder).allSatisfy { !$0.hasSuffix(".tmp") && !$0.hasPrefix(".") })
    }

    @Test func `a table is read from its checkpoint when the commits before it are gone`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<103)
        let before = summary(try sandbox.silver.snapshot())
        sandbox.forget(0..<100)
        let lake = sandbox.anew()
        #expect(summary(try lake.snapshot(of: name)) == before)
        #expect(try lake.snapshot(of: name).transactions["martlet/file/5"] == 1)
        #expect(try lake.tables() == [name])
        #expect(try lake.snapshot(of: name, at: 101).files.count == 102)
        let lost = refusal { _ = try lake.snapshot(of: name, at: 99) }
        #expect(lost?.code == "lake.no-version")
        #expect(lost?.message.contains("100 to 102") == true)
        try sandbox.appendFiles(103..<104)
        #expect(try lake.snapshot(of: name).files.count == 104)
    }

    @Test func `a damaged hint or checkpoint costs nothing but time while the commits are there`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<203)
        let right = summary(try sandbox.silver.snapshot())
        let hint = sandbox.silver.logFolder + "/_last_checkpoint"
        let newest = sandbox.logFile(200, "checkpoint.parquet")
        let older = sandbox.logFile(100, "checkpoint.parquet")
        for bytes in [Array("{".utf8), [], Array(#"{"version":900,"size":1}"#.utf8)] {
            try Data(bytes).write(to: URL(fileURLWithPath: hint))
            #expect(summary(try sandbox.anew().snapshot(of: name)) == right)
        }
        Disk.remove(hint)
        #expect(try sandbox.anew().snapshot(of: name).checkpoint == 200)
        let whole = try Disk.read(newest)
        for bytes in [Array(whole.prefix(whole.count / 2)), [], Array("PAR1".utf8)] {
            try Data(bytes).write(to: URL(fileURLWithPath: newest))
            let snapshot = try sandbox.anew().snapshot(of: name)
            #expect(snapshot.checkpoint == 100)
            #expect(summary(snapshot) == right)
        }
        try Data([1]).write(to: URL(fileURLWithPath: older))
        #expect(try sandbox.anew().snapshot(of: name).checkpoint == nil)
        #expect(summary(try sandbox.anew().snapshot(of: name)) == right)
        sandbox.forget([3])
        let error = refusal { _ = try sandbox.anew().snapshot(of: name) }
        #expect(error?.code == "lake.corrupt-file")
        #expect(error?.location?.file == newest)
    }

    @Test func `a checkpoint that a kill prevented is written by the next commit`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<101)
        Disk.remove(sandbox.logFile(100, "checkpoint.parquet"))
        let lake = sandbox.anew()
        _ = try lake.commit(name) { _ in [lake.commitInfo("WRITE", [:])] }
        #expect(try sandbox.silver.log().checkpoints.map(\.version) == [101])
        try lake.checkpoint(name)
        try lake.checkpoint(name)
        #expect(try sandbox.silver.log().checkpoints.map(\.version) == [101])
    }

    @Test func `removed files are remembered for a week`() throws {
        let sandbox = try Sandbox()
        for number in 0..<4 { try sandbox.build("silver.t", "SELECT \(number) AS a") }
        try sandbox.lake.checkpoint(name)
        let actions = try sandbox.engine.readCheckpoint([sandbox.logFile(3, "checkpoint.parquet")])
        #expect(actions.count { $0.remove != nil } == 3)
        #expect(actions.count { $0.add != nil } == 1)
        #expect(actions.allSatisfy { $0.add?.dataChange != true && $0.remove?.dataChange != true })
        let later = VirtualClock(start: 1_800_000_000)
        let lake = Lake(root: sandbox.lake.root, engine: sandbox.engine, context: later.context())
        _ = try lake.commit(name) { _ in [lake.commitInfo("WRITE", [:])] }
        try lake.checkpoint(name)
        let kept = try sandbox.engine.readCheckpoint([sandbox.logFile(4, "checkpoint.parquet")])
        #expect(kept.count { $0.remove != nil } == 0)
    }

    @Test func `a checkpoint in parts is read, and passed over when a part is missing`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<4)
        let right = summary(try sandbox.silver.snapshot())
        let actions = try sandbox.lake.snapshot(of: name)
        #expect(actions.version == 3)
        try sandbox.lake.checkpoint(name)
        let whole = sandbox.logFile(3, "checkpoint.parquet")
        let rows = try sandbox.engine.readCheckpoint([whole])
        for (number, part) in [rows.prefix(5), rows.dropFirst(5)].enumerated() {
            try sandbox.engine.writeCheckpoint(
                Array(part), into: sandbox.logFile(3, "checkpoint.000000000\(number + 1).0000000002.parquet"))
        }
        Disk.remove(whole)
        #expect(try sandbox.anew().snapshot(of: name).checkpoint == 3)
        #expect(summary(try sandbox.anew().snapshot(of: name)) == right)
        Disk.remove(sandbox.logFile(3, "checkpoint.0000000002.0000000002.parquet"))
        #expect(try sandbox.anew().snapshot(of: name).checkpoint == nil)
        #expect(summary(try sandbox.anew().snapshot(of: name)) == right)
    }

    @Test func `a checkpoint of another kind is named when there is no way round it`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<3)
        let other = "checkpoint.3a0d65cd-4056-49b8-937b-95f9e3ee90e5.parquet"
        try Data([1]).write(to: URL(fileURLWithPath: sandbox.logFile(1, other)))
        #expect(try sandbox.anew().snapshot(of: name).version == 2)
        sandbox.forget([0])
        let error = refusal { _ = try sandbox.anew().snapshot(of: name) }
        #expect(error?.code == "lake.unsupported")
        #expect(error?.message.contains(other) == true)
    }

    @Test func `what another process commits is seen, and a replaced table too`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<3)
        let other = sandbox.anew()
        #expect(try other.snapshot(of: name).version == 2)
        try sandbox.appendFiles(3..<5)
        #expect(try other.snapshot(of: name).files.count == 5)
        #expect(try other.snapshot(of: name, at: 1).files.count == 2)
        #expect(try other.reference(to: name, at: 4).version == 4)
        let elsewhere = try Sandbox()
        for number in 0..<5 { try elsewhere.build("silver.t", "SELECT \(number) + 100 AS a") }
        #expect(rename(sandbox.silver.folder, sandbox.folder.path + "/old") == 0)
        #expect(rename(elsewhere.silver.folder, sandbox.silver.folder) == 0)
        #expect(try other.query("SELECT a FROM silver.t", at: [:], limit: nil).rows == [["104"]])
        Disk.removeTree(sandbox.silver.folder)
        #expect(refusal { _ = try other.snapshot(of: name) }?.code == "lake.no-table")
    }

    @Test func `a commit is never older than the one before`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<1)
        let before = try #require(try sandbox.lake.snapshot(of: name).timestamp)
        let earlier = VirtualClock(start: 0)
        let lake = Lake(root: sandbox.lake.root, engine: sandbox.engine, context: earlier.context())
        for _ in 0..<2 { _ = try lake.commit(name) { _ in [lake.commitInfo("WRITE", [:])] } }
        #expect(try lake.snapshot(of: name).timestamp == before + 2)
    }

    @Test(arguments: [
        (#""writerFeatures":["changeDataFeed"]"#, "", "changeDataFeed"),
        (#""writerFeatures":["appendOnly"]"#, #""delta.appendOnly":"true""#, "delta.appendOnly"),
    ]) func `does not write where another tool's rules are not kept`(
        _ features: String, _ configuration: String, _ said: String
    ) throws {
        let sandbox = try Sandbox()
        let lines =
            #"{"protocol":{"minReaderVersion":1,"minWriterVersion":7,\#(features)}}"# + "\n"
            + #"{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":[],"configuration":{\#(configuration)}}}"#
        try sandbox.folder.write("lake/silver/t/_delta_log/00000000000000000000.json", Array(lines.utf8))
        #expect(try sandbox.lake.snapshot(of: name).version == 0)
        let error = refusal {
            _ = try sandbox.lake.commit(name) { _ in [sandbox.lake.commitInfo("WRITE", [:])] }
        }
        #expect(error?.code == "lake.unsupported")
        #expect(error?.message.contains(said) == true)
    }

    @Test(.needsInterop) func `delta-rs reads a table from our checkpoint alone, and we from its`() throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<5)
        try sandbox.build("silver.t", "SELECT TIMESTAMP '2024-01-01 10:00:00' AS at, 'é' AS a")
        try sandbox.appendFiles(5..<8)
        try sandbox.lake.checkpoint(name, at: 7)
        let right = summary(try sandbox.silver.snapshot())
        sandbox.forget(0...7)
        let seen = try Interop.json("checkpoint.py", "read", sandbox.silver.folder)
        #expect(seen["version"]?.integer == 8)
        #expect(seen["rows"]?.integer == 4)
        #expect(seen["files"]?.list?.count == 4)
        #expect(seen["transaction"]?.integer == 1)

        let made = try Interop.json("checkpoint.py", "checkpoint", sandbox.silver.folder)
        #expect(made["version"]?.integer == 8)
        Disk.remove(sandbox.logFile(7, "checkpoint.parquet"))
        let lake = sandbox.anew()
        #expect(try lake.snapshot(of: name).checkpoint == 8)
        #expect(summary(try lake.snapshot(of: name)) == right)

        let grown = try Interop.json("checkpoint.py", "append", sandbox.silver.folder)
        #expect(grown["version"]?.integer == 9)
        #expect(try lake.snapshot(of: name).files.count == 5)
        #expect(try lake.query("SELECT a FROM silver.t WHERE a = 'theirs'", at: [:], limit: nil).rows.count == 1)
        try sandbox.appendFiles(8..<9)
        #expect(try Interop.json("checkpoint.py", "read", sandbox.silver.folder)["rows"]?.integer == 6)
    }

    @Test(.needsInterop) func `delta-rs reads columns whose names are mapped`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT 298.5::DOUBLE AS \"Air temperature [K]\", 'x' AS \"a=b;{c}\"")
        let seen = try Interop.json("read_tables.py", sandbox.lake.root)
        #expect(seen["silver.t"]?["rows"]?.integer == 1)
        #expect(seen["silver.t"]?["sums"]?["Air temperature [K]"] == .number(298.5))
        #expect(seen["silver.t"]?["columns"]?["a=b;{c}"]?.text == "string")
    }
}
