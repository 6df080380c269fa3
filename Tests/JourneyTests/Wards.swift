import TestSupport

extension Wards {
    /// The project's files with nothing landed.
    static func written() throws -> Sandbox {
        let place = try Sandbox()
        try place.write("martlet.yaml", configuration)
        try place.write("contracts/visits.yaml", contract)
        try place.write("transforms/silver/visits.sql", silver)
        try place.write("transforms/gold/visits.sql", gold)
        return place
    }

    private static let finished = Result {
        let place = try written()
        try place.write("landing/visits/first.csv", first)
        try place.write("landing/visits/later.csv", unlabelled)
        let outcome = try place.martlet("run")
        guard outcome.code == 0 else { throw Unusable(what: "\(outcome)") }
        return place
    }

    /// A copy of the project after its first run: every layer has a table, stay@1 is the champion.
    static func run() throws -> Sandbox { try Sandbox(copyOf: finished.get()) }

    /// Writes configuration, contract and SQL anew, as they were, and takes away what has landed since.
    static func mend(_ place: Sandbox) throws {
        try place.write("martlet.yaml", configuration)
        try place.write("contracts/visits.yaml", contract)
        try? place.remove("transforms")
        try place.write("transforms/silver/visits.sql", silver)
        try place.write("transforms/gold/visits.sql", gold)
        for name in place.list("landing/visits") where name != "first.csv" && name != "later.csv" {
            try place.remove("landing/visits/\(name)")
        }
    }
}
