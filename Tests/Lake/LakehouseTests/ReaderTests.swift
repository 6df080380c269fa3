import Core
import DelimitedText
import Lakehouse
import LakehouseDuckDB
import SourceFormats
import TestSupport
import Testing

/// Nothing that was received is lost: whatever a file holds, each record of it is in bronze or in quarantine with its
/// bytes.
@Suite("Records of CSV files")
struct ReaderTests {
    private let pair = contract(column("id", .bigint), column("t", .text))

    /// The hexadecimal bytes of what was set aside, by row.
    private func bytes(_ sandbox: Sandbox) throws -> [String] {
        try sandbox.rows("SELECT DISTINCT \"row\", hex(bytes) FROM quarantine.things ORDER BY 1")
    }

    private func hex(_ text: String) -> String {
        text.utf8.map {
            String(UInt8($0 / 16), radix: 16, uppercase: true) + String($0 % 16, radix: 16, uppercase: true)
        }
        .joined()
    }

    @Test("An open quote costs its own line, which is kept whole", arguments: [64 << 20, 2000])
    func openQuote(_ slice: Int64) throws {
        let sandbox = try Sandbox()
        sandbox.engine.sliceBytes = slice
        let long = String(repeating: "y", count: 30_000)
        let lines = (1...2000).map { $0 == 301 ? "\($0),\"\(long)" : "\($0),note \($0)" }
        let report = try sandbox.ingest("id,t\n" + lines.joined(separator: "\n") + "\n", under: pair)
        #expect((report.rowsRead, report.rowsAccepted, report.rowsRejected) == (2000, 1999, 1))
        #expect(try bytes(sandbox) == ["301|" + hex("301,\"" + long)])
        #expect(try sandbox.rows("SELECT count(*) FROM bronze.things WHERE id <> _row") == ["0"])
        #expect(
            try sandbox.rows("SELECT raw_value = '301,\"\(long)' FROM quarantine.things") == ["true"])
    }

    @Test("Bytes that are no UTF-8 are kept, and come in once the encoding is right")
    func encodingCorrected() throws {
        let sandbox = try Sandbox()
        let text = "id,t\n1,Caf".utf8 + [0xE9] + "\n2,plain\n3,na".utf8 + [0xEF] + "ve\n".utf8
        let report = try sandbox.ingest(bytes: Array(text), under: pair)
        #expect((report.rowsAccepted, report.rowsRejected) == (1, 2))
        #expect(report.breaches.first?.rule.contains("windows-1252") == true)
        #expect(try bytes(sandbox) == ["1|" + hex("1,Caf") + "E9", "3|" + hex("3,na") + "EF" + hex("ve")])
        let replay = try sandbox.lake.replay(
            QuarantineFilter(), of: pair, format: format { $0.encoding = TextEncoding("latin-1") ?? .utf8 },
            scratch: sandbox.folder.path + "/scratch", by: "ada")
        #expect(replay.replayed == 2)
        #expect(
            try sandbox.rows("SELECT id, t, _row FROM bronze.things ORDER BY id")
                == ["1|Café|1", "2|plain|2", "3|naïve|3"])
    }

    @Test("Records come in once the quote is right")
    func quoteCorrected() throws {
        let sandbox = try Sandbox()
        try sandbox.ingest("id,t\n1,'a,b'\n2,c\n", under: pair)
        let replay = try sandbox.lake.replay(
            QuarantineFilter(), of: pair, format: format { $0.quote = "'" }, scratch: sandbox.folder.path + "/scratch",
            by: "ada")
        #expect(replay.replayed == 1)
        #expect(try sandbox.rows("SELECT id, t FROM bronze.things ORDER BY id") == ["1|a,b", "2|c"])
    }

    @Test("A row that breaks a rule is kept with its bytes, a repeated key too")
    func bytesOfRows() throws {
        let sandbox = try Sandbox()
        try sandbox.ingest(
            "id,t\n1,a\nx,\"b\"\"\"\n1,\"again\"\n",
            under: contract(column("id", .bigint), column("t", .text), key: ["id"]))
        #expect(try bytes(sandbox) == ["2|" + hex("x,\"b\"\"\""), "3|" + hex("1,\"again\"")])
    }

    @Test(
        "Line ends of every kind",
        arguments: [
            "id,t\n1,a\r\n2,b\n3,c\r\n", "id,t\r1,a\r2,b\r3,c\r", "id,t\r\n1,a\n2,b\r\n3,c",
            "id,t\n1,a\n\n2,b\n\r\n3,c\n",
        ])
    func lineEnds(_ text: String) throws {
        let sandbox = try Sandbox()
        try sandbox.ingest(text, under: pair)
        #expect(try sandbox.rows("SELECT id, t, _row FROM bronze.things ORDER BY 1") == ["1|a|1", "2|b|2", "3|c|3"])
    }

    @Test("Slices are the whole file", arguments: ["\n", "\r\n", "\r"])
    func slices(_ end: String) throws {
        var lines = ["id,t"]
        for row in 1...3000 {
            switch row % 7 {
            case 0: lines.append("\(row),\"two\(end)lines \(row)\"")
            case 1: lines.append("\(row),5\" pipe")
            case 2 where row % 100 == 2: lines.append("\(row),\"open \(row)")
            case 3: lines.append("\(row),\"x\"\"y, \(row)\"")
            case 4 where row % 50 == 4: lines.append("\(row)")
            default: lines.append("\(row),größe \(row)")
            }
        }
        let text = lines.joined(separator: end) + end
        let whole = try Sandbox()
        let report = try whole.ingest(text, under: pair)
        let parts = try Sandbox(threads: 2)
        parts.engine.sliceBytes = 4000
        let sliced = try parts.ingest(text, under: pair)
        #expect((report.rowsRead, report.rowsAccepted) == (sliced.rowsRead, sliced.rowsAccepted))
        let rows = "SELECT id, t, _row FROM bronze.things ORDER BY _row"
        #expect(try whole.rows(rows) == parts.rows(rows))
        #expect(try whole.quarantine() == parts.quarantine())
        #expect(try bytes(whole) == bytes(parts))
        #expect(report.rowsRead == 3000)
    }

    @Test("Forms of files: escapes, comments, runs of blanks")
    func forms() throws {
        func rows(_ text: String, _ change: (inout SourceFormat) -> Void) throws -> [String] {
            let sandbox = try Sandbox()
            try sandbox.ingest(text, under: pair, format: format(change))
            return try sandbox.rows("SELECT id, t FROM bronze.things ORDER BY id")
        }
        #expect(try rows("id,t\n1,\"a\\\"b\"\n", { $0.escape = "\\" }) == ["1|a\"b"])
        #expect(try rows("# made today\nid,t\n1,a\n# and more\n2,b\n", { $0.comment = "#" }) == ["1|a", "2|b"])
        #expect(try rows("  id   t\n  1   a\n 22 \t b  \n", { $0.delimiter = "" }) == ["1|a", "22|b"])
    }

    @Test("Encodings: UTF-16 with its mark, and others by name")
    func encodings() throws {
        let sandbox = try Sandbox()
        var bytes: [UInt8] = [0xFE, 0xFF]
        for unit in "id,t\r\n1,größe €\r\n2\r\n".utf16 { bytes += [UInt8(unit >> 8), UInt8(unit & 0xFF)] }
        let report = try sandbox.ingest(
            bytes: bytes, under: pair, format: format { $0.encoding = TextEncoding("utf-16") ?? .utf8 })
        #expect((report.rowsAccepted, report.rowsRejected) == (1, 1))
        #expect(try sandbox.rows("SELECT t FROM bronze.things") == ["größe €"])
        let refused = try Sandbox().ingest(bytes: bytes, under: pair)
        #expect(refused.refusal?.contains("utf-16") == true)
        let utf8 = try Sandbox().ingest(
            "id,t\n1,größe\n", under: pair, format: format { $0.encoding = TextEncoding("windows-1252") ?? .utf8 })
        #expect(utf8.refusal?.contains("byte 10") == true)
        let undefined = try Sandbox().ingest(
            bytes: Array("id,t\n1,a".utf8) + [0x81, 10], under: pair,
            format: format { $0.encoding = TextEncoding("windows-1252") ?? .utf8 })
        #expect(undefined.refusal?.contains("byte 9") == true)
    }

    @Test("A file of another kind is named as what it is")
    func kinds() throws {
        #expect(
            try Sandbox().ingest(bytes: [0x50, 0x4B, 3, 4, 0, 0], under: pair).refusal?.contains("ZIP archive") == true)
        #expect(
            try Sandbox().ingest(bytes: Array("PAR1".utf8) + [0x15, 4, 0], under: pair).refusal?.contains("Parquet")
                == true)
        let named = contract(column("PAR1", .bigint), column("b", .text))
        #expect(try Sandbox().ingest("PAR1,b\n1,2\n", under: named).rowsAccepted == 1)
        let other = try Sandbox().ingest("id;t\n1;a\n2;b\n", under: pair)
        #expect(other.refusal?.contains("delimiter: \";\"") == true)
    }

    @Test("A NUL byte sets its record aside")
    func nul() throws {
        let sandbox = try Sandbox()
        let report = try sandbox.ingest("id,t\n1,a\u{0}b\n2,c\n", under: pair)
        #expect((report.rowsAccepted, report.rowsRejected) == (1, 1))
        #expect(try bytes(sandbox) == ["1|" + hex("1,a\u{0}b")])
    }
}

