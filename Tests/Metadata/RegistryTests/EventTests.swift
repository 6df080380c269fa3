import Core
import Registry
import SQLText
import SQLite
import Synchronization
import TestSupport
import Testing

private func draft(_ id: String, at seconds: Int64 = 0) -> EventDraft {
    EventDraft(
        .tableCommitted, id: id, subject: "tables/gold.visits", time: Timestamp(microseconds: seconds * 1_000_000),
        data: ["version": .integer(3), "rows": nil])
}

private func types(_ fixture: RegistryFixture) throws -> [String] {
    try fixture.registry.events.list().map { String($0.type.dropFirst("dev.martlet.".count)) }
}

@Suite struct `Events of runs and models` {
    let fixture: RegistryFixture
    init() throws { fixture = try RegistryFixture() }

    @Test func `tell of a run from its beginning to its outcome, gate by gate`() throws {
        var run = sample(fixture.virtual.id())
        run.gates.append(GateResult(part: "cv", metric: "f1", comparator: .atMost, bound: 0.5, value: nil))
        run.status = .rejected
        try fixture.registry.runs.begin(run)
        try fixture.registry.runs.record(run)
        #expect(try types(fixture) == ["run.started", "gate.passed", "gate.failed", "run.rejected"])
        let events = try fixture.registry.events.list()
        #expect(events.map(\.position) == [1, 2, 3, 4])
        #expect(Set(events.map(\.id)).count == 4)
        #expect(events.allSatisfy { $0.source == "/projects/hospital" && $0.subject == "runs/\(run.id)" })
        #expect(events[0].time == run.started)
        #expect(events[3].time == run.ended)
        #expect(events[1].data["value"] == .number(0.6875))
        #expect(events[2].data["value"] == .null)
        #expect(events[3].data["gates"]?["failed"]?.integer == 1)
        #expect(events[3].data["metrics"]?["roc_auc"] == .number(0.6875))
        // What is undefined has no figure.
        #expect(events[3].data["metrics"]?["npv"] == nil)
    }

    @Test func `a run that was never begun, one that failed and one that was interrupted have a beginning and an end`()
        throws
    {
        try fixture.registry.runs.record(sample(fixture.virtual.id()))
        try fixture.registry.runs.record(sample(fixture.virtual.id(), status: .failed))
        try fixture.registry.runs.begin(sample(fixture.virtual.id(), status: .running))
        try fixture.registry.runs.abandonRunning(model: "readmission")
        #expect(
            try types(fixture) == [
                "run.started", "gate.passed", "run.finished", "run.started", "gate.passed", "run.failed", "run.started",
                "run.failed",
            ])
        #expect(try fixture.registry.events.list().last?.data["error"]?.text == "interrupted")
    }

    @Test func `tell every decision and move once, in order`() throws {
        let first = try fixture.version(.required)
        let start = try fixture.registry.events.head()
        try fixture.acting(as: "grace").models.approve(named("readmission@1"), reason: "checked")
        try fixture.version(.required)
        try fixture.registry.models.reject(named("readmission@2"), reason: "too old")
        try fixture.version(.none)
        try fixture.registry.models.promote(named("readmission@3"))
        try fixture.registry.models.promote(named("readmission@3"))
        try fixture.registry.models.rollback("readmission")
        let events = try fixture.registry.events.list(
            EventQuery(types: EventType.named("version") + EventType.named("alias"), after: start))
        #expect(
            events.map { EventType(rawValue: $0.type)?.short } == [
                "version.approved", "alias.moved", "version.registered", "version.rejected", "version.registered",
                "alias.moved", "alias.moved", "alias.removed", "alias.moved",
            ])
        #expect(events[0].data["actor"]?.text == "grace")
        #expect(events[0].data["reason"]?.text == "checked")
        #expect(events[2].data["approval"]?.text == "pending")
        #expect(events[5].data["alias"]?.text == "candidate")
        #expect(events[6].data["previous"]?.integer == 1)
        #expect(events[8].data["cause"]?.text == "rollback")
        #expect(events[8].subject == "models/readmission/aliases/champion")
        #expect(first.version == 1)
    }

    @Test func `tell every change of a job, also when it comes to the same state again`() throws {
        let jobs = fixture.registry.jobs
        let id = try jobs.submit(JobOrder(kind: "run", exclusive: true, priority: 0, maxAttempts: 2)).job.id
        let first = try #require(try jobs.lease(to: "w", seconds: 30).job)
        try jobs.release(JobTicket(job: id, token: first.token), reason: "stopped")
        _ = try jobs.cancel(id, reason: nil)
        _ = try jobs.retry(id)
        _ = try jobs.cancel(id, reason: "enough")
        _ = try jobs.retry(id)
        let second = try #require(try jobs.lease(to: "w", seconds: 30).job)
        try jobs.conclude(JobTicket(job: id, token: second.token), .finished(result: "{}"))
        #expect(code { try jobs.conclude(JobTicket(job: id, token: 1), .finished(result: "{}")) } == "job.fenced")
        #expect(
            try types(fixture) == [
                "job.submitted", "job.started", "job.requeued", "job.cancelled", "job.retried", "job.cancelled",
                "job.retried", "job.started", "job.finished",
            ])
        let events = try fixture.registry.events.list()
        #expect(events.map(\.id) == (1...9).map { "job/\(id)/\($0)" })
        #expect(events[5].data["reason"]?.text == "enough" && events[8].data["attempt"]?.integer == 2)
    }

    @Test func `a refused act leaves no event`() throws {
        try fixture.version(.required)
        let head = try fixture.registry.events.head()
        #expect(code { try fixture.registry.models.promote(named("readmission@1")) } == "registry.pending")
        #expect(
            code { try fixture.registry.runs.record(sample("0001", status: .running)) } == "registry.unfinished-run")
        let id = fixture.virtual.id()
        try fixture.registry.runs.record(sample(id))
        let after = try fixture.registry.events.head()
        #expect(code { try fixture.registry.runs.record(sample(id)) } == "registry.recorded-run")
        #expect(after > head)
        #expect(try fixture.registry.events.head() == after)
    }
}

