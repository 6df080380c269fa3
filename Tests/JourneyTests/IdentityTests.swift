import Core
import Testing

@Suite struct `People and tokens at the command line` {
    private let password = "correct horse battery staple"

    private func place() throws -> Sandbox {
        let place = try Sandbox()
        #expect(try place.martlet("init", "demo", "--template", "blank").code == 0)
        return place
    }

    /// `martlet` with a first line of standard input.
    private func martlet(_ place: Sandbox, typing line: String, _ arguments: String) throws -> Outcome {
        try Program.run(
            "/bin/sh", ["-c", "printf '%s\\n' \"$1\" | \(Program.path) \(arguments)", "sh", line],
            in: place.path("demo"))
    }

    private func martlet(_ place: Sandbox, _ arguments: String...) throws -> Outcome {
        try Program.run(arguments, in: place.path("demo"))
    }

    @Test func `people are added, moved and disabled, and all of it is in the audit`() throws {
        let place = try place()
        #expect(try martlet(place, "users", "list").errors.contains("project.not-run"))
        let added = try martlet(place, typing: password, "users add ada --role admin --json")
        #expect(added.code == 0 && !added.all.contains(password), "\(added)")
        #expect(try added.json()["role"]?.text == "admin")
        #expect(try martlet(place, typing: "short", "users add bob --role viewer").errors.contains("identity.password"))
        #expect(try martlet(place, typing: password, "users add bob --role viewer").code == 0)
        #expect(try martlet(place, "users", "disable", "ada").code == 2)
        #expect(try martlet(place, "users", "role", "bob", "admin").code == 0)
        #expect(try martlet(place, "users", "disable", "ada").code == 0)
        #expect(try martlet(place, typing: password + "!", "users password bob").code == 0)
        #expect(try martlet(place, "users", "role", "bop", "viewer").errors.contains("Did you mean bob?"))
        #expect(try martlet(place, "users", "role", "bob", "root").code == 64)
        let audit = try martlet(place, "audit", "list", "--json").output.split(separator: "\n")
            .compactMap { JSONValue(parsing: String($0)) }
        #expect(
            audit.compactMap { $0["action"]?.text } == [
                "user.added", "user.added", "user.role-changed", "user.disabled", "user.password-changed",
            ])
        #expect(audit.allSatisfy { $0["actor"]?.text?.hasPrefix("local:") == true })
        #expect(audit.at(2)["before"]?["role"]?.text == "viewer" && audit.at(2)["after"]?["role"]?.text == "admin")
    }

    @Test func `a token is shown once, and its file does not hold it`() throws {
        let place = try place()
        let made = try martlet(place, "tokens", "create", "ci", "--role", "operator", "--json")
        let secret = try #require(try made.json()["secret"]?.text)
        #expect(secret.hasPrefix("martlet_") && secret.utf8.count == 51)
        #expect(try made.json()["project"]?.text == "demo")
        let plain = try martlet(place, "tokens", "create", "all", "--all-projects", "--expires", "never")
        #expect(plain.output.utf8.count == 52 && plain.errors.contains("all projects, for good"), "\(plain)")
        for name in place.list("demo/.martlet") where name.hasPrefix("martlet.db") {
            let text = String(decoding: try place.bytes("demo/.martlet/\(name)"), as: UTF8.self)
            #expect(!text.contains(secret.dropFirst(12)) && !text.contains(plain.output.dropFirst(12).dropLast()))
        }
        let list = try martlet(place, "tokens", "list", "--json")
        #expect(!list.output.contains(secret.dropFirst(12)))
        #expect(try list.json().list?.compactMap { $0["name"]?.text }.sorted() == ["all", "ci"])
        #expect(try martlet(place, "tokens", "revoke", String(secret.prefix(12))).code == 0)
        #expect(try martlet(place, "tokens", "revoke", "ci").errors.contains("identity.revoked"))
        #expect(try martlet(place, "tokens", "list").output.contains("revoked by local:"))
    }

    @Test(arguments: ["yesterday", "0d", "-3d", "2020-01-01", "3y", "d"])
    func `a token's end must be one`(_ when: String) throws {
        let outcome = try martlet(try place(), "tokens", "create", "ci", "--expires=\(when)")
        #expect(outcome.code != 0 && outcome.isClean, "\(outcome)")
        #expect(outcome.errors.contains("settings.time") || outcome.errors.contains("identity.expiry"), "\(outcome)")
    }
}

extension [JSONValue] {
    fileprivate func at(_ index: Int) -> JSONValue { indices.contains(index) ? self[index] : .null }
}
