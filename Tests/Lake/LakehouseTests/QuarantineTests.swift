import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import SourceFormats
import Storage
import TestSupport
import Testing

/// A source of its own with something in quarantine.
private struct Ward {
    let box: Sandbox
    var contract: Contract
    var format = SourceFormat()

    init(_ policy: Contract.OnKeyConflict = .reject, in box: Sandbox? = nil) throws {
        self.box = try box ?? Sandbox()
        contract = Lakehouse.Contract(
            source: "visits", file: "contracts/visits.yaml",
            columns: [
                column("id", .bigint) { $0.nullable = false },
                column("ward", .text) { $0.allowed = ["north", "south"] },
                column("weight", .double) { ($0.max, $0.from) = ("250", ["weight(kg)"]) },
            ])
        contract.key = ["id"]
        contract.onKeyConflict = policy
        contract.revision = Digest(of: "first").hex
    }

    static let header = "id,ward,weight(kg),extra"

    @discardableResult
    func land(_ name: String, _ rows: String..., header: String = Ward.header) throws -> IngestReport.File {
        try box.ingest(([header] + rows).joined(separator: "\n") + "\n", under: contract, format: format, name: name)
    }

    func replay(_ filter: QuarantineFilter = QuarantineFilter()) throws -> ReplayReport {
        try box.lake.replay(
            filter, of: contract, format: format, scratch: box.folder.path + "/scratch-\(try box.lake.tables().count)",
            by: "ada")
    }

    func open() throws -> [QuarantinedRow] { try box.lake.quarantinedRows("visits", QuarantineFilter(), limit: nil) }
    func counts() throws -> [QuarantineState: Int] { try box.lake.countQuarantinedRows("visits") }

    func fix(_ row: Int, _ column: String, _ value: String) throws {
        guard let found = try open().first(where: { $0.row == row }) else {
            throw MartletError(.defect, "test.row", "row \(row) is not open")
        }
        _ = try box.lake.fix(
            [CellCorrection(digest: found.digest, row: row, column: column, value: value)], of: contract,
            reason: "test",
            by: "ada"
        )
    }

    func bronze() throws -> [String] {
        try box.rows("SELECT id, ward, weight, _row FROM bronze.visits ORDER BY id, _row")
    }
}

@Suite struct `Quarantine for people` {
    @Test func `a refused row keeps all its cells as they came, those the contract does not know too`() throws {
        let ward = try Ward()
        try ward.land("a.csv", "1,north,80,x", "2,west,,\"a, b\"")
        let row = try #require(try ward.open().first)
        #expect(row.header == ["id", "ward", "weight(kg)", "extra"])
        #expect(row.cells == ["2", "west", nil, "a, b"])
        #expect(row.breaches.map(\.rule) == ["allowed values"] && row.row == 2 && row.file == "a.csv")
    }

    @Test func `a value that was corrected goes into bronze with its own file and row, once`() throws {
        let ward = try Ward()
        try ward.land("a.csv", "1,north,80,x", "2,west,81,x", "3,west,82,x")
        try ward.fix(2, "ward", "south")
        let first = try ward.replay()
        #expect(first.replayed == 1 && first.stillBad == 1 && first.judged == 2)
        #expect(try ward.bronze() == ["1|north|80.0|1", "2|south|81.0|2"])
        #expect(try ward.box.rows("SELECT count(DISTINCT _file) FROM bronze.visits") == ["1"])
        let again = try ward.replay()
        #expect(again.replayed == 0 && again.version == nil && again.judged == 1)
        #expect(try ward.bronze().count == 2)
        #expect(try ward.counts() == [.open: 1, .replayed: 1])
        // The hash in the log is that of the rows.
        let reference = try ward.box.lake.reference(to: TableName(.bronze, "visits"))
        #expect(reference.hash == (try ward.box.engine.contentHash(of: ward.box.lake.files(of: reference.name))))
    }

    @Test func `bronze with a content hash of the first scheme states the present one after a replay`() throws {
        let ward = try Ward()
        try ward.land("a.csv", "1,north,80,x", "2,west,81,x")
        let bronze = TableName(.bronze, "visits")
        try ward.box.age(bronze)
        try ward.fix(2, "ward", "south")
        #expect(try ward.replay().replayed == 1)
        #expect(try ward.box.statesItsRows(bronze))
    }

    @Test func `the same correction twice is one, and history tells who, when, what and why`() throws {
        let ward = try Ward()
        try ward.land("a.csv", "1,north,80,x", "2,west,81,x")
        try ward.fix(2, "ward", "east")
        try ward.fix(2, "ward", "south")
        try ward.fix(2, "ward", "south")
        let row = try #require(try ward.open().first)
        #expect(row.history.map(\.newValue) == ["east", "south"])
        #expect(row.history.map(\.oldValue) == ["west", "east"])
        #expect(row.history.allSatisfy { $0.actor == "ada" && $0.reason == "test" && $0.at.hasSuffix("Z") })
        #expect(row.cells?[1] == "west" && row.corrections == ["ward": "south"])
    }

