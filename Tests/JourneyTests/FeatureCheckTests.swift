import Core
import TestSupport
import Testing

@Suite struct `The check of features` {
    private func dated() throws -> Sandbox {
        let place = try Wards.written()
        try place.edit("contracts/visits.yaml", "columns:", "event_time: seen_at\ncolumns:")
        try place.edit("transforms/gold/visits.sql", "visit_id, ward", "visit_id, seen_at, ward")
        try place.edit("martlet.yaml", "    key: visit_id", "    key: visit_id\n    event_time: seen_at")
        try place.write("landing/visits/first.csv", Wards.first)
        return place
    }

    private func told(_ place: Sandbox) throws -> (run: String, doctor: String, card: String) {
        let run = try place.martlet("run")
        #expect(run.code == 0, "\(run)")
        let doctor = try place.martlet("doctor")
        #expect(doctor.code == 0, "\(doctor)")
        return (run.errors, doctor.output, try place.martlet("models", "card", "stay").output)
    }

    @Test func `has its mark where event times are declared and reach the table`() throws {
        let (run, doctor, card) = try told(dated())
        let sentence = "no feature knows what is not known yet at seen_at"
        #expect(run.contains("✓ leaks:stay") && run.contains(sentence), "\(run)")
        #expect(doctor.contains("✓ leaks stay: \(sentence)"), "\(doctor)")
        #expect(card.contains("Leaks: \(sentence)"), "\(card)")
    }

    @Test(arguments: [
        ("contracts/visits.yaml", "event_time: seen_at\n", "", "the contract of visits declares no event_time"),
        (
            "martlet.yaml", "    event_time: seen_at\n", "    features: {include: [ward, weight]}\n",
            "no single column of gold.visits is the event_time of a source"
        ),
    ])
    func `says why it was not made`(file: String, old: String, new: String, why: String) throws {
        let place = try dated()
        if !new.isEmpty {
            try place.edit("transforms/gold/visits.sql", "seen_at, ", "")
            try place.edit("martlet.yaml", "    features:\n      exclude: [note]\n", "")
        }
        try place.edit(file, old, new)
        let (run, doctor, card) = try told(place)
        #expect(run.contains("· leaks:stay") && run.contains("not checked, because \(why)"), "\(run)")
        #expect(doctor.contains("! leaks stay: not checked, because \(why)"), "\(doctor)")
        #expect(card.contains("Leaks: **not checked, because \(why)"), "\(card)")
    }

    @Test func `says so of a table that no SQL of the project makes`() throws {
        let place = try Wards.run()
        try place.remove("transforms/gold/visits.sql")
        try place.edit("martlet.yaml", "num_leaves: 4", "num_leaves: 6")
        let (run, doctor, card) = try told(place)
        let why = "gold.visits is not made by SQL of this project"
        #expect(
            run.contains("not checked, because \(why)") && doctor.contains("! leaks stay: not checked"), "\(doctor)")
        #expect(card.contains(why) || card.contains("made of the target"), "\(card)")
        let file = try place.martlet("predict", "landing/visits/later.csv", "--model", "stay@2")
        #expect(file.code == 1 && file.errors.contains("predict.no-sql"), "\(file)")
    }

    @Test func `warns of a feature that tells the target alone`() throws {
        let place = try dated()
        // A flag of some of the positives, and a number that has them all behind the others.
        try place.edit("contracts/visits.yaml", "  note:", "  flag: {type: integer}\n  bill: {type: double}\n  note:")
        try place.edit("transforms/silver/visits.sql", "readings, note", "readings, flag, bill, note")
        try place.edit("transforms/gold/visits.sql", "readings, weight /", "readings, flag, bill, weight /")
        let rows = Wards.rows(1..<601).enumerated().map { index, row in
            let isYes = row.hasSuffix("yes")
            return "\(row),\(isYes && index % 3 == 0 ? 1 : 0),\(isYes ? 100 + index % 40 : index % 101)"
        }
        try place.write("landing/visits/first.csv", Wards.csv(rows, header: Wards.header + ",flag,bill"))
        let (run, doctor, card) = try told(place)
        for text in [run, doctor, card] {
            #expect(text.contains("flag = 1 alone tells the target: 100.0 % of"), "\(text)")
            #expect(text.contains("bill alone tells the target: AUC"), "\(text)")
            #expect(!text.contains("weight alone") && !text.contains("ward = "), "\(text)")
        }
        #expect(run.contains("warning: stay: ") && doctor.contains("! features stay: "), "\(run)")
        #expect(!(try place.martlet("run").errors.contains("warning")), "told by the run that trained")
    }

    @Test func `a card names a few files, and many by their source`() throws {
        let place = try Wards.written()
        for index in 0..<30 {
            try place.write("landing/visits/day-\(index).csv", Wards.csv(Wards.rows(index * 20 + 1..<index * 20 + 21)))
        }
        #expect(try place.martlet("run").code == 0)
        let card = try place.martlet("models", "card", "stay").output
        #expect(card.contains("| visits | 30 | 600 | 0 | day-0.csv | day-9.csv |"), "\(card)")
        #expect(card.split(separator: "\n", omittingEmptySubsequences: false).count < 200)
    }
}
