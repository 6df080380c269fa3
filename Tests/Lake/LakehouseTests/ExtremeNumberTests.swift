import Core
import Foundation
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import Storage
import TestSupport
import Testing

/// Numbers that another program may have written into a log: none of them ends this one.
@Suite struct ExtremeNumberTests {
    static let numbers = ["9223372036854775807", "-9223372036854775808", "-1", "0", "1e300", "-1e300", "1.5"]
    private let name = TableName(.silver, "t")

    /// Everything that reads a log or counts on from it. What it cannot use it refuses in words.
    private func use(_ sandbox: Sandbox) {
        let lake = sandbox.anew()
        let acts: [() throws -> Void] = [
            { _ = try lake.snapshot(of: self.name).rows },
            { for entry in try lake.history(of: self.name) { _ = entry.at?.description } },
            { _ = try lake.version(of: self.name, at: Timestamp(microseconds: 0)) },
            { _ = try lake.table(self.name).described(1).time.description },
            { _ = try lake.query("SELECT count(*) FROM silver.t", at: [:], limit: nil) },
            { _ = try lake.parentVersions() },
            { try lake.checkpoint(self.name) },
            { _ = try lake.vacuum(self.name, retain: 0, youngest: 0, dryRun: true) },
            { _ = try lake.compact(self.name, target: 1 << 30) },
            { _ = try lake.append(self.row(sandbox, "appended"), to: self.name, once: "app", upTo: .max) },
            { _ = try lake.build(try sandbox.plan("silver.t", "SELECT 'z' AS a")) },
            { _ = try lake.vacuum(self.name, retain: 0, youngest: 0) },
            { _ = try lake.files(of: self.name, at: 0) },
        ]
        for act in acts {
            do { try act() } catch {
                #expect(error is MartletError, "\(error)")
            }
        }
    }

    private func row(_ sandbox: Sandbox, _ text: String) throws -> WrittenFile {
        try sandbox.engine.materialise(
            Query("SELECT '\(text)' AS a"), into: "\(sandbox.silver.folder)/part-\(text).parquet")
    }

    @Test(arguments: numbers) func `in actions`(_ number: String) throws {
        for place in [
            "size", "modificationTime", "numRecords", "timestamp", "inCommitTimestamp", "version", "lastUpdated",
            "deletionTimestamp", "createdTime", "minReaderVersion", "minWriterVersion", "oldest", "rows",
        ] {
            let sandbox = try Sandbox()
            try sandbox.appendFiles(0..<3)
            let entry = sandbox.logFile(1, "json")
            var text = String(decoding: try Disk.read(entry), as: UTF8.self)
            text += """
                {"commitInfo":{"timestamp":1700000000001,"inCommitTimestamp":1,"operation":"VACUUM END","martlet":{"parents":["silver.t@\(number)"],"vacuum":{"oldest":1},"files":[{"name":"f","digest":"\(String(repeating: "a", count: 64))","rows":1,"rejected":1}]}}}
                {"remove":{"path":"gone.parquet","deletionTimestamp":1,"dataChange":true}}
                {"txn":{"appId":"app","version":1,"lastUpdated":1}}
                {"protocol":{"minReaderVersion":1,"minWriterVersion":2}}

                """
            text.replace(try Regex("\"\(place)\":-?[0-9]+"), with: "\"\(place)\":\(number)")
            text.replace(try Regex("\\\\\"\(place)\\\\\":-?[0-9]+"), with: "\\\"\(place)\\\":\(number)")
            Disk.remove(entry)
            try sandbox.folder.write("lake/silver/t/_delta_log/\(Disk.name(of: entry))", text)
            use(sandbox)
        }
    }

    @Test(arguments: ["09223372036854775807", "09223372036854775806", "99999999999999999999", "04611686018427387904"])
    func `in names`(_ version: String) throws {
        let sandbox = try Sandbox()
        try sandbox.appendFiles(0..<2)
        let log = "lake/silver/t/_delta_log"
        let entry = try Disk.read(sandbox.logFile(1, "json"))
        try sandbox.folder.write("\(log)/\(version).json", entry)
        try sandbox.folder.write("\(log)/\(version).checkpoint.parquet", "PAR1")
        try sandbox.folder.write("\(log)/\(version).checkpoint.0000000001.9223372036854775807.parquet", "PAR1")
        try sandbox.folder.write("\(log)/_last_checkpoint", #"{"version":\#(version.drop { $0 == "0" }),"size":-1}"#)
        #expect(try sandbox.anew().snapshot(of: name).version == 1)
        use(sandbox)
    }

    @Test func `in the list of landed files, and in the numbers of transactions`() throws {
        let sandbox = try Sandbox()
        let rules = contract(column("id", .bigint) { $0.nullable = false })
        try sandbox.ingest("id\n1\nx\n", under: rules)
        try sandbox.folder.write("lake/bronze/things/_martlet/ingested-9223372036854775807.json", "[]")
        #expect(try sandbox.anew().ingestedFiles("things").count == 1)
        try sandbox.folder.write(
            "lake/bronze/things/_martlet/ingested-00000000000000000000.json",
            #"[{"name":"f","digest":"\#(String(repeating: "a", count: 64))","rows":9223372036854775807,"rejected":-5}]"#
        )
        let files = try sandbox.anew().ingestedFiles("things")
        #expect(files.allSatisfy { (0...(1 << 48)).contains($0.rows) && $0.rejected >= 0 })
    }
}
