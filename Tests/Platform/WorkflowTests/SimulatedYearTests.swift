import Core
import Foundation
import Identity
import Lakehouse
import PredictionLog
import ProjectTestKit
import Projects
import Registry
import SQLLineage
import SQLText
import Storage
import TestSupport
import Testing
import Workflow

/// A year of a project in one process, a day at a time: whatever has a time limit is used every day, and every day it is
/// looked at what is left. What is in use must be there, what is over must be gone.
@Suite struct `A simulated year` {
    private static let day = 86_400.0
    private static let days = 365

    private let place: TestHome
    private let clock = VirtualClock(start: 1_735_689_600)
    private let database: any SQLDatabase

    init() throws {
        place = try TestHome()
        database = try place.database()
    }

    /// Until noon of the next day.
    private func nextDay() {
        let now = Double(clock.time.microseconds) / 1e6
        clock.advance(seconds: ((now / Self.day).rounded(.down) + 1.5) * Self.day - now)
    }

    // MARK: Jobs

    @Test func `a job belongs to the worker that renews its lease, and to nobody for longer`() throws {
        let jobs = try ModelRegistry.open(database, project: "lab", context: clock.context()).jobs
        for day in 0..<Self.days {
            let submitted = try jobs.submit(JobOrder(kind: "run", idempotencyKey: "day \(day)")).job
            let job = try #require(try jobs.lease(to: "first", seconds: 30).job)
            let ticket = JobTicket(job: job.id, token: job.token)
            #expect(job.id == submitted.id)
            for _ in 0..<12 {
                clock.advance(seconds: 29)
                let (other, lost) = try jobs.lease(to: "second", seconds: 30)
                #expect(other == nil && lost.isEmpty, "the attempt lives")
                #expect(try jobs.renew([(ticket, nil)], seconds: 30).isEmpty)
            }
            if day % 3 == 0 {
                // The first worker falls silent: it is over at once, and tried again after a pause.
                clock.advance(seconds: 31)
                #expect(try jobs.lease(to: "second", seconds: 30).lost.map(\.id) == [job.id])
                clock.advance(seconds: 2)
                let again = try #require(try jobs.lease(to: "second", seconds: 30).job)
                #expect(again.id == job.id && again.token == job.token + 1)
                #expect(throws: MartletError.self) { try jobs.conclude(ticket, JobEnding(.finished)) }
                try jobs.conclude(JobTicket(job: again.id, token: again.token), JobEnding(.finished))
            } else {
                try jobs.conclude(ticket, JobEnding(.finished))
            }
            #expect(try jobs.openCount() == 0)
            nextDay()
        }
        #expect(try jobs.count(state: .finished) == Self.days)
    }

    // MARK: Tables

