import Core
import DelimitedText
import Serving
import Testing
import Training

/// What comes in as a row of CSV goes out as an answer or an error that says where.
@Suite struct `Rows of CSV` {
    private static let columns: [Signature.Feature] = [
        .init(name: "age", type: .number, levels: [], missing: .native, rare: nil),
        .init(name: "ward", type: .category, levels: ["B", "5\" pipe", "a \"b\"", "é"], missing: .native, rare: nil),
    ]
    private let schema = RowSchema(Signature(columns: columns), entity: "id")

    /// A row as its values, or as what is wrong with it and its line.
    private func shown(_ batch: RowBatch, behind lines: Int) -> [String] {
        var rows = (0..<batch.count).map { row in
            batch.row(row).map { $0.isNaN ? "-" : "\($0)" }.joined(separator: " ")
        }
        for fault in batch.rowFaults { rows[fault.row] = "\(fault.fault.code) line \(lines + fault.line)" }
        return rows
    }

    /// By slices that are cut out of a body in pieces, as `/predict/batch` reads.
    private func batch(
        _ bytes: [UInt8], pieces: [Int], sliceBytes: Int, recordBytes: Int = 1 << 20, _ schema: RowSchema,
        kept: PassthroughCells = PassthroughCells([], form: .csv)
    ) throws -> [String] {
        var splitter = BatchSplitter(.csv, blockBytes: sliceBytes, recordBytes: recordBytes)
        var reader: BatchReader?
        var rows: [String] = []
        var lines = 0
        func take(_ slice: BatchSlice) throws {
            var start = 0
            if reader == nil {
                var first = BatchReader(.csv, passing: kept.names)
                start = try first.begin(slice, schema)
                lines = first.headLines
                reader = first
            }
            let batch = RowBatch(schema)
            batch.isByRow = true
            let count = try reader?.read(slice, from: start, into: batch, kept) ?? 0
            for fault in batch.rowFaults { #expect(fault.line <= count) }
            rows += shown(batch, behind: lines)
            lines += count
        }
        var from = 0
        for cut in pieces + [bytes.count] {
            try bytes[from..<cut].withUnsafeBytes { try splitter.append($0) }
            from = cut
            while let slice = splitter.next() { try take(slice) }
        }
        try take(try splitter.rest())
        return rows
    }

    /// As `/invocations` reads: the whole body, all or nothing.
    private func whole(_ bytes: [UInt8], _ schema: RowSchema) throws -> (rows: Int, faults: [InputFault]) {
        let batch = RowBatch(schema)
        var rows = CSVRows(schema)
        let used = try bytes.withUnsafeBytes { try rows.read($0, into: batch, upTo: 1000, isLast: true) }
        #expect(used == bytes.count)
        return (batch.count, batch.faults)
    }

    static let bodies: [(text: String, rows: [String])] = [
        ("age,ward\n1,5\" pipe\n2,B\n3,5\" pipe\n", ["1.0 1.0", "2.0 0.0", "3.0 1.0"]),
        ("age,ward\n\"50\"7,B\n2,B\n", ["malformed line 2", "2.0 0.0"]),
        ("age,ward\n1,say \"hi\" you\n2,\"a \"\"b\"\"\"\n", ["1.0 -", "2.0 2.0"]),
        ("age,ward\n1,\"B\n2,B\n3,B\n", ["malformed line 2", "2.0 0.0", "3.0 0.0"]),
        ("age,ward\n1,\"B\n2,\"B\"\n3,B\n", ["malformed line 2", "2.0 0.0", "3.0 0.0"]),
        ("age,ward\n1,\"B\nx\" y,2\n3,B\n", ["malformed line 2", "malformed line 3", "3.0 0.0"]),
        ("age,ward\r\n1,B\n2,B\r\n\n\r\n3,B", ["1.0 0.0", "2.0 0.0", "3.0 0.0"]),
        ("age,ward\r1,B\r\r2,x\r3,\"B\"\r", ["1.0 0.0", "2.0 -", "3.0 0.0"]),
        ("age,ward\r\n1,B\rC\n2\r,B\r\n", ["1.0 -", "2.0 0.0"]),
        ("\u{FEFF}\"age\",ward\n1,B\n", ["1.0 0.0"]),
        ("\n\nage,ward\n1\n2,B,3\n4,B\n", ["shape line 4", "shape line 5", "4.0 0.0"]),
        ("age,ward\n\"1\",\"\"\n\"\",\"B\"\n,\n", ["1.0 -", "- 0.0", "- -"]),
        ("age,ward,note\n1,B,\"x\ny\"\n1,B\n2,é,z\n", ["1.0 0.0", "shape line 4", "2.0 3.0"]),
        ("age,ward\n1,\0\n2,B\n", ["malformed line 2", "2.0 0.0"]), ("age,ward\n", []),
        ("age,ward\n\"1\n", ["malformed line 2"]),
        ("age,ward\n\"\n\"\"\n,\n", ["malformed line 2", "malformed line 3", "- -"]),
    ]

    @Test(arguments: bodies) func `are answered one by one, wherever the body is cut`(_ text: String, _ rows: [String])
        throws
    {
        let bytes = Array(text.utf8)
        #expect(try batch(bytes, pieces: [], sliceBytes: 1 << 20, schema) == rows)
        for cut in 0...bytes.count {
            #expect(try batch(bytes, pieces: [cut], sliceBytes: 1, schema) == rows, "cut at \(cut)")
        }
        #expect(try batch(bytes, pieces: Array(0..<bytes.count), sliceBytes: 1, schema) == rows, "byte by byte")
        let (count, faults) = try whole(bytes, schema)
        #expect(count == rows.count)
        let wanted = rows.enumerated().filter { $0.element.contains("line") }.map { row, fault in
            "\(fault.split(separator: " ")[0]) row \(row + 1), line \(fault.split(separator: " ")[2])"
        }
        #expect(faults.map { "\($0.code) \($0.path)" } == wanted)
    }

    @Test func `of other bytes than UTF-8 are told of, and what is passed through stays text`() throws {
        let bytes = Array("age,ward,ref\n1,B,caf".utf8) + [0xE9] + Array("\n2,B,x\0y\n3,B,é\n".utf8)
        for form in BatchForm.allCases {
            let kept = PassthroughCells(["ref"], form: form)
            let rows = try batch(bytes, pieces: [], sliceBytes: 1 << 20, schema, kept: kept)
            #expect(rows == ["malformed line 2", "malformed line 3", "3.0 0.0"])
            let cells = (0..<3).map { String(decoding: kept.cell($0, 0), as: UTF8.self) }
            let texts = ["caf\u{FFFD}", "x\u{FFFD}y", "é"]
            #expect(cells == (form == .csv ? texts : texts.map { "\"\($0)\"" }))
        }
        let faults = try whole(bytes, schema).faults
        #expect(faults.map(\.path) == ["row 1, line 2", "row 2, line 3"])
        #expect(faults.map(\.detail) == ["Byte 8 of the row (0xE9) is not UTF-8.", "Byte 6 of the row is NUL."])
    }

    @Test func `of one column are not lost where they are empty`() throws {
        let one = RowSchema(Signature(columns: [Self.columns[1]]))
        let bytes = Array("ward\n5\" pipe\n\nB\n\"\"\n5\" pipe\n".utf8)
        let rows = ["1.0", "0.0", "-", "1.0"]
        #expect(try batch(bytes, pieces: [], sliceBytes: 1, one) == rows)
        #expect(try whole(bytes, one).rows == 4)
        let plain = Array("ward\nB\n\r\nB\n".utf8)
        #expect(try batch(plain, pieces: [], sliceBytes: 1, one) == ["0.0", "0.0"])
    }

    @Test func `are as many as the scanner has records, whatever stands in them`() throws {
        let pieces = [
            "1", "B", "\"", "\"\"", ",", ",", "\n", "\n", "\r\n", "\r", "é", " ", "5\" pipe", "\"B\n\"", "\0",
        ]
        var draw = SeededGenerator(seed: 5)
        for number in 0..<600 {
            var bytes = Array("age,ward\(number % 3 == 0 ? "\r" : number % 3 == 1 ? "\n" : "\r\n")".utf8)
            for _ in 0..<Int.random(in: 0..<30, using: &draw) {
                bytes += Array((pieces.randomElement(using: &draw) ?? "").utf8)
                if Int.random(in: 0..<40, using: &draw) == 0 { bytes.append(0xC3) }
            }
            var scanner = CSVScanner(CSVDialect())
            scanner.width = 2
            let record = CSVRecord()
            let (records, broken) = bytes.withUnsafeBytes { bytes in
                var (at, records, broken) = (0, 0, 0)
                while true {
                    switch scanner.next(bytes, from: at, isLast: true, into: record) {
                    case .end, .needsMore: return (records - 1, broken)
                    case .record:
                        records += 1
                        if record.count != 2 { broken += 1 }
                    case .blank, .comment: break
                    }
                    at = record.end
                }
            }
            let text = String(decoding: bytes, as: UTF8.self).debugDescription
            let all = try batch(bytes, pieces: [], sliceBytes: 1 << 20, schema)
            #expect(all.count == records, "\(text)")
            #expect(all.count { $0.hasPrefix("shape") || $0.hasPrefix("malformed") } >= broken, "\(text)")
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &draw) }.sorted()
            #expect(try batch(bytes, pieces: cuts, sliceBytes: 3, schema) == all, "\(text) cut at \(cuts)")
            #expect(try whole(bytes, schema).rows == records, "\(text)")
        }
    }

    @Test func `behind an unclosed quote are answered however long the body is`() throws {
        let rows = String(repeating: "1,B,\(String(repeating: "x", count: 60))\n", count: 150_000)
        let bytes = Array("age,ward,note\n1,\"B\n\(rows)".utf8)
        #expect(bytes.count > CSVDialect.longestQuotedRecord + 1 << 20)
        let cuts = Array(stride(from: 0, to: bytes.count, by: 60_000))
        let found = try batch(bytes, pieces: cuts, sliceBytes: 256 << 10, schema)
        #expect(found.count == 150_001)
        #expect(found.first == "malformed line 2" && found.last == "1.0 0.0")
        #expect(found.count { $0 == "1.0 0.0" } == 150_000)
    }

    @Test(arguments: [
        "age,ward\n1,B\n2,\(String(repeating: "x", count: 2000))\n",
        "age,ward\n1,B\n2,\"\(String(repeating: "x", count: 2000))",
        "age,ward\n1,B\n2,\"\(String(repeating: "x\n", count: 1000))\"\n3,B\n",
    ])
    func `that are too long are told of, with their place`(_ text: String) {
        let bytes = Array(text.utf8)
        for pieces in [[], [1500], Array(0..<bytes.count)] {
            let fault = #expect(throws: InputFault.self) {
                try batch(bytes, pieces: pieces, sliceBytes: 1, recordBytes: 1000, schema)
            }
            #expect(fault?.code == .recordTooLong && fault?.path == "byte 13", "\(String(describing: fault))")
        }
    }

    @Test(arguments: [
        ("age,\"ward\n1,B\n", InputFault.Code.malformed, "line 1"), ("\nage,\"ward\"x\n1,B\n", .malformed, "line 2"),
        ("age,ward\0\n1,B\n", .malformed, "line 1"), ("age,x,ward,x\n1,2,B,2\n", .repeatedColumn, "line 1, column x"),
        ("\r\n\r\n", .shape, "line 1"), ("", .shape, "line 1"), ("a,b\n1,2\n", .shape, "line 1"),
    ])
    func `are not read under a broken header`(_ text: String, _ code: InputFault.Code, _ path: String) {
        let bytes = Array(text.utf8)
        let fault = #expect(throws: InputFault.self) { try whole(bytes, schema) }
        #expect(fault?.code == code && fault?.path == path, "\(String(describing: fault))")
        for pieces in [[], Array(0..<bytes.count)] {
            let fault = #expect(throws: InputFault.self) { try batch(bytes, pieces: pieces, sliceBytes: 1, schema) }
            #expect(fault?.code == code && fault?.path == path, "\(String(describing: fault))")
        }
    }
}
