import Core
import TestSupport
import Testing

@Suite struct `Quarantine on the command line` {
    private func ids(_ place: Sandbox) throws -> [Int?] {
        try place.sql("SELECT visit_id FROM bronze.visits WHERE visit_id > 900 AND visit_id < 1000 ORDER BY 1").map {
            $0["visit_id"]?.integer
        }
    }

    @Test func `list counts, show tells, fix and replay mend, and a second replay finds nothing`() throws {
        let place = try Wards.run()
        let list = try place.martlet("quarantine", "list", "--json").json()
        #expect(list.at("0.rows.open")?.integer == 3)
        #expect(
            Set((list.at("0.groups")?.list ?? []).compactMap { $0["rule"]?.text }) == [
                "allowed values", "max 250", "type timestamp",
            ])
        let shown = try place.martlet("quarantine", "show", "visits", "--rule", "max 250")
        #expect(shown.output.contains("[weight(kg)=8050]") && shown.output.contains("first.csv:602"), "\(shown)")
        let fixed = try place.martlet(
            "quarantine", "fix", "visits", "--where", "ward=west", "--set", "ward=east", "--reason", "renamed")
        #expect(fixed.code == 0 && fixed.output.contains("Corrected 1 cell"), "\(fixed)")
        let replayed = try place.martlet("quarantine", "replay", "visits", "--json").json()
        #expect(replayed.at("0.replayed")?.integer == 1 && replayed.at("0.still_bad")?.integer == 2)
        #expect(try place.martlet("quarantine", "replay", "--json").json().at("0.replayed")?.integer == 0)
        #expect(try ids(place) == [901])
        let run = try place.martlet("run")
        #expect(run.code == 0, "\(run)")
        #expect(try place.count("SELECT count(*) FROM gold.visits") == 641)
        let history = try place.martlet("quarantine", "show", "visits", "--all", "--row", "first.csv:601")
        #expect(history.output.contains("fixed ward: \"west\" → \"east\"") && history.output.contains("replayed by"))
    }

    @Test func `a kill at any point of a replay leaves each row open or in bronze, and once more is enough`() throws {
        let before = try Wards.run()
        let fixed = try before.martlet("quarantine", "fix", "visits", "--where", "ward=west", "--set", "ward=east")
        #expect(fixed.code == 0, "\(fixed)")
        try before.edit("contracts/visits.yaml", "max: 250", "max: 9000")
        var kills = 0
        for point in 1...200 {
            let place = try Sandbox(copyOf: before)
            let outcome = try place.martlet(
                "quarantine", "replay", environment: ["MARTLET_FAILPOINT": "*:kill@\(point)"])
            if !outcome.isSignal {
                #expect(outcome.code == 0, "\(outcome)")
                break
            }
            kills += 1
            let open = try place.martlet("quarantine", "list", "--json").json().at("0.rows.open")?.integer
            let inBronze = try ids(place)
            #expect(inBronze == [] && open == 3 || inBronze == [901, 902] && open == 1, "point \(point)")
            let again = try place.martlet("quarantine", "replay")
            #expect(again.code == 0, "\(again)")
            #expect(try ids(place) == [901, 902], "point \(point)")
            #expect(
                try place.count("SELECT count(*) FROM bronze.visits") == 642
                    && place.count("SELECT count(DISTINCT visit_id) FROM bronze.visits") == 642)
            #expect(try place.martlet("quarantine", "list", "--json").json().at("0.rows.open")?.integer == 1)
        }
        #expect(kills > 5)
    }

    @Test func `a refused file is shown, and replayed from what is kept when the landed one is gone`() throws {
        let place = try Wards.run()
        try place.write(
            "landing/visits/east.csv",
            Wards.csv(Wards.rows(2001..<2031), header: "visit_id,seen,ward,weight(kg),readings,note,outcome"))
        let refused = try place.martlet("ingest")
        #expect(refused.code == 1 && refused.errors.contains("martlet quarantine show visits"), "\(refused)")
        try place.remove("landing/visits/east.csv")
        let shown = try place.martlet("quarantine", "show", "visits", "--file", "east.csv")
        #expect(shown.output.contains("refused whole, open") && shown.output.contains("visit_id,seen,ward"), "\(shown)")
        #expect(try place.martlet("quarantine", "replay", "--file", "east.csv").output.contains("still refused"))
        try place.edit(
            "contracts/visits.yaml", "seen_at: {type: timestamp,", "seen_at: {type: timestamp, from: [seen_at, seen],")
        let taken = try place.martlet("quarantine", "replay", "--file", "east.csv", "--json")
        #expect(taken.code == 0, "\(taken)")
        #expect(try taken.json().at("0.files.0.rows_accepted")?.integer == 30)
        #expect(try place.count("SELECT count(*) FROM bronze.visits WHERE visit_id BETWEEN 2001 AND 2030") == 30)
        #expect(try place.martlet("quarantine", "list", "--json").json().at("0.files.replayed")?.integer == 1)
    }

    @Test func `good rows of a refused file are taken when a person says so, the others by a converted value`() throws {
        let place = try Wards.run()
        let rows = Wards.rows(3001..<3021).enumerated().map { index, row in
            index < 12
                ? row.replacing(".5,", with: ",5\",").replacing("north,", with: "north,\"").replacing(
                    "south,", with: "south,\""
                )
                .replacing("east,", with: "east,\"") : row
        }
        try place.write("landing/visits/comma.csv", Wards.csv(rows))
        let refused = try place.martlet("ingest", "--json")
        #expect(refused.code == 2, "\(refused)")
        let drift = try refused.json().at("0.files")?.list?.first { $0["name"]?.text == "comma.csv" }?.at("drift.0")
        #expect(drift?["kind"]?.text == "retyped" && drift?["column"]?.text == "weight", "\(refused)")
        #expect(drift?["evidence"]?.text?.contains("decimal commas") == true)
        #expect(try place.martlet("quarantine", "replay", "--file", "comma.csv", "--by-row").code == 0)
        #expect(try place.count("SELECT count(*) FROM bronze.visits WHERE visit_id > 3000") == 8)
        let fixed = try place.martlet(
            "quarantine", "fix", "visits", "--file", "comma.csv", "--convert", "weight=decimal-comma", "--replay")
        #expect(fixed.code == 0, "\(fixed)")
        #expect(try place.count("SELECT count(*) FROM bronze.visits WHERE visit_id > 3000") == 20)
        #expect(try place.count("SELECT count(*) FROM bronze.visits WHERE visit_id > 3000 AND weight < 150") == 20)
    }

    @Test func `corrections come from a file, and wrong ones are refused with the row to blame`() throws {
        let place = try Wards.run()
        try place.write("fixes.csv", "file,row,column,value\nfirst.csv,601,ward,north\nfirst.csv,602,weight(kg),80.5\n")
        let fixed = try place.martlet("quarantine", "fix", "visits", "--from", "fixes.csv", "--replay", "--json")
        #expect(fixed.code == 0, "\(fixed)")
        #expect(try fixed.json().at("fixed.cells")?.integer == 2 && fixed.json().at("replayed.replayed")?.integer == 2)
        for (arguments, code) in [
            (["--row", "first.csv:5", "--set", "ward=north"], "quarantine.no-match"),
            (["--row", "first.cvs:603", "--set", "ward=north"], "quarantine.no-file"),
            (["--row", "603", "--set", "ward=north"], "quarantine.row"),
            (["--where", "wrad=x", "--set", "ward=north"], "quarantine.no-column"),
            (["--where", "ward", "--set", "ward=north"], "quarantine.assignment"),
            (["--row", "first.csv:603", "--line", "1,2"], "quarantine.line"),
        ] {
            let outcome = try place.martlet(["quarantine", "fix", "visits"] + arguments)
            #expect(outcome.errors.contains("[\(code)]") && outcome.code != 0, "\(outcome)")
        }
        #expect(try place.martlet("quarantine", "show", "vists").errors.contains("Did you mean visits?"))
    }

    @Test func `what was dropped does not come up again, a dropped file does not fail the next run`() throws {
        let place = try Wards.run()
        try place.write("landing/visits/bad.csv", "a,b\n1,2\n")
        #expect(try place.martlet("ingest").code == 1)
        #expect(try place.martlet("quarantine", "drop", "visits", "--reason", "x").code == 64)
        let dropped = try place.martlet("quarantine", "drop", "visits", "--all", "--reason", "a test of the sender")
        #expect(dropped.code == 0 && dropped.output.contains("3 rows and 1 file"), "\(dropped)")
        #expect(try place.martlet("ingest").code == 0)
        #expect(try place.martlet("quarantine", "replay", "--json").json().at("0.judged")?.integer == 0)
        let undone = try place.martlet("quarantine", "drop", "visits", "--all", "--undo", "--reason", "it was not")
        #expect(undone.code == 0, "\(undone)")
        #expect(try place.martlet("quarantine", "list", "--json").json().at("0.rows.open")?.integer == 3)
    }
}
