import Core
import Foundation
import TestSupport
import Testing

/// What docs/training.md promises of a whole project, from the landed file to the served score. Where each promise of the
/// page has its test:
///
/// | promise | test |
/// | --- | --- |
/// | unique keys, never null; binary targets; null is unlabelled and scored | TrainingPipelineTests, BadInput+SQL, Wards |
/// | texts by their bytes, from file to server | here, SplitTests, SignatureTests, LevelTests |
/// | u, its example, parts by hash, stratified and time; a group on one side; refusals | SplitTests, RealDataTests |
/// | folds follow the split, gap, held-out rows | FoldTests, here |
/// | scores.parquet, samples.json | PredictTests, TrainingPipelineTests |
/// | what is a feature; dates refused; training rows only | here, BadInput+Configuration, SignatureTests |
/// | missing, infinite, rare and unknown values; codes apart from levels; order of levels | here, SignatureTests |
/// | missing or mistyped columns refused by name, others ignored, any order | SignatureTests |
/// | learners, their parameters, missing numbers, importance | RandomForestTests, XGBoostTests, BadInput, TrainingPipelineTests |
/// | calibration, threshold, bands | CalibrationTests |
/// | metrics, undefined is null, intervals, that of ece | EvaluationTests, CalibrationErrorTests |
/// | gates, the upper end for ece, looks at the test part | CalibrationTests, RunTests, here |
/// | stored records of before, unknown kinds | StoredFormTests, StoredSpecificationTests |
@Suite struct `Training as the page has it` {
    /// A project of 1,600 rows: state and town are categories with awkward names, ratio is infinite in every seventh row.
    private static func project(_ model: String = "", learner: String = boosted) throws -> Sandbox {
        let place = try Sandbox()
        try place.write(
            "martlet.yaml",
            """
            name: p
            sources: {s: {}}
            models:
              - name: m
                table: gold.t
                key: id
                target: {column: y, positive: "1"}
                learner: \(learner)
            \(model.split(separator: "\n").map { "    \($0)\n" }.joined())
            """)
        try place.write(
            "contracts/s.yaml",
            """
            columns:
              id: {type: bigint, nullable: false}
              day: {type: date}
              state: {type: text}
              town: {type: text}
              a: {type: double}
              b: {type: double}
              y: {type: bigint, optional: true}

            """)
        try place.write(
            "transforms/gold/t.sql", "SELECT id, state, town, a / b AS ratio, y FROM bronze.s\n")
        var generator = SeededGenerator(seed: 5)
        var lines = ["id,day,state,town,a,b,y"]
        let states = [("missing", 0.95), ("rare", 0.9), ("sound", 0.05), ("", 0.5)]
        let towns = [("Orl\u{E9}ans", 0.3), ("Orle\u{301}ans", -0.3), ("Rom", 0.0)]
        for id in 1...1600 {
            let state = states[Int(generator.uniform() * 4)]
            let town = towns[Int(generator.uniform() * 3)]
            let y = generator.uniform() < min(0.97, max(0.03, state.1 + town.1)) ? 1 : 0
            let day = "2025-\(id % 12 < 9 ? "0" : "")\(id % 12 + 1)-\(10 + id % 18)"
            lines.append("\(id),\(day),\(state.0),\(town.0),\(id % 50 + 1),\(id % 7),\(y)")
        }
        try place.write("landing/s/a.csv", lines.joined(separator: "\n") + "\n")
        return place
    }

    private static let boosted =
        "{kind: lightgbm, parameters: {num_leaves: 15, min_data_in_leaf: 5, min_data_per_group: 5, cat_smooth: 1}, rounds: 60}"
    private static let xgboost = "{kind: xgboost, parameters: {max_depth: 4, max_cat_to_onehot: 4}, rounds: 60}"
    private static let forest = "{kind: random_forest, parameters: {n_estimators: 5, max_depth: 6}}"

    /// Rows to be scored: each state with each town, and a cell that training never saw.
    private static let asked: [(state: String?, town: String)] =
        ["missing", "rare", "sound", nil, "unheard"].flatMap { state in
            ["Orl\u{E9}ans", "Orle\u{301}ans", "Rom"].map { (state, $0) }
        }

