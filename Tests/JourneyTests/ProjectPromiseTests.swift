import Core
import Foundation
import TestSupport
import Testing

/// What docs/projects.md says of martlet.yaml, models and transforms, a test each where no other suite has one.
@Suite struct `The promises of the project files` {
    /// The wards with another configuration, run.
    private func run(_ edits: (String, String)..., gold: String? = nil, code: Int32 = 0) throws -> (Sandbox, Outcome) {
        let place = try Wards.written()
        for (old, new) in edits { try place.edit("martlet.yaml", old, new) }
        if let gold { try place.write("transforms/gold/visits.sql", gold) }
        try place.write("landing/visits/first.csv", Wards.first)
        try place.write("landing/visits/later.csv", Wards.unlabelled)
        let outcome = try place.martlet("run")
        #expect(outcome.code == code, "\(outcome)")
        return (place, outcome)
    }

    /// The record of the newest run.
    private func record(_ place: Sandbox) throws -> JSONValue {
        let id = try #require(try place.martlet("runs", "list", "--json").json().at("0.id")?.text)
        #expect(try place.martlet("runs", "artifact", id, "model.json", "-o", "record.json").code == 0)
        return try JSON.decode(JSONValue.self, from: try place.read("record.json"))
    }

    private func features(_ place: Sandbox) throws -> [String] {
        try record(place).at("signature.columns")?.list?.compactMap { $0["name"]?.text } ?? []
    }

    /// Key, part and label of each row of the newest run.
    private func parts(_ place: Sandbox) throws -> [JSONValue] {
        let id = try #require(try place.martlet("runs", "list", "--json").json().at("0.id")?.text)
        #expect(try place.martlet("runs", "artifact", id, "scores.parquet", "-o", "scores.parquet").code == 0)
        let reader = try Sandbox()
        try reader.write("martlet.yaml", "name: reader\nsources:\n  rows: {format: parquet}\n")
        try reader.write(
            "contracts/rows.yaml",
            "columns:\n  key: {type: text}\n  part: {type: text}\n  label: {type: bigint}\n  probability: {type: double}\n"
        )
        try reader.write("landing/rows/rows.parquet", bytes: try place.bytes("scores.parquet"))
        #expect(try reader.martlet("ingest").code == 0)
        return try reader.sql("SELECT * FROM bronze.rows ORDER BY _row")
    }

    private static let base = "SELECT visit_id, ward, weight, readings, note, outcome FROM silver.visits"
    private static let exclude = "    features:\n      exclude: [note]\n"

    // MARK: martlet.yaml

    @Test func `a project without models, and with another folder of SQL, makes its tables`() throws {
        let place = try Wards.written()
        let text = try place.read("martlet.yaml")
        try place.write("martlet.yaml", text.components(separatedBy: "models:")[0] + "transforms_folder: sql\n")
        try place.move("transforms", to: "sql")
        try place.write("landing/visits/first.csv", Wards.first)
        let outcome = try place.martlet("run")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(try place.count("SELECT count(*) FROM gold.visits") == 600)
    }

    @Test func `the example of the page runs as it stands`() throws {
        let page = try String(contentsOfFile: Program.root + "/docs/projects.md", encoding: .utf8)
        let block = try #require(page.components(separatedBy: "```sh\n").last?.components(separatedBy: "```").first)
        let place = try Sandbox()
        let script = "set -e\nmartlet() { '\(Program.path)' \"$@\"; }\n" + block + "\nmartlet doctor\n"
        let outcome = try Program.run("/bin/sh", ["-c", script], in: place.folder)
        #expect(outcome.code == 0 && outcome.errors.contains("returns@1, @champion"), "\(outcome)")
    }

