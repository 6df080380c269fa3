import Core
import DelimitedText
import Lakehouse
import LakehouseDuckDB
import SourceFormats
import TestSupport
import Testing

private let latin1 = TextEncoding("latin-1") ?? .utf8

/// How files are written: dialects, encodings, broken lines, and the row numbers that people are given.
@Suite struct FileTests {
    private let pair = contract(column("id", .bigint), column("t", .text))

    private func rows(_ text: String, _ format: SourceFormat = SourceFormat(), _ contract: Contract? = nil) throws
        -> [String]
    {
        let sandbox = try Sandbox()
        let report = try sandbox.ingest(text, under: contract ?? pair, format: format)
        if let refusal = report.refusal { return ["refused: \(refusal)"] }
        return try sandbox.rows("SELECT id, t, _row FROM bronze.things ORDER BY _row")
    }

    @Test func `reads other delimiters and quotes`() throws {
        #expect(try rows("id;t\n1;'a;b'\n", format { ($0.delimiter, $0.quote) = (";", "'") }) == ["1|a;b|1"])
        #expect(try rows("id\tt\n1\t\"a\tb\"\n", format { $0.delimiter = "\t" }) == ["1|a\tb|1"])
        #expect(try rows("id||t\n1||x\n", format { $0.delimiter = "||" }) == ["1|x|1"])
        #expect(try rows("id,t\n1,\"say \"\"hi\"\"\"\n") == ["1|say \"hi\"|1"])
        #expect(try rows("id,t\n1,5\" pipe\n", format { $0.quote = "" }) == ["1|5\" pipe|1"])
    }

    @Test(arguments: ["\n", "\r\n"]) func `reads either line end, with or without one at the end`(_ end: String) throws
    {
        #expect(try rows(["id,t", "1,a", "2,b"].joined(separator: end)) == ["1|a|1", "2|b|2"])
        #expect(try rows(["id,t", "1,a", "2,b", ""].joined(separator: end)) == ["1|a|1", "2|b|2"])
    }

    @Test func `skips the byte order mark`() throws {
        #expect(try rows("\u{FEFF}id,t\n1,a\n") == ["1|a|1"])
        #expect(try rows("\u{FEFF}1,a\n2,b\n", format { $0.header = false }) == ["1|a|1", "2|b|2"])
        #expect(try rows("\u{FEFF}\"id\",\"t\"\n1,a\n") == ["1|a|1"])
    }

    @Test func `reads latin-1 when told, and refuses it otherwise`() throws {
        let bytes: [UInt8] = Array("id,t\n1,caf".utf8) + [0xE9, 10]
        let sandbox = try Sandbox()
        try sandbox.ingest(bytes: bytes, under: pair, format: format { $0.encoding = latin1 })
        #expect(try sandbox.rows("SELECT t FROM bronze.things") == ["café"])
        let report = try Sandbox().ingest(bytes: bytes, under: pair)
        #expect(report.outcome == .refused || report.rowsRejected == 1)
        #expect(report.rowsAccepted == 0)
    }

    @Test func `reads headers in latin-1`() throws {
        let bytes: [UInt8] = Array("id,temp(".utf8) + [0xB0] + Array("C)\n1,a\n".utf8)
        let sandbox = try Sandbox()
        let degrees = contract(column("id", .bigint), column("t", .text) { $0.from = ["temp(°C)"] })
        try sandbox.ingest(bytes: bytes, under: degrees, format: format { $0.encoding = latin1 })
        #expect(try sandbox.rows("SELECT t FROM bronze.things") == ["a"])
    }

    @Test func `keeps line breaks inside quotes and counts records, not lines`() throws {
        #expect(try rows("id,t\n1,\"two\nlines\"\n2,b\n") == ["1|two\nlines|1", "2|b|2"])
        #expect(try rows("id,\"t\"\n1,\"x\r\ny\"\n") == ["1|x\r\ny|1"])
        let broken = contract(column("id", .bigint), column("t", .text) { $0.from = ["t\nunit"] })
        #expect(try rows("id,\"t\nunit\"\n1,a\n", SourceFormat(), broken) == ["1|a|1"])
    }