    @Test func `a vacuum keeps what a version of the last month needs, and nothing else`() throws {
        let lake = try place.lake(clock)
        let name = TableName(.silver, "t")
        let table = lake.table(name)
        var committed: [(version: Int, at: Timestamp)] = []
        /// Files that no commit names, and when their writer last wrote to them.
        var lost: [(path: String, at: Timestamp)] = []
        for day in 0..<Self.days {
            let sql = "SELECT \(day) AS a"
            let plan = PlannedTransform(
                transform: Transform(table: name, file: "t.sql", sql: sql),
                analysis: try lake.engine.parse(sql, file: "t.sql").analysis())
            _ = try lake.build(plan)
            committed.append((try lake.snapshot(of: name).version, clock.time))
            if day % 20 == 5 {
                let path = "\(table.folder)/part-lost-\(day).parquet"
                _ = try Disk.createDurably(path, Array("unfinished".utf8))
                let now = clock.time.adding(seconds: 1)
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: Double(now.microseconds) / 1e6)],
                    ofItemAtPath: path)
                lost.append((path, now))
            }
            clock.advance(seconds: 60)
            guard day % 10 == 5 else {
                nextDay()
                continue
            }
            let now = clock.time
            _ = try lake.vacuum(name, retain: 30 * Int(Self.day), youngest: Int(Self.day), pinned: [3])
            for (path, at) in lost { #expect(Disk.exists(path) == (now.seconds(since: at) < Self.day), "\(day)") }
            let first = now.adding(seconds: -30 * Self.day)
            let oldest = committed.last { $0.at <= first }?.version ?? 0
            for (version, _) in committed.prefix(5) + committed.suffix(45) {
                let isNeeded = version >= oldest || version == 3
                let files = try lake.snapshot(of: name, at: version).files.map { table.path(of: $0) }
                #expect(files.allSatisfy { Disk.exists($0) } == isNeeded, "version \(version) on day \(day)")
            }
            nextDay()
        }
        #expect(try lake.query("SELECT a FROM silver.t", at: [:], limit: nil).rows == [["\(Self.days - 1)"]])
    }

    // MARK: Predictions

    @Test func `a prediction stays in the log and in the lake for as long as it was promised`() async throws {
        var policy = PredictionLogPolicy()
        policy.keepSeconds = 30 * Self.day
        var retention = PredictionLogPolicy()
        retention.keepSeconds = 90 * Self.day
        let segments = SegmentFolder(place.home.predictions)
        let lake = try place.lake(clock)
        let table = PredictionCompaction.table(of: "delay")
        let source = PredictionSource(
            project: "lab", model: "delay", version: 1, signature: Digest(of: "1"), columns: [.init(name: "x")])
        var log = try PredictionLog.open(folder: segments.path, policy: policy, context: clock.context())
        var answered: [String: Timestamp] = [:]
        /// Those that were answered less than so many days ago.
        func since(_ days: Double) -> Set<String> {
            let limit = clock.time.adding(seconds: -days * Self.day)
            return Set(answered.filter { $0.value > limit }.keys)
        }
        for day in 0..<Self.days {
            let closed = Set(try segments.closed().map(\.path))
            answered["r\(day)"] = clock.time
            try await log.append(
                PredictionRecord(
                    requestID: "r\(day)", entityID: nil, source: try log.register(source), time: clock.time,
                    features: [1], outcome: .binary(probability: 0.5, positive: false), latency: 1))
            // Its segment ends, by its time or with the server.
            if day % 7 == 6 {
                try await log.shutDown()
                log = try PredictionLog.open(folder: segments.path, policy: policy, context: clock.context())
            } else {
                #expect(
                    try await eventually(moving: clock, by: 60) {
                        try !closed.isSuperset(of: segments.closed().map(\.path))
                    })
            }
            if day % 5 == 4 {
                _ = try PredictionCompaction(lake: lake, folder: segments).run(keepSegments: true, retention: retention)
            }
            nextDay()
            // The keeper looks once a minute; until it has, what is over may still be there. A segment that nobody wrote to
            // for a day ends a day after what is in it.
            func logged() throws -> Set<String> {
                Set(try segments.entries().flatMap { try Self.requests(in: $0.path) })
            }
            #expect(try await eventually(moving: clock, by: 60) { try logged().isSubset(of: since(32)) })
            #expect(try logged().isSuperset(of: since(30)), "\(day)")
            guard day % 5 == 4 else { continue }
            let rows = try lake.query("SELECT request_id FROM \(table)", at: [:], limit: nil).rows.compactMap { $0[0] }
            // Every five days rows are moved, and files with rows of up to five days are looked at.
            #expect(Set(rows).isSuperset(of: since(90)) && Set(rows).isSubset(of: since(102)), "\(day)")
            #expect(Set(rows).count == rows.count)
            #expect(try lake.files(of: table).allSatisfy { Disk.exists($0) })
        }
        try await log.shutDown()
    }

    /// Of a segment, unless it has been removed meanwhile.
    private static func requests(in path: String) throws -> [String] {
        var found: [String] = []
        do {
            var reader = try PredictionLogReader(path)
            while let next = try reader.next() { found.append(next.requestID) }
        } catch let error as MartletError where error.code == "disk.missing" {}
        return found
    }

    // MARK: People

    @Test func `sessions, tokens and keys of requests hold for their time, and guessing is forgotten`() throws {
        try database.migrate(TestDatabase.schema, at: clock.time)
        let store = IdentityStore(database, author: Author(actor: "local:ada"), context: clock.context())
        let known = PrincipalCache(store)
        let user = try store.addUser("ada", role: .viewer, password: "correct horse battery staple")
        let service = try store.createToken("service", role: .viewer, project: nil, expires: nil).secret.text
        let keys = IdempotencyTable(database)
        let throttle = LoginThrottle()
        var token = ""
        for day in 0..<Self.days {
            if day % 90 == 0 {
                let end = clock.time.adding(seconds: 90 * Self.day)
                token = try store.createToken("of-day-\(day)", role: .viewer, project: nil, expires: end).secret.text
            }
            let session = try store.openSession(for: user, seconds: 8 * 3600)
            let mark = IdempotencyKey(project: "lab", actor: "ada", key: "day \(day)", digest: Digest(of: "\(day)"))
            try keys.keep(mark, status: 202, answer: "done", at: clock.time)
            for attempt in 0..<5 {
                let wait = throttle.enter(name: "eve", address: "192.0.2.1", at: clock.time)
                #expect(wait == nil, "attempt \(attempt) of day \(day): a quiet name is forgotten")
            }
            _ = throttle.enter(name: "eve", address: "192.0.2.1", at: clock.time)
            #expect(throttle.enter(name: "eve", address: "192.0.2.1", at: clock.time) != nil)
            #expect(throttle.count == 2)
            func holds() throws -> [Bool] {
                try known.refresh()
                return [
                    known.principal(session: session.id, at: clock.time) != nil,
                    known.principal(token: token, at: clock.time) != nil,
                    known.principal(token: service, at: clock.time) != nil,
                    try keys.find(mark, at: clock.time) != nil,
                ]
            }
            #expect(try holds() == [true, true, true, true])
            clock.advance(seconds: 8 * 3600 - 1)
            #expect(try holds() == [true, true, true, true])
            clock.advance(seconds: 1)
            #expect(try holds() == [false, true, true, true])
            clock.advance(seconds: 16 * 3600 - 1)
            #expect(try holds() == [false, true, true, true])
            clock.advance(seconds: 1)
            #expect(try holds() == [false, day % 90 != 89, true, false])
        }
        // What is over is removed when the next one is written.
        for table in ["sessions", "request_keys"] {
            let count = try database.read { try $0.row("SELECT count(*) AS n FROM \(identifier: table)")?.int("n") }
            #expect(count == 1, "\(table)")
        }
    }
}