@Suite struct `The outbox` {
    let fixture: RegistryFixture
    let second: ModelRegistry

    init() throws {
        fixture = try RegistryFixture()
        second = try ModelRegistry.open(
            TestDatabase.open(fixture.scratch.path), project: "hospital", context: fixture.virtual.context())
    }

    @Test func `takes the same happening once, and positions have no gaps`() throws {
        #expect(try fixture.registry.events.append(draft("a")) == 1)
        #expect(try fixture.registry.events.append(draft("a", at: 9)) == nil)
        #expect(try fixture.registry.events.append(draft("b")) == 2)
        let other = try ModelRegistry.open(fixture.database, project: "other", context: fixture.virtual.context())
        #expect(try other.events.append(draft("a")) == 1)
        #expect(try fixture.registry.events.list().map(\.id) == ["a", "b"])
        #expect(try fixture.registry.events.list().first?.data == .object(["version": .integer(3)]))
    }

    @Test func `racing writers leave neither gap nor double`() throws {
        let errors = onThreads(8) { thread in
            let registry = thread.isMultiple(of: 2) ? fixture.registry : second
            // Each happening is seen by two writers.
            for number in 0..<25 { try registry.events.append(draft("\(thread / 2) \(number)")) }
            try registry.runs.record(sample(fixture.virtual.id()))
        }
        #expect(errors == [])
        let events = try second.events.list()
        #expect(events.map(\.position) == Array(1...events.count))
        #expect(events.count == 4 * 25 + 8 * 3)
        #expect(Set(events.map(\.id)).count == events.count)
    }

    @Test func `is asked by type, time, position and count`() throws {
        for number in 1...9 { try fixture.registry.events.append(draft("\(number)", at: Int64(100 - number))) }
        try fixture.registry.runs.record(sample(fixture.virtual.id()))
        func positions(_ query: EventQuery) throws -> [Int] { try fixture.registry.events.list(query).map(\.position) }
        #expect(try positions(EventQuery(types: EventType.named("run"))) == [10, 12])
        #expect(try positions(EventQuery(types: EventType.named("dev.martlet.run.finished"))) == [12])
        #expect(try positions(EventQuery(after: 7, limit: 3)) == [8, 9, 10])
        #expect(try positions(EventQuery(after: 12)) == [])
        let since = Timestamp(microseconds: 98_000_000)
        #expect(try positions(EventQuery(since: since, limit: 2)) == [1, 2])
        #expect(try fixture.registry.events.newest(EventQuery(limit: 2)).map(\.position) == [11, 12])
        #expect(try fixture.registry.events.position(since: Timestamp(microseconds: 99_500_000)) == 10)
        #expect(try fixture.registry.events.position(since: Timestamp(microseconds: .max)) == nil)
        let error = caught { _ = try EventType.named("run.finishd") }
        #expect(error?.code == "events.type")
        #expect(error?.remedy == "Did you mean run.finished?")
    }

