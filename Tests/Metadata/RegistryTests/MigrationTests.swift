import Core
import Registry
import SQLText
import SQLite
import TestSupport
import Testing

struct MigrationTests {
    let scratch: Scratch
    let database: any SQLDatabase
    let now = Timestamp(microseconds: 5)

    init() throws {
        scratch = try Scratch()
        database = try TestDatabase.open(scratch.path)
    }

    private let one = Migration(number: 1, name: "one", sql: "CREATE TABLE a (x BIGINT); CREATE TABLE b (x BIGINT);")
    private let two = Migration(number: 2, name: "two", sql: "INSERT INTO a VALUES (1)")

    private func rows(_ table: String) throws -> Int {
        try database.read { try $0.rows("SELECT * FROM \(identifier: table)").count }
    }

    @Test func `applies each once, in order, and only what is missing`() throws {
        try database.migrate([one], at: now)
        try database.migrate([two, one], at: now)
        try database.migrate([one, two], at: now)
        #expect(try rows("a") == 1)
        #expect(try rows("schema_migrations") == 2)
    }

    @Test func `one that fails leaves nothing, and the ones before stay`() throws {
        let broken = Migration(number: 2, name: "broken", sql: "CREATE TABLE c (x BIGINT); INSERT INTO none VALUES (1)")
        #expect(code { try database.migrate([one, broken], at: now) } == "metadata.failed")
        #expect(try rows("schema_migrations") == 1)
        #expect(try database.read { try $0.hasTable("c") } == false)
        try database.migrate([one, two], at: now)
        #expect(try rows("a") == 1)
    }

    @Test func `refuses a newer database with a sentence and does not touch it`() throws {
        try database.migrate([one, two], at: now)
        let error = caught { try database.migrate([one], at: now) }
        #expect(error?.code == "metadata.newer")
        #expect(error?.message.contains("its schema is 2") == true)
        #expect(error?.location?.file == database.place)
        #expect(try rows("a") == 1)
    }

    @Test func `refuses a database with another history`() throws {
        try database.migrate([one, two], at: now)
        let other = Migration(number: 1, name: "other", sql: "")
        #expect(code { try database.migrate([other, two], at: now) } == "metadata.foreign")
    }

    @Test func `the registry refuses a newer schema, and an older one if it only reads`() throws {
        let context = VirtualClock(step: 1).context()
        #expect(code { try database.requireSchema(TestDatabase.schema) } == "metadata.older")
        _ = try ModelRegistry.open(database, project: "p", context: context)
        try database.requireSchema(TestDatabase.schema)
        try database.write {
            _ = try $0.execute("INSERT INTO schema_migrations VALUES (\(99), 'future', \(0))")
        }
        #expect(code { _ = try ModelRegistry.open(database, project: "p", context: context) } == "metadata.newer")
        #expect(code { try database.requireSchema(TestDatabase.schema) } == "metadata.newer")
    }
}
