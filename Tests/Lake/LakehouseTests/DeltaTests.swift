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

@Suite struct DeltaTests {
    private let silver = TableName(.silver, "t")

    private func lines(_ sandbox: Sandbox, _ name: TableName, _ version: Int) throws -> [JSONValue] {
        let file = "\(sandbox.lake.table(name).folder)/_delta_log/\(String(repeating: "0", count: 19))\(version).json"
        return try Disk.read(file).split(separator: 10).map { try JSON.decode(JSONValue.self, from: $0) }
    }

    @Test func `writes protocol 1/2 where that is enough`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT 1 AS a, 'x' AS b, DATE '2024-01-01' AS c, 1.5::DECIMAL(5,1) AS d")
        let table = try sandbox.lake.table(silver).snapshot()
        #expect(table.protocol?.minReaderVersion == 1)
        #expect(table.protocol?.minWriterVersion == 2)
        #expect(table.protocol?.readerFeatures == nil)
        let schema = try #require(table.metadata?.schemaString)
        let fields = try JSON.decode(JSONValue.self, from: Array(schema.utf8))["fields"]?.list
        #expect(fields?.map { $0["type"]?.text } == ["integer", "string", "date", "decimal(5,1)"])
        #expect(fields?.allSatisfy { $0["nullable"] == .flag(true) && $0["metadata"] == .object([:]) } == true)
    }

    @Test func `writes protocol 3/7 with timestampNtz for timestamps without a zone`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT TIMESTAMP '2024-01-01 12:00:00' AS at")
        let table = try sandbox.lake.table(silver).snapshot()
        #expect(table.protocol?.minReaderVersion == 3)
        #expect(table.protocol?.minWriterVersion == 7)
        #expect(table.protocol?.readerFeatures == ["timestampNtz"])
        #expect(table.protocol?.writerFeatures == ["timestampNtz"])
        #expect(try table.metadata?.fields().map(\.type) == ["timestamp_ntz"])
    }

    @Test func `a table that gains a timestamp gains the protocol for it`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT 1 AS a")
        let id = try sandbox.lake.table(silver).snapshot().metadata?.id
        try sandbox.build("silver.t", "SELECT 1 AS a, TIMESTAMP '2024-01-01 12:00:00' AS at")
        let table = try sandbox.lake.table(silver).snapshot()
        #expect(table.protocol?.minReaderVersion == 3)
        #expect(table.metadata?.id == id)
        #expect(try sandbox.lake.table(silver).snapshot(at: 0).protocol?.minReaderVersion == 1)
    }

    private func stored(_ snapshot: DeltaSnapshot) throws -> [String: Int64] {
        let text = try #require(snapshot.metadata?.schemaString)
        let schema = try #require(JSONValue(parsing: text))
        var ids: [String: Int64] = [:]
        for field in schema["fields"]?.list ?? [] {
            let name = try #require(field["name"]?.text)
            #expect(field["metadata"]?["delta.columnMapping.physicalName"] == .text(name))
            ids[name] = try #require(field["metadata"]?["delta.columnMapping.id"]?.long)
        }
        #expect(Set(ids.values).count == ids.count)
        let highest = snapshot.metadata?.configuration["delta.columnMapping.maxColumnId"].flatMap { Int64($0) }
        #expect(highest.map { $0 >= ids.values.max() ?? 0 } == true)
        return ids
    }

    @Test(arguments: ["Air temperature [K]", "a,b", "a;b", "{a}", "a(b)", "a\tb", "a=b"])
    func `columns whose names a plain schema must not have are mapped`(_ odd: String) throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT 1 AS a, 2 AS \"\(odd)\"")
        let table = try sandbox.lake.snapshot(of: silver)
        #expect(table.protocol?.minReaderVersion == 3 && table.protocol?.readerFeatures == ["columnMapping"])
        #expect(table.protocol?.writerFeatures == ["columnMapping"])
        #expect(table.metadata?.configuration["delta.columnMapping.mode"] == "name")
        #expect(try stored(table) == ["a": 1, odd: 2])
        #expect(try table.metadata?.fields().map(\.name) == ["a", odd])
        #expect(try table.metadata?.fields().allSatisfy { $0.metadata.isEmpty } == true)
        #expect(try sandbox.rows("SELECT a + \"\(odd)\" FROM silver.t") == ["3"])
        try sandbox.build("silver.t", "SELECT 3 AS a, 4 AS \"\(odd)\"")
        #expect(try lines(sandbox, silver, 1).allSatisfy { $0["metaData"] == nil }, "the schema is the same")
    }

    @Test func `a column keeps its id, a new one gets a new one, and a mapping stays`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT 1 AS a, 2 AS \"b c\", TIMESTAMP '2024-01-01 12:00:00' AS at")
        #expect(
            try sandbox.lake.snapshot(of: silver).protocol?.readerFeatures == ["columnMapping", "timestampNtz"])
        try sandbox.build("silver.t", "SELECT 9 AS new, 2 AS \"b c\", 1 AS a")
        #expect(try stored(sandbox.lake.snapshot(of: silver)) == ["a": 1, "b c": 2, "new": 4])
        try sandbox.build("silver.t", "SELECT 1 AS plain")
        let last = try sandbox.lake.snapshot(of: silver)
        #expect(try stored(last) == ["plain": 5])
        let first = try sandbox.lake.snapshot(of: silver, at: 0)
        #expect(last.metadata?.id == first.metadata?.id)
        try sandbox.lake.checkpoint(silver)
        for version in 0..<3 {
            Disk.remove("\(sandbox.lake.table(silver).logFolder)/0000000000000000000\(version).json")
        }
        let lake = Lake(root: sandbox.lake.root, engine: sandbox.engine, context: sandbox.lake.context)
        #expect(try stored(lake.snapshot(of: silver)) == ["plain": 5])
    }

    @Test func `a table of before, written without a mapping, is read and gets one with its next version`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT 1 AS a, 2 AS \"b c\"")
        let entry = sandbox.lake.table(silver).entry(0)
        let plain = String(decoding: try Disk.read(entry), as: UTF8.self)
            .replacing(#/"configuration":\{[^}]*\}/#, with: #""configuration":{}"#)
            .replacing(#/\\"metadata\\":\{[^}]*\}/#, with: #"\"metadata\":{}"#)
            .replacing(#/"protocol":\{[^}]*\}/#, with: #""protocol":{"minReaderVersion":1,"minWriterVersion":2}"#)
        #expect(!plain.contains("columnMapping"))
        Disk.remove(entry)
        try sandbox.folder.write("lake/silver/t/_delta_log/\(Disk.name(of: entry))", plain)
        let lake = Lake(root: sandbox.lake.root, engine: sandbox.engine, context: sandbox.lake.context)
        #expect(try lake.query("SELECT \"b c\" FROM silver.t", at: [:], limit: nil).rows == [["2"]])
        _ = try lake.build(try sandbox.plan("silver.t", "SELECT 5 AS a, 6 AS \"b c\""))
        #expect(try stored(lake.snapshot(of: silver)) == ["a": 1, "b c": 2])
        #expect(try lake.query("SELECT \"b c\" FROM silver.t", at: [silver: 0], limit: nil).rows == [["2"]])
        #expect(try lake.query("SELECT \"b c\" FROM silver.t", at: [:], limit: nil).rows == [["6"]])
    }

    @Test(arguments: ["id", "name"]) func `a mapping to other names is refused`(_ mode: String) throws {
        let folder = try Folder()
        let schema =
            #"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{\"delta.columnMapping.id\":1,\"delta.columnMapping.physicalName\":\"col-7\"}}]}"#
        let text =
            #"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["columnMapping"],"writerFeatures":["columnMapping"]}}"#
            + "\n"
            + #"{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"\#(schema)","partitionColumns":[],"configuration":{"delta.columnMapping.mode":"\#(mode)"}}}"#
        try folder.write("t/_delta_log/00000000000000000000.json", text)
        let error = refusal { _ = try DeltaTable(folder: folder.path + "/t").snapshot() }
        #expect(error?.code == "lake.unsupported" && error?.message.contains("a") == true)
    }

    @Test func `says size, rows and time of each file`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT range AS a FROM range(1234)")
        let add = try #require(try sandbox.lake.table(silver).snapshot().files.first)
        #expect(add.rows == 1234)
        #expect(add.stats == "{\"numRecords\":1234}")
        #expect(Disk.stamp(sandbox.lake.table(silver).path(of: add))?.size == add.size)
        #expect(add.modificationTime > 1_700_000_000_000)
        let line = try #require(try lines(sandbox, silver, 0).compactMap { $0["add"] }.first)
        #expect(line["dataChange"] == .flag(true))
        #expect(line["partitionValues"] == .object([:]))
    }

    @Test func `each version stays as it was`() throws {
        let sandbox = try Sandbox()
        for number in 0..<12 { try sandbox.build("silver.t", "SELECT \(number) AS a") }
        for number in 0..<12 {
            #expect(try sandbox.rows("SELECT a FROM silver.t", at: [silver: number]) == ["\(number)"])
            #expect(try sandbox.lake.reference(to: silver, at: number).version == number)
        }
        #expect(refusal { _ = try sandbox.lake.table(silver).snapshot(at: 12) }?.code == "lake.no-version")
        #expect(refusal { _ = try sandbox.lake.table(silver).snapshot(at: -1) }?.code == "lake.no-version")
        #expect(refusal { _ = try sandbox.lake.files(of: TableName(.gold, "nothing")) }?.code == "lake.no-table")
    }

    @Test func `a version is taken once`() throws {
        let folder = try Folder()
        let table = DeltaTable(folder: folder.path + "/t")
        let action = DeltaAction(commitInfo: .object([:]))
        #expect(try table.commit([action], as: 0))
        #expect(try !table.commit([action], as: 0))
        #expect(try table.versions() == [0])
    }

    /// Each writer adds its own files on top of whatever is there; every one must be in the table afterwards.
    @Test func `no commit is lost among writers at the same time`() throws {
        let folder = try Folder()
        let table = DeltaTable(folder: folder.path + "/t")
        let first = try [
            DeltaAction(protocol: DeltaProtocol(for: [])),
            DeltaAction(
                metaData: DeltaMetadata(id: "x", fields: [DeltaField(name: "a", type: "long")], createdTime: 1)),
        ]
        #expect(try table.commit(first, as: 0))
        let writers = 8
        let each = 25
        let failures = Mutex<[String]>([])
        let group = DispatchGroup()
        for writer in 0..<writers {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                for number in 0..<each {
                    do {
                        let add = DeltaAdd(path: "w\(writer)-\(number).parquet", size: 1, rows: 1, modificationTime: 1)
                        while true {
                            let next = (try table.versions().last ?? -1) + 1
                            if try table.commit([DeltaAction(add: add)], as: next) { break }
                        }
                    } catch { failures.withLock { $0.append("\(error)") } }
                }
            }
        }
        group.wait()
        #expect(failures.withLock { $0 } == [])
        let found = Set(try table.snapshot().files.map(\.path))
        #expect(found.count == writers * each)
        #expect(try table.versions().count == writers * each + 1)
        #expect(try Disk.list(table.folder + "/_delta_log").allSatisfy { $0.hasSuffix(".json") })
    }

    struct Strange: CustomTestStringConvertible, Sendable {
        var what: String
        var lines: String
        var code: String
        var names: String
        var testDescription: String { what }
    }

    static let plain =
        #"{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}"#

    @Test(arguments: [
        Strange(
            what: "deletion vectors",
            lines:
                #"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]}}"#
                + "\n" + plain, code: "lake.unsupported", names: "deletionVectors"),
        Strange(
            what: "column mapping by reader version 2",
            lines: #"{"protocol":{"minReaderVersion":2,"minWriterVersion":5}}"# + "\n" + plain,
            code: "lake.unsupported", names: "2"),
        Strange(
            what: "partitions",
            lines: #"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"# + "\n"
                + plain.replacing(#""partitionColumns":[]"#, with: #""partitionColumns":["a"]"#),
            code: "lake.unsupported", names: "a"),
        Strange(what: "no JSON", lines: "commit", code: "lake.corrupt-log", names: ""),
        Strange(
            what: "half a line", lines: #"{"protocol":{"minReaderVersion":1,"minWri"#, code: "lake.corrupt-log",
            names: ""),
        Strange(what: "an empty entry", lines: "", code: "lake.corrupt-log", names: "empty"),
        Strange(
            what: "no metadata", lines: #"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#,
            code: "lake.corrupt-log", names: ""),
        Strange(what: "no protocol", lines: plain, code: "lake.corrupt-log", names: ""),
    ]) func `refuses a log that it cannot read rightly`(_ strange: Strange) throws {
        let folder = try Folder()
        try folder.write("t/_delta_log/00000000000000000000.json", Array(strange.lines.utf8))
        let error = refusal { _ = try DeltaTable(folder: folder.path + "/t").snapshot() }
        #expect(error?.code == strange.code)
        let said = error.map { "\($0)" } ?? ""
        #expect(strange.names.isEmpty || said.contains(strange.names))
        #expect(error?.exitCode == 1)
    }

    @Test func `names the version that is missing from a log`() throws {
        let sandbox = try Sandbox()
        for number in 0..<4 { try sandbox.build("silver.t", "SELECT \(number) AS a") }
        let log = sandbox.lake.table(silver).folder + "/_delta_log"
        Disk.remove("\(log)/00000000000000000002.json")
        let error = refusal { _ = try sandbox.lake.table(silver).snapshot() }
        #expect(error?.code == "lake.corrupt-log")
        #expect(error?.message.contains("version 2") == true)
    }

    @Test func `names a data file that is gone or damaged`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT range AS a FROM range(1000)")
        let file = try #require(try sandbox.lake.files(of: silver).first)
        let bytes = try Disk.read(file)
        try Data(bytes.prefix(bytes.count / 2)).write(to: URL(fileURLWithPath: file))
        let damaged = refusal { _ = try sandbox.rows("SELECT sum(a) FROM silver.t") }
        #expect(damaged?.code == "lake.corrupt-file")
        #expect(damaged?.location?.file == file)
        Disk.remove(file)
        let gone = refusal { _ = try sandbox.rows("SELECT sum(a) FROM silver.t") }
        #expect(gone?.code == "lake.missing-file")
        #expect(gone?.location?.file == file)
    }

    @Test func `a file name with percent signs is found`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT 1 AS a")
        let table = sandbox.lake.table(silver)
        let add = try #require(try table.snapshot().files.first)
        let moved = table.folder + "/ä b%.parquet"
        #expect(rename(table.path(of: add), moved) == 0)
        var entry = add
        entry.path = "%C3%A4%20b%25.parquet"
        let remove = DeltaAction(remove: DeltaRemove(path: add.path, deletionTimestamp: 1))
        #expect(try table.commit([remove, DeltaAction(add: entry)], as: 1))
        #expect(try sandbox.rows("SELECT a FROM silver.t") == ["1"])
    }

    @Test func `unknown members of actions are no error`() throws {
        let folder = try Folder()
        let lines =
            #"{"commitInfo":{"timestamp":1,"userName":"x"}}"# + "\n"
            + #"{"protocol":{"minReaderVersion":1,"minWriterVersion":2},"later":1}"# + "\n" + Self.plain + "\n"
            + #"{"domainMetadata":{"domain":"d","configuration":"","removed":false}}"# + "\n"
        try folder.write("t/_delta_log/00000000000000000000.json", Array(lines.utf8))
        #expect(try DeltaTable(folder: folder.path + "/t").snapshot().version == 0)
    }
}
