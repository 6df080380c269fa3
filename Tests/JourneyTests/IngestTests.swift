import Core
import TestSupport
import Testing

@Suite struct `Taking files in` {
    private func twoFiles(_ policy: String) throws -> Sandbox {
        let place = try Wards.written()
        try place.edit("contracts/visits.yaml", "on_key_conflict: reject", "on_key_conflict: \(policy)")
        try place.write("landing/visits/a.csv", Wards.csv(Wards.rows(1..<101)))
        #expect(try place.martlet("ingest").code == 0)
        // Ids 1 to 20 again with other rows, id 1 twice, and 30 new ones.
        let again = Wards.rows(1..<21).map { $0.replacing("2026-03", with: "2026-04") }
        try place.write(
            "landing/visits/b.csv", Wards.csv(again + [again[0].replacing(",yes", with: ",no")] + Wards.rows(101..<131))
        )
        return place
    }

    @Test func `reject keeps the row that came first, in the file and between files`() throws {
        let place = try twoFiles("reject")
        try place.edit("contracts/visits.yaml", "max_rejected: 0.2", "max_rejected: 1")
        let report = try place.martlet("ingest", "--json")
        #expect(report.code == 0, "\(report)")
        let file = (try report.json().at("0.files")?.list ?? []).first { $0["name"]?.text == "b.csv" }
        #expect(file?["rows_accepted"]?.integer == 30)
        #expect(file?["rows_rejected"]?.integer == 21)
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 130)
        #expect(try place.count("SELECT count(*) FROM bronze.visits WHERE month(seen_at) = 4") == 0)
        #expect(try place.count("SELECT count(*) FROM quarantine.visits WHERE file_name = 'b.csv'") == 21)
        let rules = try place.sql("SELECT DISTINCT rule FROM quarantine.visits").compactMap { $0["rule"]?.text }
        #expect(rules.allSatisfy { $0.contains("key") || $0.contains("unique") }, "\(rules)")
    }

    @Test func `latest-wins keeps the row that came last, and time travel shows the earlier one`() throws {
        let place = try twoFiles("latest-wins")
        let report = try place.martlet("ingest", "--json")
        #expect(report.code == 0, "\(report)")
        let file = (try report.json().at("0.files")?.list ?? []).first { $0["name"]?.text == "b.csv" }
        #expect(file?["rows_accepted"]?.integer == 50)
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 130)
        #expect(try place.count("SELECT count(DISTINCT visit_id) FROM bronze.visits") == 130)
        #expect(try place.count("SELECT count(*) FROM bronze.visits WHERE month(seen_at) = 4") == 20)
        #expect(try place.sql("SELECT outcome FROM bronze.visits WHERE visit_id = 1").first?["outcome"]?.text == "no")
        let before = try place.martlet("lake", "show", "bronze.visits", "--version", "0", "--limit", "1000", "--json")
            .json()
        #expect(before.list?.count == 100)
        #expect(before.list?.contains { $0["seen_at"]?.text?.hasPrefix("2026-04") == true } == false)
        #expect(try place.martlet("lake", "history", "bronze.visits", "--json").json().list?.count == 2)
    }

    @Test func `numbers and moments that other readers could not hold go to quarantine`() throws {
        let place = try Wards.written()
        try place.edit("contracts/visits.yaml", "max_rejected: 0.2", "max_rejected: 1")
        let odd = [
            ("1", "2026-03-01", "nan", "1"), ("2", "2026-03-01", "inf", "1"), ("3", "infinity", "80", "1"),
            ("4", "-infinity", "80", "1"), ("99999999999999999999", "2026-03-01", "80", "1"),
            ("6", "2026-02-30", "80", "1"),
            ("7", "2026-03-01", "80", "1.5"), ("8", "2026-03-01", "80", "9999999999"),
        ]
        let good = [("11", "2026-03-01", "8e1", "1.0"), ("12", "2026-02-28 23:59:59.999999", "80", "")]
        try place.write(
            "landing/visits/odd.csv", Wards.csv((odd + good).map { "\($0.0),\($0.1),north,\($0.2),\($0.3),x,yes" }))
        #expect(try place.martlet("ingest").code == 0)
        #expect(
            try place.sql("SELECT visit_id FROM bronze.visits ORDER BY 1").map { $0["visit_id"]?.integer } == [11, 12])
        #expect(try place.count("SELECT count(*) FROM quarantine.visits") == odd.count)
    }

    @Test func `byte order marks, line endings, quoted line breaks and a missing last line break do no harm`() throws {
        let place = try Wards.written()
        let row = "1,2026-03-01T08:00:00,north,80.5,1,\"two\nlines, \"\"quoted\"\"\",yes"
        let text = [Wards.header, row, "2,2026-03-01T08:00:00,east,80.5,1,plain,no"].joined(separator: "\r\n")
        try place.write("landing/visits/odd.csv", bytes: [0xEF, 0xBB, 0xBF] + Array(text.utf8))
        #expect(try place.martlet("ingest").code == 0)
        let rows = try place.sql("SELECT visit_id, note, outcome FROM bronze.visits ORDER BY visit_id")
        #expect(rows.map { $0["visit_id"]?.integer } == [1, 2])
        #expect(rows.first?["note"]?.text == "two\nlines, \"quoted\"")
        #expect(rows.last?["outcome"]?.text == "no")
    }

    @Test func `the same bytes under another name are taken once`() throws {
        let place = try Wards.run()
        try place.write("landing/visits/copy.csv", Wards.first)
        let report = try place.martlet("ingest", "--json")
        #expect(report.code == 0, "\(report)")
        let outcomes = (try report.json().at("0.files")?.list ?? []).compactMap { $0["outcome"]?.text }
        #expect(outcomes == ["already-known", "already-known", "already-known"])
        #expect(try place.martlet("ingest", "landing/visits/copy.csv").output.contains("already-known"))
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 640)
        #expect(try place.count("SELECT count(*) FROM quarantine.visits") == 3)
        #expect(try place.martlet("lake", "history", "bronze.visits", "--json").json().list?.count == 1)
        #expect(try place.martlet("run").errors.contains("skipped: nothing new (3 known)"))
    }

    @Test func `two files of the same bytes in one landing are taken once`() throws {
        let place = try Wards.written()
        for name in ["a.csv", "b.csv"] { try place.write("landing/visits/\(name)", Wards.first) }
        #expect(try place.martlet("ingest").code == 0)
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 600)
        #expect(try place.count("SELECT count(*) FROM quarantine.visits") == 3)
    }

    @Test func `bad rows stand in quarantine with file, row, column, rule and raw value`() throws {
        let place = try Wards.run()
        let rows = try place.sql("SELECT * FROM quarantine.visits ORDER BY \"row\"")
        #expect(rows.map { $0["row"]?.integer } == [601, 602, 603])
        #expect(rows.map { $0["column"]?.text } == ["ward", "weight", "seen_at"])
        #expect(rows.map { $0["raw_value"]?.text } == ["west", "8050", "yesterday"])
        #expect(rows.map { $0["rule"]?.text } == ["allowed values", "max 250", "type timestamp"])
        #expect(rows.allSatisfy { $0["file_name"]?.text == "first.csv" && $0["file_digest"]?.text?.count == 64 })
    }

    @Test func `a marker means missing, the text None is a value, an empty cell is missing`() throws {
        let place = try Wards.written()
        let rows = [
            "1,2026-03-01T08:00:00,north,80.5,1,NA,yes", "2,2026-03-01T08:00:00,north,80.5,1,None,yes",
            "3,2026-03-01T08:00:00,north,80.5,1,,no", "4,2026-03-01T08:00:00,north,80.5,1,\"NULL\",no",
        ]
        try place.write("landing/visits/a.csv", Wards.csv(rows))
        #expect(try place.martlet("ingest").code == 0)
        let notes = try place.sql("SELECT note FROM bronze.visits ORDER BY visit_id").map { $0["note"] }
        #expect(notes == [.null, .text("None"), .null, .text("NULL")])
    }

    @Test func `a refused file is refused again, quietly kept out, and taken once its contract or form is mended`()
        throws
    {
        let place = try Wards.run()
        try place.write(
            "landing/visits/caf.csv",
            bytes: Array((Wards.header + "\n5001,2026-03-01T08:00:00,north,80.5,1,caf").utf8) + [0xE9]
                + Array(",yes\n".utf8))
        for _ in 0..<2 {
            let refused = try place.martlet("ingest")
            // Beyond the share that the contract allows.
            #expect(refused.code == 2 && refused.errors.contains("[ingest.refused]"), "\(refused)")
        }
        #expect(try place.count("SELECT count(*) FROM quarantine.visits WHERE file_name = 'caf.csv'") == 1)
        try place.edit("martlet.yaml", "csv: {missing", "csv: {encoding: latin-1, missing")
        let taken = try place.martlet("ingest")
        #expect(taken.code == 0, "\(taken)")
        #expect(try place.sql("SELECT note FROM bronze.visits WHERE visit_id = 5001").first?["note"]?.text == "café")
    }

    @Test func `rows that arrive without an outcome get a prediction, and a new one when they change`() throws {
        let place = try Wards.run()
        #expect(try place.count("SELECT count(*) FROM gold.predictions_stay") == 40)
        let bands = try place.sql("SELECT DISTINCT band FROM gold.predictions_stay").compactMap { $0["band"]?.text }
        #expect(Set(bands).isSubset(of: ["low", "medium", "high"]))
        try place.write(
            "landing/visits/more.csv",
            Wards.csv(
                Wards.rows(4001..<4006, labelled: false),
                header: "visit_id,seen_at,ward,weight(kg),readings,note"))
        let run = try place.martlet("run")
        #expect(run.code == 0, "\(run)")
        #expect(try place.count("SELECT count(*) FROM gold.predictions_stay") == 45)
        #expect(try place.count("SELECT count(*) FROM gold.predictions_stay WHERE probability BETWEEN 0 AND 1") == 45)
    }
}
