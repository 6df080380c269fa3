import Core
import TestSupport
import Testing

@Suite struct `Scoring a file` {
    /// The rows of a Parquet file, by a project of its own that has it as a source.
    private func parquet(_ bytes: [UInt8], _ columns: [(String, String)]) throws -> [JSONValue] {
        let reader = try Sandbox()
        try reader.write("martlet.yaml", "name: reader\nsources:\n  rows: {format: parquet}\n")
        let list = columns.map { "  \($0.0): {type: \($0.1)}\n" }.joined()
        try reader.write("contracts/rows.yaml", "columns:\n" + list)
        try reader.write("landing/rows/rows.parquet", bytes: bytes)
        let outcome = try reader.martlet("ingest")
        guard outcome.code == 0 else { throw Unusable(what: "\(outcome)") }
        return try reader.sql("SELECT * FROM bronze.rows ORDER BY _row")
    }

    private func cells(_ csv: String) -> [[String]] {
        csv.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }

    @Test func `gives the same probabilities as CSV, JSON, Parquet and on standard output`() throws {
        let place = try Wards.run()
        let input = "landing/visits/later.csv"
        for name in ["a.csv", "a.json", "a.parquet"] {
            let outcome = try place.martlet("predict", input, "-o", name)
            #expect(outcome.code == 0 && outcome.errors.contains("40 of 40 records"), "\(outcome)")
        }
        let lines = cells(try place.read("a.csv"))
        #expect(lines[0] == ["visit_id", "probability", "band", "decision", "model", "version"])
        #expect(lines.count == 41)
        #expect(try place.martlet("predict", input).output == place.read("a.csv"))
        let json = try JSON.decode(JSONValue.self, from: try place.read("a.json")).list ?? []
        let columns = [
            ("visit_id", "text"), ("probability", "double"), ("band", "text"), ("decision", "bigint"),
            ("model", "text"), ("version", "bigint"),
        ]
        let rows = try parquet(try place.bytes("a.parquet"), columns)
        #expect(json.count == 40 && rows.count == 40)
        for ((line, object), row) in zip(zip(lines.dropFirst(), json), rows) {
            let probability = try #require(Double(line[1]))
            #expect((0...1).contains(probability))
            #expect(object["probability"]?.number == probability)
            #expect(row["probability"]?.number == probability)
            #expect(object["visit_id"]?.integer.map(String.init) == line[0] && row["visit_id"]?.text == line[0])
            #expect(object["band"]?.text == line[2] && row["band"]?.text == line[2])
            #expect(line[2] == (probability >= 0.6 ? "high" : probability >= 0.3 ? "medium" : "low"))
            #expect(object["decision"] == .flag(line[3] == "1") && row["decision"]?.integer == Int(line[3]))
            #expect(line[4] == "stay" && line[5] == "1")
        }
        // The same scores that the run itself wrote for these unlabelled rows.
        for row in try place.sql("SELECT visit_id, probability FROM gold.predictions_stay") {
            let key = row["visit_id"]?.integer.map(String.init)
            let line = try #require(lines.first { $0[0] == key })
            #expect(Double(line[1]) == row["probability"]?.number)
        }
    }

    @Test func `gives the run's own test scores for the run's own rows`() throws {
        let place = try Wards.run()
        let run = try #require(try place.martlet("runs", "list", "--json").json().at("0.id")?.text)
        #expect(try place.martlet("runs", "artifact", run, "scores.parquet", "-o", "scores.parquet").code == 0)
        let scores = try parquet(
            try place.bytes("scores.parquet"),
            [("key", "text"), ("part", "text"), ("label", "bigint"), ("probability", "double")])
        #expect(scores.count == 640)
        let test = scores.filter { $0["part"]?.text == "test" }
        #expect(test.count > 80)
        #expect(scores.filter { $0["part"] == .null }.count == 40, "rows without a label are in no part")
        #expect(try place.martlet("predict", "landing/visits/first.csv", "-o", "again.csv").code == 0)
        let again = Dictionary(
            uniqueKeysWithValues: cells(try place.read("again.csv")).dropFirst().map { ($0[0], $0[1]) })
        #expect(again.count == 600)
        for row in test {
            let key = try #require(row["key"]?.text)
            #expect(again[key].flatMap(Double.init) == row["probability"]?.number, "row \(key)")
            #expect((portableUniform(seed: 42, key: key) >= 0.8), "any tool can rebuild the split")
        }
    }

