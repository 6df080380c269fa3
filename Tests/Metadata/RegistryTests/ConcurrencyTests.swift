import Core
import Registry
import SQLText
import SQLite
import Synchronization
import TestSupport
import Testing

/// Two pools on one file stand for two processes.
struct ConcurrencyTests {
    let fixture: RegistryFixture
    let second: ModelRegistry

    init() throws {
        fixture = try RegistryFixture()
        second = try ModelRegistry.open(
            TestDatabase.open(fixture.scratch.path), project: "hospital", context: fixture.virtual.context())
    }

    private func registry(_ thread: Int) -> ModelRegistry { thread.isMultiple(of: 2) ? fixture.registry : second }

    @Test func `racing registrations give each run one version, numbered without gaps`() throws {
        let ids = (0..<40).map { _ in fixture.virtual.id() }
        for id in ids { try fixture.registry.runs.record(sample(id)) }
        let isNew = Mutex(0)
        let errors = onThreads(8) { thread in
            let models = registry(thread).models
            // Every run is registered by two threads, one of each pool.
            for (index, id) in ids.enumerated() where index % 4 == thread / 2 {
                if try models.register(run: id, approval: .none).isNew { isNew.withLock { $0 += 1 } }
            }
        }
        #expect(errors == [])
        #expect(isNew.withLock { $0 } == 40)
        let versions = try fixture.registry.models.versions(of: "readmission")
        #expect(versions.map(\.version) == (1...40).reversed())
        #expect(Set(versions.map(\.run)) == Set(ids))
        #expect(try fixture.aliases() == ["champion": 1, "candidate": 40])
    }

    @Test func `racing promotions and rollbacks lose no move`() throws {
        for _ in 1...8 { try fixture.version() }
        let moves = Mutex(0)
        let errors = onThreads(8) { thread in
            let models = registry(thread).models
            for round in 0..<10 {
                if round % 3 == 2 {
                    guard caught({ try models.rollback("readmission") }) == nil else { continue }
                    moves.withLock { $0 += 1 }
                } else if try models.promote(named("readmission@\(thread + 1)")).moved {
                    moves.withLock { $0 += 1 }
                }
            }
        }
        #expect(errors == [])
        let history = try second.models.history("readmission")
        let champions = history.events.filter { $0.event == .aliasSet && $0.alias == .champion }
        #expect(champions.count == moves.withLock { $0 } + 1)
        // Each move began where the one before ended.
        #expect(champions.dropFirst().map(\.previous) == champions.dropLast().map(\.version))
        #expect(try fixture.aliases()["champion"] == history.champion?.version)
    }

    @Test func `of two who decide at once one is refused`() throws {
        for _ in 1...10 { try fixture.version(.required) }
        let decided = Mutex<[String: Int]>([:])
        let errors = onThreads(4) { thread in
            let models = registry(thread).models
            for version in 1...10 {
                let reference = try named("readmission@\(version)")
                let outcome =
                    thread < 2
                    ? code { try models.approve(reference) } : code { try models.reject(reference, reason: "no") }
                decided.withLock { $0[outcome, default: 0] += 1 }
            }
        }
        #expect(errors == [])
        let outcomes = decided.withLock { $0 }
        #expect(outcomes["no error"] == 10)
        #expect((outcomes["registry.already-approved"] ?? 0) + (outcomes["registry.already-rejected"] ?? 0) == 30)
    }

    @Test func `eight threads record two hundred runs each without an error`() throws {
        let ids = (0..<1600).map { _ in fixture.virtual.id() }
        let errors = onThreads(8) { thread in
            let runs = registry(thread).runs
            for id in ids[(thread * 200)..<(thread * 200 + 200)] {
                let step = StepCompletion(step: "t\(thread)", fingerprint: Digest(of: id), result: id)
                try runs.record(sample(id), finishing: step)
            }
        }
        #expect(errors == [])
        #expect(try fixture.registry.runs.list(limit: 5000).count == 1600)
    }
}
