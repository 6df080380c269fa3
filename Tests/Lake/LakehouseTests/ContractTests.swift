import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import Testing

/// One column, one cell a row: what is taken and what is refused by which rule.
@Suite struct ContractTests {
    struct Cells: CustomTestStringConvertible, Sendable {
        var column: Contract.Column
        /// What lands, and what bronze holds afterwards; "✗ rule" for a refused cell, "–" for missing.
        var cells: [(String, String)]
        var testDescription: String { "\(column.type) \(column.format ?? "")" }

        init(_ column: Contract.Column, _ cells: (String, String)...) {
            self.column = column
            self.cells = cells
        }
    }

    static let cells: [Cells] = [
        Cells(
            column("v", .bigint),
            ("12", "12"), ("-3", "-3"), ("12.0", "12"), ("12.5", "✗ type bigint"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "✗ type bigint"), ("twelve", "✗ type bigint"), ("", "–"),
            ("0.9999999", "✗ type bigint"),
            ("1e3", "✗ type bigint"), ("15e-1", "✗ type bigint"), ("1e-5", "✗ type bigint"), (".5", "✗ type bigint"),
            ("0x1F", "✗ type bigint"), ("1_000", "✗ type bigint"), ("9007199254740993.0", "9007199254740993"),
            ("NaN", "✗ type bigint"),
            ("1 2", "✗ type bigint"), ("12,5", "✗ type bigint")),
        Cells(
            column("v", .integer), ("2147483647", "2147483647"), ("2147483648", "✗ type integer"),
            ("1.5", "✗ type integer")),
        Cells(
            column("v", .double),
            ("1.5", "1.5"), ("1e-3", "0.001"), ("-0.25", "-0.25"), ("NaN", "✗ type double"), ("inf", "✗ type double"),
            ("1e400", "✗ type double"), ("1.2.3", "✗ type double"), ("", "–"), ("1_0", "✗ type double"),
            (" 5", "✗ type double"), ("5 ", "✗ type double"), ("\t5", "✗ type double"), ("5\n", "✗ type double"),
            (" ", "✗ type double"), ("+5", "5.0"), (".5", "0.5")),
        Cells(column("v", .bigint), (" 5", "✗ type bigint"), ("5 ", "✗ type bigint"), (" ", "✗ type bigint")),
        Cells(
            column("v", .decimal(precision: 6, scale: 2)), (" 5", "✗ type decimal(6,2)"),
            ("5\t", "✗ type decimal(6,2)"),
            (" ", "✗ type decimal(6,2)")),
        Cells(
            column("v", .boolean), ("true", "true"), ("FALSE", "false"), ("1", "true"), ("0", "false"),
            ("2", "✗ type boolean"), ("T", "true"), ("f", "false"), ("Yes", "true"), ("nO", "false"),
            ("y", "✗ type boolean"), ("N", "✗ type boolean"), ("on", "✗ type boolean"), ("off", "✗ type boolean"),
            ("1.0", "✗ type boolean"), ("01", "✗ type boolean"), (" true", "✗ type boolean"),
            ("true ", "✗ type boolean"), (" ", "✗ type boolean"), ("maybe", "✗ type boolean")),
        Cells(
            column("v", .decimal(precision: 6, scale: 2)),
            ("1.25", "1.25"), ("1", "1.00"), ("-1234.50", "-1234.50"), ("12345.67", "✗ type decimal(6,2)"),
            ("1.005", "✗ type decimal(6,2)"), ("1.500", "1.50"), ("5e-3", "✗ type decimal(6,2)"),
            ("x", "✗ type decimal(6,2)")),
        Cells(
            column("v", .date),
            ("2024-02-29", "2024-02-29"), ("2023-02-29", "✗ type date"), ("29-02-2024", "✗ type date"),
            ("infinity", "✗ type date"), ("epoch", "✗ type date"), ("today", "✗ type date"),
            ("24-02-29", "✗ type date"),
            (" 2024-02-29", "✗ type date"), ("2024-02-29 ", "✗ type date"), (" ", "✗ type date"),
            ("2024-02-29 12:00:00", "✗ type date"), ("2024-02-29 00:00:00", "✗ type date"), ("2024-2-9", "2024-02-09"),
            ("", "–")),
        Cells(
            column("v", .date) { $0.format = "%d-%m-%Y" },
            ("29-02-2024", "2024-02-29"), ("2024-02-29", "✗ type date"), ("31-04-2024", "✗ type date"),
            ("infinity", "✗ type date"), ("epoch", "✗ type date"), ("01-01-24", "✗ type date"),
            ("1-1-2024", "2024-01-01"), ("01-01-0024", "0024-01-01"), ("01-01-1900", "1900-01-01"),
            ("01-01-924", "✗ type date"), ("01-01-12024", "✗ type date"), (" 01-01-2024", "✗ type date"),
            ("01-01-2024 ", "✗ type date"), (" ", "✗ type date")),
        Cells(
            column("v", .date) { $0.format = "%d-%b-%y" }, ("1-Feb-24", "2024-02-01"), ("01-FEB-99", "1999-02-01"),
            ("epoch", "✗ type date"), ("01-Jan-00", "2000-01-01")),
        Cells(
            column("v", .timestamp),
            ("2024-02-29 12:30:00", "2024-02-29 12:30:00"), ("2024-02-29T12:30:00.5", "2024-02-29 12:30:00.5"),
            ("2024-02-29T12:30:00+02:00", "2024-02-29 10:30:00"), ("2024-02-29 25:00:00", "✗ type timestamp"),
            ("infinity", "✗ type timestamp"), ("-infinity", "✗ type timestamp"), ("yesterday", "✗ type timestamp"),
            ("0001-01-01 00:00:00", "0001-01-01 00:00:00"), ("0001-01-01T00:00:00+02:00", "✗ type timestamp"),
            ("9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999"), ("10000-01-01 00:00:00", "✗ type timestamp"),
            ("epoch", "✗ type timestamp"), ("EPOCH", "✗ type timestamp"), (" epoch", "✗ type timestamp"),
            ("now", "✗ type timestamp"), ("today", "✗ type timestamp"), ("24-02-29 12:30:00", "✗ type timestamp"),
            (" 024-01-02 03:04:05", "✗ type timestamp"), ("2024/02/29 12:30:00", "✗ type timestamp"),
            ("2024-02-29", "2024-02-29 00:00:00"), ("2024-2-9 1:02", "2024-02-09 01:02:00"),
            (" 2024-02-29 12:30:00", "✗ type timestamp"), ("2024-02-29 12:30:00 ", "✗ type timestamp"),
            ("2024-02-29 12:30:0 ", "✗ type timestamp"), (" ", "✗ type timestamp"),
            ("9999-12-31T23:00:00-05:00", "✗ type timestamp"), ("0001-12-31 (BC) 00:00:00", "✗ type timestamp")),
        Cells(
            column("v", .timestamp) { $0.format = "%d/%m/%Y %H:%M" },
            ("29/02/2024 12:30", "2024-02-29 12:30:00"), ("2024-02-29 12:30", "✗ type timestamp"),
            ("infinity", "✗ type timestamp"), ("-infinity", "✗ type timestamp"), ("epoch", "✗ type timestamp"),
            ("29/02/24 12:30", "✗ type timestamp"), (" 29/02/2024 12:30", "✗ type timestamp"),
            ("01/01/1900 00:00", "1900-01-01 00:00:00")),
        Cells(
            column("v", .bigint) {
                $0.min = "2"
                $0.max = "4"
            }, ("1", "✗ min 2"), ("2", "2"), ("4", "4"), ("5", "✗ max 4"), ("", "–")),
        Cells(
            column("v", .double) {
                $0.min = "-0.5"
                $0.max = "0.5"
            }, ("-0.5", "-0.5"), ("-0.51", "✗ min -0.5"), ("0.5000001", "✗ max 0.5")),
        Cells(
            column("v", .date) {
                $0.min = "2024-01-01"
                $0.max = "2024-12-31"
            }, ("2023-12-31", "✗ min 2024-01-01"), ("2024-12-31", "2024-12-31"), ("2025-01-01", "✗ max 2024-12-31")),
        Cells(
            column("v", .date) {
                $0.format = "%d-%m-%Y"
                $0.min = "01-01-2024"
            }, ("31-12-2023", "✗ min 01-01-2024"), ("01-01-2024", "2024-01-01")),
        Cells(
            column("v", .decimal(precision: 6, scale: 2)) { $0.max = "10.5" }, ("10.50", "10.50"),
            ("10.51", "✗ max 10.5")),
        Cells(
            column("v", .text) { $0.allowed = ["NO", ">30", "it's"] },
            ("NO", "NO"), (">30", ">30"), ("it's", "it's"), ("no", "✗ allowed values"), ("", "–")),
        Cells(column("v", .bigint) { $0.allowed = ["1", "3"] }, ("1", "1"), ("3.0", "3"), ("2", "✗ allowed values")),
        Cells(
            column("v", .text) { $0.pattern = "[EV]?[0-9]+(\\.[0-9]+)?" },
            ("250.83", "250.83"), ("V27", "V27"), ("x250", "✗ pattern"), ("250x", "✗ pattern"), ("V27\n", "✗ pattern"),
            ("", "–")),
        Cells(column("v", .text) { $0.nullable = false }, ("a", "a"), ("", "✗ not null")),
        Cells(
            column("v", .text) {
                $0.nullable = false
                $0.missing = ["n/a", "-"]
            }, ("a", "a"), ("n/a", "✗ not null"), ("-", "✗ not null"), ("N/A", "N/A")),
        Cells(column("v", .text), ("None", "None"), ("NULL", "NULL"), ("nan", "nan"), (" a ", " a ")),
    ]