    @Test func `a file without a key or a date is trained on and scored, as the page says`() throws {
        let page = try String(contentsOfFile: Program.root + "/docs/projects.md", encoding: .utf8)
        let sql = try #require(
            page.components(separatedBy: "```sql\n").map { $0.components(separatedBy: "```")[0] }
                .first { $0.contains("AS row_id") })
        let place = try Sandbox()
        try place.write(
            "martlet.yaml",
            """
            name: people
            sources: {people: {}}
            models:
              - name: income
                table: gold.people
                key: row_id
                target: {column: label, positive: "1"}
                learner: {kind: lightgbm, parameters: {num_leaves: 4, min_data_in_leaf: 10}, rounds: 10}
            """)
        try place.write(
            "contracts/people.yaml",
            "columns:\n  age: {type: bigint}\n  income: {type: double}\n  label: {type: bigint, nullable: false}\n")
        try place.write("transforms/gold/people.sql", sql)
        var generator = SeededGenerator(seed: 3)
        let rows = (0..<400).map { _ in
            let (age, income) = (Int(generator.uniform() * 60), Int(generator.uniform() * 1000))
            return "\(age),\(income),\(generator.uniform() * 1000 < Double(income) ? 1 : 0)"
        }
        try place.write("landing/people/a.csv", "age,income,label\n" + rows.joined(separator: "\n") + "\n")
        let outcome = try place.martlet("run")
        #expect(outcome.code == 0 && outcome.errors.contains("not checked, because"), "\(outcome)")
        try place.write("new.csv", "age,income\n30,10\n30,990\n")
        let scored = try place.martlet("predict", "new.csv")
        let keys = scored.output.split(separator: "\n").dropFirst().compactMap { $0.split(separator: ",").first }
        #expect(
            scored.code == 0 && keys.count == 2 && keys.allSatisfy { $0.hasSuffix("-1") || $0.hasSuffix("-2") },
            "\(scored)")
        #expect(
            try place.martlet("predict", "new.csv").output == scored.output, "the key is the file's content and row")
    }

    // MARK: models

    @Test func `a row without a target is scored and not learned from`() throws {
        let (place, _) = try run()
        #expect(try record(place)["unlabelled"]?.integer == 40)
        #expect(try place.count("SELECT count(*) FROM gold.predictions_stay") == 40)
        let unlabelled = try parts(place).filter { ($0["key"]?.text).map { $0.utf8.count == 4 } ?? false }
        #expect(unlabelled.count == 40 && unlabelled.allSatisfy { $0["part"] == .null && $0["label"] == .null })
    }

    @Test func `the positive value is compared as text`() throws {
        let gold =
            "SELECT visit_id, ward, weight, readings, outcome = 'yes' AS outcome FROM silver.visits WHERE outcome IS NOT NULL"
        let (place, _) = try run((Self.exclude, ""), ("positive: \"yes\"", "positive: true"), gold: gold)
        let yes = try place.count("SELECT count(*) FROM silver.visits WHERE outcome = 'yes'")
        #expect(try parts(place).count { $0["label"]?.integer == 1 } == yes)
    }

    @Test func `a group stands on one side of the split`() throws {
        let gold = "SELECT visit_id, visit_id // 5 AS person, ward, weight, readings, note, outcome FROM silver.visits"
        let (place, _) = try run(("    key: visit_id", "    key: visit_id\n    group: person"), gold: gold)
        #expect(try !features(place).contains("person"))
        var sides: [Int: Set<String>] = [:]
        for row in try parts(place) {
            guard let key = row["key"]?.text.flatMap({ Int($0) }), let part = row["part"]?.text else { continue }
            sides[key / 5, default: []].insert(part)
        }
        #expect(sides.count > 100 && sides.values.allSatisfy { $0.count == 1 })
    }

    @Test func `include names the only features; key, target, event time and entity are none`() throws {
        let gold =
            "SELECT visit_id, seen_at, ward, weight, readings, visit_id // 5 AS person, outcome FROM silver.visits"
        let (only, _) = try run((Self.exclude, "    features: {include: [weight, ward]}\n"))
        #expect(Set(try features(only)) == ["weight", "ward"])
        let (rest, _) = try run(
            (Self.exclude, "    event_time: seen_at\n    entity: person\n"), gold: gold)
        #expect(try features(rest) == ["ward", "weight", "readings"])
    }

    @Test func `text and boolean columns are categories, numbers where they are named`() throws {
        let gold = "SELECT visit_id, ward, weight, readings, readings > 4 AS busy, outcome FROM silver.visits"
        let (place, _) = try run((Self.exclude, "    features: {categorical: [readings]}\n"), gold: gold)
        let types = try record(place).at("signature.columns")?.list?.map {
            "\($0["name"]?.text ?? "") \($0["type"]?.text ?? "")"
        }
        #expect(types == ["ward category", "weight number", "readings category", "busy category"])
    }

    @Test func `a split by time tests on the latest rows`() throws {
        let gold = "SELECT visit_id, seen_at, ward, weight, readings, note, outcome FROM silver.visits"
        let (place, _) = try run(
            ("kind: hash", "kind: time"), ("    key: visit_id", "    key: visit_id\n    event_time: seen_at"),
            gold: gold)
        let seen = Dictionary(
            uniqueKeysWithValues: try place.sql(
                "SELECT visit_id::VARCHAR AS id, seen_at FROM gold.visits WHERE outcome IS NOT NULL"
            )
            .map { ($0["id"]?.text ?? "", $0["seen_at"]?.text ?? "") })
        func times(_ part: String) throws -> [String] {
            try parts(place).filter { $0["part"]?.text == part }.compactMap { seen[$0["key"]?.text ?? ""] }
        }
        let (train, validation, test) = (try times("train"), try times("validation"), try times("test"))
        #expect((train.max() ?? "") < validation.min() ?? "")
        #expect((validation.max() ?? "") < test.min() ?? "")
    }

    @Test func `an event time may be a whole number that rises`() throws {
        let (place, _) = try run(
            ("kind: hash", "kind: time"), ("    key: visit_id", "    key: visit_id\n    event_time: visit_id"))
        let keys = try parts(place)
        func ids(_ part: String) -> [Int] {
            keys.filter { $0["part"]?.text == part }.compactMap { $0["key"]?.text.flatMap { Int($0) } }
        }
        #expect((ids("train").max() ?? 0) < ids("test").min() ?? 0)
    }

    @Test func `another split seed gives another split, and the parts have their shares`() throws {
        let (first, _) = try run()
        let (second, _) = try run(("seed: 42", "seed: 43"))
        let (a, b) = (try parts(first).map { $0["part"]?.text }, try parts(second).map { $0["part"]?.text })
        #expect(a != b && a.count { $0 == "test" } > 80 && a.count { $0 == "test" } < 160)
    }

    @Test func `rounds bound the trees, and early stopping stops before`() throws {
        let (few, _) = try run(("rounds: 40\n      early_stopping: 10", "rounds: 3"))
        #expect(try record(few)["rounds"]?.integer == 3)
        let (stopped, _) = try run(("rounds: 40\n      early_stopping: 10", "rounds: 400\n      early_stopping: 5"))
        #expect(try record(stopped)["rounds"]?.integer ?? 400 < 400)
    }

    @Test func `cross-validation is measured besides the test part, and gates may ask for it`() throws {
        let (place, outcome) = try run(
            ("at_least: 0.6}", "at_least: 0.6, part: cv}"),
            ("    bootstrap:", "    cross_validation: {folds: 3}\n    bootstrap:"))
        #expect(outcome.output.contains("gate") && outcome.output.contains("cv"), "\(outcome)")
        let shown = try place.martlet("models", "show", "stay", "--json").json()
        #expect(shown.at("metrics.cv.roc_auc") != nil && shown.at("metrics.test.roc_auc") != nil)
    }

    @Test func `the decision is from the threshold on, and the band from its bounds`() throws {
        let (place, _) = try run(
            ("threshold: {cost: {false_negative: 3, false_positive: 1}}", "threshold: {fixed: 0.45}"),
            ("bands: {medium: 0.3, high: 0.6}", "bands: {medium: 0.2, high: 0.45}"))
        let rows = try place.martlet("predict", "landing/visits/later.csv", "--json").json()["rows"]?.list ?? []
        #expect(rows.count == 40)
        for row in rows {
            let p = try #require(row["probability"]?.number)
            #expect(row["decision"] == .flag(p >= 0.45))
            #expect(row["band"]?.text == (p >= 0.45 ? "high" : p >= 0.2 ? "medium" : "low"))
        }
    }

    @Test func `a gate that is not reached registers nothing and ends with 2`() throws {
        let (place, outcome) = try run(("at_least: 0.6", "at_least: 0.999"), code: 2)
        #expect(outcome.errors.contains("gates.failed"))
        #expect(try place.martlet("models", "list", "--json").json().list?.isEmpty == true)
        #expect(try place.martlet("runs", "list", "--json").json().at("0.status")?.text == "rejected")
    }

    @Test func `a version that needs approval waits for it`() throws {
        let (place, outcome) = try run(("approval: none", "approval: required"))
        #expect(outcome.errors.contains("waits for approval"), "\(outcome)")
        #expect(try place.martlet("models", "show", "stay@1", "--json").json().at("approval.state")?.text == "pending")
    }

    @Test func `without a group the intervals resample rows, as many as asked for, by their seed`() throws {
        func interval(_ edits: (String, String)...) throws -> JSONValue? {
            let place = try Wards.written()
            for (old, new) in edits { try place.edit("martlet.yaml", old, new) }
            try place.write("landing/visits/first.csv", Wards.first)
            #expect(try place.martlet("run").code == 0)
            return try place.martlet("models", "show", "stay", "--json").json().at("metrics.test.roc_auc")
        }
        let (same, other) = (try interval(), try interval(("replicates: 100", "replicates: 100, seed: 7")))
        #expect(try same == interval())
        #expect(same?["value"] == other?["value"] && same?["low"] != other?["low"])
    }

    // MARK: transforms

    @Test func `whole numbers become 64 bits wide, ENUM and UUID texts`() throws {
        let (place, _) = try run(
            gold: """
                SELECT visit_id, ward, weight, readings, note, outcome, visit_id::HUGEINT AS huge, visit_id::UINTEGER AS small,
                    'a'::ENUM('a', 'b') AS kind, '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID AS id
                FROM silver.visits
                """)
        let row = try #require(
            try place.sql(
                "SELECT typeof(huge) AS h, typeof(small) AS s, typeof(kind) AS k, typeof(id) AS i FROM gold.visits LIMIT 1"
            ).first)
        #expect(["h", "s", "k", "i"].map { row[$0]?.text } == ["BIGINT", "BIGINT", "VARCHAR", "VARCHAR"])
        try place.write(
            "transforms/gold/visits.sql", "SELECT visit_id, 99999999999999999999::HUGEINT AS huge FROM silver.visits")
        let wide = try place.martlet("run", "--to", "transform")
        #expect(
            wide.code == 1 && wide.errors.contains("sql.value") && wide.errors.contains("gold/visits.sql"), "\(wide)")
    }

    @Test(arguments: ["[1]", "{'a': 1}", "MAP {'a': 1}", "INTERVAL 1 DAY", "TIME '08:00:00'"])
    func `what no table holds is refused by the column's name`(value: String) throws {
        let place = try Wards.run()
        try place.write("transforms/gold/visits.sql", "SELECT visit_id, \(value) AS odd FROM silver.visits")
        for command in [["run", "--to", "transform"], ["doctor"]] {
            let outcome = try place.martlet(command)
            #expect(outcome.code == 1 && outcome.all.contains("odd"), "\(outcome)")
        }
    }

    @Test func `a table is built again when its SQL changes, and what follows only when its content does`() throws {
        let place = try Wards.run()
        try place.edit("transforms/silver/visits.sql", "SELECT visit_id", "SELECT /* the same */ visit_id")
        let outcome = try place.martlet("run", "--to", "transform")
        #expect(outcome.errors.contains("✓ transform:silver.visits"), "\(outcome)")
        #expect(outcome.errors.contains("· transform:gold.visits"), "\(outcome)")
    }
}
