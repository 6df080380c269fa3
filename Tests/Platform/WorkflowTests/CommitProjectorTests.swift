import Core
import Foundation
import Lakehouse
import ProjectTestKit
import Projects
import Registry
import SQLLineage
import Synchronization
import TestSupport
import Testing
import Workflow

/// A lake of logs without data files, and the outbox beside it.
private final class Harbour: Sendable {
    let place: TestHome
    let clock = VirtualClock(step: 1, start: 1_800_000_000)

    init() throws { place = try TestHome() }

    /// As another process sees it.
    func lake() -> Lake {
        Lake(
            root: place.home.lake,
            engine: LazyLakeEngine(identity: "none") {
                throw MartletError(.defect, "test.engine", "No engine is needed here.")
            }, context: clock.context())
    }

    func events() throws -> EventStore {
        try place.registry(clock, project: "wards").events
    }

    /// Commits the next version of a table; `false` if another writer was faster.
    @discardableResult
    func commit(_ name: TableName, id: String = "t1", seconds: Int64? = nil) throws -> Bool {
        let table = lake().table(name)
        let next = (try table.versions().last ?? -1) + 1
        var actions = [
            DeltaAction(
                commitInfo: .object([
                    "timestamp": .integer((seconds ?? Int64(next)) * 1000), "operation": .text("WRITE"),
                ]))
        ]
        if next == 0 {
            let fields = [DeltaField(name: "x", type: "long")]
            actions += [
                DeltaAction(protocol: DeltaProtocol(for: fields)),
                DeltaAction(metaData: try DeltaMetadata(id: id, fields: fields, createdTime: 0)),
            ]
        }
        actions.append(DeltaAction(add: DeltaAdd(path: "\(next).parquet", size: 1, rows: 10, modificationTime: 0)))
        return try table.commit(actions, as: next)
    }
}

private let gold = TableName(.gold, "visits")
private let aside = TableName(.quarantine, "visits")

@Suite struct `Events of table versions` {
    private let harbour: Harbour
    private let events: EventStore

    init() throws {
        harbour = try Harbour()
        events = try harbour.events()
    }

    private func project() throws { try CommitProjector(harbour.lake(), events).projectAll() }

    private func told() throws -> [String] {
        try events.list().map { "\($0.data["table"]?.text ?? "") \($0.data["version"]?.integer ?? -1)" }
    }

    @Test func `a kill between commit and event loses nothing and doubles nothing`() throws {
        try harbour.commit(gold)
        try project()
        try harbour.commit(gold)
        try harbour.commit(gold)
        try harbour.commit(aside)
        // The process died here three times; the next that opens the project finds the versions in the logs.
        try project()
        try project()
        #expect(try told() == ["gold.visits 0", "gold.visits 1", "gold.visits 2", "quarantine.visits 0"])
        let event = try #require(try events.list().dropFirst().first)
        #expect(event.id == "table/gold.visits/t1/1")
        #expect(event.time == Timestamp(microseconds: 1_000_000))
        #expect(event.data["rows_added"]?.integer == 10)
        #expect(event.data["files_added"]?.integer == 1)
    }

    @Test func `events written before their offset was are not written again`() throws {
        try harbour.commit(gold)
        try harbour.commit(gold)
        let table = harbour.lake().table(gold)
        let one = EventDraft(committed: try table.described(0), of: gold, tableID: "t1")
        try events.append(one)
        try project()
        #expect(try told() == ["gold.visits 0", "gold.visits 1"])
    }

    @Test func `nothing new is told without reading the log`() throws {
        for _ in 0..<3 { try harbour.commit(gold) }
        try project()
        // Unreadable entries: whoever read them now would fail.
        let log = harbour.lake().table(gold).folder + "/_delta_log"
        try Data("no JSON".utf8).write(to: URL(fileURLWithPath: "\(log)/00000000000000000000.json"))
        try CommitProjector(harbour.lake(), events).project(gold)
        #expect(try events.head() == 3)
    }

    @Test func `a table made anew under its old name starts over`() throws {
        for _ in 0..<2 { try harbour.commit(gold) }
        try project()
        try FileManager.default.removeItem(atPath: harbour.lake().table(gold).folder)
        for _ in 0..<2 { try harbour.commit(gold, id: "t2") }
        try project()
        try project()
        #expect(try events.list().map(\.id) == ["t1/0", "t1/1", "t2/0", "t2/1"].map { "table/gold.visits/\($0)" })
    }

    @Test func `a log that cannot be read keeps no other table from its events`() throws {
        try harbour.commit(TableName(.bronze, "broken"))
        let log = harbour.lake().table(TableName(.bronze, "broken")).folder + "/_delta_log"
        try Data("no JSON".utf8).write(to: URL(fileURLWithPath: "\(log)/00000000000000000000.json"))
        try harbour.commit(gold)
        try project()
        #expect(try told() == ["gold.visits 0"])
    }

    @Test func `two processes that commit and tell at once leave neither gap nor double`() throws {
        let errors = Mutex<[String]>([])
        let group = DispatchGroup()
        for thread in 0..<4 {
            group.enter()
            Thread { [harbour] in
                defer { group.leave() }
                do {
                    let events = try harbour.events()
                    let lake = harbour.lake()
                    for round in 0..<15 {
                        try harbour.commit(thread.isMultiple(of: 2) ? gold : aside)
                        // Every third time the process dies before it tells.
                        if round % 3 != thread % 3 { try CommitProjector(lake, events).projectAll() }
                    }
                } catch { errors.withLock { $0.append("\(error)") } }
            }.start()
        }
        group.wait()
        #expect(errors.withLock { $0 } == [])
        try project()
        let list = try events.list()
        #expect(list.map(\.position) == Array(1...list.count))
        for name in [gold, aside] {
            let versions = list.filter { $0.data["table"]?.text == "\(name)" }.compactMap {
                $0.data["version"]?.integer
            }
            // Each once, and in the order of the log.
            #expect(try versions == harbour.lake().table(name).versions())
        }
    }
}
