import Core
import SQLText
import TestSupport
import Testing

/// What every engine of the metadata promises: run on SQLite, and with MARTLET_TEST_METADATA on PostgreSQL.
struct DatabaseTests {
    let scratch: Scratch
    let database: any SQLDatabase

    init() throws {
        scratch = try Scratch()
        database = try TestDatabase.open(scratch.path)
        try database.write { _ = try $0.execute("CREATE TABLE t (a BIGINT NOT NULL PRIMARY KEY, b TEXT)") }
    }

    private func count() throws -> Int {
        try database.read { try $0.row("SELECT COUNT(*) AS n FROM t")?.int("n") ?? -1 }
    }

    @Test func `gives every kind of value back as it was stored`() throws {
        let blob = TestDatabase.isSQLite ? "BLOB" : "BYTEA"
        try database.write {
            _ = try $0.execute(
                SQL(unsafe: "CREATE TABLE v (i BIGINT, n BIGINT, r DOUBLE PRECISION, t TEXT, b \(blob))"))
        }
        let rows: [[SQLValue]] = [
            [.null, .null, .null, .null], [.integer(.min), .real(0.1), .text("é\"'?$1\\"), .blob([0, 255])],
            [.integer(.max), .real(-0.0), .text(""), .blob([])],
            [.integer(0), .real(.greatestFiniteMagnitude), .text("\u{1F426}\n\t"), .blob(Array(0...255))],
            [.integer(-1), .real(5e-324), .text("NULL"), .blob([92])],
            [.integer(1), .real(.infinity), .text("1"), .null],
        ]
        let back = try database.write { connection in
            for (index, row) in rows.enumerated() {
                try connection.execute("INSERT INTO v VALUES (\(index), \(row[0]), \(row[1]), \(row[2]), \(row[3]))")
            }
            return try connection.rows("SELECT n, r, t, b FROM v ORDER BY i").map(\.values)
        }
        #expect(back == rows)
    }

    @Test func `refuses a text with a NUL rather than cut it off`() throws {
        let error = caught { try database.write { _ = try $0.execute("INSERT INTO t VALUES (1, \("a\u{0}b"))") } }
        #expect(error?.kind == .input)
        #expect(try count() == 0)
    }

    @Test func `a transaction that throws leaves nothing behind`() throws {
        struct Stop: Error {}
        let error = caught {
            try database.write { connection in
                try connection.execute("INSERT INTO t VALUES (1, 'x')")
                throw Stop()
            }
        }
        #expect(error?.code == "metadata.failed")
        #expect(try count() == 0)
    }

    @Test func `a broken constraint is a conflict, and tells no value`() throws {
        let error = caught {
            try database.write { connection in
                for _ in 0..<2 { try connection.execute("INSERT INTO t VALUES (\(1), \("secret"))") }
            }
        }
        #expect(error?.code == "metadata.constraint")
        #expect(error?.kind == .conflict)
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `bad SQL is an error, and a reader cannot write`() throws {
        #expect(code { try database.read { _ = try $0.rows("SELECT FROM nothing") } } == "metadata.failed")
        #expect(code { try database.read { _ = try $0.execute("INSERT INTO t VALUES (1, 'x')") } } != "no error")
        let reader = try TestDatabase.open(scratch.path, readOnly: true)
        #expect(code { try reader.write { _ = try $0.execute("DELETE FROM t") } } == "metadata.readonly")
        #expect(try count() == 0)
    }

    @Test func `texts are compared and sorted by their bytes`() throws {
        let texts = ["Z", "a", "é", "_", "aB", "ab", "/", "0", "\u{1F426}"]
        try database.migrate(
            [Migration(number: 1, name: "texts", sql: "CREATE TABLE s (x TEXT NOT NULL PRIMARY KEY)")],
            at: Timestamp(microseconds: 0))
        let sorted = try database.write { connection in
            for text in texts { try connection.execute("INSERT INTO s VALUES (\(text))") }
            return try connection.rows("SELECT x FROM s ORDER BY x").map { try $0.text("x") }
        }
        #expect(sorted == texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        let between = try database.read {
            try $0.rows("SELECT x FROM s WHERE x > \("Z") AND x < \("aC")").map { try $0.text("x") }
        }
        #expect(Set(between) == ["_", "a", "aB"])
    }

    @Test func `a reader sees one snapshot while another connection writes`() throws {
        let reader = try TestDatabase.open(scratch.path, readOnly: true)
        try reader.read { connection in
            let before = try connection.rows("SELECT * FROM t").count
            try database.write { _ = try $0.execute("INSERT INTO t VALUES (1, 'x')") }
            #expect(try connection.rows("SELECT * FROM t").count == before)
        }
        #expect(try reader.read { try $0.rows("SELECT * FROM t").count } == 1)
    }

    @Test func `eight threads of two pools write two hundred times each without an error, a gap or a lost row`() throws
    {
        let second = try TestDatabase.open(scratch.path)
        let errors = onThreads(8) { [database] thread in
            let database = thread.isMultiple(of: 2) ? database : second
            for n in 0..<200 {
                try database.write { connection in
                    let row = try connection.row("SELECT COALESCE(MAX(a), 0) AS a FROM t")
                    try connection.execute("INSERT INTO t VALUES (\((row?.int("a") ?? 0) + 1), \("\(thread):\(n)"))")
                }
            }
        }
        #expect(errors == [])
        #expect(try count() == 1600)
        #expect(try database.read { try $0.row("SELECT MAX(a) AS a FROM t")?.int("a") } == 1600)
    }

    @Test func `new metadata can be opened by many at once`() throws {
        let migrations = [Migration(number: 1, name: "one", sql: "CREATE TABLE once (a BIGINT)")]
        let errors = onThreads(8) { [scratch] thread in
            let database = try TestDatabase.open(scratch.path)
            try database.migrate(migrations, at: Timestamp(microseconds: 0))
            try database.write { _ = try $0.execute("INSERT INTO once VALUES (\(thread))") }
        }
        #expect(errors == [])
        #expect(try database.read { try $0.rows("SELECT * FROM once").count } == 8)
    }

    @Test func `a rule keeps every program from what it forbids`() throws {
        try database.migrate(
            [
                Migration(number: 1, name: "kept", sql: "CREATE TABLE kept (a BIGINT NOT NULL, n BIGINT NOT NULL)"),
                Migration(
                    number: 2, name: "rules",
                    rules: [
                        .refuse(.delete, of: "kept", "it isn't deleted"),
                        .refuse(.update, of: "kept", when: "NEW.a < OLD.a", "it only grows"),
                        .passOver(insertOf: "kept", when: "NEW.a < 0"),
                        .follow(.insert, of: "kept", by: "UPDATE kept SET n = n + 1", name: "kept_counted"),
                    ]),
            ], at: Timestamp(microseconds: 0))
        try database.write { connection in
            for a in [1, -1] { try connection.execute("INSERT INTO kept VALUES (\(a), 0)") }
            try connection.execute("UPDATE kept SET a = 2")
        }
        #expect(
            try database.read { try $0.rows("SELECT a, n FROM kept").map(\.values) } == [[.integer(2), .integer(1)]])
        for (statement, message) in [
            ("DELETE FROM kept", "it isn't deleted"), ("UPDATE kept SET a = 1", "it only grows"),
            (TestDatabase.isSQLite ? "DELETE FROM kept" : "TRUNCATE kept", "it isn't deleted"),
        ] {
            let error = caught { try database.write { _ = try $0.execute(SQL(unsafe: statement)) } }
            #expect(error?.code == "metadata.constraint")
            #expect(error?.message.contains(message) == true)
        }
    }
}
