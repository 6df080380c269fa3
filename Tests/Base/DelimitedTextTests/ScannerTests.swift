import DelimitedText
import Testing

/// Records as `[cells]`, or a fault's name, each scan of them cut into buffers of another size.
private func read(
    _ text: String, _ dialect: CSVDialect = CSVDialect(), width: Int? = nil, buffer: Int? = nil
) -> [[String]] {
    let bytes = Array(text.utf8)
    var scanner = CSVScanner(dialect)
    scanner.width = width
    let record = CSVRecord()
    var rows: [[String]] = []
    var start = 0
    var at = 0
    var end = min(buffer ?? bytes.count, bytes.count)
    bytes.withUnsafeBytes { all in
        while true {
            let window = UnsafeRawBufferPointer(rebasing: all[start..<end])
            switch scanner.next(window, from: at, isLast: end == all.count, into: record) {
            case .end: return
            case .needsMore:
                scanner.consumed(at)
                (start, at, end) = (start + at, 0, min(all.count, end + (buffer ?? 1)))
            case .blank, .comment: at = record.end
            case .record:
                let line = String(decoding: window[record.start..<record.contentEnd], as: UTF8.self)
                rows.append(
                    record.fault.map { ["\($0)", line] } ?? CSVText.strings(record, of: window, dialect))
                at = record.end
            }
        }
    }
    return rows
}

@Suite("Delimited text: records")
struct ScannerTests {
    @Test(
        "Line ends",
        arguments: [
            ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]), ("a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]),
            ("a,b\r1,2\r", [["a", "b"], ["1", "2"]]), ("a,b\n1,2\r\n3,4", [["a", "b"], ["1", "2"], ["3", "4"]]),
            ("a\r\r1\n2\r\n", [["a"], ["1"], ["2"]]), ("a,b\n1,x\ry\n", [["a", "b"], ["1", "x\ry"]]),
            ("a\n\n\r\n1\n", [["a"], ["1"]]), ("a,b\r", [["a", "b"]]), ("a,b\n1,", [["a", "b"], ["1", ""]]),
            ("\n\n", []), ("", []), ("a\n\"\"\n", [["a"], [""]]),
        ])
    func lineEnds(_ text: String, _ rows: [[String]]) { #expect(read(text) == rows) }

    @Test(
        "A quote encloses a cell only where the cell begins",
        arguments: [
            ("1,\"a,b\"\n", [["1", "a,b"]]), ("1,\"a\nb\"\n2,c\n", [["1", "a\nb"], ["2", "c"]]),
            ("1,\"say \"\"hi\"\"\"\n", [["1", "say \"hi\""]]),
            ("1,5\" pipe\n2,6\"\n", [["1", "5\" pipe"], ["2", "6\""]]),
            ("1, \"a\"\n", [["1", " \"a\""]]), ("\"a\",\"\"\n", [["a", ""]]),
        ])
    func quotes(_ text: String, _ rows: [[String]]) { #expect(read(text) == rows) }

    @Test("A broken quote costs its own line")
    func brokenQuotes() {
        let rows = "1,a\n2,\"b\n3,\"c, d\"\n4,e\n"
        #expect(
            read(rows, width: 2) == [["1", "a"], ["textAfterQuote", "2,\"b"], ["3", "c, d"], ["4", "e"]])
        #expect(read("1,a\n2,\"b\n3,c\n", width: 2) == [["1", "a"], ["unclosedQuote", "2,\"b"], ["3", "c"]])
        #expect(
            read("1,\"a\nb\" x,2\n3,c\n", width: 2)
                == [["textAfterQuote", "1,\"a"], ["insideBrokenQuote", "b\" x,2"], ["3", "c"]])
        #expect(read("1,\"50\"7\n2,x\n") == [["textAfterQuote", "1,\"50\"7"], ["2", "x"]])
    }

    @Test("A quoted cell ends at its limit at the latest")
    func longQuoted() {
        let filler = String(repeating: "x\n", count: CSVDialect.longestQuotedRecord / 2 + 10)
        let rows = read("a\n\"b\n" + filler + "\"c\"\n", width: 1)
        #expect(rows.count == 3 + CSVDialect.longestQuotedRecord / 2 + 10)
        #expect(rows[1] == ["unclosedQuote", "\"b"])
        #expect(rows.last == ["c"])
    }

    @Test("Dialects")
    func dialects() {
        #expect(read("a;b\n'x;y';2\n", CSVDialect(delimiter: ";", quote: "'")) == [["a", "b"], ["x;y", "2"]])
        #expect(read("a||b\n1|2||3\n", CSVDialect(delimiter: "||")) == [["a", "b"], ["1|2", "3"]])
        #expect(
            read("a,b\n\"x\\\"y\",C:\\\\t\n1\\,2,3\n", CSVDialect(escape: "\\"))
                == [["a", "b"], ["x\"y", "C:\\t"], ["1,2", "3"]])
        #expect(read("# c\na,b\n#1,2\n3,#4\n", CSVDialect(comment: "#")) == [["a", "b"], ["3", "#4"]])
        #expect(
            read("  a \t b\nx   'y z'\t1  \n  \n", CSVDialect(delimiter: "", quote: "'"))
                == [["a", "b"], ["x", "y z", "1"]])
        #expect(read("a b\n1 2\n  ", CSVDialect(delimiter: "")) == [["a", "b"], ["1", "2"]])
        #expect(
            read("1, \"a, b\" ,2\n", CSVDialect(allowsBlanksAroundQuotes: true)) == [["1", "a, b", "2"]])
        #expect(read("1,\"a\"\n", CSVDialect(quote: "")) == [["1", "\"a\""]])
    }

    @Test("The result does not depend on how the text is cut", arguments: [1, 2, 3, 5, 64])
    func buffers(_ size: Int) {
        let pieces = ["a", "\"", "\"\"", ",", "\n", "\r\n", "\r", "é", " ", "\\", "#", "12345678", "\"x\ny\""]
        var state: UInt64 = 42
        for _ in 0..<300 {
            var text = ""
            for _ in 0..<24 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(state >> 33) % pieces.count]
            }
            for dialect in [
                CSVDialect(), CSVDialect(delimiter: "", escape: "\\", comment: "#"),
                CSVDialect(allowsBlanksAroundQuotes: true),
            ] {
                #expect(read(text, dialect, width: 3, buffer: size) == read(text, dialect, width: 3), "\(text)")
            }
        }
    }

    @Test("UTF-8 is told from other bytes")
    func utf8() {
        func place(_ bytes: [UInt8]) -> Int? { bytes.withUnsafeBytes { UTF8Check.firstInvalid($0) } }
        #expect(place(Array("größe 😀 plain text of some length".utf8)) == nil)
        #expect(place(Array("abc".utf8) + [0xE9] + Array("d".utf8)) == 3)
        #expect(place(Array("12345678".utf8) + [0xC3]) == 8)
        for bytes: [UInt8] in [
            [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE0, 0x80, 0x80], [0x80],
        ] {
            #expect(place(bytes) == 0)
        }
    }
}
