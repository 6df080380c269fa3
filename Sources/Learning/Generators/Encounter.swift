internal import Core

/// One synthetic encounter: its row, and the log-odds of a readmission within 30 days.
struct Encounter {
    private typealias Tables = EncounterTables

    /// Whether it ends in death or hospice: then nobody comes back.
    let ending: Bool
    /// Without the patient's frailty.
    private(set) var logOdds: Double

    private let disposition: String
    private let weight: String
    private let admissionType: String
    private let admissionSource: String
    private let stay: Int
    private let payer: String
    private let specialty: String
    private let labProcedures: Int
    private let procedures: Int
    private let medications: Int
    private let outpatient: Int
    private let emergency: Int
    private let diagnoses: [String]
    private let diagnosisCount: Int
    private let glucose: String
    private let hemoglobinA1c: String
    private let drugStates: [UInt8]
    private let changed: Bool

    /// - Parameter progress: how far through the file the row is, 0 to 1: payers were not recorded at first.
    init(of patient: Patient, progress: Double, random: inout SeededGenerator) {
        var odds = 0.0
        func level(_ choice: Choice, _ index: Int) -> String {
            odds += choice.levels[index].effect
            return choice.levels[index].value
        }
        func pick(_ choice: Choice) -> String { level(choice, choice.draw(&random)) }
        func count(_ quantiles: Quantiles, shifted shift: Double = 0) -> Int {
            let u = random.uniform()
            let moved = u + shift * patient.frailty
            return Int(quantiles.value(at: moved >= 0 && moved <= 1 ? moved : u).rounded())
        }

        ending = random.uniform() < 0.0238
        disposition = ending ? Tables.ending.levels[Tables.ending.draw(&random)].value : pick(Tables.disposition)
        _ = level(Tables.race, Int(patient.race))
        _ = level(Tables.age, Int(patient.age))
        weight = pick(Tables.weight)
        admissionType = pick(Tables.admissionType)
        admissionSource = pick(Tables.admissionSource)
        stay = min(14, max(1, count(Tables.stay, shifted: 0.05)))
        odds += 0.035 * Double(min(stay, 8) - 4)
        let unrecorded = progress < 0.2 ? 1 : progress < 0.6 ? 0.35 : 0.1
        payer = random.uniform() < unrecorded ? "?" : pick(Tables.payer)
        specialty = pick(Tables.specialty)
        labProcedures = max(1, count(Tables.labProcedures))
        procedures = count(Tables.procedures)
        medications = max(1, count(Tables.medications, shifted: 0.04))
        odds += 0.008 * Double(min(medications, 30) - 16) - 0.03 * Double(procedures - 1)
        outpatient = count(Tables.outpatient)
        emergency = count(Tables.emergency, shifted: 0.01)
        odds += 0.1 * Double(min(emergency, 5))
        odds += 0.27 * Double(min(patient.inpatient, 7)) + (patient.lastEarly ? 0.25 : 0)
        let main =
            random.uniform() < 0.5
            ? level(Tables.mainDiagnosis, Int(patient.illness)) : pick(Tables.mainDiagnosis)
        diagnosisCount = max(1, min(16, count(Tables.diagnoses, shifted: 0.05)))
        odds += 0.03 * Double(min(diagnosisCount, 9) - 7)
        diagnoses = [
            main,
            diagnosisCount > 1 ? pick(Tables.furtherDiagnosis) : "?",
            diagnosisCount > 2 ? pick(Tables.furtherDiagnosis) : "?",
        ]
        glucose = pick(Tables.glucose)
        hemoglobinA1c = pick(Tables.hemoglobinA1c)
        drugStates = Tables.drugs.map { drug in
            let u = random.int(below: 100_000)
            if u >= drug.steady + drug.up + drug.down { return 0 }
            odds += drug.effect
            return u < drug.steady ? 1 : u < drug.steady + drug.up ? 2 : 3
        }
        changed = drugStates.contains { $0 > 1 } || random.uniform() < 0.26
        logOdds = -2.66 + 1.1 * odds
    }

    /// Writes the row, in the order of the header.
    func append(to text: inout CSVText, id: Int, patient: Patient, label: String) {
        text.field(id)
        text.field(patient.number)
        text.field(Tables.race.levels[Int(patient.race)].value)
        text.field(Tables.gender.levels[Int(patient.gender)].value)
        text.field(Tables.age.levels[Int(patient.age)].value)
        for value in [weight, admissionType, disposition, admissionSource] { text.field(value) }
        text.field(stay)
        text.field(payer)
        text.field(specialty)
        let counts = [labProcedures, procedures, medications, outpatient, emergency, Int(patient.inpatient)]
        for value in counts { text.field(value) }
        for code in diagnoses { text.field(code) }
        text.field(diagnosisCount)
        text.field(glucose)
        text.field(hemoglobinA1c)
        for state in drugStates { text.field(Tables.drugStates[Int(state)]) }
        text.field(changed ? "Ch" : "No")
        text.field(drugStates.contains { $0 > 0 } ? "Yes" : "No")
        text.field(label)
        text.field("true")
        text.endRow()
    }
}
