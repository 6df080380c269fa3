import Core
import Identity
import SQLText
import SQLite
import TestSupport
import Testing

struct AuditTests {
    /// A gate with something of everything in it.
    private func lived() throws -> Gate {
        let gate = try Gate()
        let store = gate.store
        let secret = try #require(try store.setupSecret(seconds: 60)).text
        let ada = try store.setUp(secret, name: "ada", password: good)
        _ = try store.openSession(for: ada, seconds: 60)
        _ = try store.createToken("scoring", role: .viewer, project: "lab", expires: nil)
        _ = try store.createToken("old", role: .viewer, project: "lab", expires: nil)
        try store.revokeToken("old")
        return gate
    }

    @Test func `says who, what, before, after and in which request`() throws {
        let gate = try lived()
        try gate.store.addUser("bob", role: .viewer, password: good)
        let eve = gate.store.acting(as: Author(actor: "token:eve", request: "r9"))
        try eve.setRole(of: "bob", to: .operator)
        let entry = try #require(try gate.store.audit.newest(AuditQuery(limit: 1)).first)
        #expect(entry.actor == "token:eve" && entry.request == "r9" && entry.action == "user.role-changed")
        #expect(entry.subject == "users/bob")
        #expect(entry.before == .object(["role": .text("viewer")]))
        #expect(entry.after == .object(["role": .text("operator")]))
        #expect(try gate.store.audit.list(AuditQuery(actor: "token:eve", limit: 9)).entries.count == 1)
        #expect(
            try gate.store.audit.list(AuditQuery(subject: "tokens", limit: 9)).entries.map(\.action)
                == ["token.created", "token.created", "token.revoked"])
        #expect(try gate.store.audit.list(AuditQuery(subject: "users/bob", limit: 9)).entries.count == 2)
        #expect(try gate.store.audit.list(AuditQuery(subject: "users/bo", limit: 9)).entries.isEmpty)
    }

    @Test func `is asked by time and by action`() throws {
        let gate = try Gate()
        for day in 0..<3 {
            try gate.store.addUser("user\(day)", role: .viewer, password: good)
            try gate.store.setDisabled("user\(day)", true)
            gate.virtual.advance(seconds: 86_400)
        }
        let start = Timestamp(microseconds: gate.virtual.time.microseconds - 3 * 86_400_000_000)
        func subjects(_ query: AuditQuery) throws -> [String] {
            let entries = try gate.store.audit.list(query).entries
            #expect(try entries.map(\.position) == gate.store.audit.newest(query).map(\.position))
            #expect(try gate.store.audit.count(query) == entries.count)
            return entries.map { String($0.subject.suffix(1)) }
        }
        #expect(try subjects(AuditQuery(action: "user.added")) == ["0", "1", "2"])
        #expect(try subjects(AuditQuery(action: "user")).count == 6)
        #expect(try subjects(AuditQuery(action: "use")).isEmpty)
        let second = Timestamp(microseconds: start.microseconds + 86_400_000_000)
        let third = Timestamp(microseconds: second.microseconds + 86_400_000_000)
        #expect(try subjects(AuditQuery(action: "user.added", since: second)) == ["1", "2"])
        #expect(try subjects(AuditQuery(action: "user.added", since: second, until: third)) == ["1"])
        #expect(try subjects(AuditQuery(action: "user.added", until: second)) == ["0"])
    }

    @Test func `of several projects it is one list by time, told once page by page`() throws {
        let gates = try (0..<3).map { _ in try Gate() }
        for number in 0..<12 {
            // Two at each moment, in different databases.
            for _ in 0..<2 {
                let gate = gates[(number * 7 + 1) % 3]
                let at = Timestamp(microseconds: Int64(number / 2) * 1_000_000)
                try gate.database.write {
                    try AuditTable($0).append(
                        AuditDraft("alias.moved", "models/m\(number)"), by: Author(actor: "local:ada"), at: at)
                }
            }
        }
        let audit = ServerAudit(gates.map(\.database) + [gates[0].database])
        let whole = try audit.list(AuditQuery(limit: .max)).entries
        #expect(whole.count == 24)
        #expect(whole.map(\.at) == whole.map(\.at).sorted())
        #expect(try audit.count(AuditQuery()) == 24)
        for size in [1, 3, 5, 24] {
            var seen: [AuditEntry] = []
            var place: ServerAudit.Place?
            repeat {
                let page = try audit.list(AuditQuery(limit: size), behind: place)
                seen += page.entries
                place = page.next.flatMap { ServerAudit.Place($0.description) }
            } while place != nil && seen.count < 100
            #expect(seen == whole, "pages of \(size)")
        }
        #expect(try audit.newest(AuditQuery(limit: 5)) == whole.suffix(5))
    }

    @Test func `what is refused is not in it, and changes nothing`() throws {
        let gate = try lived()
        let before = try gate.actions()
        _ = code { try gate.store.addUser("ada", role: .viewer, password: good) }
        _ = code { try gate.store.setDisabled("ada", true) }
        _ = code { try gate.store.revokeToken("old") }
        #expect(try gate.actions() == before)
    }

    @Test(arguments: [
        "UPDATE audit SET actor = 'mallory'", "DELETE FROM audit", "DELETE FROM audit WHERE position = 1",
        "INSERT OR REPLACE INTO audit SELECT position, at, 'mallory', action, subject, project, was, became, request FROM audit",
        "INSERT INTO audit SELECT position + 100, at, 'mallory', action, subject, project, was, became, request FROM audit",
        "DELETE FROM users", "UPDATE users SET name = 'mallory'", "UPDATE users SET id = 'x'",
        "INSERT OR REPLACE INTO users SELECT id, name, 'admin', 'x', created, created_by, NULL FROM users",
        "UPDATE users SET role = 'root'",
        "DELETE FROM api_tokens", "UPDATE api_tokens SET role = 'admin'", "UPDATE api_tokens SET project = NULL",
        "UPDATE api_tokens SET revoked = NULL, revoked_by = NULL", "UPDATE api_tokens SET expires = 1",
        "UPDATE api_tokens SET hash = 'x', revoked = 1, revoked_by = 'x' WHERE name = 'scoring'",
        "INSERT OR REPLACE INTO api_tokens SELECT id, name, prefix, hash, NULL, 'admin', created, created_by, NULL, NULL, NULL FROM api_tokens",
        "UPDATE sessions SET expires = 9e15", "UPDATE sessions SET user_id = 'x', ended = 1",
        "UPDATE setup_links SET used = NULL", "DELETE FROM setup_links", "UPDATE setup_links SET expires = 9e15",
        "UPDATE identity_generation SET number = 0", "DELETE FROM identity_generation",
        "INSERT OR REPLACE INTO identity_generation VALUES (1, 0)",
    ])
    func `the database itself refuses`(_ statement: String) throws {
        let gate = try lived()
        func state() throws -> [[SQLRow]] {
            try ["audit", "users", "api_tokens", "sessions", "setup_links", "identity_generation"].map { table in
                try gate.database.read { try $0.rows("SELECT * FROM \(identifier: table)") }
            }
        }
        let before = try state()
        #expect(
            code { try gate.database.write { _ = try $0.execute(TestDatabase.foreign(statement)) } }
                == "metadata.constraint")
        #expect(try state() == before)
    }
}
