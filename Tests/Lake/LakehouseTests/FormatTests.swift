import Core
import Lakehouse
import LakehouseDuckDB
import SourceFormats
import Storage
import TestSupport
import Testing

/// JSON Lines and workbooks under the same contract, quarantine and exactly-once as CSV.
@Suite struct FormatTests {
    private let things = contract(
        column("id", .bigint), column("t", .text) { $0.nullable = true }, column("n", .double) { $0.nullable = true },
        key: ["id"])

    private func format(_ kind: String, _ change: (inout SourceFormat) -> Void = { _ in }) -> SourceFormat {
        var format = SourceFormat()
        format.kind = kind
        change(&format)
        return format
    }

    private func rows(
        _ bytes: [UInt8], _ kind: String, _ change: (inout SourceFormat) -> Void = { _ in }, slice: Int64? = nil
    ) throws -> [String] {
        let sandbox = try Sandbox(threads: 2)
        if let slice { sandbox.engine.sliceBytes = slice }
        let report = try sandbox.ingest(bytes: bytes, under: things, format: format(kind, change))
        if let refusal = report.refusal { return ["refused: \(refusal)"] }
        let taken = try sandbox.rows("SELECT id, t, n, _row FROM bronze.things ORDER BY _row")
        guard report.rowsRejected > 0 else { return taken }
        return try taken
            + sandbox.rows("SELECT 'bad', \"row\", \"column\", rule FROM quarantine.things ORDER BY \"row\", rule")
    }

    private func lines(_ text: String) throws -> [String] { try rows(Array(text.utf8), "jsonl") }

    // MARK: JSON Lines

    @Test func `takes members by their names, in any order, missing ones as missing`() throws {
        let text = """
            {"id": 1, "t": "a", "n": 1.5}

            {"n": 2e3, "t": null, "id": 2}
            { "t" : "" , "id" : "3" }
            {"id": 9007199254740993, "t": true, "n": -0.0}
            """
        #expect(try lines(text) == ["1|a|1.5|1", "2|–|2000.0|2", "3|–|–|3", "9007199254740993|true|-0.0|4"])
        #expect(try lines("\u{FEFF}" + text.replacing("\n", with: "\r\n")) == lines(text))
    }

    @Test func `decodes escapes, and keeps lists as JSON`() throws {
        #expect(
            try lines(
                #"{"id":1,"t":"q\" \\ \u00e4 \ud83d\ude00 \n","n":1}"# + "\n" + #"{"id":2,"t":[1,{"a":2}],"n":1}"#)
                == ["1|q\" \\ ä 😀 \n|1.0|1", "2|[1,{\"a\":2}]|1.0|2"])
    }

