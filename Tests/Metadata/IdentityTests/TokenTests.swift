import Core
import Identity
import SQLText
import SQLite
import TestSupport
import Testing

struct TokenTests {
    private func known(_ gate: Gate) throws -> PrincipalCache {
        let known = PrincipalCache(gate.store)
        try known.refresh()
        return known
    }

    @Test func `a token is known by its secret, which is nowhere in the file`() throws {
        let gate = try Gate()
        let (token, secret) = try gate.store.createToken("scoring", role: .viewer, project: "lab", expires: nil)
        #expect(secret.text.count == 51 && secret.text.hasPrefix("martlet_"))
        #expect(token.prefix == String(secret.text.prefix(12)))
        let principal = try #require(try known(gate).principal(token: secret.text, at: gate.virtual.time))
        #expect(principal.actor == "token:scoring" && principal.role == .viewer && principal.project == "lab")
        for table in ["api_tokens", "audit", "identity_generation"] {
            let rows = try gate.database.read { try $0.rows("SELECT * FROM \(identifier: table)") }
            #expect(!"\(rows)".contains(secret.text.dropFirst(12)), "\(table)")
        }
    }

    @Test func `a wrong secret is nobody's, however near`() throws {
        let gate = try Gate()
        let (_, secret) = try gate.store.createToken("scoring", role: .admin, project: nil, expires: nil)
        let known = try known(gate)
        for text in [
            "", String(secret.text.dropLast()), secret.text + "A", secret.text.lowercased(), secret.digest.hex,
            "martlet_", secret.text + "\u{0}",
        ] {
            #expect(known.principal(token: text, at: gate.virtual.time) == nil, "\(text)")
        }
    }

    @Test func `a token ends at its time and when it is revoked`() throws {
        let gate = try Gate()
        let known = try known(gate)
        let (_, secret) = try gate.store.createToken("a", role: .viewer, project: nil, expires: gate.later(60))
        #expect(known.principal(token: secret.text, at: gate.virtual.time) == nil, "nobody has looked yet")
        #expect(try known.refresh())
        #expect(try !known.refresh(), "nothing has changed")
        #expect(known.principal(token: secret.text, at: gate.later(59)) != nil)
        #expect(known.principal(token: secret.text, at: gate.later(60)) == nil)
        let revoked = try gate.store.revokeToken("a")
        #expect(revoked.revokedBy == "local:ada")
        #expect(try known.refresh())
        #expect(known.principal(token: secret.text, at: gate.virtual.time) == nil)
        #expect(code { try gate.store.revokeToken("a") } == "identity.revoked")
        #expect(code { try gate.store.revokeToken("b") } == "identity.unknown-token")
    }

    @Test func `a clock that goes forward and back again loses no token and no session`() throws {
        let gate = try Gate()
        let (_, secret) = try gate.store.createToken("a", role: .viewer, project: nil, expires: gate.later(3600))
        let known = try known(gate)
        let real = gate.virtual.time
        gate.virtual.advance(seconds: 100_000)
        // A change of identity while the clock is wrong: what seems to have expired is not read.
        _ = try gate.store.createToken("b", role: .viewer, project: nil, expires: nil)
        #expect(try known.refresh())
        #expect(known.principal(token: secret.text, at: gate.virtual.time) == nil)
        gate.virtual.set(back: 100_000)
        #expect(try known.refresh(), "it looks again when the clock goes back")
        #expect(known.principal(token: secret.text, at: real) != nil)
        #expect(try !known.refresh(), "once")
    }

    @Test func `names are taken for ever, and a time that has passed is refused`() throws {
        let gate = try Gate()
        _ = try gate.store.createToken("a", role: .viewer, project: nil, expires: nil)
        try gate.store.revokeToken("a")
        #expect(
            code { _ = try gate.store.createToken("a", role: .viewer, project: nil, expires: nil) }
                == "identity.name-taken")
        #expect(
            code { _ = try gate.store.createToken("b", role: .viewer, project: nil, expires: gate.virtual.time) }
                == "identity.expiry")
    }

    @Test func `the last use is kept, to the second, and is no change`() throws {
        let gate = try Gate()
        let (_, secret) = try gate.store.createToken("a", role: .viewer, project: nil, expires: nil)
        let known = try known(gate)
        let actions = try gate.actions()
        _ = known.principal(token: secret.text, at: gate.later(5))
        _ = known.principal(token: secret.text, at: gate.later(7))
        _ = known.principal(token: secret.text, at: gate.later(6))
        try known.noteUses()
        #expect(try gate.store.tokens().first?.lastUsed == gate.later(7))
        #expect(try !known.refresh())
        #expect(try gate.actions() == actions)
        // A change of anything must not lose what was not written down yet.
        _ = known.principal(token: secret.text, at: gate.later(9))
        _ = try gate.store.createToken("b", role: .viewer, project: nil, expires: nil)
        try known.refresh()
        #expect(try gate.store.tokens().first { $0.name == "a" }?.lastUsed == gate.later(9))
    }

    @Test func `a token may do what its role may, in its project only`() throws {
        let lab = Principal(kind: .token, id: "1", name: "a", role: .operator, project: "lab")
        #expect(lab.may(.startTraining, in: "lab") && lab.may(.predict))
        #expect(!lab.may(.startTraining, in: "hospital") && !lab.may(.predict, in: "hospital"))
        #expect(!lab.may(.changeDeployment, in: "lab"))
        #expect(Principal(kind: .user, id: "1", name: "a", role: .viewer).may(.predict, in: "hospital"))
    }

    /// A role that may do something is never refused what a lower one may: roles are an order.
    @Test(arguments: Permission.allCases)
    func `every permission is somebody's, and each higher role has it too`(_ permission: Permission) throws {
        #expect(permission.isAllowed(to: .admin))
        let allowed = Role.allCases.filter { permission.isAllowed(to: $0) }
        #expect(allowed == Array(Role.allCases.suffix(allowed.count)))
    }
}
