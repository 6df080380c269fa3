import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import SourceFormats
import Storage
import TestSupport
import Testing

/// Known files under a contract that has changed.
@Suite struct AgainTests {
    private let bronze = TableName(.bronze, "things")

    private func contract(_ number: Int = 1, _ change: (inout Contract) -> Void = { _ in }) -> Contract {
        var contract = Contract(
            source: "things", file: "contracts/things.yaml",
            columns: [
                column("id", .bigint) { $0.nullable = false }, column("x", .text),
                column("w", .double) { $0.max = "100" },
            ])
        contract.key = ["id"]
        contract.maxRejected = 1
        change(&contract)
        contract.revision = Digest(of: "contract \(number)").hex
        return contract
    }

    /// Reads all known files again, those of the names `gone` left out.
    @discardableResult
    private func again(_ box: Sandbox, _ contract: Contract, gone: Set<String> = []) throws -> IngestReport {
        var known = try box.lake.knownFiles("things")
        for index in known.indices where known[index].path == nil && !gone.contains(known[index].name) {
            known[index].path = "\(box.folder.path)/landing/\(known[index].name)"
        }
        let scratch = "\(box.folder.path)/scratch-\(box.lake.context.newID())"
        let report = try box.lake.again(known, of: contract, format: SourceFormat(), scratch: scratch, by: "ada")
        let reference = try box.lake.reference(to: bronze)
        #expect(try box.engine.contentHash(of: box.lake.files(of: bronze)) == reference.hash)
        return report
    }

    private func rows(_ box: Sandbox, at version: Int? = nil) throws -> [String] {
        try box.rows(
            "SELECT id, x, w, _row FROM bronze.things ORDER BY id, _row", at: version.map { [bronze: $0] } ?? [:])
    }

    private func states(_ box: Sandbox) throws -> [QuarantineState: Int] { try box.lake.countQuarantinedRows("things") }

