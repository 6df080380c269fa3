import Core
import TestSupport
import Testing

@Suite struct `Verifying a version` {
    @Test(arguments: ["1", "2", "4"], ["1", "2"])
    func `rebuilds every table and the model, whatever the threads`(engine: String, training: String) throws {
        let place = try Wards.run()
        let report = try place.martlet(
            "verify", "stay@1", "--engine-threads", engine, "--training-threads", training, "--json")
        #expect(report.code == 0, "\(report)")
        let json = try report.json()
        #expect(json["equal"] == .flag(true))
        let checks = (json["checks"]?.list ?? []).compactMap { $0["what"]?.text }
        #expect(checks == ["bronze.visits", "silver.visits", "gold.visits", "model"])
    }

    @Test func `works for the forest with its cross-validation and for boosting with windows in the SQL`() throws {
        let downtime = try LookAlikes.downtime()
        let forest = try downtime.martlet("verify", "downtime@1", "--engine-threads", "2", "--training-threads", "1")
        #expect(forest.code == 0 && forest.output.contains("✓  model"), "\(forest)")
        let readmission = try LookAlikes.readmission()
        let boosted = try readmission.martlet("verify", "readmission@champion", "--engine-threads", "4")
        #expect(boosted.code == 0 && boosted.output.contains("✓  model"), "\(boosted)")
    }

    @Test(.needsInterop)
    func `fails with exit code 2 after one altered bronze cell, and names the table`() throws {
        let same = try LookAlikes.readmission()
        // The same rows under another writer are the same table ...
        let nothing = try Program.interop(
            "alter_cell.py", [same.path(".martlet/lake/bronze/encounters"), "num_medications", "_row = 0", "0"])
        #expect(nothing.code == 0 && nothing.output == "0\n", "\(nothing)")
        #expect(try same.martlet("verify", "readmission@1").code == 0)
        // ... and one cell more is not.
        let place = try LookAlikes.readmission()
        let table = place.path(".martlet/lake/bronze/encounters")
        let one = try Program.interop(
            "alter_cell.py", [table, "num_medications", "_row = 4711", "num_medications + 1"])
        #expect(one.code == 0 && one.output == "1\n", "\(one)")
        let refused = try place.martlet("verify", "readmission@1")
        #expect(refused.code == 2, "\(refused)")
        #expect(refused.errors.contains("bronze.encounters differs") && refused.errors.contains("verify.differs"))
        let json = try place.martlet("verify", "readmission@1", "--json")
        #expect(json.code == 2)
        #expect(try json.json()["first_difference"]?.text == "bronze.encounters")
    }

    @Test func `fails when a table's file was put in the place of another's`() throws {
        let place = try Wards.run()
        let other = try Wards.written()
        try other.write("landing/visits/first.csv", Wards.csv(Wards.rows(1..<601).reversed()))
        #expect(try other.martlet("ingest").code == 0)
        let mine = try #require(place.files(".martlet/lake/bronze/visits", ending: ".parquet").first)
        let theirs = try #require(other.files(".martlet/lake/bronze/visits", ending: ".parquet").first)
        try place.write(mine, bytes: try other.bytes(theirs))
        let refused = try place.martlet("verify", "stay@1")
        #expect(refused.code == 2 && refused.errors.contains("bronze.visits"), "\(refused)")
    }

    @Test func `holds after newer data and newer SQL, for it uses what the version was made of`() throws {
        let place = try Wards.run()
        try place.write("landing/visits/more.csv", Wards.csv(Wards.rows(2001..<2101)))
        try place.edit("transforms/gold/visits.sql", "weight / nullif(readings, 0)", "readings * weight")
        #expect(try place.martlet("run").code == 0)
        #expect(try place.martlet("models", "list", "--json").json().at("0.candidate")?.integer == 2)
        for version in ["stay@1", "stay@2"] {
            let report = try place.martlet("verify", version)
            #expect(report.code == 0, "\(report)")
        }
    }

    @Test func `fails when an artifact was altered`() throws {
        let place = try Wards.run()
        let artifacts = try place.martlet("models", "show", "stay@1", "--json").json()["artifacts"]?.list ?? []
        let digest = try #require(artifacts.first { $0["name"]?.text == "model.txt" }?["digest"]?.text)
        let file = ".martlet/artifacts/\(digest.prefix(2))/\(digest)"
        try place.edit(file, "leaf_value=", "leaf_value=1")
        for arguments in [["verify", "stay@1"], ["predict", "landing/visits/later.csv"]] {
            let refused = try place.martlet(arguments)
            #expect(refused.code == 1 && refused.errors.contains("artifact.altered"), "\(refused)")
        }
    }
}
