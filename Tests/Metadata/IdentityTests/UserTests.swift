import Core
import Identity
import TestSupport
import Testing

struct UserTests {
    @Test func `a person logs in with the right password only`() throws {
        let gate = try Gate()
        try gate.store.addUser("ada", role: .approver, password: good)
        #expect(try gate.store.authenticate("ada", good)?.role == .approver)
        #expect(try gate.store.authenticate("ada", good + " ") == nil)
        #expect(try gate.store.authenticate("ada", "") == nil)
        #expect(try gate.store.authenticate("Ada", good) == nil)
        #expect(try gate.store.authenticate("eve", good) == nil)
    }

    @Test func `names are taken once and are plain`() throws {
        let gate = try Gate()
        try gate.store.addUser("ada", role: .viewer, password: good)
        #expect(code { try gate.store.addUser("ada", role: .admin, password: good) } == "identity.name-taken")
        for name in ["", "Ada", "-ada", "a b", "a/b", "ada\u{0}", "änne", String(repeating: "a", count: 65)] {
            #expect(code { try gate.store.addUser(name, role: .viewer, password: good) } == "identity.name", "\(name)")
        }
    }

    @Test func `somebody who may do everything always stays`() throws {
        let gate = try Gate()
        try gate.store.addUser("ada", role: .admin, password: good)
        #expect(code { try gate.store.setRole(of: "ada", to: .viewer) } == "identity.last-admin")
        #expect(code { try gate.store.setDisabled("ada", true) } == "identity.last-admin")
        try gate.store.addUser("bob", role: .admin, password: good)
        try gate.store.setDisabled("ada", true)
        #expect(code { try gate.store.setRole(of: "bob", to: .operator) } == "identity.last-admin")
        #expect(try gate.store.users().map(\.role) == [.admin, .admin])
        #expect(try gate.store.authenticate("ada", good) == nil)
        try gate.store.setDisabled("ada", false)
        #expect(try gate.store.authenticate("ada", good) != nil)
    }

    @Test func `a role that changes, a person who is disabled and a new password hold at once`() throws {
        let gate = try Gate()
        let known = PrincipalCache(gate.store)
        let ada = try gate.store.addUser("ada", role: .operator, password: good)
        func open() throws -> String { try gate.store.openSession(for: ada, seconds: 3600).id }
        func role(_ session: String) throws -> Role? {
            try known.refresh()
            return known.principal(session: session, at: gate.virtual.time)?.role
        }
        let first = try open()
        #expect(try role(first) == .operator)
        try gate.store.setRole(of: "ada", to: .viewer)
        #expect(try role(first) == .viewer)
        try gate.store.setPassword(of: "ada", to: "another long password")
        #expect(try role(first) == nil)
        #expect(try gate.store.authenticate("ada", good) == nil)
        #expect(try gate.store.authenticate("ada", "another long password") != nil)
        let second = try open()
        #expect(try role(second) == .viewer)
        try gate.store.setDisabled("ada", true)
        #expect(try role(second) == nil)
        try gate.store.setDisabled("ada", false)
        #expect(try role(second) == nil, "what was ended stays ended")
    }

    @Test func `sessions end at their time and by themselves only once`() throws {
        let gate = try Gate()
        let known = PrincipalCache(gate.store)
        let ada = try gate.store.addUser("ada", role: .viewer, password: good)
        let session = try gate.store.openSession(for: ada, seconds: 60)
        try known.refresh()
        #expect(known.principal(session: session.id, at: gate.later(59)) != nil)
        #expect(known.principal(session: session.id, at: gate.later(60)) == nil)
        let other = try gate.store.openSession(for: ada, seconds: 60)
        try gate.store.endSession(other.id, of: "ada")
        try gate.store.endSession(other.id, of: "ada")
        try known.refresh()
        #expect(known.principal(session: other.id, at: gate.virtual.time) == nil)
        #expect(known.principal(session: session.id, at: gate.virtual.time) != nil)
        #expect(try gate.actions().filter { $0 == "session.ended" }.count == 1)
    }
}