    private func fix(_ box: Sandbox, _ row: Int, _ value: String, _ contract: Contract) throws {
        let found = try #require(
            try box.lake.quarantinedRows("things", QuarantineFilter(), limit: nil).first { $0.row == row })
        _ = try box.lake.fix(
            [CellCorrection(digest: found.digest, row: row, column: "w", value: value)], of: contract, reason: "test",
            by: "ada")
    }

    private func replay(_ box: Sandbox, _ contract: Contract) throws -> ReplayReport {
        try box.lake.replay(
            QuarantineFilter(), of: contract, format: SourceFormat(),
            scratch: "\(box.folder.path)/scratch-\(box.lake.context.newID())", by: "ada")
    }

    @Test func `a column gets another type, in one commit, and what was before can still be seen`() throws {
        let box = try Sandbox()
        try box.ingest("id,x,w\n1,10,1\n2,x,2\n", under: contract(), name: "a.csv")
        try box.ingest("id,x,w\n3,30,3\n", under: contract(), name: "b.csv")
        let changed = contract(2) { $0.columns[1] = column("x", .bigint) }
        let error = refusal { try box.ingest("id,x,w\n4,40,4\n", under: changed, name: "c.csv") }
        #expect(error?.code == "contract.incompatible")
        #expect(error?.remedy?.contains("martlet ingest --again --source things") == true)
        #expect(try box.lake.filesBehind(changed).behind.map(\.name) == ["a.csv", "b.csv"])

        let report = try again(box, changed)
        #expect(report.version == 2 && report.files.map(\.outcome) == [.ingested, .ingested])
        #expect(report.files.map(\.rowsAccepted) == [1, 1])
        #expect(try rows(box) == ["1|10|1.0|1", "3|30|3.0|1"])
        #expect(try box.rows("SELECT x + 1 FROM bronze.things ORDER BY 1") == ["11", "31"])
        #expect(try rows(box, at: 1) == ["1|10|1.0|1", "2|x|2.0|2", "3|30|3.0|1"])
        #expect(try states(box) == [.open: 1])
        #expect(try box.lake.filesBehind(changed).behind.isEmpty)
        #expect(
            try box.lake.ingestedFiles("things").map { "\($0.name) \($0.rows) \($0.rejected)" } == [
                "a.csv 1 1", "b.csv 1 0",
            ])
        // Known files stay known, and others are taken under the new contract.
        #expect(try box.ingest("id,x,w\n3,30,3\n", under: changed, name: "b.csv").outcome == .alreadyKnown)
        #expect(try box.ingest("id,x,w\n4,40,4\n", under: changed, name: "c.csv").rowsAccepted == 1)
    }

    @Test func `rows are judged anew both ways`() throws {
        let box = try Sandbox()
        try box.ingest("id,x,w\n1,a,50\n2,b,150\n3,c,250\n", under: contract())
        #expect(try states(box) == [.open: 2])
        try again(box, contract(2) { $0.columns[2].max = "200" })
        #expect(try rows(box) == ["1|a|50.0|1", "2|b|150.0|2"])
        #expect(try states(box) == [.open: 1])
        try again(box, contract(3) { $0.columns[2].max = "300" })
        #expect(try rows(box).count == 3 && states(box) == [:])
        let strict = contract(4) { $0.columns[2].max = "40" }
        try again(box, strict)
        #expect(try rows(box) == [] && states(box) == [.open: 3])
        #expect(
            try box.lake.quarantinedRows("things", QuarantineFilter(), limit: nil).allSatisfy {
                $0.breaches.map(\.rule) == ["max 40"]
            })
        try fix(box, 2, "20", strict)
        #expect(try replay(box, strict).replayed == 1)
        #expect(try rows(box) == ["2|b|20.0|2"] && states(box) == [.open: 2, .replayed: 1])
    }

    @Test func `what people decided of rows holds`() throws {
        let box = try Sandbox()
        let first = contract()
        try box.ingest("id,x,w\n1,a,50\n2,b,150\n3,c,160\n4,d,170\n5,e,180\n", under: first)
        try fix(box, 2, "15", first)
        #expect(try replay(box, first).replayed == 1)
        try fix(box, 3, "500", first)
        let dropped = try box.lake.quarantinedRows("things", QuarantineFilter(), limit: nil).filter { $0.row == 4 }
        _ = try box.lake.drop(dropped, [], of: "things", reason: "sent twice", by: "ada")
        #expect(try states(box) == [.open: 2, .replayed: 1, .dropped: 1])

        // All of them would be good now as they came; but what was decided stays.
        let loose = contract(2) { $0.columns[2].max = "300" }
        let report = try again(box, loose)
        #expect(try rows(box) == ["1|a|50.0|1", "2|b|15.0|2", "5|e|180.0|5"])
        #expect(try states(box) == [.open: 1, .replayed: 1, .dropped: 1])
        #expect(report.files[0].rowsAccepted + report.files[0].rowsRejected == 5)
        // What stays out has its bytes still.
        let held = try box.rows(
            "SELECT \"row\", decode(bytes) FROM quarantine.things WHERE attempt LIKE 'again-%-held' ORDER BY 1")
        #expect(held == ["2|2,b,150", "3|3,c,160", "4|4,d,170"])
        let open = try #require(try box.lake.quarantinedRows("things", QuarantineFilter(), limit: nil).first)
        #expect(open.row == 3 && open.corrections == ["w": "500"] && open.cells == ["3", "c", "160"])
        #expect(open.history.map(\.action) == ["fix"])

        // Once more, and under the contract of before: the correction is judged by it again.
        try again(box, contract(3))
        #expect(try rows(box) == ["1|a|50.0|1", "2|b|15.0|2"])
        #expect(try states(box) == [.open: 2, .replayed: 1, .dropped: 1])
        // A correction that the contract does not take any more is open again.
        try again(box, contract(4) { $0.columns[2].max = "10" })
        #expect(try rows(box) == [] && states(box) == [.open: 4, .dropped: 1])
        _ = try box.lake.drop(dropped, [], of: "things", reason: "it was not", takeBack: true, by: "ada")
        #expect(try states(box) == [.open: 5])
    }

    @Test(arguments: Contract.OnKeyConflict.allCases)
    func `files whose bytes are gone keep their rows`(_ policy: Contract.OnKeyConflict) throws {
        let box = try Sandbox()
        let first = contract { $0.onKeyConflict = policy }
        try box.ingest("id,x,w\n1,a,1\n2,a,2\n7,a,700\n", under: first, name: "a.csv")
        try box.ingest("id,x,w\n2,b,1\n3,b,3\n", under: first, name: "b.csv")
        try box.ingest("id,x,w\n3,c,1\n4,c,4\n7,c,7\n", under: first, name: "c.csv")
        let before = try rows(box)
        let wider = contract(2) {
            $0.onKeyConflict = policy
            $0.columns[2].max = "900"
            $0.columns.append(column("y", .date) { $0.optional = true })
        }
        let report = try again(box, wider, gone: ["b.csv"])
        #expect(report.files.map(\.outcome) == [.ingested, .kept, .ingested])
        // Row 3 of a.csv is good now: under reject it came before that of c.csv.
        #expect(
            try rows(box)
                == (policy == .reject ? before.map { $0.hasPrefix("7") ? "7|a|700.0|3" : $0 } : before))
        #expect(try box.rows("SELECT count(y) FROM bronze.things") == ["0"])
        let behind = try box.lake.filesBehind(wider)
        #expect(behind.behind.isEmpty && behind.lost.map(\.name) == ["b.csv"])
        // Another type cannot be made of rows without bytes: nothing changes, and the file is named.
        let version = try box.lake.snapshot(of: bronze).version
        let error = refusal {
            try again(
                box, contract(3) { $0.columns[1] = column("x", .bigint) }, gone: ["b.csv"])
        }
        #expect(error?.code == "contract.incompatible" && error?.message.contains("b.csv") == true)
        #expect(try box.lake.snapshot(of: bronze).version == version)
        // Corrections of rows of a kept file are kept with it.
        #expect(try box.lake.countQuarantinedRows("things")[.replayed] == nil)
    }

    @Test func `a file that was refused comes in, one that bronze has is not thrown out`() throws {
        let box = try Sandbox()
        try box.ingest("id,x,w\n1,a,1\n2,a,2\n", under: contract(), name: "a.csv")
        #expect(try box.ingest("id,y,w\n3,a,1\n", under: contract(), name: "b.csv").outcome == .refused)
        Disk.remove("\(box.folder.path)/landing/b.csv")
        let wider = contract(2) { $0.columns[1].from = ["x", "y"] }
        let report = try again(box, wider)
        #expect(report.files.map(\.outcome) == [.ingested, .ingested])
        #expect(try rows(box).count == 3)
        #expect(try box.lake.refusedFiles("things").map(\.state) == [.replayed])
        #expect(try box.lake.ingestedFiles("things").map(\.name) == ["a.csv", "b.csv"])
        let aside = try box.lake.snapshot(of: TableName(.quarantine, "things")).version
        let strict = contract(3) {
            $0.columns[1].from = ["x", "y"]
            $0.columns[2].max = "1"
            $0.maxRejected = 0.1
        }
        try box.folder.write("landing/b.csv", "id,y,w\n3,a,1\n")
        let error = refusal { try again(box, strict) }
        #expect(
            error?.code == "ingest.again-refused" && error?.kind == .refused
                && error?.message.contains("a.csv") == true,
            "\(String(describing: error))")
        #expect(try rows(box).count == 3)
        #expect(try box.lake.snapshot(of: TableName(.quarantine, "things")).version == aside)
    }

    @Test func `without its commit in bronze a pass is none`() throws {
        let box = try Sandbox()
        let first = contract()
        try box.ingest("id,x,w\n1,a,50\n2,b,150\n3,c,250\n", under: first)
        try fix(box, 2, "15", first)
        #expect(try replay(box, first).replayed == 1)
        let before = try rows(box)
        // As a kill between the commits leaves it.
        let log = box.lake.table(bronze)
        try again(box, contract(2) { $0.columns[2].max = "40" })
        #expect(try rows(box) == ["2|b|15.0|2"] && states(box) == [.open: 2, .replayed: 1])
        let last = try #require(try log.versions().last)
        Disk.remove("\(log.folder)/_delta_log/\(String(repeating: "0", count: 19))\(last).json")
        #expect(try rows(box) == before)
        #expect(try states(box) == [.open: 1, .replayed: 1])
        #expect(
            try box.lake.quarantinedRows("things", QuarantineFilter(), limit: nil).map { $0.breaches.map(\.rule) }
                == [["max 100"]])
        try again(box, contract(2) { $0.columns[2].max = "40" })
        #expect(try rows(box) == ["2|b|15.0|2"] && states(box) == [.open: 2, .replayed: 1])
    }
}