    @Test(arguments: [
        "UPDATE events SET subject = 'x'",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events SELECT project, position, source, id, type, 'x', time, data FROM events",
        "INSERT INTO events SELECT project, position + 2, source, 'new', type, subject, time, data FROM events",
        "INSERT INTO events SELECT project, position + 1, source, id, type, subject, time, data FROM events",
        "UPDATE consumers SET position = 9",
        "INSERT INTO consumers SELECT project, 'x', 9, created, moved FROM consumers",
        "DELETE FROM effects",
        "UPDATE effects SET at = 0",
        "INSERT OR REPLACE INTO effects SELECT project, consumer, source, id, 0 FROM effects",
        "INSERT INTO effects SELECT project, consumer, source, 'none', 0 FROM effects",
    ])
    func `refuses by itself what would change what happened`(statement: String) throws {
        try fixture.registry.events.append(draft("a"))
        try fixture.registry.events.consume("mail") { _, _ in }
        let before = try fixture.registry.events.list()
        #expect(
            code { _ = try fixture.database.write { try $0.execute(TestDatabase.foreign(statement)) } }
                == "metadata.constraint")
        #expect(try fixture.registry.events.list() == before)
        #expect(try fixture.registry.events.consumers().map(\.position) == [1])
    }
}

@Suite struct `Consumers of events` {
    let fixture: RegistryFixture
    var events: EventStore { fixture.registry.events }

    init() throws {
        fixture = try RegistryFixture()
        for number in 1...6 { try events.append(draft("\(number)", at: Int64(number * 10))) }
    }

    @Test func `move only from where they are thought to be, and never past the end`() throws {
        #expect(try events.consumer("mail").position == 0)
        #expect(try events.advance("mail", from: 0, to: 4))
        #expect(try !events.advance("mail", from: 0, to: 5))
        #expect(try events.consumer("mail", startingAfter: 2).position == 4)
        #expect(try events.consumers().map(\.behind) == [2])
        #expect(code { try events.advance("mail", from: 4, to: 7) } == "events.position")
        #expect(code { try events.consumer("other", startingAfter: 7) } == "events.position")
        #expect(code { try events.consumer("a b") } == "events.consumer-name")
        #expect(code { try events.advance("post", from: 0, to: 1) } == "events.unknown-consumer")
        #expect(caught { try events.advance("mial", from: 0, to: 1) }?.remedy == "Did you mean mail?")
    }

    @Test func `are set back, not forward, and get again what they had`() throws {
        try events.consumer("mail")
        try events.advance("mail", from: 0, to: 5)
        let replay = try events.replay("mail", from: 3)
        #expect(replay == Replay(consumer: "mail", was: 5, next: 3, again: 3, waiting: 4))
        #expect(try events.consumer("mail").position == 2)
        #expect(code { _ = try events.replay("mail", from: 4) } == "events.not-back")
        #expect(code { _ = try events.replay("mail", from: 0) } == "events.not-back")
        #expect(try events.replay("mail", from: 3).again == 0)
    }

    @Test func `an effect happens once, in one transaction with its note`() throws {
        let event = try #require(try events.list(EventQuery(limit: 1)).first)
        func act() throws -> Bool {
            try events.once("mail", event) { try $0.publish(draft("sent \(event.id)")) }
        }
        struct Broken: Error {}
        #expect(throws: (any Error).self) {
            try events.once("mail", event) { page in
                try page.publish(draft("half done"))
                throw Broken()
            }
        }
        #expect(try events.head() == 6)
        #expect(try act())
        #expect(try !act())
        #expect(try events.head() == 7)
        // Another consumer's effect is another one.
        #expect(try events.once("audit", event) { _ in })
    }

    @Test func `racing consumers do each effect once, also after a replay`() throws {
        let second = try ModelRegistry.open(
            TestDatabase.open(fixture.scratch.path), project: "hospital", context: fixture.virtual.context())
        let done = Mutex<[String: Int]>([:])
        func work() -> [String] {
            onThreads(6) { thread in
                try (thread.isMultiple(of: 2) ? events : second.events).consume("mail") { event, _ in
                    done.withLock { $0[event.id, default: 0] += 1 }
                }
            }
        }
        #expect(work() == [])
        _ = try events.replay("mail", from: 1)
        #expect(work() == [])
        #expect(done.withLock { $0 } == Dictionary((1...6).map { ("\($0)", 1) }) { first, _ in first })
        #expect(try events.consumer("mail").behind == 0)
    }

    @Test func `an effect that fails stops its consumer there, and is tried again`() throws {
        struct Broken: Error {}
        var seen: [Int] = []
        #expect(throws: (any Error).self) {
            try events.consume("mail") { event, _ in
                seen.append(event.position)
                if event.position == 3 { throw Broken() }
            }
        }
        #expect(try events.consumer("mail").position == 2)
        #expect(try events.consume("mail", limit: 2) { event, _ in seen.append(event.position) } == 2)
        #expect(seen == [1, 2, 3, 3, 4])
    }
}