extension ReaderTests {
    @Test("Columns by position, with a header that says something else or none")
    func positions() throws {
        let placed = contract(
            column("id", .bigint) { $0.position = 3 }, column("t", .text) { $0.position = 1 })
        for (text, header) in [("t,id,\na,x,1\nb,y,2\n", true), ("a,x,1\nb,y,2\n", false)] {
            let sandbox = try Sandbox()
            try sandbox.ingest(text, under: placed, format: format { $0.header = header })
            #expect(try sandbox.rows("SELECT id, t FROM bronze.things ORDER BY id") == ["1|a", "2|b"])
        }
        let short = try Sandbox().ingest("a,x\n", under: placed, format: format { $0.header = false })
        #expect(short.refusal?.contains("id at position 3") == true)
        let named = try Sandbox().ingest("t,id\na,1\n", under: placed)
        #expect(named.refusal?.contains("id at position 3") == true)
    }
}

extension ReaderTests {
    @Test("Decimal signs and separators of thousands")
    func numbers() throws {
        let wide = contract(
            column("id", .bigint), column("x", .double), column("d", .decimal(precision: 9, scale: 2)),
            column("n", .bigint))
        let german = format { ($0.delimiter, $0.decimal, $0.thousands) = (";", ",", ".") }
        let sandbox = try Sandbox()
        let report = try sandbox.ingest(
            "id;x;d;n\n1;1.234,5;1.000,25;1.234\n2;-0,5;,5;7\n3;1e3;12;1.000.000\n4;1.5;0;0\n5;0;1.23,4;0\n6;0;0;12.34\n",
            under: wide, format: german)
        #expect((report.rowsAccepted, report.rowsRejected) == (3, 3))
        #expect(
            try sandbox.rows("SELECT id, x, d, n FROM bronze.things ORDER BY id")
                == ["1|1234.5|1000.25|1234", "2|-0.5|0.50|7", "3|1000.0|12.00|1000000"])
        #expect(
            try sandbox.quarantine()
                == ["4|x|type double|1.5", "5|d|type decimal(9,2)|1.23,4", "6|n|type bigint|12.34"])
        let french = try Sandbox()
        try french.ingest(
            "id;x;d;n\n1;1\u{202F}234,5;1;2\n2;1\u{A0}234,5;1;2\n3;1 234,5;1;2\n", under: wide,
            format: format { ($0.delimiter, $0.decimal, $0.thousands) = (";", ",", " ") })
        #expect(try french.rows("SELECT DISTINCT x FROM bronze.things") == ["1234.5"])
    }
}

