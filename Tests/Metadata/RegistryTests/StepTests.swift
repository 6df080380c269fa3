import Core
import Registry
import SQLite
import TestSupport
import Testing

struct StepTests {
    let fixture: RegistryFixture
    var steps: StepStore { fixture.registry.steps }
    let one = Digest(of: "one")
    let two = Digest(of: "two")

    init() throws { fixture = try RegistryFixture() }

    @Test func `a finished step gives its result for its fingerprint only`() throws {
        #expect(try steps.finishedResult(of: "ingest", fingerprint: one) == nil)
        try steps.finish(StepCompletion(step: "ingest", fingerprint: one, result: #"{"rows":3}"#))
        #expect(try steps.finishedResult(of: "ingest", fingerprint: one) == #"{"rows":3}"#)
        #expect(try steps.finishedResult(of: "ingest", fingerprint: two) == nil)
        #expect(try steps.finishedResult(of: "train", fingerprint: one) == nil)
    }

    @Test func `only the last completion of a step counts`() throws {
        try steps.finish(StepCompletion(step: "train", fingerprint: one, result: "1"))
        try steps.finish(StepCompletion(step: "train", fingerprint: two, result: "2"))
        #expect(try steps.finishedResult(of: "train", fingerprint: one) == nil)
        #expect(try steps.finishedResult(of: "train", fingerprint: two) == "2")
    }

    @Test func `projects in one database do not see each other`() throws {
        let other = try ModelRegistry.open(
            fixture.database, project: "factory", context: fixture.virtual.context())
        try steps.finish(StepCompletion(step: "ingest", fingerprint: one, result: "1"))
        try fixture.version()
        #expect(try other.steps.finishedResult(of: "ingest", fingerprint: one) == nil)
        #expect(try other.runs.list() == [])
        #expect(try other.models.list() == [])
    }

    private func digest(of path: String, _ stamp: FileStamp) throws -> Digest? {
        try fixture.registry.files.cachedDigests(of: [(path, stamp)])[0]
    }

    @Test func `a digest is remembered while the stamp is the same`() throws {
        let stamp = FileStamp(size: 10, modified: 1_000, changed: 2_000, inode: 7)
        try fixture.registry.files.remember(one, of: "a.csv", stamp: stamp)
        #expect(try digest(of: "a.csv", stamp) == one)
        for other in [
            FileStamp(size: 11, modified: 1_000, changed: 2_000, inode: 7),
            FileStamp(size: 10, modified: 1_001, changed: 2_000, inode: 7),
            FileStamp(size: 10, modified: 1_000, changed: 2_001, inode: 7),
            FileStamp(size: 10, modified: 1_000, changed: 2_000, inode: 8),
        ] {
            #expect(try digest(of: "a.csv", other) == nil)
        }
        #expect(try digest(of: "b.csv", stamp) == nil)
    }

    @Test func `a file changed just now is not remembered`() throws {
        let now = fixture.virtual.context().now().microseconds * 1000
        let stamp = FileStamp(size: 10, modified: 0, changed: now + 900_000_000, inode: 7)
        try fixture.registry.files.remember(one, of: "a.csv", stamp: stamp)
        #expect(try digest(of: "a.csv", stamp) == nil)
    }
}
