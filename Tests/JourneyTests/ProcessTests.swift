import Foundation
import Testing
import Vocabulary

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
}
