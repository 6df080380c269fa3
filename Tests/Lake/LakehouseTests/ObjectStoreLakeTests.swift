import Core
import Lakehouse
import SQLLineage
import Storage
import TestSupport
import Testing

/// Tables whose logs are not on a local disk; their data files are, since engines read them there.
@Suite struct `A lake with its logs in another store` {
    private let sandbox: Sandbox
    private let objects = MemoryObjectStore()
    private let name = TableName(.silver, "t")

    init() throws { sandbox = try Sandbox() }

    /// As another process sees it.
    private func lake(checkpointInterval: Int = 100) -> Lake {
        Lake(
            root: sandbox.lake.root, engine: sandbox.engine, context: sandbox.lake.context,
            checkpointInterval: checkpointInterval, objects: objects)
    }

    private func build(_ lake: Lake, _ number: Int) throws {
        _ = try lake.build(try sandbox.plan("silver.t", "SELECT \(number) AS a, 'x y' AS b"))
    }

    @Test func `a table is committed and read, and each version stays as it was`() throws {
        let lake = lake()
        for number in 0..<3 { try build(lake, number) }
        #expect(try lake.query("SELECT a, b FROM silver.t", at: [:], limit: nil).rows == [["2", "x y"]])
        let other = self.lake()
        #expect(try other.tables() == [name])
        #expect(try other.query("SELECT a FROM silver.t", at: [name: 1], limit: nil).rows == [["1"]])
        #expect(try other.history(of: name).map(\.version) == [0, 1, 2])
        #expect(try other.reference(to: name).hash == sandbox.engine.contentHash(of: other.files(of: name)))
        #expect(try objects.list("silver/t/_delta_log/").count == 3)
        #expect(try Disk.list(lake.table(name).folder).allSatisfy { $0.hasSuffix(".parquet") })
    }

    @Test func `what another one commits is seen, and its version is not taken again`() throws {
        let (one, other) = (lake(), lake())
        try build(one, 0)
        #expect(try other.snapshot(of: name).version == 0)
        try build(one, 1)
        #expect(try !other.table(name).commit([DeltaAction(commitInfo: .object([:]))], as: 1))
        #expect(try !other.table(name).commit([DeltaAction(commitInfo: .object([:]))], as: 3), "2 is not there")
        #expect(try other.snapshot(of: name).version == 1)
        try build(other, 2)
        #expect(try one.snapshot(of: name).version == 2)
    }

    @Test func `checkpoints are written to the store, and read when the commits are gone`() throws {
        let lake = lake(checkpointInterval: 4)
        for number in 0..<7 { try build(lake, number) }
        #expect(try lake.table(name).log().checkpoints.map(\.version) == [4])
        let hint = JSONValue(parsing: try objects.read("silver/t/_delta_log/_last_checkpoint"))
        #expect(hint?["version"]?.integer == 4)
        for version in 0...4 { try objects.delete("silver/t/_delta_log/0000000000000000000\(version).json") }
        let other = self.lake()
        #expect(try other.query("SELECT a FROM silver.t", at: [:], limit: nil).rows == [["6"]])
        #expect(try other.snapshot(of: name, at: 4).checkpoint == 4)
        #expect(refusal { _ = try other.snapshot(of: name, at: 3) }?.code == "lake.no-version")
        #expect(try Disk.list(lake.table(name).logFolder) == [], "nothing of it stays on the disk")
    }
}
