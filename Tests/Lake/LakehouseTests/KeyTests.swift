import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import Storage
import TestSupport
import Testing

/// Unique keys, and that a file is taken exactly once.
@Suite struct KeyTests {
    private let bronze = TableName(.bronze, "things")
    private var rejecting: Contract { contract(column("id", .bigint), column("x", .text), key: ["id"]) }
    private var latest: Contract {
        var contract = rejecting
        contract.onKeyConflict = .latestWins
        return contract
    }

    private func rows(_ sandbox: Sandbox) throws -> [String] {
        try sandbox.rows("SELECT id, x FROM bronze.things ORDER BY id, x")
    }

    @Test func `reject keeps the first row of a key inside a file`() throws {
        let sandbox = try Sandbox()
        let report = try sandbox.ingest("id,x\n1,a\n2,b\n1,c\n1,d\n", under: rejecting)
        #expect(try rows(sandbox) == ["1|a", "2|b"])
        #expect(report.rowsRejected == 2)
        #expect(try sandbox.quarantine() == ["3|id|unique key|1", "4|id|unique key|1"])
    }

    @Test func `reject keeps the first row of a key across files`() throws {
        let sandbox = try Sandbox()
        try sandbox.ingest("id,x\n1,a\n2,b\n", under: rejecting)
        let report = try sandbox.ingest("id,x\n2,z\n3,c\n3,d\n", under: rejecting, name: "second.csv")
        #expect(try rows(sandbox) == ["1|a", "2|b", "3|c"])
        #expect(report.rowsRejected == 2)
        let both = try sandbox.ingest(
            files: [("c.csv", Array("id,x\n4,a\n".utf8)), ("d.csv", Array("id,x\n4,b\n5,c\n".utf8))], under: rejecting)
        #expect(both.files.map(\.rowsRejected) == [0, 1])
        #expect(try rows(sandbox).suffix(2) == ["4|a", "5|c"])
    }

    @Test func `latest-wins keeps the last row of a key inside a file`() throws {
        let sandbox = try Sandbox()
        let report = try sandbox.ingest("id,x\n1,a\n2,b\n1,c\n1,d\n", under: latest)
        #expect(try rows(sandbox) == ["1|d", "2|b"])
        #expect((report.rowsRejected, report.rowsSuperseded) == (0, 2))
        #expect(try sandbox.quarantine().allSatisfy { $0.contains("superseded by a later row") })
    }