    @Test(arguments: [
        (#"{"id":2,"t":"x","n":1"#, "it is no JSON object: The JSON ends too early, at byte 21."),
        (#"{"id":2,"n":1,"t":"a","t":"b"}"#, "it names t twice"),
        (#"[1,2]"#, "it is no JSON object: At byte 0 an object was expected."),
        (#"{"id":2,"n":1,"t":"\ud83d"}"#, "t has half of a surrogate pair, which is no character"),
        (#"{"id":2,"n":1,"t":"a\u0000"}"#, "t has a NUL character"),
        (#"{"id":02,"n":1,"t":"a"}"#, "it is no JSON object: At byte 6 is a number that JSON does not allow."),
    ]) func `sets a broken record aside and takes the others`(record: String, reason: String) throws {
        #expect(
            try lines("{\"id\":1,\"t\":\"a\",\"n\":1}\n\(record)\n{\"id\":3,\"t\":\"c\",\"n\":3}\n") == [
                "1|a|1.0|1", "3|c|3.0|3", "bad|2|–|well-formed line: \(reason)",
            ])
    }

    @Test func `reads members of members by their path`() throws {
        let sandbox = try Sandbox()
        let nested = contract(column("id", .bigint), column("age", .double) { $0.from = ["patient.age"] })
        try sandbox.ingest(
            "{\"id\":1,\"patient\":{\"age\":3,\"name\":\"a\"}}\n{\"id\":2,\"patient\":{\"age\":4}}\n", under: nested,
            format: format("jsonl"))
        #expect(try sandbox.rows("SELECT id, age FROM bronze.things ORDER BY id") == ["1|3.0", "2|4.0"])
    }

    @Test(arguments: [
        ("[{\"id\":1}]", "it is one JSON array"), ("", "it is empty"), ("\n \n", "it has no records"),
        ("id,t,n\n1,a,2\n", "no line of it is a JSON object with members"),
        ("{\"id\":1,\"t\":\"a\"}\n", "the header lacks the column: \"n\""),
    ]) func `refuses a file that is something else`(text: String, reason: String) throws {
        #expect(try lines(text).first?.hasPrefix("refused: \(reason)") == true)
    }

    @Test func `refuses UTF-16`() throws {
        let bytes = "{\"id\":1}".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        #expect(
            try rows([0xFF, 0xFE] + bytes, "jsonl") == ["refused: it is in UTF-16 or UTF-32, and JSON Lines are UTF-8"])
    }

    @Test func `reads a large file slice by slice to the same rows`() throws {
        var text = ""
        for id in 0..<4000 {
            text += id % 97 == 5 ? "{\"id\":\n" : "{\"id\":\(id),\"t\":\"\\u0041 \(id % 13)\",\"n\":\(id).25}\n"
            // A member that comes late belongs to the header all the same.
            if id == 3900 { text += "{\"late\":{\"x\":1},\"id\":100000,\"t\":\"z\",\"n\":1}\n" }
        }
        let whole = try lines(text)
        #expect(whole.count == 4001)
        #expect(try rows(Array(text.utf8), "jsonl", slice: 20_000) == whole)
    }

    @Test func `corrects a broken record by a whole line, and takes it`() throws {
        let kind = try SourceFormats.find("jsonl")
        #expect(try kind.cells?("{\"n\":1,\"id\":7}", format("jsonl"), ["id", "t", "n"], false) == ["7", "", "1"])
        #expect(throws: FileRefusal.self) { try kind.cells?("{\"m\":1}", format("jsonl"), ["id"], false) }
        #expect(throws: FileRefusal.self) { try kind.cells?("{\"id\":1", format("jsonl"), ["id"], false) }
        #expect(throws: FileRefusal.self) { try kind.cells?("{\"id\":1}\n{\"id\":2}", format("jsonl"), ["id"], false) }
    }

    @Test func `takes one column for a path, and none from a broken record`() throws {
        let sandbox = try Sandbox()
        let nested = contract(column("id", .bigint), column("b", .double) { ($0.from, $0.nullable) = (["a.b"], true) })
        let report = try sandbox.ingest(
            """
            {"id":1,"a":{"b":1}}
            {"id":2,"a.b":2}
            {"id":3,"a":{"b":1},"a.b":2}
            {"id":4,"other":1,"cut":
            {"id":5,"a":{}}
            """, under: nested, format: format("jsonl"))
        #expect(report.refusal == nil && report.warnings == [])
        #expect(try sandbox.rows("SELECT id, b FROM bronze.things ORDER BY id") == ["1|1.0", "2|2.0", "5|–"])
        #expect(report.rowsRejected == 2)
    }

    // MARK: Excel

    private let header = "<c t=\"inlineStr\"><is><t>id</t></is></c><c t=\"str\"><v>t</v></c><c t=\"str\"><v>n</v></c>"

    @Test func `reads the first visible sheet, texts of every kind and numbers without needless digits`() throws {
        let book = ZipWriter.workbook(
            [
                "", header, "<c><v>1</v></c><c t=\"s\"><v>0</v></c><c><v>0.10000000000000001</v></c>",
                "<c r=\"A5\"><v>2</v></c><c r=\"C5\"><v>1E3</v></c>", "<c r=\"A6\"/>",
                "<c><v>3.0</v></c><c t=\"s\"><v>1</v></c><c t=\"n\"><v>-5</v></c>",
                "<c><v>4</v></c><c t=\"b\"><v>1</v></c>", "<c><v>5</v></c><c t=\"e\"><v>#N/A</v></c>",
            ],
            texts: [
                "<t xml:space=\"preserve\"> a &amp; b</t>",
                "<r><t>ri</t></r><r><t>ch_x000D_</t></r><rPh><t>reading</t></rPh>",
            ])
        #expect(
            try rows(book, "excel") == [
                "1| a & b|0.1|1", "2|–|1000.0|2", "3|rich\r|-5.0|3", "4|true|–|4", "5|#N/A|–|5",
            ])
    }

    @Test func `spells moments in ISO 8601, in both calendars`() throws {
        func moments(_ from1904: Bool) throws -> [String] {
            let cells = [
                ("1", "46027"), ("1", "59"), ("1", "61"), ("3", "46027.354166666664"), ("3", "0.5"), ("2", "1.25"),
                ("4", "3"), ("5", "3"), ("0", "46027"),
            ]
            return try rows(
                ZipWriter.workbook(
                    [header]
                        + cells.enumerated().map { "<c><v>\($0)</v></c><c s=\"\($1.0)\"><v>\($1.1)</v></c>" },
                    formats: ["yyyy\\-mm\\-dd hh:mm;@", "[Red]0.00&quot;days&quot;", "0.0;[$-409]d"],
                    from1904: from1904), "excel"
            ).map { String($0.split(separator: "|")[1]) }
        }
        #expect(
            try moments(false) == [
                "2026-01-05", "1900-02-28", "1900-03-01", "2026-01-05 08:30:00", "12:00:00", "30:00:00", "3", "3",
                "46027",
            ])
        #expect(try moments(true).prefix(2) == ["2030-01-06", "1904-02-29"])
    }

    @Test func `takes numbers that are no moments as numbers, and refuses rows beyond the last`() throws {
        let book = ZipWriter.workbook([
            header, "<c><v>1</v></c><c s=\"2\"><v>1e12</v></c>",
            "<c><v>2</v></c><c s=\"1\"><v>2958465.9999999999</v></c>",
            "<c><v>3</v></c><c s=\"1\"><v>-1</v></c>", "<c><v>4</v></c><c t=\"b\"><v>true</v></c>",
        ])
        #expect(try rows(book, "excel") == ["1|1000000000000|–|1", "2|2958466|–|2", "3|-1|–|3", "4|true|–|4"])
        var sheet = "<c><v>1</v></c></row><row r=\"9223372036854775807\"><c><v>2</v></c></row><row><c><v>3</v></c>"
        #expect(
            try rows(ZipWriter.workbook([header, sheet]), "excel")
                == ["refused: it has a row beyond the last one of Excel"])
        sheet = "<c><v>1</v></c><c t=\"str\"><v>\(String(repeating: "x", count: 300_000))</v></c>"
        #expect(
            try rows(ZipWriter.workbook([header, sheet]), "excel")
                == ["refused: the cell B2 is longer than any of Excel's"])
    }

