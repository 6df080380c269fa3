import Core
import TestSupport
import Testing

@Suite struct `What a run registers` {
    private func versions(_ place: Sandbox) throws -> Int? {
        try place.martlet("models", "list", "--json").json().at("0.versions")?.integer
    }

    private func runs(_ place: Sandbox) throws -> Int {
        try place.martlet("runs", "list", "--json").json().list?.count ?? 0
    }

    @Test func `the same model is not registered again`() throws {
        let place = try Wards.run()
        // Another gate is another run, of the same model.
        try place.edit("martlet.yaml", "at_least: 0.6", "at_least: 0.55")
        let run = try place.martlet("run")
        #expect(run.code == 0 && run.errors.contains("unchanged, same as stay@1"), "\(run)")
        #expect(try versions(place) == 1 && runs(place) == 2)
        let json = try place.martlet("run", "--json").json()
        #expect(json.at("models.0.version.version")?.integer == 1)
        #expect(try place.martlet("models", "history", "stay", "--json").json()["events"]?.list?.count == 2)
        // The same model that reacts otherwise to rows that do not fit is another version.
        try place.edit("martlet.yaml", "    approval: none", "    input: {out_of_range: reject}\n    approval: none")
        #expect(try place.martlet("run").code == 0)
        #expect(try versions(place) == 2)
    }

    @Test func `new rows without a label are scored and train nothing`() throws {
        let place = try Wards.run()
        let more = Wards.rows(2001..<2011, labelled: false)
        try place.write(
            "landing/visits/more.csv", Wards.csv(more, header: String(Wards.header.dropLast(",outcome".count))))
        let run = try place.martlet("run")
        #expect(run.code == 0 && run.errors.contains("no new labelled rows"), "\(run)")
        #expect(try runs(place) == 1 && versions(place) == 1)
        #expect(try place.count("SELECT count(*) FROM gold.predictions_stay") == 50)
        #expect(try place.martlet("run").errors.contains("train:stay                     skipped: unchanged"))
        #expect(try place.martlet("verify", "stay@1").code == 0)
        // Its artifacts come back from the rows that it learned from.
        for path in place.files(".martlet/artifacts", ending: "") where path.split(separator: "/").last?.count == 64 {
            try place.remove(path)
        }
        let restored = try place.martlet("run")
        #expect(restored.code == 0 && restored.errors.contains("restored"), "\(restored)")
        // What cannot be brought back as it was is trained anew.
        let checks = try #require(
            try place.martlet("runs", "list", "--json").json().at("0.id")?.text.map { run in
                try place.martlet("runs", "show", run, "--json").json()["artifacts"]?.list?.first {
                    $0["name"]?.text == "checks.json"
                }?["digest"]?.text
            } ?? nil)
        for path in place.files(".martlet/artifacts", ending: checks) { try place.remove(path) }
        try place.edit("contracts/visits.yaml", "description: one row per visit", "event_time: seen_at")
        let anew = try place.martlet("run")
        #expect(anew.code == 0 && anew.errors.contains("trained anew"), "\(anew)")
        // A label makes it train.
        try place.write("landing/visits/labelled.csv", Wards.csv(Wards.rows(3001..<3101)))
        #expect(try place.martlet("run").code == 0)
        #expect(try runs(place) == 3)
    }

    @Test func `a champion that the table has left behind fails nothing`() throws {
        let place = try Wards.run()
        try place.write(
            "transforms/gold/visits.sql", "SELECT visit_id, ward, weight, note, outcome FROM silver.visits")
        let run = try place.martlet("run")
        #expect(run.code == 0 && run.isClean, "\(run)")
        for word in [
            "stay@2, @candidate", "warning: stay: gold.predictions_stay was not written", "stay@1", "readings",
            "promote",
        ] {
            #expect(run.errors.contains(word), "\(word) in \(run)")
        }
        #expect(try place.martlet("run", "--json").json().at("models.0.warnings")?.list?.count == 1)
        #expect(try place.count("SELECT count(*) FROM gold.predictions_stay") == 40, "as they were")
        #expect(try place.martlet("models", "promote", "stay@2").code == 0)
        let again = try place.martlet("run")
        #expect(again.code == 0 && again.errors.contains("40 rows → gold.predictions_stay"), "\(again)")
    }

    @Test func `a renamed project is told what it does not see any more`() throws {
        let place = try Wards.run()
        try place.edit("martlet.yaml", "name: wards", "name: hospital")
        let run = try place.martlet("run")
        #expect(run.code == 0 && run.errors.contains("warning: 1 version in this registry"), "\(run)")
        #expect(run.errors.contains("name: wards"), "\(run)")
        try place.edit("martlet.yaml", "name: hospital", "name: wards")
        let back = try place.martlet("run")
        #expect(back.code == 0 && !back.errors.contains("warning"), "\(back)")
        #expect(try versions(place) == 1)
    }
}
