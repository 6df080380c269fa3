import Core
import DuckDB
import Foundation
import Lakehouse
import LakehouseDuckDB
import Storage
import TestSupport
import Testing

@Suite struct ContentHashTests {
    private func hash(_ sandbox: Sandbox, _ queries: String...) throws -> ContentHash {
        let files = try queries.enumerated().map { index, query in
            let file =
                "\(sandbox.folder.path)/h\(index)-\(query.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFFFF }).parquet"
            Disk.remove(file)
            return try sandbox.engine.materialise(Query(query), into: file).path
        }
        return try sandbox.engine.contentHash(of: files)
    }

    private let rows = "SELECT range AS a, 't' || range AS b, range / 7.0 AS c FROM range(5000)"

    @Test func `does not depend on the order of rows or on the layout of files`() throws {
        let sandbox = try Sandbox()
        let whole = try hash(sandbox, rows)
        #expect(whole.rows == 5000)
        #expect(try hash(sandbox, rows + " ORDER BY hash(range)") == whole)
        #expect(try hash(sandbox, rows + " WHERE range >= 3000", rows + " WHERE range < 3000") == whole)
        let a = try hash(sandbox, rows + " WHERE range % 2 = 0")
        let b = try hash(sandbox, rows + " WHERE range % 2 = 1")
        #expect(a + b == whole)
        #expect(b + a == whole)
        #expect(whole - b == a)
        #expect(ContentHash(whole.description) == whole)
    }

    @Test func `is that of the example in docs/content-hash.md`() throws {
        let found = try hash(try Sandbox(), "SELECT 1::BIGINT AS id, 'a' AS name UNION ALL SELECT 2, NULL")
        #expect(found.description == "h2:2-d447f1774ca794c2-d3a7ce772c96623c")
    }

    @Test func `names its scheme, and a text without one is of the first`() throws {
        #expect(ContentHash("h2:3-1f-a") == ContentHash(.h2, rows: 3, sum: 31, xor: 10))
        #expect(ContentHash("3-1f-a") == ContentHash(.h1, rows: 3, sum: 31, xor: 10))
        #expect(ContentHash("3-1f-a")?.description == "3-1f-a")
        #expect(ContentHash("3-1f-a") != ContentHash("h2:3-1f-a"))
        for text in ["h3:3-1f-a", "h2:3-1f", "h2:", ":3-1f-a", "h2:h2:3-1f-a", ""] { #expect(ContentHash(text) == nil) }
    }

    @Test(arguments: [
        "SELECT range AS a, 't' || range AS b, range / 7.0 + if(range = 4999, 1e-9, 0) AS c FROM range(5000)",
        "SELECT range AS a, 't' || range AS b, range / 7.0 AS c FROM range(4999)",
        "SELECT range AS a, 't' || range AS b, range / 7.0 AS c FROM range(5000) UNION ALL SELECT 0, 't0', 0.0",
        "SELECT range AS a, 't' || range AS b, if(range = 0, NULL, range / 7.0) AS c FROM range(5000)",
        "SELECT range AS a, if(range < 2, 't' || (1 - range), 't' || range) AS b, range / 7.0 AS c FROM range(5000)",
    ]) func `tells every change of a row`(_ other: String) throws {
        let sandbox = try Sandbox()
        #expect(try hash(sandbox, other) != hash(sandbox, rows))
    }

    @Test(arguments: [
        ("1::BIGINT AS a", "1::INTEGER AS a"), ("1::BIGINT AS a", "1::BIGINT AS b"),
        ("1::FLOAT AS a", "1::DOUBLE AS a"),
        ("1::DECIMAL(3,1) AS a", "1::DECIMAL(4,1) AS a"), ("'' AS a", "NULL::VARCHAR AS a"),
        ("'ab' AS a, 'c' AS b", "'a' AS a, 'bc' AS b"), ("'a' AS a, NULL AS b", "NULL AS a, 'a' AS b"),
        ("1 AS a, 2 AS b", "2 AS b, 1 AS a"), ("'a' AS a", "'a'::BLOB AS a"), ("false AS a", "NULL::BOOLEAN AS a"),
        ("TIMESTAMP '2024-01-01' AS a", "TIMESTAMPTZ '2024-01-01 00:00:00+00' AS a"),
        ("'é' AS a", "'e' || chr(769) AS a"), ("'a' AS a", "'a ' AS a"),
    ]) func `tells types, names, nulls and cells apart`(_ one: String, _ other: String) throws {
        let sandbox = try Sandbox()
        #expect(try hash(sandbox, "SELECT \(one)") != hash(sandbox, "SELECT \(other)"))
    }

    @Test(arguments: [
        ("0.0::DOUBLE", "'-0.0'::DOUBLE"), ("0.0::FLOAT", "'-0.0'::FLOAT"), ("'nan'::DOUBLE", "-('nan'::DOUBLE)"),
        ("'nan'::FLOAT", "-('nan'::FLOAT)"),
    ]) func `does not tell apart what SQL takes for equal`(_ one: String, _ other: String) throws {
        let sandbox = try Sandbox()
        #expect(try hash(sandbox, "SELECT \(one) AS a") == hash(sandbox, "SELECT \(other) AS a"))
    }

    @Test func `a repeated row is not nothing`() throws {
        let sandbox = try Sandbox()
        #expect(
            try hash(sandbox, "SELECT 1 AS a UNION ALL SELECT 1 UNION ALL SELECT 2") != hash(sandbox, "SELECT 2 AS a"))
    }