    @Test func `gives a patient the same score from a file as from the lake, with the earlier encounters`() throws {
        let place = try LookAlikes.readmission()
        let run = try #require(try place.martlet("runs", "list", "--json").json().at("0.id")?.text)
        #expect(try place.martlet("runs", "artifact", run, "scores.parquet", "-o", "scores.parquet").code == 0)
        let scores = try parquet(
            try place.bytes("scores.parquet"),
            [("key", "text"), ("part", "text"), ("label", "bigint"), ("probability", "double")])
        #expect(try place.martlet("predict", "landing/encounters/look-alikes.csv", "-o", "again.csv").code == 0)
        let again = Dictionary(
            uniqueKeysWithValues: cells(try place.read("again.csv")).dropFirst().map { ($0[0], $0[1]) })
        let test = scores.filter { $0["part"]?.text == "test" }
        #expect(test.count > 3000)
        #expect(
            test.allSatisfy { row in again[row["key"]?.text ?? ""].flatMap(Double.init) == row["probability"]?.number })
    }

    @Test func `keeps a text key as it is, even where it looks like a number`() throws {
        let place = try Wards.written()
        try place.edit("contracts/visits.yaml", "visit_id: {type: bigint", "visit_id: {type: text")
        let rows = Wards.rows(1..<601).map { "00" + $0 }
        try place.write("landing/visits/first.csv", Wards.csv(rows))
        #expect(try place.martlet("run").code == 0)
        try place.write(
            "new.csv",
            Wards.csv(
                Wards.rows(700..<703, labelled: false).map { "00" + $0 },
                header: "visit_id,seen_at,ward,weight(kg),readings,note"))
        #expect(try place.martlet("predict", "new.csv", "-o", "a.csv").code == 0)
        #expect(try place.martlet("predict", "new.csv", "-o", "a.parquet").code == 0)
        let keys = ["00700", "00701", "00702"]
        #expect(cells(try place.read("a.csv")).dropFirst().map { $0[0] } == keys)
        #expect(try parquet(try place.bytes("a.parquet"), [("visit_id", "text")]).map { $0["visit_id"]?.text } == keys)
    }

    @Test func `tells of bad rows and scores the others`() throws {
        let place = try Wards.run()
        let bad = [
            "3001,2026-03-01T08:00:00,west,80.5,1,plain", "3002,2026-03-01T08:00:00,north,heavy,1,plain",
            "3003,2026-03-01T08:00:00,north,80.5,1,plain,one cell too many",
            "3004,2026-03-01T08:00:00,north,NA,1,plain",
        ]
        try place.write(
            "new.csv",
            Wards.csv(
                bad + Wards.rows(3005..<3010, labelled: false),
                header: "visit_id,seen_at,ward,weight(kg),readings,note"))
        let outcome = try place.martlet("predict", "new.csv", "-o", "out.csv")
        #expect(outcome.code == 0, "\(outcome)")
        for word in [
            "5 of 9 records", "3 records break the contract", "rows 1, 2, 3", "1 record has no score", "visit_id 3004",
            "ward", "weight", "west",
        ] {
            #expect(outcome.errors.contains(word), "\(word) in \(outcome)")
        }
        #expect(cells(try place.read("out.csv")).dropFirst().map { $0[0] } == (3005..<3010).map(String.init))
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 640, "the lake is not touched")
        let unscored = try place.martlet("predict", "new.csv", "--json").json()["unscored"]?.list ?? []
        #expect(unscored.map { $0["row"]?.integer } == [1, 2, 3, nil] && unscored.last?["key"]?.text == "3004")
        #expect(unscored[0]["reason"]?.text == "ward: allowed values", "\(unscored)")
    }

    /// A contract that wants the outcome in every row, and SQL that makes the target of it and of a reason.
    private func strict() throws -> Sandbox {
        let place = try Wards.written()
        try place.edit(
            "contracts/visits.yaml", "[\"yes\", \"no\"], optional: true}", "[\"yes\", \"no\"], nullable: false}")
        try place.edit("contracts/visits.yaml", "  note: {type: text}", "  note: {type: text, nullable: false}")
        try place.edit(
            "transforms/gold/visits.sql", ", note, outcome",
            ", note, CASE WHEN outcome = 'yes' AND note <> 'never' THEN 'yes' WHEN outcome = 'no' THEN 'no' END AS outcome"
        )
        try place.write(
            "landing/visits/first.csv", Wards.csv(Wards.rows(1..<601).map { $0.replacing("NA", with: "x") }))
        #expect(try place.martlet("run").code == 0)
        return place
    }

    @Test func `scores a file without the target, and without what only the target is made of`() throws {
        let place = try strict()
        let header = "visit_id,seen_at,ward,weight(kg),readings"
        try place.write(
            "new.csv", "\(header)\n7001,2026-03-01T08:00:00,north,80.5,1\n7002,2026-03-01T08:00:00,east,90,2\n")
        let outcome = try place.martlet("predict", "new.csv")
        #expect(outcome.code == 0 && cells(outcome.output).count == 3, "\(outcome)")
        #expect(outcome.errors.contains("lacks note, outcome"), "\(outcome)")
        // The same row with the columns has the same score; an empty target is as good as none.
        try place.write(
            "full.csv",
            "\(header),note,outcome\n7001,2026-03-01T08:00:00,north,80.5,1,,\n7002,2026-03-01T08:00:00,east,90,2,a,no\n"
        )
        #expect(try place.martlet("predict", "full.csv").output == outcome.output)
        // What the features are made of, and the key, must be there.
        try place.write("short.csv", "visit_id,seen_at,ward,readings\n7001,2026-03-01T08:00:00,north,1\n")
        let short = try place.martlet("predict", "short.csv")
        #expect(short.code == 1 && short.errors.contains("weight(kg)"), "\(short)")
        // Training goes on to want all of them.
        try place.write("landing/visits/new.csv", try place.read("new.csv"))
        #expect(try place.martlet("ingest").errors.contains("the header lacks 2 columns"))
    }

    @Test func `reads standard input`() throws {
        let place = try Wards.run()
        let file = try place.martlet("predict", "landing/visits/later.csv")
        for command in ["predict -", "predict - --source visits"] {
            let piped = try Program.run(
                "/bin/sh", ["-c", "cat landing/visits/later.csv | '\(Program.path)' \(command)"], in: place.folder)
            #expect(piped.code == 0 && piped.output == file.output, "\(piped)")
        }
        #expect(place.list(".martlet/scratch").isEmpty)
    }

    @Test func `refuses a file that has nothing to score and writes no output`() throws {
        let place = try Wards.run()
        try place.write("all-bad.csv", Wards.csv(["1,2026-03-01T08:00:00,west,80.5,1,plain,yes"]))
        try place.write("header.csv", Wards.header + "\n")
        for name in ["all-bad.csv", "header.csv", "absent.csv"] {
            let outcome = try place.martlet("predict", name, "-o", "out.csv")
            #expect(outcome.code == 1 && outcome.isClean && outcome.errors.contains(name), "\(outcome)")
            #expect(!place.exists("out.csv"))
        }
        #expect(try place.martlet("predict", "landing/visits/later.csv", "-o", "out.xlsx").code == 64)
        let nowhere = try place.martlet("predict", "landing/visits/later.csv", "-o", "no/such/folder/out.parquet")
        #expect(nowhere.code == 1 && nowhere.isClean, "\(nowhere)")
    }
}
