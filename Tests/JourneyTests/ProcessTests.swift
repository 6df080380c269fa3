import Core
import Foundation
import TestSupport
import Testing

/// Raw rows over HTTP, with a feature worker that is killed in between.
@Suite(.needsInterop) struct `Raw rows` {
    @Test func `are made features, scored, and outlive the worker`() throws {
        let place = try Wards.written()
        try place.edit("contracts/visits.yaml", "key: [visit_id]", "key: [visit_id]\nevent_time: seen_at")
        try place.write("landing/visits/first.csv", Wards.csv(Wards.rows(0..<600)))
        let run = try place.martlet("run")
        try #require(run.code == 0, "\(run)")
        let server = try RunningServer(serving: place, role: "operator")
        let viewer = try Program.run(["tokens", "create", "looks", "--role", "viewer"], in: place.folder).output
        let talk = try Program.interop(
            "process.py",
            [
                server.base, server.token, String(viewer.split(separator: "\n").last ?? ""),
                "\(server.process.processIdentifier)",
            ])
        let said = try place.read("serve.log").suffix(2000)
        #expect(talk.code == 0, "\(talk)\n\(said)")
        let audit = try place.martlet("audit", "--json").output
        #expect(audit.contains("rows.stored") && audit.contains("token:all"), "\(audit.suffix(2000))")

        // Rows that fit no more are left out one by one, and told of; the others count.
        server.process.terminate()
        server.process.waitUntilExit()
        let journal = try #require(place.files(".martlet/process", ending: ".jsonl").first)
        let stored = try place.read(journal)
        let first = try #require(stored.range(of: "\"weight\":91.5"))
        try place.write(journal, stored.replacingCharacters(in: first, with: "\"weight\":240"))
        try place.edit("contracts/visits.yaml", "max: 250", "max: 200")
        let greeted = try Program.run("/bin/sh", ["-c", "\(Program.path) features < /dev/null"], in: place.folder)
        let greeting = JSONValue(parsing: greeted.output)
        #expect(greeting?["ready"]?.flag == true && greeting?["skipped_rows"]?.integer == 1, "\(greeted)")
        #expect(greeting?["skipped_because"]?.text?.contains("weight must keep to: max 200") == true, "\(greeted)")
        #expect(greeted.errors.contains("1 stored row does not fit"), "\(greeted)")
    }

    /// What a worker says to these requests, and one that starts anew to the last of them.
    private func told(_ place: Sandbox, _ requests: [String]) throws -> (before: JSONValue?, after: JSONValue?) {
        try place.write("requests", requests.map { $0 + "\n" }.joined())
        let before = try Program.run("/bin/sh", ["-c", "\(Program.path) features <requests"], in: place.folder)
        let again = "tail -n1 requests | \(Program.path) features"
        let after = try Program.run("/bin/sh", ["-c", again], in: place.folder)
        func last(_ outcome: Outcome) -> JSONValue? {
            outcome.output.split(separator: "\n").last.flatMap { JSONValue(parsing: $0.utf8) }?["records"]
        }
        return (last(before), last(after))
    }

    @Test func `that complete one another are the same after the worker starts anew`() throws {
        let place = try Wards.written()
        try place.edit("contracts/visits.yaml", "key: [visit_id]", "key: [visit_id]\nevent_time: seen_at")
        try place.edit(
            "contracts/visits.yaml", "readings: {type: integer, min: 0}",
            """
            readings: {type: integer, min: 0}
              later: {type: integer, optional: true, available_at: noted_at}
              noted_at: {type: timestamp, optional: true, available_at: noted_at}
            """)
        try place.write("landing/visits/first.csv", Wards.csv(Wards.rows(0..<600)))
        let run = try place.martlet("run")
        try #require(run.code == 0, "\(run)")
        func row(_ weight: Double, _ more: String = "") -> String {
            let cells = #""seen_at":"2026-04-01T08:00:00","ward":"north","note":"a","readings":2"#
            return #"{"rows":{"visits":[{"visit_id":9001,\#(cells),"weight":\#(weight)\#(more)}]}}"#
        }
        let asked = #"{"keys":["9001"]}"#
        // The second and the third tell something that was not known, and of the rest the first counts.
        let (before, after) = try told(
            place, [row(71.5), row(99.5, #","noted_at":"2026-04-01T09:00:00""#), row(120.5, #","later":3"#), asked])
        #expect(before?.list?.first?["features"]?["weight"]?.number == 71.5, "\(String(describing: before))")
        #expect(before == after)

        // Another worker has kept the same key in the meantime: what came first counts for both.
        let journal = try #require(place.files(".martlet/process", ending: ".jsonl").first)
        let lines = try place.read(journal).split(separator: "\n")
        #expect(lines.count == 3)
        let other = row(133.5, #","later":5,"noted_at":"2026-04-01T10:00:00""#)
        try place.write(journal, (lines.map(String.init) + [other, ""]).joined(separator: "\n"))
        #expect(try told(place, [asked]).after == after)
    }

    @Test func `of several models leave the disk when each has found its own in the lake`() throws {
        let place = try Wards.written()
        try place.edit("contracts/visits.yaml", "key: [visit_id]", "key: [visit_id]\nevent_time: seen_at")
        try place.edit("martlet.yaml", "sources:\n", "sources:\n  stays:\n    csv: {missing: [\"NA\"]}\n")
        let model = try #require(Wards.configuration.range(of: "  - name: stay"))
        let again = Wards.configuration[model.lowerBound...]
            .replacingOccurrences(of: "name: stay", with: "name: again")
            .replacingOccurrences(of: "gold.visits", with: "gold.stays")
        try place.write("martlet.yaml", place.read("martlet.yaml") + again)
        try place.write("contracts/stays.yaml", place.read("contracts/visits.yaml"))
        for layer in ["silver", "gold"] {
            let sql = try place.read("transforms/\(layer)/visits.sql")
            try place.write("transforms/\(layer)/stays.sql", sql.replacingOccurrences(of: ".visits", with: ".stays"))
        }
        for source in ["visits", "stays"] {
            try place.write("landing/\(source)/first.csv", Wards.csv(Wards.rows(0..<600)))
        }
        let run = try place.martlet("run")
        try #require(run.code == 0, "\(run)")
        let name = ".martlet/process/rows-2026-01-02.jsonl"
        // A row of each, both of which the lake has; and then one of the second model that it has not.
        let known = #"{"visit_id":7,"seen_at":"2026-03-08T08:17:00","ward":"north","weight":71.5,"readings":2}"#
        func starts(_ model: String) throws -> Int {
            let outcome = try Program.run(
                "/bin/sh", ["-c", "\(Program.path) features --model \(model) </dev/null"], in: place.folder)
            return JSONValue(parsing: outcome.output)?["pruned_files"]?.integer ?? 0
        }
        for (other, removed) in [(known, 1), (known.replacingOccurrences(of: ":7,", with: ":7007,"), 0)] {
            try place.write(
                name, #"{"rows":{"visits":[\#(known)]}}"# + "\n" + #"{"rows":{"stays":[\#(other)]}}"# + "\n")
            #expect(try starts("stay") == 0)
            #expect(try starts("again") == removed)
            #expect(place.exists(name) == (removed == 0))
        }
    }
}