    @Test func `is the same for every number of threads`() throws {
        let hashes = try [1, 2, 4].map { try hash(Sandbox(threads: $0), rows) }
        #expect(Set(hashes.map(\.description)).count == 1)
    }

    /// The hash of a Parquet file that is written as given, not as tables are.
    private func raw(_ sandbox: Sandbox, _ select: String, _ options: String = "") throws -> ContentHash {
        let file = "\(sandbox.folder.path)/raw.parquet"
        let connection = try Database(pause: pause).connect()
        try connection.execute("COPY (\(select)) TO \(Quote.text(file)) (FORMAT parquet\(options))")
        return try sandbox.engine.contentHash(of: [file])
    }

    @Test(arguments: [
        ("range::UINTEGER", "range::BIGINT"), ("range::UBIGINT", "range::BIGINT"),
        ("range::UTINYINT", "range::INTEGER"),
        ("range::USMALLINT", "range::INTEGER"), ("make_timestamp(range)::TIMESTAMP_NS", "make_timestamp(range)"),
        ("make_timestamp(range * 1000)::TIMESTAMP_MS", "make_timestamp(range * 1000)"),
        (
            "'00000000-0000-0000-0000-0000000000' || lpad(range::VARCHAR, 2, '0')",
            "('00000000-0000-0000-0000-0000000000' || lpad(range::VARCHAR, 2, '0'))::UUID"
        ),
    ]) func `is that of the Delta type, however a file stores it`(_ one: String, _ other: String) throws {
        let sandbox = try Sandbox()
        func select(_ cell: String) -> String { "SELECT if(range = 50, NULL, \(cell)) AS a FROM range(100)" }
        #expect(try raw(sandbox, select(one)) == raw(sandbox, select(other)))
    }

    /// One table, written by pyarrow 25.0.1 with `store_decimal_as_integer` False and True: FIXED_LEN_BYTE_ARRAY of 2 and
    /// 6 bytes, and INT32 and INT64.
    private static let decimals = [
        "UEFSMRUAFRQVFCwVBhUAFQYVBhwAAAACAAAAAwX8GQAFFQAVJBUkLBUGFQAVBhUGHAAAAAIAAAADAwAAABLWh////////xUEGTw1ABgGc2No"
            + "ZW1hFQQAFQ4VBBUCGAFhJQoVAhUILFwVAhUIAAAAFQ4VDBUCGAFiJQoVBBUYLFwVBBUYAAAAFgYZHBksJgAcFQ4ZJQYAGRgBYRUAFgYW"
            + "OhY6JghJHBUAFQAVAgA8KQYZJgIEAAAAJgAcFQ4ZJQYAGRgBYhUAFgYWShZKJkJJHBUAFQAVAgA8KQYZJgIEAAAAFoQBFgYmCBaEAQAo"
            + "IHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjUuMC4xGSwcAAAcAAAA0QAAAFBBUjE=",
        "UEFSMRUAFRwVHCwVBhUAFQYVBhwAAAACAAAAAwUZ/P//BQAAABUAFSwVLCwVBhUAFQYVBhwAAAACAAAAAwOH1hIAAAAAAP//////////FQQZ"
            + "PDUAGAZzY2hlbWEVBAAVAiUCGAFhJQoVAhUILFwVAhUIAAAAFQQlAhgBYiUKFQQVGCxcFQQVGAAAABYGGRwZLCYAHBUCGSUGABkYAWEV"
            + "ABYGFkIWQiYISRwVABUAFQIAPCkGGSYCBAAAACYAHBUEGSUGABkYAWIVABYGFlIWUiZKSRwVABUAFQIAPCkGGSYCBAAAABaUARYGJggW"
            + "lAEAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI1LjAuMRksHAAAHAAAAM0AAABQQVIx",
    ]

