import Core
import Serving
import Testing
import Training

@Suite struct `Batches` {
    private static let signature = Signature(columns: [
        .init(name: "age", type: .number, levels: [], missing: .native, rare: nil),
        .init(name: "ward, wing", type: .category, levels: ["B\n2", "a \"b\"", "missing"], missing: .level, rare: nil),
        .init(name: "dose", type: .number, levels: [], missing: .native, rare: nil),
    ])
    private let schema = RowSchema(signature)

    /// What a reader makes of a text in blocks: the values and faults of every row.
    private struct Reading: Equatable {
        var values: [UInt64] = []
        var faults: [String] = []
        var warnings: [String] = []
    }

    /// Reads the text in pieces, cut where `pieces` says, blocks as small as can be.
    private func read(
        _ text: String, _ form: BatchForm, pieces: [Int], blockBytes: Int = 1
    ) throws -> Reading {
        let bytes = Array(text.utf8)
        var splitter = BatchSplitter(form, blockBytes: blockBytes, recordBytes: 1000)
        var reader: BatchReader?
        var reading = Reading()
        var rows = 0
        func take(_ slice: BatchSlice) throws {
            var start = 0
            if reader == nil {
                var first = BatchReader(form, passing: [])
                start = try first.begin(slice, schema)
                reader = first
            }
            let batch = RowBatch(schema)
            batch.isByRow = true
            try reader?.read(slice, from: start, into: batch, PassthroughCells([], form: form))
            reading.values += batch.rows.map(\.bitPattern)
            reading.faults += batch.rowFaults.map { "\(rows + $0.row) \($0.fault.code)" }
            for row in 0..<batch.count {
                reading.warnings += batch.warnings(ofRow: row).codes.map { "\(rows + row) \($0)" }
            }
            rows += batch.count
        }
        var from = 0
        for cut in pieces + [bytes.count] {
            try bytes[from..<cut].withUnsafeBytes { try splitter.append($0) }
            from = cut
            while let block = splitter.next() { try take(block) }
        }
        let rest = try splitter.rest()
        if !rest.bytes.isEmpty { try take(rest) }
        return reading
    }

    private let csv =
        "age,\"ward, wing\",dose,id\r\n61,\"B\n2\",0.25,1\r\n\r\n,\"a \"\"b\"\"\",-1e3,2\r\nx,,5,3\r\n"
        + "7,pink,12345678901234567890,\"4\n\"\n1,2\n8.5,\"B\n2\",.5,6"

    @Test func `of CSV are the same wherever the pieces are cut, quoted newlines too`() throws {
        let whole = try read(csv, .csv, pieces: [], blockBytes: 1 << 20)
        #expect(whole.values.count == 3 * 6)
        #expect(
            whole.values.prefix(5).map { Double(bitPattern: $0) }.map { $0.isNaN ? -1 : $0 } == [61, 0, 0.25, -1, 1])
        #expect(whole.faults == ["2 wrongType", "4 shape"])
        #expect(whole.warnings == ["3 unknownCategory", "4 unknownCategory"])
        #expect(Double(bitPattern: whole.values[11 + 0]) == 12_345_678_901_234_567_890)
        for cut in 0...csv.utf8.count {
            #expect(try read(csv, .csv, pieces: [cut]) == whole, "cut at \(cut)")
        }
        #expect(try read(csv, .csv, pieces: Array(0..<csv.utf8.count)) == whole, "byte by byte")
    }

    @Test func `of JSON Lines are the same wherever the pieces are cut`() throws {
        let text =
            "{\"age\": 61, \"ward, wing\": \"B\\n2\", \"dose\": null}\n\r\n{\"dose\":1,\"age\":2,\"ward, wing\":\"q\"}\n"
            + "{\"age\": }\n[1]\n{\"age\":1e400,\"ward, wing\":null,\"dose\":0}\n{\"ward, wing\":\"a \\\"b\\\"\",\"age\":-0.5,\"dose\":3}"
        let whole = try read(text, .jsonLines, pieces: [], blockBytes: 1 << 20)
        #expect(whole.values.count == 3 * 6)
        #expect(whole.faults == ["2 malformed", "3 malformed", "4 malformed"])
        #expect(whole.warnings == ["1 unknownCategory"])
        for cut in 0...text.utf8.count {
            #expect(try read(text, .jsonLines, pieces: [cut]) == whole, "cut at \(cut)")
        }
    }

    @Test func `read cells without quotes to the same bits as those with`() throws {
        var draw = SeededGenerator(seed: 11)
        var cells = [
            "0", "-0", "007", "1.", ".5", "+3", "1e5", "-1E-5", " 7", "nan", "", "NULL", "12345678901234567890",
            "9007199254740993", "0.1234567890123456789", "-.", "-", "1.5x", "--1", "1e400", "0.000000000000000000001",
        ]
        for _ in 0..<3000 {
            let digits = Int.random(in: 1...18, using: &draw)
            var text = "\(Int64.random(in: 0..<1_000_000_000_000_000_000, using: &draw))".prefix(digits)
            if Bool.random(using: &draw), text.count > 1 {
                text.insert(".", at: text.index(after: text.startIndex))
            }
            cells.append((Bool.random(using: &draw) ? "-" : "") + text)
        }
        let header = "age,\"ward, wing\",dose\n"
        let plain = cells.map { "\($0),missing,1\n" }.joined()
        // A quote anywhere sends the whole block the general way.
        let quoted = cells.map { "\($0),\"missing\",1\n" }.joined()
        let one = try read(header + plain, .csv, pieces: [header.utf8.count], blockBytes: 1)
        let other = try read(header + quoted, .csv, pieces: [header.utf8.count], blockBytes: 1)
        #expect(one == other)
        #expect(one.values.count == 3 * cells.count)
        #expect(one.faults.count == 5, "\(one.faults)")
    }

    @Test func `note a code once for each row, however many of its cells have it`() throws {
        let columns = (0..<3).map {
            Signature.Feature(name: "c\($0)", type: .category, levels: ["a", "missing"], missing: .level, rare: nil)
        }
        let schema = RowSchema(Signature(columns: columns))
        let batch = RowBatch(schema)
        batch.isByRow = true
        var splitter = BatchSplitter(.csv, blockBytes: 1, recordBytes: 1000)
        try Array("c0,c1,c2\nx,y,z\na,a,a\nx,a,x\n".utf8).withUnsafeBytes { try splitter.append($0) }
        let slice = try splitter.rest()
        var reader = BatchReader(.csv, passing: [])
        let start = try reader.begin(slice, schema)
        _ = try reader.read(slice, from: start, into: batch, PassthroughCells([], form: .csv))
        #expect((0..<3).map { batch.warnings(ofRow: $0).codes } == [[.unknownCategory], [], [.unknownCategory]])
    }

    @Test func `end with a reason when a record has no end`() throws {
        #expect(try read("age,\"ward, wing\",dose\n1,\"B", .csv, pieces: []).faults == ["0 malformed"])
        let long = "age,\"ward, wing\",dose\n1,\"" + String(repeating: "x", count: 2000)
        let fault = #expect(throws: InputFault.self) { try read(long, .csv, pieces: [30]) }
        #expect(fault?.code == .recordTooLong)
    }

    @Test func `are refused as a whole when their header cannot be right`() throws {
        for (header, code) in [
            ("age,dose", InputFault.Code.missingColumn), ("a,b", .shape),
            ("age,age,\"ward, wing\",dose", .repeatedColumn),
        ] {
            let fault = #expect(throws: InputFault.self) { try read("\(header)\n1,2", .csv, pieces: []) }
            #expect(fault?.code == code)
        }
    }
}
