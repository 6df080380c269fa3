import Core
import Registry
import SQLite
import Storage
import TestSupport
import Testing

struct HoldTests {
    /// Two registries on one file, as a process that trains and one that looks.
    private let fixture: RegistryFixture
    private let trainer: ModelRegistry
    private let reader: ModelRegistry

    init() throws {
        let fixture = try RegistryFixture()
        self.fixture = fixture
        let holds = RunLocks(folder: fixture.scratch.path + "/running")
        func registry() throws -> ModelRegistry {
            try ModelRegistry.open(
                TestDatabase.open(fixture.scratch.path), project: "hospital", context: fixture.virtual.context()
            ).detectingRuns(by: holds)
        }
        trainer = try registry()
        reader = try registry()
    }

    private func whileHeld(_ run: Run, _ body: () throws -> Void) throws {
        let hold = try trainer.runs.begin(run)
        #expect(hold != nil)
        try body()
        withExtendedLifetime(hold) {}
    }

    @Test func `a run is running while its process holds it, and interrupted as soon as that is gone`() throws {
        let run = sample(fixture.virtual.id())
        try whileHeld(run) {
            let shown = try reader.runs.show(run.id)
            #expect(shown.status == .running)
            let unfinished = try reader.runs.unfinished()
            #expect(unfinished == ([run.id], []))
            let listed = try reader.runs.list()
            #expect(listed.map(\.status) == [.running])
        }
        let seen = try reader.runs.show(run.id)
        #expect(seen.status == .failed && seen.error == Run.interruption && seen.ended == nil)
        #expect(try reader.runs.list().map(\.error) == [Run.interruption])
        #expect(try reader.runs.unfinished() == ([], [run.id]))
        // The next writer records it; after that it stands as every other run that failed.
        #expect(try trainer.runs.abandonRunning() == [run.id])
        let recorded = try fixture.registry.runs.show(run.id)
        #expect(recorded.status == .failed && recorded.error == Run.interruption && recorded.ended != nil)
        #expect(try reader.runs.unfinished() == ([], []))
        #expect(try fixture.registry.events.list(EventQuery(types: [.runFailed])).map(\.subject) == ["runs/\(run.id)"])
    }

    @Test func `a run that is recorded and let go is never taken for interrupted`() throws {
        let ids = (0..<40).map { _ in fixture.virtual.id() }
        let errors = onThreads(2) { thread in
            if thread == 0 {
                for id in ids {
                    let hold = try trainer.runs.begin(sample(id))
                    try withExtendedLifetime(hold) { try trainer.runs.record(sample(id)) }
                }
            } else {
                for _ in 0..<200 {
                    #expect(try reader.runs.list().allSatisfy { $0.error != Run.interruption })
                }
            }
        }
        #expect(errors == [])
        #expect(try reader.runs.list(limit: 100).count == 40)
    }

    @Test func `what a killed process left behind is cleared away with its run`() throws {
        let run = sample(fixture.virtual.id())
        try trainer.runs.begin(run)
        try fixture.scratch.write("running/\(run.id)", "")
        #expect(try reader.runs.unfinished().interrupted == [run.id])
        try trainer.runs.abandonRunning()
        #expect(try Disk.list(fixture.scratch.path + "/running").isEmpty)
    }
}
