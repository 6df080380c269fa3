import Core
import Foundation
import Testing

/// The lab-delay template on the first weeks of a made-up laboratory.
@Suite struct `A laboratory` {
    private static let sources = ["workflow_logs", "queue_logs", "instrument_telemetry", "reagent_logs"]
    private static let days = 50

    /// Each source's first days in one file, and the day after them aside in `next/`.
    private static let finished = Result {
        let place = try Sandbox()
        try #require(try place.martlet("init", "lab", "--template", "lab-delay").code == 0)
        let made = try place.martlet("generate", "lab-delay", "--experiments", "15000", "-o", "lab/landing")
        try #require(made.code == 0, "\(made)")
        for source in sources {
            let files = place.list("lab/landing/\(source)")
            let lines = try files[..<days].map { try place.read("lab/landing/\(source)/\($0)").split(separator: "\n") }
            let all = [lines[0][0]] + lines.flatMap { $0.dropFirst() }
            try place.move("lab/landing/\(source)/\(files[days])", to: "\(source).csv")
            try place.remove("lab/landing/\(source)")
            try place.write("lab/landing/\(source)/first.csv", all.joined(separator: "\n") + "\n")
        }
        // Gates and rounds for a thirtieth of the rows.
        try place.edit("lab/martlet.yaml", "rounds: 3000", "rounds: 100")
        try place.edit("lab/martlet.yaml", "{metric: roc_auc, at_least: 0.97}", "{metric: roc_auc, at_least: 0.7}")
        try place.edit("lab/martlet.yaml", "{metric: pr_auc, at_least: 0.93}", "{metric: pr_auc, at_least: 0.3}")
        try place.edit("lab/martlet.yaml", "{metric: recall, at_least: 0.9}", "{metric: recall, at_least: 0.1}")
        try place.edit("lab/martlet.yaml", "{metric: ece, at_most: 0.02}", "{metric: ece, at_most: 0.2}")
        let run = try place.martlet("run", "--project", "lab")
        try #require(run.code == 0 && run.isClean, "\(run)")
        return place
    }

    @Test func `is learnt from its four logs`() throws {
        let place = try Sandbox(copyOf: Self.finished.get())
        let shown = try place.martlet("models", "show", "lab-delay", "--project", "lab", "--json").json()
        #expect(shown["synthetic"] == .flag(true))
        let card = try place.martlet("models", "card", "lab-delay@1", "--project", "lab")
        #expect(card.output.contains("0.25, chosen for a miss costing 3 and a false alarm 1"), "\(card)")
        let again = try place.martlet("run", "--project", "lab")
        #expect(again.code == 0 && again.isClean, "\(again)")
        #expect(try place.martlet("models", "list", "--project", "lab", "--json").json().list?.count == 1)
    }

    @Test func `scores a day whose outcomes nobody knows as it scores it afterwards`() throws {
        let place = try Sandbox(copyOf: Self.finished.get())
        for source in Self.sources.dropFirst() { try place.land(source) }
        try #require(try place.martlet("ingest", "--project", "lab").code == 0)
        // What is known at submission: all columns before actual_end_ts.
        let rows = try place.read("workflow_logs.csv").split(separator: "\n").map { $0.split(separator: ",") }
        let outcome = try #require(rows.first?.firstIndex(of: "actual_end_ts"))
        let today = rows.map { $0[..<outcome].joined(separator: ",") }.joined(separator: "\n") + "\n"
        try place.write("today.csv", today)
        func scores(_ file: String) throws -> [String] {
            let outcome = try place.martlet("predict", file, "--source", "workflow_logs", "--project", "lab")
            #expect(outcome.code == 0, "\(outcome)")
            return outcome.output.split(separator: "\n").map(String.init)
        }
        let early = try scores("today.csv")
        #expect(early.count == rows.count)
        #expect(try scores("workflow_logs.csv") == early)
    }

    @Test func `with one more day has the table that all days at once give, bit for bit`() throws {
        let place = try Sandbox(copyOf: Self.finished.get())
        for source in Self.sources { try place.land(source) }
        let run = try place.martlet("run", "--project", "lab", "--to", "transform")
        #expect(run.code == 0, "\(run)")
        func table(_ place: Sandbox) throws -> String {
            let query = "SELECT * FROM gold.experiments ORDER BY experiment_id"
            let outcome = try place.martlet("lake", "sql", query, "--project", "lab", "--json")
            #expect(outcome.code == 0, "\(outcome.errors)")
            return outcome.output
        }
        let grown = try table(place)
        try place.remove("lab/.martlet")
        #expect(try place.martlet("run", "--project", "lab", "--to", "transform").code == 0)
        #expect(try table(place) == grown)
    }
}

extension Sandbox {
    fileprivate func land(_ source: String) throws {
        try write("lab/landing/\(source)/next.csv", try read("\(source).csv"))
    }
}