extension ReaderTests {
    @Test("All of a file is read, packed or in an encoding that grows", arguments: [64 << 20, 10_000])
    func all(_ slice: Int64) throws {
        let rows = 30_000
        let text = "id,t\n" + (1...rows).map { "\($0),éééééééé\n" }.joined()
        let windows = text.unicodeScalars.map { UInt8($0.value) }
        let sandbox = try Sandbox()
        sandbox.engine.sliceBytes = slice
        let report = try sandbox.ingest(
            bytes: windows, under: pair, format: format { $0.encoding = TextEncoding("windows-1252") ?? .utf8 })
        #expect((report.rowsRead, report.rowsAccepted) == (rows, rows))
        #expect(
            try sandbox.rows("SELECT count(DISTINCT id), min(t), max(t) FROM bronze.things")
                == ["\(rows)|éééééééé|éééééééé"])
        // Stored blocks (RFC 1951, 3.2.4) in one gzip member; the sum at the end is not looked at before all is read.
        var packed: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
        let plain = Array(text.utf8)
        for start in stride(from: 0, to: plain.count, by: 60_000) {
            let block = plain[start..<min(start + 60_000, plain.count)]
            let size = UInt16(block.count)
            packed += [start + 60_000 >= plain.count ? 1 : 0, UInt8(size & 255), UInt8(size >> 8)]
            packed += [UInt8(~size & 255), UInt8(~size >> 8)] + block
        }
        var crc: UInt32 = .max
        for byte in plain {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        for word in [~crc, UInt32(plain.count)] { packed += (0..<4).map { UInt8(word >> ($0 * 8) & 255) } }
        let zipped = try Sandbox()
        zipped.engine.sliceBytes = slice
        let unpacked = try zipped.ingest(bytes: packed, under: pair)
        #expect((unpacked.rowsRead, unpacked.packing) == (rows, "gzip"))
    }
}