    @Test(.needs("curl"), arguments: [boosted, xgboost, forest])
    fileprivate func `has one score for a row by command and by server, whatever its levels are called`(
        _ learner: String
    ) throws {
        let place = try Self.project(learner: learner)
        let outcome = try place.martlet("run")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(outcome.all.contains("infinite, counted as missing: ratio ("), "\(outcome)")
        #expect(try place.martlet("models", "card", "m@1").output.contains("**ratio is infinite in "))

        var csv = "id,day,state,town,a,b\n"
        for (row, cell) in Self.asked.enumerated() {
            csv += "\(9000 + row),2026-01-01,\(cell.state ?? ""),\(cell.town),5,0\n"
        }
        try place.write("new.csv", csv)
        let predicted = try place.martlet("predict", "new.csv", "-o", "out.json")
        #expect(predicted.code == 0, "\(predicted)")
        let rows = try JSON.decode(JSONValue.self, from: try place.read("out.json")).list ?? []
        let command = rows.sorted { ($0["id"]?.integer ?? 0) < ($1["id"]?.integer ?? 0) }
            .compactMap { $0["probability"]?.number }
        #expect(command.count == Self.asked.count)

        let server = try RunningServer(serving: place, role: "admin", ["--workers", "0"])
        let records = Self.asked.map { cell in
            JSONValue.object(["state": cell.state.map { .text($0) } ?? .null, "town": .text(cell.town), "ratio": .null])
        }
        try place.write(
            "body",
            String(
                decoding: try JSON.encode(["records": JSONValue.list(records), "explain": .flag(true)]), as: UTF8.self))
        let answer = try Program.run(
            Program.which("curl") ?? "curl",
            [
                "-s", "-H", "Authorization: Bearer \(server.token)", "-H", "Content-Type: application/json",
                "-d", "@\(place.path("body"))", server.base + "/predict",
            ], in: place.folder)
        let body = try answer.json()
        let found = body["predictions"]?.list ?? []
        // A division by zero is a missing number, and the same as null.
        #expect(found.compactMap { $0["probability"]?.number } == command, "\(answer)")
        #expect(
            (body["warnings"]?.list ?? []).allSatisfy { $0["detail"]?.text?.contains("unheard") ?? false },
            "only what training never saw is unknown: \(answer)")
        // Levels called "missing" and "rare" are not what a missing or unknown cell counts as; without a pool, unknown
        // counts as missing.
        for town in 0..<3 {
            let p = (0..<5).map { command[$0 * 3 + town] }
            #expect(p[4] == p[3] && p[0] != p[3] && p[1] != p[3])
        }
        #expect(command[9] != command[10], "two spellings, two levels")
        let values = found.map { row in
            row.at("reasons.contributions")?.list?.first { $0["feature"]?.text == "state" }?["value"]
        }
        #expect(values[0] == .text("missing") && values[3] == .text("rare") && values[9] == .null)
        #expect(try place.martlet("verify", "m@1").code == 0)
    }

    @Test func `learns from all columns but those that the page names, and refuses dates`() throws {
        let place = try Self.project()
        try place.write(
            "transforms/gold/t.sql", "SELECT id, day, state, a AS _hidden, a, town AS who, y FROM bronze.s\n")
        let dated = try place.martlet("run")
        #expect(dated.code == 1 && dated.errors.contains("[model.feature-type]"), "\(dated)")
        try place.edit("martlet.yaml", "key: id", "key: id\n    group: who\n    event_time: day\n    split: {by: id}")
        let outcome = try place.martlet("run")
        #expect(outcome.code == 0, "\(outcome)")
        let card = try place.martlet("models", "card", "m@1").output
        let learned = card.components(separatedBy: "| feature | share of gain |").last ?? ""
        for name in ["state", "a"] { #expect(learned.contains("| \(name) |"), "\(learned)") }
        for name in ["id", "y", "who", "day", "_hidden"] { #expect(!learned.contains("| \(name) |"), "\(learned)") }
    }

    @Test func `cross-validates by time under a split by time`() throws {
        let place = try Self.project(
            "event_time: day\nsplit: {kind: time}\ncross_validation: {folds: 3, gap: 10 days}")
        try place.write(
            "transforms/gold/t.sql", "SELECT id, day, state, town, a / b AS ratio, y FROM bronze.s\n")
        let outcome = try place.martlet("run")
        #expect(outcome.code == 0, "\(outcome)")
        let folds = try place.martlet("models", "show", "m@1", "--json").json().at("metrics.cv.roc_auc")
        #expect(folds != nil, "\(String(describing: folds))")
        try place.edit("martlet.yaml", "{kind: time}", "{kind: hash}")
        let refused = try place.martlet("run")
        #expect(refused.code == 1 && refused.errors.contains("[cross-validation.gap]"), "\(refused)")
        try place.edit("martlet.yaml", "10 days", "ten")
        #expect(try place.martlet("run").errors.contains("[config.duration]"))
    }

    @Test func `has a short card that counts looks at the test part, and a gate on ece that reads its interval`() throws
    {
        let place = try Self.project("gates:\n  - {metric: ece, at_most: 0.5}")
        let rows = try place.read("landing/s/a.csv").split(separator: "\n").map(String.init)
        try place.remove("landing/s/a.csv")
        for part in 0..<40 {
            let name = "landing/s/day-\(part < 10 ? "0" : "")\(part).csv"
            try place.write(name, ([rows[0]] + rows[(1 + part * 40)...(40 + part * 40)]).joined(separator: "\n") + "\n")
        }
        #expect(try place.martlet("run").code == 0)
        let card = try place.martlet("models", "card", "m@1").output
        #expect(card.contains("| s | 40 | 1,600 | 0 | day-00.csv | day-39.csv |"), "\(card)")
        #expect(card.split(separator: "\n").count < 120)
        #expect(card.contains("the first run that was measured on this test part"))
        #expect(card.contains("by its 95 % interval, on the test part is at most 0.5"))
        let files = try place.martlet("models", "show", "m@1", "--json").json().at("lineage.files")?.list
        #expect(files?.count == 40, "the whole list is in JSON")

        try place.edit("martlet.yaml", "at_most: 0.5", "at_most: 0.0001")
        let refused = try place.martlet("run")
        #expect(refused.code == 2, "\(refused)")
        try place.edit("martlet.yaml", "at_most: 0.0001", "at_most: 0.4")
        try place.edit("martlet.yaml", "rounds: 60", "rounds: 30")
        #expect(try place.martlet("run").code == 0)
        #expect(
            try place.martlet("models", "card", "m@2").output.contains(
                "**3 runs have been measured on this test part**"))
        #expect(try place.martlet("models", "card", "m@1").output == card, "an older card stays what it was")
    }
}
