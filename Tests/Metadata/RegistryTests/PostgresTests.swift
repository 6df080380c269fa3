import Core
import Postgres
import SQLText
import Synchronization
import TestSupport
import Testing

/// What PostgreSQL alone can do to a caller; skipped without MARTLET_TEST_METADATA.
@Suite(.enabled(if: !TestDatabase.isSQLite, "needs MARTLET_TEST_METADATA, which `make test` sets"))
struct PostgresTests {
    let address: PostgresAddress
    let pauses = Pauses()

    final class Pauses: Sendable {
        private let all = Mutex<[Double]>([])
        var seconds: [Double] { all.withLock { $0 } }
        @Sendable func note(_ seconds: Double) { all.withLock { $0.append(seconds) } }
    }

    init() throws {
        let scratch = try Scratch()
        address = try PostgresAddress(#require(try TestDatabase.address(of: scratch.path)))
    }

    private func open(connections: Int = 8) throws -> PostgresDatabase {
        try PostgresDatabase(address, connections: connections, pause: pauses.note)
    }

    @Test func `a connection that the server ended is replaced, and the caller sees nothing of it`() throws {
        let (database, other) = (try open(), try open())
        let process = try database.read { try $0.row("SELECT pg_backend_pid() AS p")?.int("p") ?? 0 }
        _ = try other.read { try $0.rows("SELECT pg_terminate_backend(CAST(\(process) AS INTEGER))") }
        #expect(try database.write(scope: .schema) { try $0.row("SELECT 1 AS one")?.int("one") } == 1)
    }

    @Test func `one that is ended in the middle is an error, and nothing of it was kept`() throws {
        let (database, other) = (try open(), try open())
        try database.write(scope: .schema) { _ = try $0.execute("CREATE TABLE m (a BIGINT)") }
        let error = caught {
            try database.write(scope: .schema) { connection in
                try connection.execute("INSERT INTO m VALUES (1)")
                let process = try connection.row("SELECT pg_backend_pid() AS p")?.int("p") ?? 0
                _ = try other.read { try $0.rows("SELECT pg_terminate_backend(CAST(\(process) AS INTEGER))") }
                try connection.execute("INSERT INTO m VALUES (2)")
            }
        }
        #expect(error?.code == "metadata.away")
        #expect(try database.read { try $0.rows("SELECT * FROM m").count } == 0)
    }

    @Test func `a transaction in which an error was overlooked is not taken for committed`() throws {
        let database = try open()
        try database.write(scope: .schema) { _ = try $0.execute("CREATE TABLE o (a BIGINT PRIMARY KEY)") }
        let error = caught {
            try database.write(scope: .schema) { connection in
                try connection.execute("INSERT INTO o VALUES (1)")
                _ = try? connection.execute("INSERT INTO o VALUES (1)")
            }
        }
        #expect(error?.code == "metadata.failed")
        #expect(try database.read { try $0.rows("SELECT * FROM o").count } == 0)
    }

    @Test func `transactions that lock each other are run again`() throws {
        let database = try open()
        try database.write(scope: .schema) { connection in
            try connection.execute("CREATE TABLE d (a BIGINT PRIMARY KEY, n BIGINT)")
            try connection.execute("INSERT INTO d VALUES (0, 0), (1, 0)")
        }
        let runs = Mutex(0)
        let errors = onThreads(2) { thread in
            for _ in 0..<5 {
                try database.write(scope: SQLScope("thread \(thread)")) { connection in
                    runs.withLock { $0 += 1 }
                    for row in [thread, 1 - thread] {
                        try connection.execute("UPDATE d SET n = n + 1 WHERE a = \(row)")
                        _ = try connection.rows("SELECT pg_sleep(0.05)")
                    }
                }
            }
        }
        #expect(errors == [])
        #expect(try database.read { try $0.rows("SELECT n FROM d").map { try $0.int("n") } } == [10, 10])
        #expect(runs.withLock { $0 } > 10)
    }

    @Test func `callers wait for a connection where all are taken`() throws {
        let database = try open(connections: 2)
        let errors = onThreads(12) { _ in
            try database.read { _ = try $0.rows("SELECT pg_sleep(0.01)") }
        }
        #expect(errors == [])
    }

    @Test(arguments: [
        ("postgres://martlet:martlet@127.0.0.1:1/none", "metadata.away"), ("host=127.0.0.1 port=x", "metadata.away"),
        ("postgres://%zz", "metadata.address"), ("dbname = 'open", "metadata.address"),
    ]) func `an address where nobody is, or that is none, is told without the password`(
        _ text: String, _ expected: String
    ) {
        let error = caught { _ = try PostgresDatabase(PostgresAddress(text), pause: pauses.note) }
        #expect(error?.code == expected)
        #expect(error?.description.contains("martlet:martlet") == false)
        if text.contains(":1/") { #expect(pauses.seconds.reduce(0, +) >= 10) }
    }

    @Test func `a wrong password, and a database that there is not, are told as what they are`() throws {
        let server = try #require(TestDatabase.address)
        for (text, expected) in [
            (server.replacing(":martlet@", with: ":wrong@"), "metadata.denied"),
            (server.replacing("/postgres", with: "/nowhere"), "metadata.missing"),
        ] {
            let error = caught { _ = try PostgresDatabase(PostgresAddress(text), pause: pauses.note) }
            #expect(error?.code == expected)
            #expect(error?.description.contains("wrong@") == false)
            #expect(pauses.seconds.isEmpty)
        }
    }
}
