import Core
import Identity
import TestSupport
import Testing

struct SetupTests {
    @Test func `a link makes the first admin, once`() throws {
        let gate = try Gate()
        let secret = try #require(try gate.store.setupSecret(seconds: 600)).text
        #expect(try gate.store.isSetupSecret(secret))
        let ada = try gate.store.setUp(secret, name: "ada", password: good)
        #expect(ada.role == .admin)
        #expect(try !gate.store.isSetupSecret(secret))
        #expect(code { _ = try gate.store.setUp(secret, name: "eve", password: good) } == "identity.setup")
        #expect(try gate.store.setupSecret(seconds: 600) == nil, "there is somebody already")
    }

    @Test func `a link ends at its time, and when another is given`() throws {
        let gate = try Gate()
        let first = try #require(try gate.store.setupSecret(seconds: 600)).text
        let second = try #require(try gate.store.setupSecret(seconds: 600)).text
        #expect(code { _ = try gate.store.setUp(first, name: "ada", password: good) } == "identity.setup")
        gate.virtual.advance(seconds: 600)
        #expect(code { _ = try gate.store.setUp(second, name: "ada", password: good) } == "identity.setup")
        #expect(code { _ = try gate.store.setUp("", name: "ada", password: good) } == "identity.setup")
        #expect(try gate.store.users().isEmpty)
    }

    @Test func `a link does nothing once there is somebody`() throws {
        let gate = try Gate()
        let secret = try #require(try gate.store.setupSecret(seconds: 600)).text
        try gate.store.addUser("bob", role: .viewer, password: good)
        #expect(code { _ = try gate.store.setUp(secret, name: "ada", password: good) } == "identity.setup")
    }

    @Test func `a bad password does not use the link up`() throws {
        let gate = try Gate()
        let secret = try #require(try gate.store.setupSecret(seconds: 600)).text
        #expect(code { _ = try gate.store.setUp(secret, name: "ada", password: "short") } == "identity.password")
        #expect(try gate.store.setUp(secret, name: "ada", password: good).name == "ada")
    }
}
