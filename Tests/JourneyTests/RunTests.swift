import Core
import Foundation
import TestSupport
import Testing

@Suite struct `From raw file to registered model` {
    static let metrics = [
        "roc_auc", "pr_auc", "log_loss", "brier", "ece", "accuracy", "precision", "recall", "f1", "specificity", "npv",
    ]

    @Test func `the readmission look-alikes make a champion with eleven test metrics, each with its interval`() throws {
        let place = try LookAlikes.readmission()
        let shown = try place.martlet("models", "show", "readmission@champion", "--json")
        #expect(shown.code == 0)
        let version = try shown.json()
        #expect(version["version"]?.integer == 1)
        #expect(version["synthetic"] == .flag(true))
        for name in Self.metrics {
            let value = try #require(version.at("metrics.test.\(name).value")?.number, "\(name) is missing")
            let low = try #require(version.at("metrics.test.\(name).low")?.number, "\(name) has no lower end")
            let high = try #require(version.at("metrics.test.\(name).high")?.number, "\(name) has no upper end")
            #expect(low <= high, "\(name)")
            #expect(value.isFinite && low.isFinite && high.isFinite, "\(name)")
            if name != "log_loss" { #expect((0...1).contains(value), "\(name) is \(value)") }
        }
        let auc = try #require(version.at("metrics.test.roc_auc.value")?.number)
        #expect(auc > 0.55)
        #expect(version.at("lineage.files.0.digest")?.text?.count == 64)
        #expect(version.at("lineage.files.0.synthetic") == .flag(true))
    }

    @Test func `a second run skips every step that works, keeps the version and says so in the trace`() throws {
        let place = try LookAlikes.readmission()
        let before = try place.martlet("models", "show", "readmission@champion", "--json").json()
        let tables = try place.martlet("lake", "tables", "--json").output
        let lines = try place.read(".martlet/logs/trace.jsonl").split(separator: "\n").count
        let again = try place.martlet("run", "--json")
        #expect(again.code == 0, "\(again)")
        #expect(try again.json().at("models.0.version.version")?.integer == 1)
        let trace = try place.read(".martlet/logs/trace.jsonl").split(separator: "\n").dropFirst(lines)
            .map { try JSON.decode(JSONValue.self, from: String($0)) }
        let outcomes = Dictionary(uniqueKeysWithValues: trace.map { ($0["step"]?.text ?? "", $0["outcome"]?.text) })
        for step in [
            "ingest:encounters", "transform:silver.encounters", "transform:gold.encounters",
            "train:readmission", "register:readmission", "predict:readmission",
        ] {
            #expect(outcomes[step] == "skipped", "\(step)")
        }
        #expect(try place.martlet("lake", "tables", "--json").output == tables)
        let after = try place.martlet("models", "show", "readmission@champion", "--json").json()
        #expect(after["model_hash"] == before["model_hash"])
        #expect(after["run"] == before["run"])
        #expect(try place.martlet("runs", "list", "--json").json().list?.count == 1)
    }

    @Test func `the commands that look give a table for people and JSON for programs`() throws {
        let place = try LookAlikes.readmission()
        let runs = try place.martlet("runs", "list", "--json").json()
        let run = try #require(runs.at("0.id")?.text)
        #expect(runs.at("0.status")?.text == "finished")
        #expect(runs.at("0.version")?.integer == 1)
        let short = String(run.prefix(12))
        let commands: [(arguments: [String], words: [String], hasJSON: Bool)] = [
            (["runs", "list"], [short, "readmission", "finished", "synthetic"], true),
            (["runs", "show", short], ["roc_auc", "gold.encounters", "look-alikes.csv", "synthetic"], true),
            (["models", "list"], ["readmission", "@1"], true),
            (
                ["models", "show", "readmission@1"], ["readmission@1", "@champion", "synthetic", "calibration_slope"],
                true
            ),
            (["models", "history", "readmission"], ["registered", "alias-set", "@champion"], true),
            (
                ["models", "card", "readmission@champion"], ["Synthetic data", "roc_auc", "| feature |", "verify"],
                false
            ),
            (["lake", "tables"], ["bronze.encounters", "silver.encounters", "gold.encounters", "20,000"], true),
            (["lake", "history", "gold.encounters"], ["CREATE TABLE AS SELECT", "silver.encounters@0"], true),
            (["lake", "show", "gold.encounters", "--limit", "2"], ["encounter_id", "earlier_encounters"], true),
            (["lake", "sql", "SELECT count(*) AS n FROM bronze.encounters"], ["n", "20000"], true),
            (["doctor"], ["duckdb", "registry", "rows readable"], true),
        ]
        for (arguments, words, hasJSON) in commands {
            let table = try place.martlet(arguments)
            #expect(table.code == 0 && table.isClean, "\(table)")
            for word in words { #expect(table.output.contains(word), "\(word) in \(table)") }
            guard hasJSON else { continue }
            let json = try place.martlet(arguments + ["--json"])
            #expect(json.code == 0 && json.errors.isEmpty, "\(json)")
            #expect(throws: Never.self, "\(json)") { try json.json() }
        }
        #expect(
            try place.sql("SELECT count(*) AS n, min(age) AS a, true AS t, NULL AS z FROM bronze.encounters").first
                == .object(["n": .integer(20_000), "a": .text("[0-10)"), "t": .flag(true), "z": .null]))
    }

    @Test func `made-up rows are called synthetic wherever a figure of theirs is shown`() throws {
        let place = try LookAlikes.readmission()
        for arguments in [
            ["run"], ["run", "--json"], ["runs", "list"], ["runs", "list", "--json"], ["models", "list"],
            ["models", "list", "--json"], ["models", "show", "readmission@1"],
            ["models", "show", "readmission@1", "--json"],
            ["models", "card", "readmission@1"], ["predict", "landing/encounters/look-alikes.csv", "-o", "scores.csv"],
        ] {
            let outcome = try place.martlet(arguments)
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.all.lowercased().contains("synthetic"), "\(outcome.arguments)")
        }
        let run = try #require(try place.martlet("runs", "list", "--json").json().at("0.id")?.text)
        #expect(try place.martlet("runs", "show", run).output.contains("synthetic"))
    }