    @Test func `after the contract was corrected a replay judges anew`() throws {
        var ward = try Ward()
        try ward.land("a.csv", "1,north,80,x", "2,west,300,x", "3,west,81,x")
        ward.contract.columns[1].allowed.append("west")
        let report = try ward.replay()
        #expect(report.replayed == 1 && report.stillBad == 1)
        #expect(try ward.bronze() == ["1|north|80.0|1", "3|west|81.0|3"])
        // The reason that is left is the new one.
        #expect(try ward.open().first?.breaches.map(\.rule) == ["max 250"])
        #expect(try ward.replay().replayed == 0)
        #expect(try ward.open().first?.cells?[2] == "300")
    }

    @Test func `a broken line goes in once its cells were given`() throws {
        let ward = try Ward()
        try ward.land("a.csv", "1,north,80,x", "2,south", "3,south,82,x")
        let row = try #require(try ward.open().first)
        #expect(row.line == "2,south" && row.cells == nil && row.row == 2)
        #expect(try ward.replay().judged == 0)
        for (column, value) in [("id", "2"), ("ward", "south"), ("weight", "")] { try ward.fix(2, column, value) }
        #expect(try ward.replay().replayed == 1)
        #expect(try ward.bronze() == ["1|north|80.0|1", "2|south|–|2", "3|south|82.0|3"])
    }

    @Test func `a key that bronze has keeps a replayed row out, and so does another replayed row`() throws {
        let ward = try Ward()
        try ward.land("a.csv", "1,north,80,x", "2,west,81,x", "3,west,82,x", "4,west,83,x")
        for row in 2...4 { try ward.fix(row, "ward", "south") }
        try ward.fix(2, "id", "1")
        try ward.fix(4, "id", "3")
        let report = try ward.replay()
        #expect(report.replayed == 1 && report.stillBad == 2)
        #expect(try ward.bronze() == ["1|north|80.0|1", "3|south|82.0|3"])
        #expect(try ward.open().map { $0.breaches.map(\.rule) } == [["unique key"], ["unique key"]])
    }

    @Test func `latest-wins: a row whose key came again later stays out, a later one replaces`() throws {
        let ward = try Ward(.latestWins)
        try ward.land("a.csv", "1,north,80,old", "2,west,81,old", "3,north,82,old")
        try ward.land("b.csv", "2,south,91,new", "3,west,92,new")
        try ward.fix(2, "ward", "south")
        // Row 2 of each file is corrected: key 2 came again in b.csv, key 3 of b.csv is newer than bronze's.
        let open = try ward.open()
        #expect(open.count == 2)
        for row in open {
            _ = try ward.box.lake.fix(
                [CellCorrection(digest: row.digest, row: row.row, column: "ward", value: "south")], of: ward.contract,
                reason: nil, by: "ada")
        }
        let report = try ward.replay()
        #expect(report.replayed == 1 && report.superseded == 1 && report.stillBad == 0)
        #expect(try ward.bronze() == ["1|north|80.0|1", "2|south|91.0|1", "3|south|92.0|2"])
        #expect(try ward.counts() == [.superseded: 1, .replayed: 1])
        #expect(try ward.replay().judged == 0)
        let reference = try ward.box.lake.reference(to: TableName(.bronze, "visits"))
        #expect(reference.hash == (try ward.box.engine.contentHash(of: ward.box.lake.files(of: reference.name))))
    }

    @Test func `what was dropped stays out until it is taken back`() throws {
        let ward = try Ward()
        try ward.land("a.csv", "1,north,80,x", "2,west,81,x")
        let open = try ward.open()
        _ = try ward.box.lake.drop(open, [], of: "visits", reason: "sent twice", by: "ada")
        #expect(try ward.counts() == [.dropped: 1])
        #expect(try ward.replay().judged == 0)
        _ = try ward.box.lake.drop(open, [], of: "visits", reason: "it was not", takeBack: true, by: "ada")
        #expect(try ward.counts() == [.open: 1])
        #expect(try ward.open().first?.history.map(\.action) == ["drop", "reopen"])
        #expect(try ward.box.rows("SELECT count(*) FROM quarantine.visits") == ["1"])
    }

    @Test func `a refused file is kept byte for byte and goes in once the contract fits, though it is gone`() throws {
        var ward = try Ward()
        try ward.land("a.csv", "1,north,80,x")
        let text = "number,ward,weight(kg)\n5,south,70\n6,west,71\n"
        #expect(try ward.box.ingest(text, under: ward.contract, name: "b.csv").outcome == .refused)
        Disk.remove(ward.box.folder.path + "/landing/b.csv")
        let refused = try #require(try ward.box.lake.refusedFiles("visits").first)
        #expect(refused.state == .open && refused.file == "b.csv")
        let kept = try #require(refused.kept)
        #expect(try Disk.read(kept) == Array(text.utf8))
        ward.contract.columns[0].from = ["id", "number"]
        ward.contract.revision = Digest(of: "second").hex
        let landed = LandedFile(path: kept, name: "b.csv", content: Digest(of: text))
        let report = try ward.box.lake.ingest([landed], of: ward.contract, format: ward.format)
        #expect(report.files[0].rowsAccepted == 1 && report.files[0].rowsRejected == 1)
        #expect(try ward.box.lake.refusedFiles("visits").first?.state == .replayed)
        #expect(try ward.counts() == [.open: 1])
    }

