import Core
import TestSupport
import Testing

/// One thing that can be wrong, on a project that has run once.
struct BadInput: Sendable, CustomTestStringConvertible {
    var name: String
    /// Breaks it.
    var arrange: @Sendable (Sandbox) throws -> Void
    var arguments: [String]
    var exit: Int32
    /// The stable code in brackets; empty when the argument parser answers.
    var code: String
    /// What the message must also say.
    var words: [String]
    /// Files put back before looking at the tables: those that the case itself damaged.
    var restored: [String]
    /// What else puts it right.
    var mend: @Sendable (Sandbox) throws -> Void = { _ in }

    /// - Parameter arguments: the command to run; `martlet run` when left out.
    init(
        _ name: String, _ arguments: [String], exit: Int32 = 1, _ code: String, _ words: String...,
        restored: [String] = [], arrange: @escaping @Sendable (Sandbox) throws -> Void = { _ in }
    ) {
        self.name = name
        self.arrange = arrange
        self.arguments = arguments
        self.exit = exit
        self.code = code
        self.words = words
        self.restored = restored
    }

    init(
        _ name: String, _ code: String, _ words: String..., restored: [String] = [],
        arrange: @escaping @Sendable (Sandbox) throws -> Void
    ) {
        self.init(name, ["run"], code, restored: restored, arrange: arrange)
        self.words = words
    }

    func mended(_ body: @escaping @Sendable (Sandbox) throws -> Void) -> BadInput {
        var bad = self
        bad.mend = body
        return bad
    }

    var testDescription: String { name }

    /// A file among the landed ones.
    static func landed(_ name: String, _ code: String, _ words: String..., bytes: [UInt8]) -> BadInput {
        var bad = BadInput(name, code) { try $0.write("landing/visits/new.csv", bytes: bytes) }
        bad.words = ["new.csv"] + words
        return bad
    }

    /// A replaced text in martlet.yaml.
    static func yaml(_ name: String, _ old: String, _ new: String, _ code: String, _ words: String...) -> BadInput {
        var bad = BadInput(name, code) { try $0.edit("martlet.yaml", old, new) }
        bad.words = words
        return bad
    }

    /// Another text of a transform.
    static func sql(_ name: String, silver: String? = nil, gold: String? = nil, _ code: String, _ words: String...)
        -> BadInput
    {
        var bad = BadInput(name, code) { place in
            if let silver { try place.write("transforms/silver/visits.sql", silver) }
            if let gold { try place.write("transforms/gold/visits.sql", gold) }
        }
        bad.words = (code.hasPrefix("sql.") || code.hasPrefix("transform.") ? ["visits.sql"] : []) + words
        return bad
    }

    static let all = configuration + contracts + files + transforms + state + commands
}

@Suite struct `Bad input` {
    private func counts(_ place: Sandbox) throws -> JSONValue {
        let counts = Wards.counts.keys.sorted().map { "(SELECT count(*) FROM \($0)) AS \"\($0)\"" }
        return try #require(try place.sql("SELECT \(counts.joined(separator: ", "))").first)
    }

    @Test(arguments: BadInput.all)
    func `is answered with a sentence and the right exit code, and nothing is lost`(_ bad: BadInput) throws {
        let place = try Wards.run()
        let sound = try bad.restored.map { ($0, try place.bytes($0)) }
        try bad.arrange(place)
        let outcome = try place.martlet(bad.arguments)
        #expect(outcome.isClean, "\(outcome)")
        // A file with too large a share of bad rows is refused by the contract, as by a gate.
        let exit = outcome.errors.contains("break the contract, more than") ? 2 : bad.exit
        #expect(outcome.code == exit, "\(outcome)")
        #expect(outcome.errors.contains(bad.code.isEmpty ? "Usage:" : "[\(bad.code)]"), "\(outcome)")
        for word in bad.words { #expect(outcome.errors.contains(word), "\(word) in \(outcome)") }
        let isAsking = BadInput.commands.contains { $0.name == bad.name }
        if !isAsking {
            let again = try place.martlet(bad.arguments)
            #expect(again.code == exit && again.isClean, "the second time: \(again)")
        }

        try Wards.mend(place)
        try bad.mend(place)
        for (name, bytes) in sound { try place.write(name, bytes: bytes) }
        // Before anything is run again: every table can be read, and what came in is all there.
        let early = try counts(place)
        #expect(early["bronze.visits"]?.integer == Wards.counts["bronze.visits"])
        #expect((early["quarantine.visits"]?.integer ?? 0) >= 3)
        if !isAsking {
            let run = try place.martlet("run", "--json")
            #expect(run.code == 0, "once mended: \(run)")
            // Where the bad input could be trained on, there is a later version now; the champion stays.
            if try run.json().at("models.0.version.version")?.integer != 1 {
                #expect(try place.martlet("models", "list", "--json").json().at("0.champion")?.integer == 1)
            }
        }
        let isWhole = Wards.counts.allSatisfy { early[$0.key]?.integer == $0.value || $0.key == "quarantine.visits" }
        let late = isWhole ? early : try counts(place)
        for (table, count) in Wards.counts where table != "quarantine.visits" {
            #expect(late[table]?.integer == count, "\(table)")
        }
    }
}