    @Test func `keeps a wide row whole, and finds its width behind the rows that are skipped`() throws {
        let wide = "<c><v>7</v></c><c t=\"str\"><v>a</v></c><c/><c t=\"str\"><v>more</v></c>"
        let sandbox = try Sandbox()
        try sandbox.ingest(
            bytes: ZipWriter.workbook([header, "<c><v>1</v></c>", wide]), under: things, format: format("excel"))
        #expect(try sandbox.rows("SELECT raw_value FROM quarantine.things") == ["7\ta\tmore"])
        let title = "<c r=\"Z1\" t=\"str\"><v>Title</v></c>"
        let rowsBehind = ["<c><v>1</v></c>", "<c><v>2</v></c><c t=\"str\"><v>a</v></c><c><v>1.5</v></c>"]
        #expect(
            try rows(ZipWriter.workbook([title] + rowsBehind), "excel", { ($0.header, $0.skipLines) = (false, 1) })
                == ["1|–|–|1", "2|a|1.5|2"])
    }

    @Test func `finds the sheet and the header that the source names`() throws {
        let book = ZipWriter.workbook(["<c t=\"str\"><v>Report</v></c>", header, "<c><v>1</v></c>"])
        #expect(try rows(book, "excel", { $0.skipLines = 1 }) == ["1|–|–|1"])
        #expect(
            try rows(book, "excel", { $0.options["sheet"] = "Visit" })
                == ["refused: it has no sheet \"Visit\"; its sheets are \"Notes\", \"Visits\""])
    }

    @Test func `sets a row aside that is wider than the header`() throws {
        let book = ZipWriter.workbook([header, "<c><v>1</v></c>", "<c r=\"A3\"><v>2</v></c><c r=\"E3\"><v>9</v></c>"])
        #expect(
            try rows(book, "excel")
                == ["1|–|–|1", "bad|2|–|well-formed line: its cell E3 stands behind the last column of the header"])
    }

    @Test func `refuses damaged workbooks and other files as a whole`() throws {
        let book = ZipWriter.workbook([header, "<c><v>1</v></c>"])
        for length in stride(from: 1, to: book.count, by: 97) {
            #expect(try rows(Array(book[..<length]), "excel").first?.hasPrefix("refused: ") == true)
        }
        for place in stride(from: 0, to: book.count, by: 41) {
            var altered = book
            altered[place] ^= 0x55
            // Whatever comes of it, it is an answer.
            _ = try rows(altered, "excel")
        }
        #expect(
            try rows(Array("id,t,n\n".utf8), "excel").first
                == "refused: it does not begin like an Excel workbook (.xlsx)")
        #expect(
            try rows(book, "csv").first?.contains("set format: excel") == true)
        let entities = "<!DOCTYPE a [<!ENTITY b \"c\">]>"
        var archive = ZipWriter()
        archive.add("xl/workbook.xml", entities + "<workbook/>")
        #expect(try rows(archive.finished(), "excel").first?.contains("document type declaration") == true)
    }

    @Test func `reads a large workbook slice by slice to the same rows`() throws {
        let book = ZipWriter.workbook(
            [header] + (0..<3000).map { "<c><v>\($0)</v></c><c t=\"s\"><v>\($0 % 2)</v></c><c><v>\($0)</v></c>" },
            texts: ["<t>a</t>", "<t>b</t>"])
        let whole = try rows(book, "excel")
        #expect(whole.count == 3000)
        #expect(try rows(book, "excel", slice: 8_000) == whole)
    }

    // MARK: Faults that are common in CSV, in the other formats

    @Test func `tells names that differ in case, and refuses a name that comes twice`() throws {
        #expect(try lines("{\"ID\":1,\"t\":\"a\",\"n\":1}").first?.contains("\"id\" (the file has \"ID\"") == true)
        let names = ["id", "t", "n", "t"].map { "<c t=\"str\"><v>\($0)</v></c>" }.joined()
        #expect(
            try rows(ZipWriter.workbook([names, "<c><v>1</v></c>"]), "excel")
                == ["refused: the header names the column \"t\" twice"])
    }

    @Test func `keeps line ends inside of cells`() throws {
        #expect(try lines("{\"id\":1,\"t\":\"a\\r\\nb\",\"n\":1}") == ["1|a\r\nb|1.0|1"])
        #expect(
            try rows(ZipWriter.workbook([header, "<c><v>1</v></c><c t=\"str\"><v>a\nb</v></c>"]), "excel")
                == ["1|a\nb|–|1"])
    }

    @Test func `sets footers and repeated headers aside`() throws {
        #expect(
            try lines("{\"id\":1,\"t\":\"a\",\"n\":1}\n{\"total\":1}\n")
                == ["1|a|1.0|1", "bad|2|id|key not null"])
        let book = ZipWriter.workbook([header, "<c><v>1</v></c>", header, "<c t=\"str\"><v>Total: 1</v></c>"])
        #expect(
            try rows(book, "excel")
                == ["1|–|–|1", "bad|2|id|type bigint", "bad|2|n|type double", "bad|3|id|type bigint"])
    }

    @Test func `takes empty columns at the end of a header, and missing texts`() throws {
        let wide = header + "<c t=\"str\"><v></v></c><c t=\"str\"><v/></c>"
        let book = ZipWriter.workbook([wide, "<c><v>1</v></c><c t=\"str\"><v> NA </v></c><c t=\"e\"><v>#N/A</v></c>"])
        #expect(try rows(book, "excel", { ($0.missing, $0.trim) = (["NA", "#N/A"], true) }) == ["1|–|–|1"])
        #expect(
            try rows(
                Array("{\"id\":1,\"t\":\" NA\",\"n\":\"\"}".utf8), "jsonl", { ($0.missing, $0.trim) = (["NA"], true) })
                == ["1|–|–|1"])
    }

    @Test func `reads thousands of columns`() throws {
        let others = (0..<5000).map { "\"x\($0)\":\($0)" }.joined(separator: ",")
        #expect(try lines("{\"id\":1,\"t\":\"a\",\"n\":1,\(others)}") == ["1|a|1.0|1"])
        let names = header + (0..<5000).map { "<c t=\"str\"><v>x\($0)</v></c>" }.joined()
        let cells = "<c><v>1</v></c><c/><c/>" + (0..<5000).map { "<c><v>\($0)</v></c>" }.joined()
        #expect(try rows(ZipWriter.workbook([names, cells]), "excel") == ["1|–|–|1"])
    }

    @Test func `has the same rows from Parquet, JSON Lines, a workbook and CSV`() throws {
        let csv = "id,t,n\n1,a,1.5\n2,,\n3,x,-0.25\n4,y,bad\n"
        let json = """
            {"id":1,"t":"a","n":1.5}
            {"id":2,"t":"","n":null}
            {"n":-0.25,"id":3,"t":"x"}
            {"id":4,"t":"y","n":"bad"}
            """
        let book = ZipWriter.workbook([
            header, "<c><v>1</v></c><c t=\"str\"><v>a</v></c><c><v>1.5</v></c>", "<c><v>2</v></c>",
            "<c><v>3</v></c><c t=\"str\"><v>x</v></c><c><v>-0.25</v></c>",
            "<c><v>4</v></c><c t=\"str\"><v>y</v></c><c t=\"str\"><v>bad</v></c>",
        ])
        let wanted = ["1|a|1.5|1", "2|–|–|2", "3|x|-0.25|3", "bad|4|n|type double"]
        #expect(try rows(Array(csv.utf8), "csv") == wanted)
        #expect(try lines(json) == wanted)
        #expect(try rows(book, "excel") == wanted)
        let sandbox = try Sandbox()
        let file = try sandbox.engine.materialise(
            Query(
                "SELECT * FROM (VALUES ('1', 'a', '1.5'), ('2', '', NULL), ('3', 'x', '-0.25'), ('4', 'y', 'bad')) AS v(id, t, n)"
            ), into: sandbox.folder.path + "/in.parquet")
        #expect(try rows(Disk.read(file.path), "parquet") == wanted)
    }

    // MARK: Folders of partitions

    @Test(arguments: ["csv", "jsonl"]) func `takes values from the names of folders`(kind: String) throws {
        let sandbox = try Sandbox()
        let daily = contract(
            column("id", .bigint), column("day", .date), column("ward", .text) { $0.nullable = true })
        let text = kind == "csv" ? "id\n1\n2\n" : "{\"id\":1}\n{\"id\":2}\n"
        let other = kind == "csv" ? "id,ward\n3,own\n" : "{\"id\":3,\"ward\":\"own\"}\n"
        let files = [
            ("day=2026-01-05/ward=A%2FB/x", text), ("day=2026-01-06/ward=__HIVE_DEFAULT_PARTITION__/x", text),
            ("day=2026-01-07/ward=C/y", other), ("day=soon/ward=C/z", text),
        ].map { ($0.0, Array($0.1.utf8)) }
        let report = try sandbox.ingest(files: files, under: daily, format: format(kind))
        #expect(report.files.map(\.rowsAccepted) == [2, 2, 1, 0])
        #expect(
            try sandbox.rows("SELECT id, day, ward FROM bronze.things ORDER BY day, id") == [
                "1|2026-01-05|A/B", "2|2026-01-05|A/B", "1|2026-01-06|–", "2|2026-01-06|–", "3|2026-01-07|own",
            ])
        // The same bytes in another folder are other rows; the same folder again is not.
        let again = try sandbox.ingest(files: files, under: daily, format: format(kind))
        #expect(again.files.allSatisfy { $0.outcome == .alreadyKnown })
    }

    @Test func `takes a column of the file under any of its names before a folder`() throws {
        let sandbox = try Sandbox()
        let daily = contract(column("id", .bigint), column("day", .date) { $0.from = ["Day", "day"] })
        try sandbox.ingest(
            files: [("day=2026-01-05/x.csv", Array("id,Day\n1,2026-02-02\n".utf8))], under: daily)
        #expect(try sandbox.rows("SELECT id, day FROM bronze.things") == ["1|2026-02-02"])
    }

    @Test func `finds columns without a header beside those of folders`() throws {
        let sandbox = try Sandbox()
        let daily = contract(column("day", .date), column("id", .bigint), column("t", .text))
        try sandbox.ingest(
            files: [("day=2026-01-05/x.csv", Array("1,a\n2,b\n".utf8))], under: daily,
            format: format("csv") { $0.header = false })
        #expect(
            try sandbox.rows("SELECT day, id, t FROM bronze.things ORDER BY id")
                == ["2026-01-05|1|a", "2026-01-05|2|b"])
    }
}
