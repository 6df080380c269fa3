import Core
import Foundation
import SQLText
import SQLite
import Synchronization
import TestSupport
import Testing

struct SQLiteDatabaseTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func table() throws -> SQLiteDatabase {
        let database = try SQLiteDatabase(path: scratch.file, pause: pause)
        try database.write { _ = try $0.execute("CREATE TABLE t (a BIGINT PRIMARY KEY, b TEXT)") }
        return database
    }

    private func count(_ database: SQLiteDatabase) throws -> Int {
        try database.read { try $0.row("SELECT COUNT(*) AS n FROM t")?.int("n") ?? -1 }
    }

    @Test func `gives every kind of value back as it was stored`() throws {
        let database = try SQLiteDatabase(path: scratch.file, pause: pause)
        let values: [SQLValue] = [
            .null, .integer(.min), .integer(.max), .real(0.1), .real(-0.0), .text("é\"'?"), .text(""),
            .blob([0, 255]), .blob([]),
        ]
        let back = try database.write { connection in
            try connection.execute("CREATE TABLE v (i BIGINT, x)")
            for (index, value) in values.enumerated() {
                try connection.execute("INSERT INTO v VALUES (\(index), \(value))")
            }
            return try connection.rows("SELECT x FROM v ORDER BY i").map { try $0.value("x") }
        }
        #expect(back == values)
    }

    @Test func `refuses a text with a NUL rather than cut it off`() throws {
        let database = try table()
        let error = caught { try database.write { _ = try $0.execute("INSERT INTO t VALUES (1, \("a\u{0}b"))") } }
        #expect(error?.kind == .input)
        #expect(try count(database) == 0)
    }

    @Test func `a transaction that throws leaves nothing behind`() throws {
        let database = try table()
        struct Stop: Error {}
        let error = caught {
            try database.write { connection in
                try connection.execute("INSERT INTO t VALUES (1, 'x')")
                throw Stop()
            }
        }
        #expect(error?.code == "metadata.failed")
        #expect(try count(database) == 0)
    }

    @Test func `commits durably, in a write-ahead log, with foreign keys`() throws {
        let database = try table()
        let pragmas = try database.write { connection in
            try ["synchronous", "foreign_keys", "journal_mode"].map {
                try connection.row(SQL(unsafe: "PRAGMA \($0)"))?.values.first
            }
        }
        #expect(pragmas == [.integer(2), .integer(1), .text("wal")])
    }

    @Test func `keeps what was written when it is opened again`() throws {
        let database = try table()
        try database.write { _ = try $0.execute("INSERT INTO t VALUES (1, 'x')") }
        #expect(try count(database) == 1)
        try database.close()
        #expect(scratch.names == ["martlet.db"])
        #expect(code { _ = try count(database) } == "metadata.failed")
        #expect(try count(SQLiteDatabase(path: scratch.file, pause: pause)) == 1)
    }

    @Test func `a broken constraint says which and is a conflict`() throws {
        let database = try table()
        let error = caught {
            try database.write { connection in
                for _ in 0..<2 { try connection.execute("INSERT INTO t VALUES (\(1), \("secret"))") }
            }
        }
        #expect(error?.code == "metadata.constraint")
        #expect(error?.kind == .conflict)
        #expect(error?.message.contains("t.a") == true)
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `bad SQL is an error, not a crash`() throws {
        let database = try table()
        #expect(code { try database.read { _ = try $0.rows("SELECT FROM") } } == "metadata.failed")
        #expect(code { try database.read { _ = try $0.execute("INSERT INTO t VALUES (1, 'x')") } } != "no error")
        #expect(code { try database.write { _ = try $0.execute("INSERT INTO t VALUES (\(1))") } } == "metadata.failed")
    }

    @Test(arguments: ["text", "header", "zeros", "truncated"])
    func `a file that is not a database, or is damaged, is called corrupt`(_ kind: String) throws {
        let database = try table()
        try database.write { connection in
            for n in 0..<2000 { try connection.execute("INSERT INTO t VALUES (\(n), \("row number \(n)"))") }
        }
        try database.close()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.file))
        switch kind {
        case "text": bytes = Data("date,value\n2024-01-01,3\n".utf8) + Data(repeating: 65, count: 2000)
        case "header": bytes.replaceSubrange(0..<16, with: Data(repeating: 7, count: 16))
        case "zeros": bytes.replaceSubrange(100..<20_000, with: Data(repeating: 0, count: 19_900))
        default: bytes = bytes.prefix(9000)
        }
        try bytes.write(to: URL(fileURLWithPath: scratch.file))
        for readOnly in [false, true] {
            let error = caught {
                let damaged = try SQLiteDatabase(path: scratch.file, readOnly: readOnly, pause: pause)
                _ = try damaged.read { try $0.rows("SELECT * FROM t") }
            }
            #expect(error?.code == "metadata.corrupt")
            #expect(error?.location?.file == scratch.file)
            #expect(error?.remedy != nil)
        }
    }

    @Test func `a check reads the whole file`() throws {
        let database = try table()
        try database.check()
        try database.write { connection in
            for n in 0..<2000 { try connection.execute("INSERT INTO t VALUES (\(n), \("row number \(n)"))") }
        }
        try database.close()
        let handle = try #require(FileHandle(forUpdatingAtPath: scratch.file))
        try handle.seek(toOffset: 4096 * 5)
        try handle.write(contentsOf: Data(repeating: 9, count: 4096))
        try handle.close()
        #expect(
            code { try SQLiteDatabase(path: scratch.file, readOnly: true, pause: pause).check() } == "metadata.corrupt")
    }

    @Test func `read-only opening creates no file, leaves none behind, and changes nothing`() throws {
        #expect(code { _ = try SQLiteDatabase(path: scratch.file, readOnly: true, pause: pause) } == "metadata.missing")
        #expect(scratch.names == [])
        let database = try table()
        try database.write { _ = try $0.execute("INSERT INTO t VALUES (1, 'x')") }
        try database.close()
        let reader = try SQLiteDatabase(path: scratch.file, readOnly: true, pause: pause)
        #expect(try count(reader) == 1)
        #expect(code { try reader.write { _ = try $0.execute("DELETE FROM t") } } == "metadata.readonly")
        #expect(code { try reader.read { _ = try $0.execute("DELETE FROM t") } } != "no error")
        try reader.close()
        #expect(scratch.names == ["martlet.db"])
        #expect(try count(SQLiteDatabase(path: scratch.file, pause: pause)) == 1)
    }

    @Test(arguments: [false, true]) func `a file that is not there is not made by who may not`(_ readOnly: Bool) throws
    {
        #expect(
            code { _ = try SQLiteDatabase(path: scratch.file, readOnly: readOnly, creating: false, pause: pause) }
                == "metadata.missing")
        #expect(scratch.names == [])
        let database = try table()
        try database.write { _ = try $0.execute("INSERT INTO t VALUES (1, 'x')") }
        let other = try SQLiteDatabase(path: scratch.file, readOnly: readOnly, creating: false, pause: pause)
        #expect(try count(other) == 1)
        try other.close()
        #expect(try count(database) == 1)
    }

    @Test func `a reader sees one snapshot while another connection writes`() throws {
        let database = try table()
        let reader = try SQLiteDatabase(path: scratch.file, readOnly: true, pause: pause)
        try reader.read { connection in
            let before = try connection.rows("SELECT * FROM t").count
            try database.write { _ = try $0.execute("INSERT INTO t VALUES (1, 'x')") }
            #expect(try connection.rows("SELECT * FROM t").count == before)
        }
        #expect(try count(reader) == 1)
    }

    @Test func `a folder that is not there, or in the way, is explained`() throws {
        let error = caught { _ = try SQLiteDatabase(path: scratch.path + "/none/martlet.db", pause: pause) }
        #expect(error?.code == "metadata.failed")
        #expect(error?.remedy?.contains("folder") == true)
        #expect(code { _ = try SQLiteDatabase(path: scratch.path, pause: pause) } == "metadata.failed")
    }

    @Test func `a full disk is named, and what was there before stays`() throws {
        let database = try table()
        try database.write { _ = try $0.execute("INSERT INTO t VALUES (1, 'x')") }
        let error = caught {
            try database.write { connection in
                // As good as a full disk to SQLite: the file may not grow.
                _ = try connection.rows("PRAGMA max_page_count = 4")
                for n in 2..<10_000 { try connection.execute("INSERT INTO t VALUES (\(n), 'some text')") }
            }
        }
        #expect(error?.code == "metadata.full")
        #expect(error?.kind == .machine)
        #expect(try count(database) == 1)
        try database.check()
    }

    @Test(arguments: 0..<30)
    func `a new file can be opened by many at once`(_ round: Int) throws {
        let file = scratch.path + "/\(round).db"
        let migrations = [Migration(number: 1, name: "one", sql: "CREATE TABLE t (a BIGINT)")]
        let errors = onThreads(8) { thread in
            let database = try SQLiteDatabase(path: file, pause: pause)
            try database.migrate(migrations, at: Timestamp(microseconds: 0))
            try database.write { _ = try $0.execute("INSERT INTO t VALUES (\(thread))") }
        }
        #expect(errors == [])
        #expect(try count(SQLiteDatabase(path: file, pause: pause)) == 8)
    }
}
