import Core
import Foundation
import TestSupport
import Testing

/// The server that runs, with every route of its document, the fast path in front of the router included.
@Suite(.needs("python3")) struct `Every route and every role` {
    @Test func `each may what is written down, by both ways in`() throws {
        let place = try LookAlikes.downtime()
        func token(_ name: String, _ role: String) throws -> String {
            let outcome = try place.martlet("tokens", "create", name, "--role", role)
            guard outcome.code == 0 else { throw Unusable(what: "\(outcome)") }
            return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        var tokens: [String: String] = [:]
        for role in ["viewer", "operator", "approver", "admin"] { tokens[role] = try token(role, role) }
        try place.edit("martlet.yaml", "name: downtime\n", "name: elsewhere\n")
        tokens["elsewhere"] = try token("elsewhere", "admin")
        try place.edit("martlet.yaml", "name: elsewhere\n", "name: downtime\n")
        let server = try RunningServer(place, "--workers", "0")

        let table = JSONValue.object([
            "least": .object(LeastRole.ofRoute.mapValues { .text($0) }),
            "nobody": .list(LeastRole.nobody.sorted().map { .text($0) }),
            "no_project": .list(LeastRole.ofNoProject.sorted().map { .text($0) }),
            "tokens": .object(tokens.mapValues { .text($0) }),
        ])
        try place.write("table.json", bytes: try JSON.encode(table))
        let script = "\(Program.root)/scripts/interop/access.py"
        let outcome = try Program.run(
            "/bin/sh", ["-c", "exec python3 '\(script)' \(server.port) downtime <table.json"], in: place.folder)
        #expect(outcome.code == 0, "\(outcome)")
    }
}