    @Test func `a dropped file is not looked at again`() throws {
        var ward = try Ward()
        try ward.land("a.csv", "1,north,80,x")
        let text = "number,ward,weight(kg)\n5,south,70\n"
        _ = try ward.box.ingest(text, under: ward.contract, name: "b.csv")
        let refused = try ward.box.lake.refusedFiles("visits")
        _ = try ward.box.lake.drop([], refused, of: "visits", reason: "a test of the sender", by: "ada")
        ward.contract.columns[0].from = ["id", "number"]
        ward.contract.revision = Digest(of: "second").hex
        #expect(try ward.box.ingest(text, under: ward.contract, name: "b.csv").outcome == .dropped)
        #expect(try ward.bronze().count == 1)
    }

    @Test func `a plan without its transaction in bronze is none`() throws {
        let ward = try Ward()
        try ward.land("a.csv", "1,north,80,x", "2,west,81,x")
        try ward.fix(2, "ward", "south")
        // A kill between the plan and bronze leaves the plan alone.
        _ = try ward.replay()
        let log = ward.box.lake.table(TableName(.bronze, "visits"))
        let last = try #require(try log.versions().last)
        let digits = String(last)
        Disk.remove("\(log.folder)/_delta_log/\(String(repeating: "0", count: 20 - digits.count))\(digits).json")
        #expect(try ward.counts() == [.open: 1])
        #expect(try ward.bronze().count == 1)
        #expect(try ward.open().first?.history.map(\.action) == ["fix"])
        #expect(try ward.replay().replayed == 1)
        #expect(try ward.bronze() == ["1|north|80.0|1", "2|south|81.0|2"])
    }

    @Test func `a file judged again after a kill, under another contract, counts by the last pass`() throws {
        for loosened in [true, false] {
            var ward = try Ward()
            try ward.land("0.csv", "100,north,80,x")
            try ward.land("a.csv", "1,north,80,x", "2,west,81,x", "3,south,251,x")
            // The kill came before bronze: only quarantine has the file.
            let log = ward.box.lake.table(TableName(.bronze, "visits"))
            Disk.remove("\(log.folder)/_delta_log/00000000000000000001.json")
            #expect(try ward.counts() == [:])
            ward.contract.columns[1].allowed.append("west")
            if loosened { ward.contract.columns[2].max = "300" }
            ward.contract.revision = Digest(of: "second").hex
            let report = try ward.land("a.csv", "1,north,80,x", "2,west,81,x", "3,south,251,x")
            #expect(report.rowsAccepted == (loosened ? 3 : 2))
            #expect(try ward.open().map(\.row) == (loosened ? [] : [3]))
            #expect(try ward.replay().replayed == 0)
            #expect(try ward.bronze().count == (loosened ? 4 : 3))
        }
    }

    @Test func `of files that were judged together before a kill, one outdated leaves the others as they are`() throws {
        var ward = try Ward()
        try ward.land("0.csv", "100,north,80,x")
        let files = [("a.csv", "1,west,80,x"), ("b.csv", "2,south,251,x"), ("c.csv", "3,west,251,x")].map {
            (name: $0, bytes: Array("\(Ward.header)\n\($1)\n".utf8))
        }
        try ward.box.ingest(files: files, under: ward.contract)
        let log = ward.box.lake.table(TableName(.bronze, "visits"))
        Disk.remove("\(log.folder)/_delta_log/00000000000000000001.json")
        ward.contract.columns[1].allowed.append("west")
        ward.contract.revision = Digest(of: "second").hex
        try ward.box.ingest(files: files, under: ward.contract)
        #expect(
            try ward.open().map { "\($0.file) \($0.breaches.map(\.rule))" } == [
                "b.csv [\"max 250\"]", "c.csv [\"max 250\"]",
            ])
        #expect(try ward.bronze() == ["1|west|80.0|1", "100|north|80.0|1"])
    }

    @Test func `rows of files with other columns are judged together`() throws {
        let ward = try Ward()
        try ward.land("a.csv", "1,west,80,x")
        try ward.land("b.csv", "west,2,81", header: "ward,id,weight(kg)")
        var filter = QuarantineFilter()
        filter.holding = [(ward.contract.columns[1], "west")]
        let rows = try ward.box.lake.quarantinedRows("visits", filter, limit: nil)
        #expect(rows.map(\.file) == ["a.csv", "b.csv"])
        for row in rows {
            _ = try ward.box.lake.fix(
                [CellCorrection(digest: row.digest, row: row.row, column: "ward", value: "south")], of: ward.contract,
                reason: nil, by: "ada")
        }
        #expect(try ward.replay().replayed == 2)
        #expect(try ward.bronze() == ["1|south|80.0|1", "2|south|81.0|1"])
    }
}