    @Test func `the SQL engine's and the learner's threads leave no trace in tables and model`() throws {
        var hashes: Set<String> = []
        for threads in ["1", "2", "4"] {
            let place = try Wards.written()
            try place.write("landing/visits/first.csv", Wards.first)
            let run = try place.martlet("run", "--engine-threads", threads, "--training-threads", threads, "--json")
            #expect(run.code == 0, "\(run)")
            let version = try place.martlet("models", "show", "stay@1", "--json").json()
            let tables = (version.at("lineage.tables")?.list ?? []).compactMap { $0["hash"]?.text }
            hashes.insert(([version["model_hash"]?.text ?? "none"] + tables).joined(separator: " "))
        }
        #expect(hashes.count == 1)
        #expect(hashes.first?.contains("none") == false)
    }

    @Test func `a gate that fails gives exit code 2, the numbers, and no version`() throws {
        let place = try Wards.written()
        try place.write("landing/visits/first.csv", Wards.first)
        try place.edit("martlet.yaml", "at_least: 0.6}", "at_least: 0.999}")
        let run = try place.martlet("run")
        #expect(run.code == 2, "\(run)")
        for word in ["gates.failed", "roc_auc", "0.999", "runs show"] { #expect(run.all.contains(word), "\(word)") }
        #expect(try place.martlet("models", "list", "--json").json().list == [])
        let runs = try place.martlet("runs", "list", "--json").json()
        #expect(runs.at("0.status")?.text == "rejected")
        let auc = try #require(runs.at("0.metrics.test.roc_auc.value")?.number)
        #expect(run.errors.contains("\(auc)".prefix(5)), "the number itself stands in the message")
        #expect(try place.martlet("models", "show", "stay@champion").code == 1)
        let again = try place.martlet("run")
        #expect(again.code == 2, "the same refusal without training anew")
        #expect(again.errors.contains("train:stay") && again.errors.contains("skipped: unchanged"))
        try place.edit("martlet.yaml", "at_least: 0.999}", "at_least: 0.6}")
        #expect(try place.martlet("run").code == 0)
        #expect(try place.martlet("models", "show", "stay@champion", "--json").json()["version"]?.integer == 1)
    }

    @Test func `stages can be chosen, and what they need must be there`() throws {
        let place = try Wards.written()
        try place.write("landing/visits/first.csv", Wards.first)
        #expect(try place.martlet("run", "--to", "transform").code == 0)
        #expect(try place.martlet("models", "list", "--json").json().list == [])
        let early = try place.martlet("run", "--from", "register")
        #expect(early.code == 1 && early.errors.contains("run.not-trained"), "\(early)")
        #expect(try place.martlet("run", "--from", "train", "--to", "train").code == 0)
        #expect(try place.martlet("models", "list", "--json").json().list == [])
        #expect(try place.martlet("run", "--from", "register").code == 0)
        #expect(try place.martlet("models", "show", "stay@champion").code == 0)
        #expect(try place.martlet("run", "--from", "train", "--to", "ingest").code == 64)
    }

    @Test func `another split seed is another run, a candidate, and can be compared with the first`() throws {
        let place = try Wards.run()
        #expect(try place.martlet("run", "--split-seed", "7").code == 0)
        let models = try place.martlet("models", "list", "--json").json()
        #expect(models.at("0.champion")?.integer == 1)
        #expect(models.at("0.candidate")?.integer == 2)
        let ids = (try place.martlet("runs", "list", "--json").json().list ?? []).compactMap { $0["id"]?.text }
        #expect(ids.count == 2)
        let comparison = try place.martlet(["runs", "compare"] + ids.map { String($0.prefix(20)) })
        #expect(comparison.code == 0)
        for word in ["split.seed", "test roc_auc", "42", "7"] { #expect(comparison.output.contains(word), "\(word)") }
        // Back to the first seed: whatever version it is, it is the first one's model again.
        #expect(try place.martlet("run").code == 0)
        let newest = try #require(try place.martlet("models", "list", "--json").json().at("0.versions")?.integer)
        let hashes = try ["stay@1", "stay@2", "stay@\(newest)"].map {
            try place.martlet("models", "show", $0, "--json").json()["model_hash"]?.text
        }
        #expect(hashes[0] != hashes[1])
        #expect(newest == 2 || hashes[0] == hashes[2])
    }
}
