import Core

/// The two templates with made-up rows, run once and copied for each test.
enum LookAlikes {
    private static let finishedReadmission = Result {
        let place = try Sandbox()
        try make(place, "readmission", rows: 20_000, source: "encounters")
        // Gates and rounds for a fifth of the rows.
        try place.edit("martlet.yaml", "{metric: pr_auc, at_least: 0.18}", "{metric: pr_auc, at_least: 0.1}")
        try place.edit("martlet.yaml", "{metric: roc_auc, at_least: 0.66}", "{metric: roc_auc, at_least: 0.55}")
        try place.edit("martlet.yaml", "{metric: ece, at_most: 0.02}", "{metric: ece, at_most: 0.1}")
        try place.edit("martlet.yaml", "at_least: 0.85", "at_least: 0.3")
        try place.edit("martlet.yaml", "at_most: 1.15", "at_most: 3")
        try place.edit("martlet.yaml", "rounds: 2000", "rounds: 150")
        try expect(try place.martlet("run"), 0)
        return place
    }

    private static let finishedDowntime = Result {
        let place = try Sandbox()
        try make(place, "downtime", rows: 2500, source: "readings")
        try expect(try place.martlet("run"), 0)
        return place
    }

    static func readmission() throws -> Sandbox { try Sandbox(copyOf: finishedReadmission.get()) }
    static func downtime() throws -> Sandbox { try Sandbox(copyOf: finishedDowntime.get()) }

    private static func make(_ place: Sandbox, _ template: String, rows: Int, source: String) throws {
        try expect(try place.martlet("init", template, "--template", template), 0)
        for name in place.list(template) {
            try place.move("\(template)/\(name)", to: name)
        }
        try place.remove(template)
        try expect(
            try place.martlet("generate", template, "--rows", "\(rows)", "-o", "landing/\(source)/look-alikes.csv"), 0)
    }

    private static func expect(_ outcome: Outcome, _ code: Int32) throws {
        guard outcome.code == code, outcome.isClean else { throw Unusable(what: "\(outcome)") }
    }
}
