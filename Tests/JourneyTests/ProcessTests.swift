import Foundation
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
        let talk = try Program.interop(
            "process.py", [server.base, server.token, "\(server.process.processIdentifier)"])
        let said = try place.read("serve.log").suffix(2000)
        #expect(talk.code == 0, "\(talk)\n\(said)")
    }
}
