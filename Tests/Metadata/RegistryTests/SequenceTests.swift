import Core
import Registry
import SQLText
import SQLite
import TestSupport
import Testing

/// Every sequence of up to four acts on one model, against a model of the rules that shares no code with them.
///
/// The sequences are walked as a tree inside one transaction that is never committed; a savepoint takes each
/// act back.
struct SequenceTests {
    enum Act: CaseIterable {
        case registerOpen, registerGuarded, approveOldest, approveNewest, rejectNewest
        case promoteFirst, promoteNewest, promoteCandidate, rollback
    }

    /// What the rules say, in the simplest words.
    struct Expectation: Equatable {
        var states: [Approval.State] = []
        var line: [Int] = []
        var candidate: Int?

        private func mayServe(_ version: Int) -> Bool {
            states.indices.contains(version - 1) && [.none, .approved].contains(states[version - 1])
        }

        private mutating func offer(_ version: Int) {
            if line.isEmpty { line = [version] } else { candidate = version }
        }

        private mutating func promote(_ version: Int) -> Bool {
            guard mayServe(version) else { return false }
            if line.last != version { line.append(version) }
            if candidate == version { candidate = nil }
            return true
        }

        private mutating func decide(_ version: Int?, _ state: Approval.State) -> Bool {
            guard let version, states.indices.contains(version - 1), states[version - 1] == .pending else {
                return false
            }
            states[version - 1] = state
            if state == .approved { offer(version) }
            return true
        }

        /// Whether the act is allowed, after doing it.
        mutating func perform(_ act: Act) -> Bool {
            switch act {
            case .registerOpen:
                states.append(.none)
                offer(states.count)
                return true
            case .registerGuarded:
                states.append(.pending)
                return true
            case .approveOldest: return decide(states.firstIndex(of: .pending).map { $0 + 1 } ?? 1, .approved)
            case .approveNewest: return decide(states.count, .approved)
            case .rejectNewest: return decide(states.count, .rejected)
            case .promoteFirst: return promote(1)
            case .promoteNewest: return promote(states.count)
            case .promoteCandidate: return candidate.map { promote($0) } ?? false
            case .rollback:
                guard line.count > 1 else { return false }
                line.removeLast()
                return true
            }
        }
    }

    @Test func `every sequence of up to four acts keeps the rules`() throws {
        let fixture = try RegistryFixture()
        var runs: [String] = []
        for _ in 1...4 {
            let run = sample(fixture.virtual.id())
            try fixture.registry.runs.record(run)
            runs.append(run.id)
        }
        struct Done: Error {}
        var counts = (visited: 0, refused: 0)
        let end = caught {
            try fixture.database.write { connection in
                let inside = OneTransaction(connection: connection)
                let models = try ModelRegistry.open(
                    inside, project: "hospital", context: fixture.virtual.context()
                ).models
                try walk(models, connection, runs, Expectation(), [], depth: 4, &counts)
                throw Done()
            }
        }
        #expect(end?.message.contains("Done") == true)
        #expect(counts.visited == 9 + 81 + 729 + 6561)
        #expect(counts.refused > 1000)
    }

    private func walk(
        _ models: ModelStore, _ connection: any SQLConnection, _ runs: [String], _ before: Expectation,
        _ history: [ModelEvent], depth: Int, _ counts: inout (visited: Int, refused: Int)
    ) throws {
        guard depth > 0 else { return }
        for act in Act.allCases {
            let savepoint: SQL = "\(identifier: "depth\(depth)")"
            try connection.execute("SAVEPOINT \(savepoint)")
            var expected = before
            let allowed = expected.perform(act)
            if !allowed { expected = before }
            let refusal = caught { try perform(act, models, runs, before) }
            #expect((refusal == nil) == allowed, "\(act) after \(before): \(String(describing: refusal))")
            let after = try check(models, expected, history, act)
            counts.visited += 1
            counts.refused += allowed ? 0 : 1
            try walk(models, connection, runs, expected, after, depth: depth - 1, &counts)
            try connection.execute("ROLLBACK TO \(savepoint)")
            try connection.execute("RELEASE \(savepoint)")
        }
    }

    private func perform(_ act: Act, _ models: ModelStore, _ runs: [String], _ before: Expectation) throws {
        let newest = before.states.count
        let pending = before.states.firstIndex(of: .pending).map { $0 + 1 } ?? 1
        func version(_ number: Int) -> ModelReference {
            ModelReference(model: "readmission", selector: .version(number))
        }
        switch act {
        case .registerOpen: try models.register(run: runs[newest], approval: .none)
        case .registerGuarded: try models.register(run: runs[newest], approval: .required)
        case .approveOldest: try models.approve(version(pending))
        case .approveNewest: try models.approve(version(newest))
        case .rejectNewest: try models.reject(version(newest), reason: "no")
        case .promoteFirst: try models.promote(version(1))
        case .promoteNewest: try models.promote(version(newest))
        case .promoteCandidate: try models.promote(named("readmission@candidate"))
        case .rollback: try models.rollback("readmission")
        }
    }

    /// Compares what is stored with what the rules say, and gives the history.
    private func check(
        _ models: ModelStore, _ expected: Expectation, _ before: [ModelEvent], _ act: Act
    ) throws -> [ModelEvent] {
        guard !expected.states.isEmpty else {
            #expect(try models.list() == [])
            return []
        }
        let versions = try models.versions(of: "readmission").reversed()
        #expect(versions.map(\.version) == Array(1...expected.states.count))
        #expect(versions.map(\.approval.state) == expected.states)
        let champions = versions.filter { $0.aliases.contains(.champion) }
        #expect(champions.map(\.version) == expected.line.suffix(1), "\(act): \(expected)")
        #expect(champions.filter { ![.none, .approved].contains($0.approval.state) } == [])
        let candidates = versions.filter { $0.aliases.contains(.candidate) }
        #expect(candidates.map(\.version) == (expected.candidate.map { [$0] } ?? []), "\(act): \(expected)")
        #expect(candidates.filter { ![.none, .approved].contains($0.approval.state) } == [])
        let history = try models.history("readmission")
        #expect(history.champion?.version == expected.line.last)
        #expect(Array(history.events.prefix(before.count)) == before)
        return history.events
    }
}

/// A database inside a transaction of another: what it writes is taken back with that.
private struct OneTransaction: SQLDatabase, @unchecked Sendable {
    let connection: any SQLConnection
    var dialect: SQLDialect { TestDatabase.isSQLite ? .sqlite : .postgresql }
    var place: String { "inside" }

    func read<Result>(_ body: (any SQLConnection) throws -> Result) throws -> Result { try body(connection) }

    func write<Result>(scope: SQLScope, _ body: (any SQLConnection) throws -> Result) throws -> Result {
        try connection.execute("SAVEPOINT act")
        do {
            let result = try body(connection)
            try connection.execute("RELEASE act")
            return result
        } catch {
            try connection.execute("ROLLBACK TO act")
            try connection.execute("RELEASE act")
            throw error
        }
    }
}