    @Test(arguments: cells) func `takes or refuses each cell by its rules`(_ example: Cells) throws {
        for (raw, wanted) in example.cells {
            let sandbox = try Sandbox()
            let quoted = "\"\(raw)\""
            let report = try sandbox.ingest(
                "id,v\n1,\(quoted)\n2,\n", under: contract(column("id", .bigint), example.column))
            if wanted.hasPrefix("✗") {
                let rule = String(wanted.dropFirst(2))
                #expect(report.rowsRejected >= 1, "\(raw)")
                #expect(
                    report.breaches.contains { $0.rule == rule && $0.exampleRow == 1 }, "\(raw): \(report.breaches)")
                guard report.rowsRejected > 0 else { continue }
                let aside = try sandbox.quarantine().filter { $0.hasPrefix("1|") }
                #expect(aside == ["1|v|\(rule)|\(raw.isEmpty || example.column.missing.contains(raw) ? "–" : raw)"])
            } else {
                #expect(report.outcome == .ingested, "\(raw): \(report.refusal ?? "")")
                let found = try sandbox.rows("SELECT v FROM bronze.things WHERE id = 1")
                #expect(found == [wanted], "\(raw): \(report.breaches)")
            }
        }
    }

    @Test func `bronze has the contract's columns in its order, then file and row`() throws {
        let sandbox = try Sandbox()
        try sandbox.ingest(
            "B,a,extra\n2,1,x\n", under: contract(column("a", .bigint), column("b", .double) { $0.from = ["b", "B"] }))
        let table = try sandbox.lake.query("SELECT * FROM bronze.things", at: [:], limit: nil)
        #expect(table.names == ["a", "b", "_file", "_row"])
        #expect(table.types == ["bigint", "double", "varchar", "bigint"])
        #expect(table.rows.map { [$0[0], $0[1], $0[3]] } == [["1", "2.0", "1"]])
        #expect(table.rows[0][2] == Digest(of: "B,a,extra\n2,1,x\n").hex)
    }

    @Test func `says which columns were left out`() throws {
        let report = try Sandbox().ingest("a,other\n1,2\n", under: contract(column("a", .bigint)))
        #expect(report.warnings.contains { $0.contains("\"other\"") })
    }

    @Test func `warn keeps the row and counts it`() throws {
        let sandbox = try Sandbox()
        let bounded = contract(
            column("a", .bigint) {
                $0.max = "5"
                $0.onViolation = .warn
            }, column("b", .bigint) { $0.max = "5" })
        let report = try sandbox.ingest("a,b\n9,1\n9,2\n1,9\n", under: bounded)
        #expect(report.rowsAccepted == 2)
        #expect(report.warnings == ["2 rows break a: max 5"])
        #expect(try sandbox.rows("SELECT a, b FROM bronze.things ORDER BY b") == ["9|1", "9|2"])
    }

    @Test func `reject-file refuses the whole file and says how many rows`() throws {
        let sandbox = try Sandbox()
        var strict = contract(column("a", .bigint) { $0.max = "5" })
        strict.onViolation = .rejectFile
        let report = try sandbox.ingest("a\n1\n9\n", under: strict)
        #expect(report.outcome == .refused)
        #expect(report.refusal?.contains("1 of its 2 rows") == true)
        #expect(try !sandbox.lake.table(TableName(.bronze, "things")).exists)
        #expect(try sandbox.quarantine().count == 1)
    }

    @Test func `one strict column refuses the file, other columns only their rows`() throws {
        let mixed = contract(
            column("a", .bigint) {
                $0.max = "5"
                $0.onViolation = .rejectFile
            }, column("b", .bigint) { $0.max = "5" })
        #expect(try Sandbox().ingest("a,b\n1,9\n2,2\n", under: mixed).rowsAccepted == 1)
        #expect(try Sandbox().ingest("a,b\n9,1\n2,2\n", under: mixed).outcome == .refused)
    }

    @Test func `more bad rows than max_rejected refuse the file`() throws {
        var limited = contract(column("a", .bigint))
        limited.maxRejected = 0.25
        #expect(try Sandbox().ingest("a\n1\n2\n3\nx\n", under: limited).rowsAccepted == 3)
        let report = try Sandbox().ingest("a\n1\n2\nx\ny\n", under: limited)
        #expect(report.outcome == .refused)
        #expect(report.refusal?.contains("50 %") == true)
    }

    @Test func `the usual share of bad rows is 5 %, judged for files of 20 rows and more`() throws {
        func land(_ good: Int, _ bad: Int, _ change: (inout Contract) -> Void = { _ in }) throws -> IngestReport.File {
            var one = contract(column("a", .bigint))
            change(&one)
            let rows = (0..<good).map { "\($0)" } + (0..<bad).map { _ in "x" }
            return try Sandbox().ingest("a\n" + rows.joined(separator: "\n") + "\n", under: one)
        }
        #expect(try land(19, 1).outcome == .ingested)
        #expect(try land(38, 2).outcome == .ingested)
        let report = try land(18, 2)
        #expect(report.outcome == .refused && report.isBeyondShare && report.rowsAccepted == 0)
        #expect(report.refusal == "2 of its 20 rows (10 %) break the contract, more than 5 %")
        #expect(try land(1, 18).outcome == .ingested)
        // What the contract says itself holds for a file of any size.
        #expect(try land(4, 1) { $0.maxRejected = 0.05 }.isBeyondShare)
        #expect(try land(0, 40) { $0.maxRejected = 1 }.outcome == .ingested)
        // Another refusal is none of too large a share.
        #expect(try land(4, 1) { $0.onViolation = .rejectFile }.isBeyondShare == false)
    }

    @Test func `rows without any value are taken and told of`() throws {
        let sandbox = try Sandbox()
        let wide = contract(column("a", .bigint), column("b", .text) { $0.missing = ["?"] })
        let report = try sandbox.ingest("a,b,extra\n1,x,\n,,\n,?,note\n,y,\n", under: wide)
        #expect(report.rowsAccepted == 4 && report.rowsRejected == 0 && report.breaches == [])
        #expect(report.warnings.contains("2 rows have no value in any column of the contract"), "\(report.warnings)")
        #expect(try Sandbox().ingest("a,b\n1,\n,y\n", under: wide).warnings == [])
        // It is no promise of the contract: nothing is refused for it.
        var strict = wide
        strict.onViolation = .rejectFile
        #expect(try Sandbox().ingest("a,b\n1,x\n,\n", under: strict).outcome == .ingested)
    }

    @Test func `all columns that were left out are named`() throws {
        let names = (1...9).map { "other\($0)" }
        let report = try Sandbox().ingest(
            "a,\(names.joined(separator: ","))\n1,2,3,4,5,6,7,8,9,10\n", under: contract(column("a", .bigint)))
        #expect(names.allSatisfy { name in report.warnings.contains { $0.contains("\"\(name)\"") } })
    }

    @Test func `a file of nothing but bad rows leaves a table that can be read`() throws {
        let sandbox = try Sandbox()
        let report = try sandbox.ingest("a\nx\ny\n", under: contract(column("a", .bigint)))
        #expect(report.rowsRejected == 2)
        if try sandbox.lake.table(TableName(.bronze, "things")).exists {
            #expect(try sandbox.rows("SELECT a FROM bronze.things WHERE a > 1") == [])
            let fields = try sandbox.lake.table(TableName(.bronze, "things")).snapshot().metadata?.fields()
            #expect(fields?.map(\.name) == ["a", "_file", "_row"])
        }
        try sandbox.ingest("a\n1\n", under: contract(column("a", .bigint)), name: "good.csv")
        #expect(try sandbox.rows("SELECT a FROM bronze.things") == ["1"])
    }

    @Test func `an optional column may be absent, another may not`() throws {
        let wide = contract(column("a", .bigint), column("b", .double) { $0.optional = true })
        let sandbox = try Sandbox()
        try sandbox.ingest("a\n1\n", under: wide)
        try sandbox.ingest("a,b\n2,0.5\n", under: wide, name: "b.csv")
        #expect(try sandbox.rows("SELECT a, b FROM bronze.things ORDER BY a") == ["1|–", "2|0.5"])
        let report = try Sandbox().ingest("b\n1\n", under: wide)
        #expect(report.outcome == .refused)
        #expect(report.refusal?.contains("\"a\"") == true)
    }

    @Test func `tells a header in another unit`() throws {
        let pressure = contract(
            column("p", .double) {
                $0.from = ["Pressure(bar)"]
                $0.unit = "bar"
                $0.max = "300"
            })
        let header = try Sandbox().ingest("Pressure(Pa)\n7000000\n", under: pressure)
        #expect(header.refusal?.contains("\"Pressure(Pa)\"") == true)
        #expect(header.refusal?.contains("in bar") == true)
        var strict = pressure
        strict.maxRejected = 0.1
        let values = try Sandbox().ingest("Pressure(bar)\n7000000\n7100000\n7200000\n", under: strict)
        #expect(values.refusal?.contains("another unit") == true)
    }

    @Test(arguments: [
        (column("v", .date) { $0.min = "yesterday" }, "columns.v.min"),
        (column("v", .timestamp) { $0.max = "2024-13-01" }, "columns.v.max"),
        (column("v", .text) { $0.pattern = "[A-Z" }, "columns.v.pattern"),
        (column("v", .date) { $0.format = "%Q" }, "columns.v.format"),
        (column("v", .bigint) { $0.allowed = ["1", "1e300"] }, "columns.v.allowed"),
    ]) func `a fault of the contract is not blamed on the file`(_ wrong: Contract.Column, _ key: String) throws {
        let sandbox = try Sandbox()
        let error = refusal { try sandbox.ingest("v\n1\n", under: contract(wrong)) }
        #expect(error?.location?.file == "contracts/things.yaml")
        #expect(error?.location?.key?.hasPrefix("columns.v") == true)
        #expect(error?.code == "contract.rule")
        #expect(key.hasPrefix(error?.location?.key ?? "?"))
        #expect(try sandbox.lake.tables() == [])
    }

    @Test func `refuses a header that brings a column twice`() throws {
        let two = contract(column("a", .bigint) { $0.from = ["a", "A1"] })
        #expect(try Sandbox().ingest("a,a\n1,2\n", under: two).refusal?.contains("\"a\" twice") == true)
        #expect(try Sandbox().ingest("a,A1\n1,2\n", under: two).refusal?.contains("\"A1\"") == true)
    }

    @Test func `made-up rows say so`() throws {
        let one = contract(column("a", .bigint))
        #expect(try Sandbox().ingest("a,_synthetic\n1,true\n", under: one).synthetic)
        #expect(try Sandbox().ingest("a,_synthetic\n1,false\n", under: one).synthetic == false)
        let sandbox = try Sandbox()
        try sandbox.ingest("a,_synthetic\n1,true\n", under: one)
        try sandbox.ingest("a\n2\n", under: one, name: "real.csv")
        #expect(try sandbox.lake.ingestedFiles("things").map(\.synthetic) == [true, false])
    }
}
