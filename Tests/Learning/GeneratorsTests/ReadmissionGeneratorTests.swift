import Core
import Generators
import Testing

struct ReadmissionGeneratorTests {
    private func bytes(_ rows: Int, seed: UInt64, unlabelled: Bool = false) throws -> [UInt8] {
        var out: [UInt8] = []
        try ReadmissionGenerator(rows: rows, seed: seed, unlabelled: unlabelled).write { out += $0 }
        return out
    }

    @Test func `the same seed gives the same bytes and another seed others`() throws {
        let first = try Digest(of: bytes(2_000, seed: 7))
        #expect(try Digest(of: bytes(2_000, seed: 7)) == first)
        #expect(try Digest(of: bytes(2_000, seed: 8)) != first)
    }

    @Test func `has the real file's fifty headers and the mark of made-up rows`() throws {
        let table = try Table(bytes(3, seed: 1))
        #expect(table.header == ReadmissionGenerator.header)
        #expect(table.header.count == 51)
        #expect(table.header.first == "encounter_id")
        #expect(table.header[23] == "A1Cresult")
        #expect(table.header.suffix(4) == ["change", "diabetesMed", "readmitted", "_synthetic"])
        #expect(table.rows.count == 3)
    }

    @Test(arguments: [0, 1])
    func `writes as many rows as asked, each whole`(rows: Int) throws {
        let table = try Table(bytes(rows, seed: 1))
        #expect(table.rows.count == rows)
        #expect(table.rows.allSatisfy { $0.count == 51 })
    }

    @Test func `stops when the sink throws`() throws {
        struct Full: Error {}
        var pieces = 0
        #expect(throws: Full.self) {
            try ReadmissionGenerator(rows: 10_000, seed: 1).write { _ in
                pieces += 1
                if pieces == 2 { throw Full() }
            }
        }
        #expect(pieces == 2)
    }

    @Test(arguments: [
        ("race", ["AfricanAmerican", "Asian", "Caucasian", "Hispanic", "Other", "?"]),
        ("gender", ["Female", "Male", "Unknown/Invalid"]),
        ("max_glu_serum", ["None", "Norm", ">200", ">300"]),
        ("A1Cresult", ["None", "Norm", ">7", ">8"]),
        ("insulin", ["No", "Steady", "Up", "Down"]),
        ("examide", ["No"]),
        ("glyburide-metformin", ["No", "Steady", "Up", "Down"]),
        ("change", ["No", "Ch"]),
        ("diabetesMed", ["No", "Yes"]),
        ("readmitted", ["NO", ">30", "<30"]),
        ("_synthetic", ["true"]),
    ])
    func `writes no value outside the allowed ones`(column: String, allowed: [String]) throws {
        let table = try Table(bytes(20_000, seed: 3))
        #expect(Set(table[column]).subtracting(allowed).isEmpty)
    }

    @Test(arguments: [
        ("admission_type_id", 1.0, 8.0), ("discharge_disposition_id", 1, 30), ("admission_source_id", 1, 26),
        ("time_in_hospital", 1, 14), ("num_lab_procedures", 0, 200), ("num_procedures", 0, 20),
        ("num_medications", 1, 120), ("number_outpatient", 0, 120), ("number_emergency", 0, 120),
        ("number_inpatient", 0, 120), ("number_diagnoses", 1, 20),
    ])
    func `writes no number outside its range`(column: String, low: Double, high: Double) throws {
        let values = try Table(bytes(20_000, seed: 4)).numbers(column)
        #expect(values.count == 20_000)
        #expect(values.allSatisfy { low <= $0 && $0 <= high })
    }

    @Test func `keeps the marginals near those of the real file`() throws {
        let table = try Table(bytes(20_000, seed: 5))
        #expect((0.09...0.13).contains(table.share(of: "<30", in: "readmitted")))
        #expect((0.30...0.40).contains(table.share(of: ">30", in: "readmitted")))
        #expect((0.35...0.43).contains(table.share(of: "?", in: "payer_code")))
        #expect((0.45...0.53).contains(table.share(of: "?", in: "medical_specialty")))
        #expect((0.80...0.87).contains(table.share(of: "None", in: "A1Cresult")))
        #expect((4.0...4.8).contains(table.mean("time_in_hospital")))
        #expect((15.0...17.5).contains(table.mean("num_medications")))
        #expect((0.5...0.85).contains(table.mean("number_inpatient")))
    }

    @Test func `patients come back, and the more stays the more readmissions`() throws {
        let table = try Table(bytes(20_000, seed: 6))
        let patients = Set(table["patient_nbr"]).count
        #expect((0.62...0.8).contains(Double(patients) / 20_000))
        var outcomes: [Bool: (count: Int, early: Int)] = [:]
        for (stays, label) in zip(table["number_inpatient"], table["readmitted"]) {
            outcomes[stays == "0", default: (0, 0)].count += 1
            if label == "<30" { outcomes[stays == "0", default: (0, 0)].early += 1 }
        }
        let first = try #require(outcomes[true])
        let again = try #require(outcomes[false])
        #expect(Double(again.early) / Double(again.count) > 1.3 * Double(first.early) / Double(first.count))
    }

    @Test func `nobody is readmitted after death or hospice`() throws {
        let table = try Table(bytes(20_000, seed: 9))
        let ended = zip(table["discharge_disposition_id"], table["readmitted"]).filter {
            ["11", "13", "14", "19", "20", "21"].contains($0.0)
        }
        #expect(ended.count > 300)
        #expect(ended.allSatisfy { $0.1 == "NO" })
    }

    @Test func `encounter ids rise and stay in the real file's range`() throws {
        let ids = try Table(bytes(5_000, seed: 2)).numbers("encounter_id")
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
        #expect(ids.allSatisfy { $0 >= 12_522 && $0 <= Double(ReadmissionGenerator.lastRealEncounter) })
    }

    @Test func `rows to be scored have no label, ids above the real file's, and patients of their own`() throws {
        let labelled = try Table(bytes(5_000, seed: 2))
        let open = try Table(bytes(5_000, seed: 2, unlabelled: true))
        #expect(open.share(of: "?", in: "readmitted") == 1)
        #expect(open.numbers("encounter_id").allSatisfy { $0 > Double(ReadmissionGenerator.lastRealEncounter) })
        #expect(Set(open["patient_nbr"]).isDisjoint(with: labelled["patient_nbr"]))
    }
}
