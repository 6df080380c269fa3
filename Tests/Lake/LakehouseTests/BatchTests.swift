import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import SourceFormats
import Storage
import TestSupport
import Testing

/// Files that are taken together, or in slices, come to the same as one after the other, or as a whole.
@Suite struct BatchTests {
    private static let columns = [
        column("id", .bigint) { $0.nullable = false }, column("day", .date), column("x", .double) { $0.max = "90" },
        column("t", .text) { $0.allowed = ["a", "b", "two\nlines", "say \"hi\""] },
        column("n", .integer) {
            $0.optional = true
            $0.min = "-5"
            $0.onViolation = .warn
        },
    ]

    enum Policy: CaseIterable, Sendable { case none, reject, latestWins }

    private static func contract(_ policy: Policy, maxRejected: Double) -> Contract {
        var contract = Contract(source: "things", file: "contracts/things.yaml", columns: columns)
        contract.maxRejected = maxRejected
        if policy != .none { contract.key = ["id"] }
        if policy == .latestWins { contract.onKeyConflict = .latestWins }
        return contract
    }

    /// A file with wrong cells, broken lines, blank lines, repeated keys and quoted line breaks in it; now and then
    /// one that is refused whole.
    private static func file(_ random: inout SeededGenerator, _ number: Int, rows: Int, dirt: Double) -> [UInt8] {
        func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }
        let end = chance(0.3) ? "\r\n" : "\n"
        if chance(0.06) {
            let nothing = String(repeating: end, count: number + 1)
            return Array(["id,day\(end)\(number),2024-01-01\(end)", "id,day,x,t" + nothing][number % 2].utf8)
        }
        let hasN = chance(0.5)
        let dirt = chance(0.15) ? 0.9 : chance(0.4) ? 0 : dirt
        var text = chance(0.2) ? "\u{FEFF}" : ""
        text += "id,day,x,t" + (hasN ? ",n" : "") + end
        for _ in 0..<rows {
            if chance(dirt / 3) { text += end }
            if chance(dirt / 3) {
                text += ["7", "1,2,3,4,5,6,7,8"].randomElement(using: &random).map { $0 + end } ?? ""
                continue
            }
            let wrong = chance(dirt)
            let id = wrong && chance(0.3) ? "" : "\(Int.random(in: 0..<4000, using: &random))"
            let day = wrong && chance(0.4) ? "2024-02-30" : "2024-02-\(Int.random(in: 10..<29, using: &random))"
            let x = wrong && chance(0.4) ? "95" : "\(Int.random(in: 0..<900, using: &random))e-1"
            let good = ["a", "b", "\"two\nlines\"", "\"say \"\"hi\"\"\"", ""]
            let t = wrong && chance(0.4) ? "z" : good.randomElement(using: &random) ?? ""
            text += "\(id),\(day),\(x),\(t)" + (hasN ? ",\(Int.random(in: -7..<60, using: &random))" : "") + end
        }
        return Array(text.utf8)
    }

    /// All that ingestion leaves behind, as texts: the table, its hash, quarantine and the reports.
    private static func outcome(_ sandbox: Sandbox, _ reports: [IngestReport.File]) throws -> [String] {
        let bronze = TableName(.bronze, "things")
        let hash = try sandbox.lake.reference(to: bronze).hash
        #expect(try sandbox.engine.contentHash(of: try sandbox.lake.files(of: bronze)) == hash)
        #expect(try sandbox.lake.table(bronze).snapshot().rows == hash.rows)
        let aside = try sandbox.lake.table(TableName(.quarantine, "things")).exists
        return try ["\(hash)"]
            + sandbox.rows("SELECT * FROM bronze.things ORDER BY _file, _row")
            + (aside
                ? sandbox.rows(
                    "SELECT file_digest, file_name, \"row\", \"column\", rule, raw_value, cells FROM quarantine.things "
                        + "ORDER BY ALL") : [])
            + reports.map {
                "\($0.name) \($0.outcome) \($0.rowsRead) \($0.rowsAccepted) \($0.rowsRejected) \($0.rowsSuperseded) "
                    + "\($0.refusal ?? "") \($0.warnings) "
                    + $0.breaches.map {
                        "\($0.column ?? "") \($0.rule) \($0.rows) \($0.example ?? "") \($0.exampleRow ?? 0)"
                    }
                    .joined(separator: ";")
            }
    }

    @Test(arguments: Policy.allCases, [1, 2, 3] as [UInt64])
    func `files taken together come to the same as one after the other`(_ policy: Policy, _ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let files = (0..<24).map { number in
            (name: "f\(number).csv", bytes: Self.file(&random, number, rows: 40, dirt: 0.1))
        }
        let contract = Self.contract(policy, maxRejected: 0.4)
        let together = try Sandbox(threads: 2)
        let report = try together.ingest(files: files, under: contract)
        let single = try Sandbox()
        let reports = try files.map { try single.ingest(bytes: $0.bytes, under: contract, name: $0.name) }
        let expected = try Self.outcome(single, reports)
        #expect(expected.count > 100)
        #expect(try Self.outcome(together, report.files) == expected)
    }

    @Test(arguments: Policy.allCases, [0.0, 0.05, 0.5])
    func `a file in slices comes to the same as a whole`(_ policy: Policy, _ dirt: Double) throws {
        var random = SeededGenerator(seed: 7)
        var contract = Self.contract(policy, maxRejected: 0.6)
        contract.columns[4].optional = true
        let texts = (0..<2).map { number in
            var text = "id,day,x,t\n"
            for row in 0..<3000 {
                let wrong = Double.random(in: 0..<1, using: &random) < dirt
                let id = policy == .none || dirt > 0 ? Int.random(in: 0..<5000, using: &random) : row + 3000 * number
                let t = ["a", "\"two\nlines\"", "\"say \"\"hi\"\"\"", "b"].randomElement(using: &random) ?? ""
                text += wrong && row % 7 == 0 ? "1,2\n\n" : "\(id),2024-02-1\(row % 10),\(wrong ? "x" : "1.5"),\(t)\n"
            }
            return (name: "f\(number).csv", bytes: Array(text.utf8))
        }
        let sliced = try Sandbox(threads: 2)
        sliced.engine.sliceBytes = 9000
        let whole = try Sandbox()
        let reports = try [sliced, whole].map { sandbox in
            try texts.map { try sandbox.ingest(bytes: $0.bytes, under: contract, name: $0.name) }
        }
        let bronze = TableName(.bronze, "things")
        if dirt == 0 { #expect(try sliced.lake.files(of: bronze).count > 10) }
        #expect(try Self.outcome(sliced, reports[0]) == Self.outcome(whole, reports[1]))
    }

    @Test func `a file that is refused after its last slice leaves nothing`() throws {
        let sandbox = try Sandbox()
        sandbox.engine.sliceBytes = 5000
        var strict = Self.contract(.reject, maxRejected: 0.2)
        strict.key = ["id"]
        let good = (0..<1000).map { "\($0),2024-02-10,1,a\n" }.joined()
        let bad = (1000..<2000).map { "\($0),2024-02-10,1,z\n" }.joined()
        let report = try sandbox.ingest("id,day,x,t\n" + good + bad, under: strict)
        #expect(report.outcome == .refused)
        #expect(report.refusal?.contains("1000 of its 2000 rows") == true)
        #expect(try Disk.list(sandbox.lake.table(TableName(.bronze, "things")).folder) == [])
        #expect(try Disk.list(sandbox.folder.path + "/spill").filter { $0.hasPrefix("slice") } == [])
        // Its keys are free for the next file.
        #expect(try sandbox.ingest("id,day,x,t\n" + good, under: strict, name: "b.csv").rowsAccepted == 1000)
    }

    @Test(arguments: [
        "1,2024-02-10,1,a\n2,2024-02-10,1,5\" pipe\n", "1,2024-02-10,1,\"a\"b\n2,2024-02-10,1,\"open\n",
        "1,2024-02-10,1, \"a\"\n",
    ]) func `a file with quotes in odd places is read as a whole`(_ odd: String) throws {
        let body = String(repeating: "5,2024-02-10,1,\"two\nlines\"\n", count: 400)
        let text = "id,day,x,t\n" + body + odd + body
        let contract = Self.contract(.none, maxRejected: 1)
        let sliced = try Sandbox()
        sliced.engine.sliceBytes = 2000
        let whole = try Sandbox()
        let reports = try [sliced, whole].map { try $0.ingest(text, under: contract) }
        #expect(reports[0].refusal == reports[1].refusal)
        if reports[0].refusal == nil {
            #expect(try Self.outcome(sliced, [reports[0]]) == Self.outcome(whole, [reports[1]]))
        }
    }

    @Test func `the same files give the same bytes, whatever the number of threads`() throws {
        var random = SeededGenerator(seed: 3)
        let files = (0..<5).map { (name: "f\($0).csv", bytes: Self.file(&random, $0, rows: 3000, dirt: 0.02)) }
        let bytes = try [1, 2, 4].map { threads in
            let sandbox = try Sandbox(threads: threads)
            sandbox.engine.sliceBytes = 30_000
            try sandbox.ingest(files: files, under: Self.contract(.reject, maxRejected: 1))
            return try sandbox.lake.files(of: TableName(.bronze, "things")).map { try Disk.read($0) }
        }
        #expect(bytes[0] == bytes[1])
        #expect(bytes[0] == bytes[2])
    }

    // MARK: Two writers

    /// Something that is done once, when a lake asks for the first id: after it has looked at its tables.
    private final class Overtaking: @unchecked Sendable {
        var body: (() throws -> Void)?
        private var count = 0

        func id() -> String {
            let once = body
            body = nil
            do { try once?() } catch { Issue.record(error) }
            count += 1
            return "f" + String(repeating: "0", count: 31 - "\(count)".count) + "\(count)"
        }
    }

    private func race(
        _ policy: Policy, first: [(name: String, bytes: [UInt8])], then: [(name: String, bytes: [UInt8])]
    ) throws -> (Sandbox, IngestReport) {
        let other = try Sandbox()
        let contract = Self.contract(policy, maxRejected: 1)
        let overtaking = Overtaking()
        overtaking.body = { try other.ingest(files: then, under: contract) }
        let clock = VirtualClock()
        let context = ExecutionContext(
            clock: clock, newID: { overtaking.id() }, randomBytes: { clock.random($0) })
        let engine = try DuckDBLakeEngine(
            threads: 1, memoryLimit: "1GB", spillFolder: other.folder.path + "/spill-too",
            pause: pause)
        let lake = Lake(root: other.lake.root, engine: engine, context: context)
        let landed = try first.map { name, bytes in
            LandedFile(path: try other.folder.write("landing/\(name)", bytes), name: name, content: Digest(of: bytes))
        }
        return (other, try lake.ingest(landed, of: contract, format: SourceFormat()))
    }

    private let a = (name: "a.csv", bytes: Array("id,day,x,t\n1,2024-02-10,1,a\n2,2024-02-10,1,a\n9,x,1,a\n".utf8))
    private let b = (name: "b.csv", bytes: Array("id,day,x,t\n2,2024-02-11,1,b\n3,2024-02-11,1,b\n".utf8))

    @Test func `two programs that take the same file take it once`() throws {
        let (sandbox, report) = try race(.none, first: [a, b], then: [a])
        #expect(report.files.map(\.outcome) == [.alreadyKnown, .ingested])
        #expect(try sandbox.rows("SELECT id FROM bronze.things ORDER BY ALL") == ["1", "2", "2", "3"])
        #expect(try sandbox.quarantine().count == 1)
    }

    @Test func `rows without keys follow the other program's`() throws {
        let (sandbox, report) = try race(.none, first: [a], then: [b])
        #expect(report.version == 1)
        #expect(try sandbox.rows("SELECT id FROM bronze.things ORDER BY ALL") == ["1", "2", "2", "3"])
        let bronze = TableName(.bronze, "things")
        let hash = try sandbox.lake.reference(to: bronze).hash
        #expect(try sandbox.engine.contentHash(of: try sandbox.lake.files(of: bronze)) == hash)
    }

    /// What stands in quarantine by the last look at each file; an overtaken attempt counts no more.
    private func lastQuarantined(_ sandbox: Sandbox) throws -> [String] {
        try sandbox.rows(
            """
            SELECT "row", "column", rule, raw_value FROM quarantine.things
            QUALIFY attempt = max(attempt) OVER (PARTITION BY file_digest) ORDER BY ALL
            """)
    }

    @Test func `keys are checked against what the other program wrote, and nothing is set aside twice`() throws {
        let (sandbox, report) = try race(.reject, first: [a], then: [b])
        #expect(report.files.map(\.rowsRejected) == [2])
        #expect(try sandbox.rows("SELECT id, t FROM bronze.things ORDER BY ALL") == ["1|a", "2|b", "3|b"])
        #expect(try lastQuarantined(sandbox) == ["2|id|unique key|2", "3|day|type date|x"])
        #expect(try sandbox.lake.countQuarantinedRows("things") == [.open: 2])
        let (latest, _) = try race(.latestWins, first: [a], then: [b])
        #expect(try latest.rows("SELECT id, t FROM bronze.things ORDER BY ALL") == ["1|a", "2|a", "3|b"])
        #expect(try latest.quarantine() == ["3|day|type date|x"])
    }
}