extension ReaderTests {
    @Test("Zstandard is unpacked; what is damaged costs no other file")
    func damaged() throws {
        // RFC 8878: a frame of one raw block, without a content checksum.
        let plain = Array("id,t\n1,a\n".utf8)
        let header: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x20, UInt8(plain.count)]
        let frame = header + [UInt8(plain.count << 3 | 1), 0, 0] + plain
        let sandbox = try Sandbox()
        let report = try sandbox.ingest(
            files: [
                ("a.zst", frame), ("cut.zst", Array(frame.dropLast(4))), ("gz", [0x1F, 0x8B]),
                ("b.csv", Array("id,t\n2,b\n".utf8)),
            ],
            under: pair)
        #expect(report.files.map(\.outcome) == [.ingested, .refused, .refused, .ingested])
        #expect(report.files[0].packing == "zstd")
        #expect(try sandbox.rows("SELECT id, t FROM bronze.things ORDER BY id") == ["1|a", "2|b"])
    }

    @Test("Without a header a broken first record costs its own line")
    func headerless() throws {
        for first in ["1,\"x\"y", "1,\"x"] {
            let sandbox = try Sandbox()
            let report = try sandbox.ingest(
                first + "\n3,4\n5,6\n", under: pair, format: format { $0.header = false })
            #expect((report.rowsRead, report.rowsAccepted, report.rowsRejected) == (3, 2, 1))
            #expect(try bytes(sandbox) == ["1|" + hex(first)])
        }
    }

    @Test("A replay takes no line that stood inside of a broken quote, and reads UTF-16 as its file had it")
    func replays() throws {
        let sandbox = try Sandbox()
        try sandbox.ingest("id,t\n1,\"x\n5\" pipe,3\n7,8\n", under: pair)
        let scratch = sandbox.folder.path + "/scratch"
        #expect(
            try sandbox.lake.replay(QuarantineFilter(), of: pair, format: SourceFormat(), scratch: scratch, by: "ada")
                .replayed
                == 0)
        let strict = contract(column("id", .bigint), column("t", .text) { $0.allowed = ["xx"] })
        let utf16 = format { $0.encoding = TextEncoding("utf-16") ?? .utf8 }
        let wide = try Sandbox()
        var bytes: [UInt8] = [0xFE, 0xFF]
        for unit in "id,t\n1,xx\n2,yy\n".utf16 { bytes += [UInt8(unit >> 8), UInt8(unit & 0xFF)] }
        try wide.ingest(bytes: bytes, under: strict, format: utf16)
        _ = try wide.lake.replay(
            QuarantineFilter(), of: pair, format: utf16, scratch: wide.folder.path + "/scratch",
            by: "ada")
        #expect(try wide.rows("SELECT id, t FROM bronze.things ORDER BY id") == ["1|xx", "2|yy"])
    }
}
