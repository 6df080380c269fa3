import Core
import Foundation
import TestSupport
import Testing

/// What docs/events.md says of the data of each type.
private struct EventCatalogue {
    struct Key {
        var type: String
        var isAlways: Bool
    }

    var types: [String: [String: Key]] = [:]

    init() throws {
        var type = ""
        for line in try String(contentsOfFile: Program.root + "/docs/events.md", encoding: .utf8).split(separator: "\n")
        {
            if line.hasPrefix("### ") {
                type = line.dropFirst(4).trimmingCharacters(in: ["`"])
                types[type] = [:]
            }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard line.hasPrefix("| `"), !type.isEmpty, cells.count >= 3 else { continue }
            for name in cells[0].split(separator: ",") {
                types[type]?[name.trimmingCharacters(in: [" ", "`"])] = Key(
                    type: cells[1], isAlways: cells[2] == "always")
            }
        }
    }

    /// What is wrong with an event's data.
    func faults(_ type: String, _ data: JSONValue?) -> [String] {
        guard let keys = types[type], case .object(let members)? = data else {
            return ["\(type): not in docs/events.md"]
        }
        var faults = keys.filter { $0.value.isAlways && members[$0.key] == nil }.map { "\(type): no \($0.key)" }
        for (name, value) in members {
            guard let key = keys[name] else {
                faults.append("\(type): \(name) is not in docs/events.md")
                continue
            }
            let isRight =
                switch (key.type, value) {
                case ("text", .text), ("integer", .integer), ("flag", .flag), ("list", .list), ("object", .object),
                    ("number", .integer), ("number", .number), ("number", .null):
                    true
                default: false
                }
            if !isRight { faults.append("\(type): \(name) is not \(key.type) but \(value)") }
        }
        return faults
    }
}

private func events(_ place: Sandbox, _ arguments: String...) throws -> [JSONValue] {
    let outcome = try place.martlet(["events", "list", "--json"] + arguments)
    guard outcome.code == 0 else { throw Unusable(what: "\(outcome)") }
    return try outcome.output.split(separator: "\n").map { try JSON.decode(JSONValue.self, from: String($0)) }
}

/// Table versions by the logs, and by the events.
private func versions(_ place: Sandbox) throws -> (logs: [String], events: [String]) {
    let logs = try place.martlet("lake", "tables", "--json").json().list ?? []
    return (
        try logs.flatMap { table -> [String] in
            let name = table["table"]?.text ?? ""
            let history = try place.martlet("lake", "history", name, "--json").json().list ?? []
            return history.map { "\(name) \($0["version"]?.integer ?? -1)" }
        }.sorted(),
        try events(place, "--type", "table").map {
            "\($0.at("data.table")?.text ?? "") \($0.at("data.version")?.integer ?? -1)"
        }.sorted()
    )
}

@Suite struct `Events of a project` {
    /// A project in which everything that has a type of its own happened.
    private static let eventful = Result {
        let place = try Wards.written()
        try place.write("landing/visits/first.csv", Wards.first)
        try place.write("landing/visits/later.csv", Wards.unlabelled)
        func step(_ code: Int32, _ arguments: String...) throws {
            let outcome = try place.martlet(arguments)
            guard outcome.code == code else { throw Unusable(what: "\(outcome)") }
        }
        try place.edit("martlet.yaml", "approval: none", "approval: required")
        try step(0, "run")
        try step(0, "models", "approve", "stay@1", "--reason", "checked")
        try step(0, "run", "--split-seed", "7")
        try step(0, "models", "reject", "stay@2", "--reason", "too old")
        try place.edit("martlet.yaml", "approval: required", "approval: none")
        try step(0, "run", "--split-seed", "8")
        try step(0, "models", "promote", "stay@candidate")
        try step(0, "models", "rollback", "stay")
        try place.edit("martlet.yaml", "at_least: 0.6", "at_least: 0.999")
        try step(2, "run")
        try place.edit("martlet.yaml", "num_leaves: 4", "num_leaves: -4")
        try step(1, "run")
        // Jobs: one that is done, one whose process dies, one that its command refuses.
        func submit(_ arguments: String...) throws -> String {
            let outcome = try place.martlet(["jobs", "submit"] + arguments + ["--json"])
            guard let id = try outcome.json()["id"]?.text else { throw Unusable(what: "\(outcome)") }
            return id
        }
        _ = try submit("ingest")
        try step(0, "worker", "--once")
        let dying = try submit("ingest")
        _ = try place.martlet("worker", "--once", environment: ["MARTLET_FAILPOINT": "project.locked"])
        try step(0, "jobs", "cancel", dying)
        try step(0, "jobs", "retry", dying)
        try step(0, "jobs", "cancel", dying, "--reason", "again")
        _ = try submit("run")
        _ = try place.martlet("worker", "--once")
        return place
    }