    @Test(arguments: decimals) func `of decimals does not depend on what a file stores them as`(_ file: String) throws {
        let sandbox = try Sandbox()
        let path = try sandbox.folder.write("decimals.parquet", Array(try #require(Data(base64Encoded: file))))
        let cells = ["-99.9, 12345.67", "NULL, -0.01", "0.5, NULL"].map { "(\($0))" }.joined(separator: ", ")
        let ours = "SELECT a::DECIMAL(4,1) AS a, b::DECIMAL(12,2) AS b FROM (VALUES \(cells)) AS t(a, b)"
        #expect(try sandbox.engine.contentHash(of: [path]) == hash(sandbox, ours))
    }

    @Test(arguments: [
        ", DICTIONARY_SIZE_LIMIT 1", ", DICTIONARY_SIZE_LIMIT 1000000", ", ROW_GROUP_SIZE 2048", ", COMPRESSION zstd",
        ", PARQUET_VERSION v2",
    ]) func `does not depend on how cells are encoded`(_ options: String) throws {
        let sandbox = try Sandbox()
        let select = """
            SELECT 'constant, and longer than twelve bytes' AS a, NULL::DOUBLE AS b, 7::SMALLINT AS c,
              if(range % 3 = 0, NULL, 'level ' || range % 5 || repeat('x', range % 20)) AS d, range % 2 = 0 AS e,
              (range * 1.25)::DECIMAL(18,2) AS f, (range % 9)::DECIMAL(4,1) AS g, range::DECIMAL(38,5) AS h
            FROM range(10000)
            """
        #expect(try raw(sandbox, select, options) == hash(sandbox, select))
        // Rows that a filter picks come in vectors that point into others.
        let picked = try sandbox.engine.contentHash(of: ["\(sandbox.folder.path)/raw.parquet"], where: "d > 'level 3'")
        #expect(try picked == hash(sandbox, "SELECT * FROM (\(select)) WHERE d > 'level 3'"))
    }

    @Test func `of long texts needs no block as large as all of them`() throws {
        let sandbox = try Sandbox()
        let long =
            "SELECT range AS a, repeat(chr(97 + range::INTEGER % 26), 300000 + range::INTEGER) AS b FROM range(30)"
        let parts = try (0..<30).map { try hash(sandbox, "SELECT * FROM (\(long)) WHERE a = \($0)") }
        #expect(try hash(sandbox, long) == parts.reduce(ContentHash()) { $0 + $1 })
    }

    @Test func `of a column that no table can hold is refused by its name`() throws {
        let error = refusal { _ = try raw(try Sandbox(), "SELECT [1, 2] AS pair") }
        #expect(error?.code == "engine.hash-type" && error?.message.contains("pair") == true)
    }

    @Test(.needsInterop) func `is what another program computes by the page, with another reader of Parquet`() throws {
        let sandbox = try Sandbox(threads: 2)
        var expected: [String: String] = [:]
        var rows = 0
        var types: Set<Substring> = []
        for number in 1...50 {
            var random = RandomTable(seed: number)
            let written = try sandbox.engine.materialise(
                Query(random.select()), into: "\(sandbox.folder.path)/table-\(number).parquet")
            expected[written.path] = written.hash.description
            rows += written.rows
            types.formUnion(written.fields.map { $0.type.prefix { $0 != "(" } })
        }
        let found = try Interop.json("content_hash.py", expected.keys.sorted())
        for (file, hash) in expected { #expect(found[file]?.text == hash, "\(Disk.name(of: file))") }
        #expect(expected.count == 50 && rows > 1000 && types.count == 13)
    }
}
