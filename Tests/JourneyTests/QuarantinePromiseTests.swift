import Core
import Testing

/// What docs/quarantine.md promises and no other test looks at.
@Suite struct `Quarantine as its page has it` {
    /// A source of texts and numbers in which whatever is written otherwise is set aside.
    private func readings(_ rows: [String], onKeyConflict: String = "reject") throws -> Sandbox {
        let place = try Sandbox()
        try place.write("martlet.yaml", "name: words\nsources:\n  readings: {}\n")
        try place.write(
            "contracts/readings.yaml",
            """
            max_rejected: 1
            key: [id]
            on_key_conflict: \(onKeyConflict)
            columns:
              id: {type: bigint}
              code: {type: text, allowed: [ok, BAD]}
              pressure: {type: double, min: 1, max: 10}
              count: {type: integer}

            """)
        try place.write("landing/readings/a.csv", "id,code,pressure,count\n" + rows.joined(separator: "\n") + "\n")
        let ingested = try place.martlet("ingest")
        #expect(ingested.code == 0, "\(ingested)")
        return place
    }

    @Test(arguments: [
        ("decimal-comma", "pressure", "1,ok,\"2,5\",3", "2.5"), ("no-separators", "count", "1,ok,2,1.204", "1204"),
        ("no-separators", "count", "1,ok,2,\"12,045\"", "12045"), ("lower", "code", "1,OK,2,3", "ok"),
        ("upper", "code", "1,bad,2,3", "BAD"), ("trim", "code", "1, ok ,2,3", "ok"),
        ("*1000", "pressure", "1,ok,0.0025,3", "2.5"), ("/1000", "pressure", "1,ok,2500,3", "2.5"),
    ])
    func `a rule converts the cells that it is for`(rule: String, column: String, row: String, becomes: String) throws {
        let place = try readings([row, "2,ok,2,3"])
        #expect(try place.martlet("quarantine", "list", "--json").json().at("0.rows.open")?.integer == 1)
        let fixed = try place.martlet(
            "quarantine", "fix", "readings", "--file", "a.csv", "--convert", "\(column)=\(rule)", "--replay", "--json")
        #expect(fixed.code == 0, "\(fixed)")
        let value = try place.sql("SELECT CAST(\(column) AS VARCHAR) AS v FROM bronze.readings WHERE id = 1").first
        #expect(value?["v"]?.text == becomes, "\(fixed)")
    }

    @Test func `each state is told, and a dropped row comes back by undo`() throws {
        let place = try readings(
            ["1,ok,2,3", "2,no,2,3", "3,no,2,3", "4,no,2,3", "1,ok,4,3"], onKeyConflict: "latest-wins")
        func states() throws -> [String?] {
            let rows = try place.martlet("quarantine", "show", "readings", "--all", "--json").json()["rows"]?.list ?? []
            return rows.sorted { ($0["row"]?.integer ?? 0) < ($1["row"]?.integer ?? 0) }.map { $0["state"]?.text }
        }
        #expect(try states() == ["superseded", "open", "open", "open"])
        let fix = [
            "quarantine", "fix", "readings", "--row", "a.csv:2", "--set", "code=ok", "--replay", "--reason", "typo",
        ]
        #expect(try place.martlet(fix).code == 0)
        #expect(try place.martlet("quarantine", "drop", "readings", "--row", "a.csv:3", "--reason", "twice").code == 0)
        #expect(try states() == ["superseded", "replayed", "dropped", "open"])
        let before = try place.sql("SELECT * FROM quarantine._readings_decisions ORDER BY decision, action")
        let back = ["quarantine", "drop", "readings", "--row", "a.csv:3", "--undo", "--reason", "it was not"]
        #expect(try place.martlet(back).code == 0)
        #expect(try states() == ["superseded", "replayed", "open", "open"])
        // What was decided before stands there still, word for word.
        let after = try place.sql("SELECT * FROM quarantine._readings_decisions ORDER BY decision, action")
        #expect(before.count == 3 && after.count == 4)
        #expect(before.allSatisfy { row in after.contains { $0 == row } })
        #expect(Set(after.compactMap { $0["action"]?.text }) == ["fix", "replay", "drop", "reopen"])
        let columns = [
            "decision", "at", "actor", "action", "reason", "file_digest", "file_name", "row", "column", "old_value",
            "new_value",
        ]
        #expect(Set(after.first?.members?.keys.map { $0 } ?? []) == Set(columns))
        let fixed = after.first { $0["action"]?.text == "fix" }
        #expect(
            fixed?["old_value"]?.text == "no" && fixed?["new_value"]?.text == "ok" && fixed?["reason"]?.text == "typo")
    }

    @Test func `nothing behind the equals sign means missing, and a line is given anew`() throws {
        let place = try readings(["1,no,2,3", "2,ok,2", "3,ok,2,3"])
        #expect(try place.martlet("quarantine", "fix", "readings", "--row", "a.csv:1", "--set", "code=").code == 0)
        let line = try place.martlet(
            "quarantine", "fix", "readings", "--row", "a.csv:2", "--line", "2,ok,2,9", "--replay", "--json")
        #expect(line.code == 0, "\(line)")
        for wrong in ["2,ok,\"2,9", "2,ok,2,9\n3,ok,2,9"] {
            let refused = try place.martlet("quarantine", "fix", "readings", "--row", "a.csv:2", "--line", wrong)
            #expect(refused.code != 0 && refused.errors.contains("["), "\(refused)")
        }
        #expect(try place.martlet("quarantine", "replay").code == 0)
        #expect(try place.count("SELECT count(*) FROM bronze.readings") == 3)
        #expect(try place.count("SELECT count(*) FROM bronze.readings WHERE code IS NULL") == 1)
        #expect(try place.count("SELECT count FROM bronze.readings WHERE id = 2") == 9)
    }

    @Test func `rows go into bronze with the file and row that they came from`() throws {
        let place = try readings(["1,ok,2,3", "2,no,2,3"])
        #expect(
            try place.martlet("quarantine", "fix", "readings", "--where", "code=no", "--set", "code=ok", "--replay")
                .code
                == 0)
        let rows = try place.sql("SELECT id, _file, _row FROM bronze.readings ORDER BY id")
        #expect(rows.map { $0["_row"]?.integer } == [1, 2] && rows[0]["_file"] == rows[1]["_file"])
        let log = try place.read(
            ".martlet/lake/bronze/readings/_delta_log/\(place.list(".martlet/lake/bronze/readings/_delta_log").filter { $0.hasSuffix(".json") }.max() ?? "")"
        )
        #expect(log.contains("martlet/replay/"))
    }
}