    @Test func `takes the columns of a headerless file in order`() throws {
        let wide = contract(column("id", .bigint), column("t", .text), column("u", .text) { $0.optional = true })
        let headerless = format { $0.header = false }
        #expect(try rows("1,a\n2,b\n", headerless, wide) == ["1|a|1", "2|b|2"])
        #expect(try rows("1,a,x\n", headerless, wide) == ["1|a|1"])
        #expect(try rows("1\n", headerless, wide)[0].contains("1 columns"))
    }

    @Test func `skips lines before the header`() throws {
        let skipping = format { $0.skipLines = 2 }
        #expect(try rows("Export of\n2024, May\nid,t\n1,a\n", skipping) == ["1|a|1"])
        #expect(try rows("Export\n", skipping)[0].hasPrefix("refused"))
    }

    @Test func `knows the texts that mean missing`() throws {
        let marked = format { $0.missing = ["?", "n/a"] }
        #expect(
            try rows("id,t\n1,?\n2,n/a\n3,None\n4,\n5,\"?\"\n6, ?\n", marked)
                == ["1|–|1", "2|–|2", "3|None|3", "4|–|4", "5|–|5", "6| ?|6"])
        let trimmed = format { ($0.missing, $0.trim) = (["?"], true) }
        #expect(try rows("id,t\n 1 ,  a  \n2, ? \n3,   \n", trimmed) == ["1|a|1", "2|–|2", "3|–|3"])
    }

    @Test func `trims every kind of blank`() throws {
        #expect(try rows("id,t\n1,\ta\t\n", format { $0.trim = true }) == ["1|a|1"])
    }

    @Test func `skips blank lines and counts rows without them`() throws {
        #expect(try rows("id,t\n1,a\n\n2,b\n\n") == ["1|a|1", "2|b|2"])
    }

    @Test func `sets ragged lines aside and goes on`() throws {
        let sandbox = try Sandbox()
        let report = try sandbox.ingest("id,t\n1,a\n2\n3,c,x\n4,d\n", under: pair)
        #expect(report.rowsRead == 4)
        #expect(report.rowsRejected == 2)
        #expect(try sandbox.rows("SELECT id, _row FROM bronze.things ORDER BY id") == ["1|1", "4|4"])
        let aside = try sandbox.rows("SELECT \"row\", raw_value FROM quarantine.things ORDER BY 1")
        #expect(aside == ["2|2", "3|3,c,x"])
    }

    struct Numbers: CustomTestStringConvertible, Sendable {
        var what: String
        var text: String
        var format = SourceFormat()
        /// Row numbers that bronze has, by id.
        var taken: [String]
        /// Row number and column of what was set aside.
        var aside: [String]
        var testDescription: String { what }
    }

    static let numbers: [Numbers] = [
        Numbers(what: "a bad cell", text: "id,t\n1,a\nx,b\n3,c\n", taken: ["1|1", "3|3"], aside: ["2|id"]),
        Numbers(
            what: "CRLF", text: "id,t\r\n1,a\r\nx,b\r\n3\r\n4,d\r\n", taken: ["1|1", "4|4"], aside: ["2|id", "3|–"]),
        Numbers(
            what: "a ragged line before a bad cell", text: "id,t\n1,a\n2\nx,c\n4,d\n", taken: ["1|1", "4|4"],
            aside: ["2|–", "3|id"]),
        Numbers(
            what: "several ragged lines", text: "id,t\n1\n2\n3,c\n4,d,e\nx,e\n6,f\n", taken: ["3|3", "6|6"],
            aside: ["1|–", "2|–", "4|–", "5|id"]),
        Numbers(
            what: "line breaks in quotes before a ragged line", text: "id,t\n1,\"a\nb\nc\"\n2\nx,c\n4,d\n",
            taken: ["1|1", "4|4"], aside: ["2|–", "3|id"]),
        Numbers(
            what: "skipped lines before the header", text: "one\ntwo\nid,t\n1,a\n2\nx,c\n",
            format: format { $0.skipLines = 2 }, taken: ["1|1"], aside: ["2|–", "3|id"]),
        Numbers(
            what: "no header", text: "1,a\n2\nx,c\n4,d\n", format: format { $0.header = false }, taken: ["1|1", "4|4"],
            aside: ["2|–", "3|id"]),
        Numbers(
            what: "blank lines before a ragged line", text: "id,t\n1,a\n\n\n2\nx,c\n4,d\n", taken: ["1|1", "4|4"],
            aside: ["2|–", "3|id"]),
        Numbers(
            what: "blank lines after a ragged line", text: "id,t\r\n1,\"a\n\nb\"\r\n2\r\n\r\nx,c\r\n4,d\r\n5\r\n\r\n",
            taken: ["1|1", "4|4"], aside: ["2|–", "3|id", "5|–"]),
    ]

    @Test(arguments: numbers) func `gives the number of the data row`(_ example: Numbers) throws {
        let sandbox = try Sandbox()
        try sandbox.ingest(example.text, under: pair, format: example.format)
        #expect(try sandbox.rows("SELECT id, _row FROM bronze.things ORDER BY id") == example.taken)
        #expect(try sandbox.rows("SELECT \"row\", \"column\" FROM quarantine.things ORDER BY 1") == example.aside)
    }

    @Test func `quarantine keeps file, digest, row, column, rule and raw value`() throws {
        let sandbox = try Sandbox()
        let text = "id,t\nx,a\n2,b\n"
        try sandbox.ingest(text, under: pair, name: "odd.csv")
        #expect(
            try sandbox.rows("SELECT * EXCLUDE (attempt, bytes) FROM quarantine.things") == [
                "\(Digest(of: text).hex)|odd.csv|1|id|type bigint|x|[\"id\",\"t\"]|[\"x\",\"a\"]"
            ])
    }

    @Test func `one row may break several promises`() throws {
        let sandbox = try Sandbox()
        let strict = contract(column("a", .bigint) { $0.max = "5" }, column("b", .text) { $0.nullable = false })
        let report = try sandbox.ingest("a,b\n9,\n", under: strict)
        #expect(report.rowsRejected == 1)
        #expect(try sandbox.quarantine() == ["1|a|max 5|9", "1|b|not null|–"])
    }

    @Test(arguments: [
        "rowid", "staged", "select", "a b", "id\"x", "k0", "h", "row", "filename", "ünit", "a,b", "1", "é",
    ])
    func `a column may have any name`(_ name: String) throws {
        let sandbox = try Sandbox()
        let odd = contract(column(name, .bigint) { $0.max = "5" }, column("t", .text), key: [name])
        let header = "\"\(name.replacing("\"", with: "\"\""))\",t"
        try sandbox.ingest("\(header)\n1,a\n9,b\n3,c\n3,d\n", under: odd)
        let quoted = "\"\(name.replacing("\"", with: "\"\""))\""
        #expect(try sandbox.rows("SELECT \(quoted), _row FROM bronze.things ORDER BY _row") == ["1|1", "3|3"])
        #expect(try sandbox.quarantine() == ["2|\(name)|max 5|9", "4|\(name)|unique key|3"])
    }

    @Test func `an extra column may have any name, or none`() throws {
        #expect(try rows("rowid,id,t\n7,1,a\n8,2,b\n") == ["1|a|1", "2|b|2"])
        #expect(try rows(",id,t\n0,1,a\n1,2,b\n") == ["1|a|1", "2|b|2"])
        #expect(try rows("id,t,\n1,a,\n") == ["1|a|1"])
        #expect(try rows("id,t,ID\n1,a,9\n") == ["1|a|1"])
    }

    @Test func `refuses what is no data, and says why`() throws {
        #expect(try rows("")[0].contains("empty"))
        #expect(try rows("id,t\n")[0].contains("no rows"))
        #expect(try rows("\n\n")[0].hasPrefix("refused"))
        #expect(try rows("PK\u{3}\u{4}\u{0}\u{0}binary")[0].hasPrefix("refused"))
        let utf16: [UInt8] = [0xFF, 0xFE] + "id,t\n1,a\n".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        #expect(try Sandbox().ingest(bytes: utf16, under: pair).outcome == .refused)
        #expect(try rows("id,t\n1,a", format { $0.kind = "parquet" })[0].hasPrefix("refused"))
    }

    @Test func `an unclosed quote costs no other file`() throws {
        let sandbox = try Sandbox()
        let report = try sandbox.ingest("id,t\n1,a\n2,\"open\n3,c\n", under: pair)
        #expect(report.outcome == .refused || report.rowsRejected > 0)
        try sandbox.ingest("id,t\n5,e\n", under: pair, name: "next.csv")
        #expect(try sandbox.rows("SELECT id FROM bronze.things WHERE id = 5") == ["5"])
    }

    @Test func `very long cells and many columns are fine`() throws {
        let long = String(repeating: "x", count: 300_000)
        #expect(try rows("id,t\n1,\(long)\n")[0].utf8.count == long.utf8.count + 4)
        let names = (0..<1500).map { "c\($0)" }
        var wide = contract()
        wide.columns = names.map { column($0, .bigint) { $0.max = "3" } }
        let report = try Sandbox().ingest(
            names.joined(separator: ",") + "\n" + names.map { _ in "1" }.joined(separator: ",") + "\n", under: wide)
        #expect(report.rowsAccepted == 1)
    }

    @Test func `reads Parquet under the same contract`() throws {
        let sandbox = try Sandbox()
        let file = try sandbox.engine.materialise(
            Query("SELECT * FROM (VALUES (1, 'a', 1.5), (2, '?', 2.5), (NULL, 'c', 9.5)) AS v(id, t, x)"),
            into: sandbox.folder.path + "/in.parquet")
        var strict = contract(
            column("id", .bigint) { $0.nullable = false }, column("t", .text), column("x", .double) { $0.max = "9" })
        strict.source = "things"
        let landed = LandedFile(path: file.path, name: "in.parquet", content: Digest(of: "p"))
        _ = try sandbox.lake.ingest(
            [landed], of: strict,
            format: format {
                $0.kind = "parquet"
                $0.missing = ["?"]
            })
        #expect(try sandbox.rows("SELECT id, t, x, _row FROM bronze.things") == ["1|a|1.5|1", "2|–|2.5|2"])
        #expect(try sandbox.quarantine() == ["3|id|not null|–", "3|x|max 9|9.5"])
    }

    @Test func `single precision counts as the double that it is, and what is no number is refused`() throws {
        let sandbox = try Sandbox()
        let file = try sandbox.engine.materialise(
            Query(
                "SELECT * FROM (VALUES (1, 0.1::FLOAT, 0.1::DOUBLE), (2, 16777216::FLOAT, 'nan'::DOUBLE), (3, 'inf'::FLOAT, 1)) AS v(id, x, y)"
            ), into: sandbox.folder.path + "/in.parquet")
        _ = try sandbox.lake.ingest(
            [LandedFile(path: file.path, name: "in.parquet", content: Digest(of: "p"))],
            of: contract(column("id", .bigint), column("x", .double), column("y", .double)),
            format: format { $0.kind = "parquet" })
        #expect(try sandbox.rows("SELECT id, x, y FROM bronze.things") == ["1|0.10000000149011612|0.1"])
        #expect(try sandbox.quarantine() == ["2|y|type double|nan", "3|x|type double|inf"])
    }
}