    @Test func `every documented type happens, and its data are as documented`() throws {
        let place = try Self.eventful.get()
        let catalogue = try EventCatalogue()
        let found = try events(place)
        #expect(Set(found.compactMap { $0["type"]?.text }) == Set(catalogue.types.keys))
        let faults = Set(found.flatMap { catalogue.faults($0["type"]?.text ?? "", $0["data"]) })
        #expect(faults == [])
        #expect(found.compactMap { $0["position"]?.integer } == Array(1...found.count))
        #expect(Set(found.compactMap { $0["id"]?.text }).count == found.count)
        for event in found {
            guard case .object(let members) = event else { continue }
            #expect(
                Set(members.keys) == [
                    "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data", "position",
                ])
            #expect(event["specversion"]?.text == "1.0")
            #expect(event["source"]?.text == "/projects/wards")
            #expect(event["datacontenttype"]?.text == "application/json")
            #expect(event["time"]?.text.flatMap { Timestamp($0) } != nil)
        }
        let tables = try versions(place)
        #expect(tables.events == tables.logs)
    }

    @Test(.needsInterop)
    func `are what the CloudEvents library takes`() throws {
        let place = try Self.eventful.get()
        try place.write("events.jsonl", try place.martlet("events", "list", "--json").output)
        let outcome = try Program.interop("read_events.py", [place.path("events.jsonl")])
        #expect(outcome.code == 0, "\(outcome)")
        #expect(try outcome.json()["events"]?.integer == events(place).count)
    }

    @Test func `a run without a change has none`() throws {
        let place = try Wards.run()
        let before = try events(place)
        #expect(try place.martlet("run").code == 0)
        #expect(try events(place) == before)
    }

    @Test(arguments: 1...5)
    func `a process killed right after a table's commit leaves the event to the next`(commit: Int) throws {
        let place = try Wards.written()
        try place.write("landing/visits/first.csv", Wards.first)
        try place.write("landing/visits/later.csv", Wards.unlabelled)
        let killed = try place.martlet("run", environment: ["MARTLET_FAILPOINT": "delta.commit.after@\(commit)"])
        #expect(killed.isSignal, "\(killed)")
        let early = try versions(place)
        #expect(early.logs.count == commit)
        #expect(early.events.count == commit - 1)
        // Whatever opens the project for writing.
        #expect(try place.martlet("ingest").code == 0)
        #expect(try place.martlet("run").code == 0)
        let late = try versions(place)
        #expect(late.events == late.logs)
        #expect(late.logs.count == Wards.counts.count)
    }

    @Test func `are chosen by type, position and time`() throws {
        let place = try Self.eventful.get()
        let all = try events(place)
        #expect(try events(place, "--after", "3", "--limit", "2") == Array(all[3..<5]))
        #expect(try events(place, "--limit", "2") == all.suffix(2))
        let gates = try events(place, "--type", "gate", "--type", "run.rejected")
        #expect(Set(gates.compactMap { $0["type"]?.text }).count == 3)
        let middle = try #require(all[all.count / 2]["time"]?.text)
        #expect(try events(place, "--since", middle) == all.filter { $0["time"]?.text ?? "" >= middle })
        let unknown = try place.martlet("events", "list", "--type", "runs")
        #expect(unknown.code == 64)
        #expect(unknown.errors.contains("events.type"))
        #expect(try place.martlet("events", "list", "--since", "noon").errors.contains("settings.time"))
        #expect(try place.martlet("events", "list").output.contains("run.rejected"))
    }
}

@Suite struct `Following events` {
    @Test func `prints what other processes do, until it is interrupted`() throws {
        let place = try Wards.written()
        try place.write("landing/visits/first.csv", Wards.first)
        // Before the first run there is no database yet.
        let follower = try Program.start(
            Program.path, ["events", "follow", "--json", "--after", "0"], in: place.folder)
        #expect(try place.martlet("run", "--to", "transform").code == 0)
        let count = try events(place).count
        #expect(count == 4)
        _ = try eventually { try follower.scratch.read("out").split(separator: "\n").count >= count }
        follower.process.interrupt()
        let outcome = try follower.finish()
        #expect(outcome.code == 0 && !outcome.isSignal, "\(outcome)")
        let lines = try outcome.output.split(separator: "\n").map { try JSON.decode(JSONValue.self, from: String($0)) }
        #expect(lines == (try events(place)))
    }

    @Test func `ends when nobody reads any more`() throws {
        let place = try Wards.run()
        let outcome = try Program.run(
            "/bin/sh", ["-c", "('\(Program.path)' events follow --after 0 --json; echo ended $? >&2) | head -n 1"],
            in: place.folder)
        #expect(outcome.errors == "ended 0\n", "\(outcome)")
        #expect(outcome.output.split(separator: "\n").count == 1)
    }

    @Test func `a consumer goes on where it was, and gets again what it is set back to`() throws {
        let place = try Wards.run()
        let all = try events(place)
        func follow(_ limit: Int) throws -> [JSONValue] {
            let outcome = try place.martlet("events", "follow", "--consumer", "mail", "--limit", "\(limit)", "--json")
            #expect(outcome.code == 0, "\(outcome)")
            return try outcome.output.split(separator: "\n").map { try JSON.decode(JSONValue.self, from: String($0)) }
        }
        #expect(try follow(3) == Array(all[..<3]))
        #expect(try follow(2) == Array(all[3..<5]))
        let consumers = try place.martlet("events", "consumers", "--json").json()
        #expect(consumers.at("0.position")?.integer == 5)
        #expect(consumers.at("0.behind")?.integer == all.count - 5)
        let replay = try place.martlet("events", "replay", "--consumer", "mail", "--from", "2", "--json").json()
        #expect(replay["again"]?.integer == 4)
        #expect(try follow(1) == [all[1]])
        let time = try #require(all[0]["time"]?.text)
        #expect(try place.martlet("events", "replay", "--consumer", "mail", "--from", time).code == 0)
        #expect(try follow(1) == [all[0]])
        let forward = try place.martlet("events", "replay", "--consumer", "mail", "--from", "4")
        #expect(forward.code == 64)
        #expect(forward.errors.contains("events.not-back"))
        #expect(try place.martlet("events", "replay", "--consumer", "post", "--from", "1").code == 1)
    }
}

private func events(_ place: Sandbox) throws -> [JSONValue] { try events(place, "--after", "0") }