    @Test func `latest-wins replaces rows of earlier files; time travel shows them`() throws {
        let sandbox = try Sandbox()
        try sandbox.ingest("id,x\n1,a\n2,b\n", under: latest)
        try sandbox.ingest("id,x\n2,z\n3,c\n", under: latest, name: "second.csv")
        try sandbox.ingest("id,x\n1,y\n2,y\n", under: latest, name: "third.csv")
        #expect(try rows(sandbox) == ["1|y", "2|y", "3|c"])
        #expect(try sandbox.rows("SELECT id, x FROM bronze.things ORDER BY id", at: [bronze: 0]) == ["1|a", "2|b"])
        #expect(
            try sandbox.rows("SELECT id, x FROM bronze.things ORDER BY id", at: [bronze: 1]) == ["1|a", "2|z", "3|c"])
        let hash = try sandbox.lake.reference(to: bronze).hash
        #expect(try sandbox.engine.contentHash(of: try sandbox.lake.files(of: bronze)) == hash)
        #expect(hash.rows == 3)
    }

    @Test func `latest-wins holds among files of one run`() throws {
        let sandbox = try Sandbox()
        let report = try sandbox.ingest(
            files: [
                ("a.csv", Array("id,x\n1,a\n2,a\n".utf8)), ("b.csv", Array("id,x\n2,b\n3,b\n".utf8)),
                ("c.csv", Array("id,x\n2,c\n1,c\n".utf8)),
            ], under: latest)
        #expect(report.version == 0)
        #expect(try rows(sandbox) == ["1|c", "2|c", "3|b"])
        let reference = try sandbox.lake.reference(to: bronze)
        #expect(try sandbox.engine.contentHash(of: try sandbox.lake.files(of: bronze)) == reference.hash)
        #expect(try sandbox.lake.table(bronze).snapshot().rows == 3)
    }

    @Test func `a refused row replaces nothing`() throws {
        let sandbox = try Sandbox()
        var bounded = latest
        bounded.columns[1].allowed = ["a", "b"]
        try sandbox.ingest("id,x\n1,a\n", under: bounded)
        try sandbox.ingest("id,x\n1,wrong\n", under: bounded, name: "second.csv")
        #expect(try rows(sandbox) == ["1|a"])
        try sandbox.ingest("id,x\n1,b\n1,wrong\n", under: bounded, name: "third.csv")
        #expect(try rows(sandbox) == ["1|b"])
    }

    @Test func `a refused file replaces nothing`() throws {
        let sandbox = try Sandbox()
        var strict = latest
        strict.columns[1].allowed = ["a", "b"]
        strict.maxRejected = 0.1
        try sandbox.ingest("id,x\n1,a\n", under: strict)
        try sandbox.ingest("id,x\n1,b\n2,wrong\n", under: strict, name: "second.csv")
        #expect(try rows(sandbox) == ["1|a"])
        #expect(try sandbox.lake.table(bronze).versions() == [0])
    }

    @Test func `keys are compared as values, over several columns`() throws {
        let sandbox = try Sandbox()
        let double = contract(column("id", .bigint), column("d", .date), column("x", .text), key: ["id", "d"])
        try sandbox.ingest("id,d,x\n1,2024-01-01,a\n1.0,2024-01-01,b\n1,2024-01-02,c\n", under: double)
        #expect(try sandbox.rows("SELECT x FROM bronze.things ORDER BY x") == ["a", "c"])
    }

    @Test(arguments: Contract.OnKeyConflict.allCases)
    func `a row without a whole key breaks a rule of its own`(_ policy: Contract.OnKeyConflict) throws {
        let sandbox = try Sandbox()
        var double = contract(column("id", .bigint), column("d", .text), column("x", .text), key: ["id", "d"])
        double.onKeyConflict = policy
        for name in ["a.csv", "b.csv"] {
            let report = try sandbox.ingest("id,d,x\n1,,\(name)\n,,c\n1,y,\(name)\n", under: double, name: name)
            #expect(report.breaches.filter { $0.rule == "key not null" }.map(\.rows).sorted() == [1, 2])
        }
        #expect(try sandbox.rows("SELECT x FROM bronze.things") == [policy == .reject ? "a.csv" : "b.csv"])
        // Where the column must be there anyway, one rule says so.
        double.columns[1].nullable = false
        let report = try Sandbox().ingest("id,d,x\n1,,a\n", under: double)
        #expect(report.breaches.map(\.rule) == ["not null"])
    }

    @Test func `texts are keys byte by byte`() throws {
        let sandbox = try Sandbox()
        let text = contract(column("k", .text), column("x", .bigint), key: ["k"])
        let report = try sandbox.ingest("k,x\na,1\nA,2\n\"a \",3\ncaf\u{E9},4\ncafe\u{301},5\na,6\n", under: text)
        #expect(report.rowsRejected == 1)
        #expect(try sandbox.rows("SELECT x FROM bronze.things ORDER BY x") == ["1", "2", "3", "4", "5"])
    }

    @Test func `a file is taken once, under whatever name it comes`() throws {
        let sandbox = try Sandbox()
        let text = "id,x\n1,a\n"
        #expect(try sandbox.ingest(text, under: rejecting).outcome == .ingested)
        #expect(try sandbox.ingest(text, under: rejecting).outcome == .alreadyKnown)
        #expect(try sandbox.ingest(text, under: rejecting, name: "copy.csv").outcome == .alreadyKnown)
        #expect(try sandbox.lake.table(bronze).versions() == [0])
        let report = try sandbox.ingest(
            files: [("x.csv", Array("id,x\n2,b\n".utf8)), ("y.csv", Array("id,x\n2,b\n".utf8))], under: rejecting)
        #expect(report.files.map(\.outcome) == [.ingested, .alreadyKnown])
        #expect(try rows(sandbox) == ["1|a", "2|b"])
    }

    @Test func `all files of a run are one commit`() throws {
        let sandbox = try Sandbox()
        let report = try sandbox.ingest(
            files: (1...5).map { ("f\($0).csv", Array("id,x\n\($0),a\n".utf8)) }, under: rejecting)
        #expect(report.version == 0)
        let snapshot = try sandbox.lake.table(bronze).snapshot()
        #expect(snapshot.files.count == 1)
        #expect(snapshot.transactions.count == 5)
        #expect(
            try sandbox.lake.ingestedFiles("things").map(\.name) == ["f1.csv", "f2.csv", "f3.csv", "f4.csv", "f5.csv"])
    }

    @Test func `a refused file stays refused until its contract changes`() throws {
        let sandbox = try Sandbox()
        var contract = rejecting
        contract.columns[1].allowed = ["a"]
        contract.onViolation = .rejectFile
        contract.revision = "one"
        #expect(try sandbox.ingest("id,x\n1,b\n", under: contract).outcome == .refused)
        #expect(try sandbox.ingest("id,x\n1,b\n", under: contract).outcome == .refused)
        #expect(try sandbox.quarantine().count == 1)
        contract.columns[1].allowed = ["a", "b"]
        contract.revision = "two"
        #expect(try sandbox.ingest("id,x\n1,b\n", under: contract).outcome == .ingested)
        #expect(try rows(sandbox) == ["1|b"])
    }

    @Test func `what was set aside before a kill is not set aside twice`() throws {
        let sandbox = try Sandbox()
        let text = "id,x\n1,a\n1,b\n"
        try sandbox.ingest(text, under: rejecting)
        // As a kill between the two commits leaves it: quarantine is there, bronze is not.
        Disk.removeTree(sandbox.lake.table(bronze).folder)
        #expect(try sandbox.ingest(text, under: rejecting).outcome == .ingested)
        #expect(try rows(sandbox) == ["1|a"])
        #expect(try sandbox.quarantine().count == 1)
    }

    @Test func `a new column of the contract is empty for earlier files`() throws {
        let sandbox = try Sandbox()
        try sandbox.ingest("id,x\n1,a\n", under: latest)
        var wider = latest
        wider.columns.append(column("y", .double) { $0.optional = true })
        try sandbox.ingest("id,x,y\n2,b,0.5\n", under: wider, name: "second.csv")
        #expect(try sandbox.rows("SELECT id, x, y FROM bronze.things ORDER BY id") == ["1|a|–", "2|b|0.5"])
        let fields = try sandbox.lake.table(bronze).snapshot().metadata?.fields().map(\.name)
        #expect(fields == ["id", "x", "y", "_file", "_row"])
        let reference = try sandbox.lake.reference(to: bronze)
        #expect(try sandbox.engine.contentHash(of: try sandbox.lake.files(of: bronze)) == reference.hash)
        // An earlier file is rewritten without losing the rest of it.
        try sandbox.ingest("id,x,y\n2,c,1.5\n", under: wider, name: "third.csv")
        #expect(try sandbox.rows("SELECT id, x, y FROM bronze.things ORDER BY id") == ["1|a|–", "2|c|1.5"])
    }
}
