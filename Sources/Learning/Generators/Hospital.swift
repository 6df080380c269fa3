internal import Core

/// Simulation behind the synthetic encounters: patients arrive, are discharged with a label, and return.
struct Hospital {
    private typealias Tables = EncounterTables

    private let rows: Int
    private let unlabelled: Bool
    private let firstID: Int
    private let step: Int
    private var random: SeededGenerator
    private var patients = 0
    private var due = DueReturns(limit: 1 << 18)

    /// Encounter ids of the real file run from 12,522 to 443,867,222; synthetic ones fill the same range whatever the
    /// count of rows, so that the time between encounters keeps its scale.
    init(rows: Int, seed: UInt64, unlabelled: Bool) {
        self.rows = rows
        self.unlabelled = unlabelled
        firstID = unlabelled ? ReadmissionGenerator.lastRealEncounter + 1 : 12_522
        step = max(1, (ReadmissionGenerator.lastRealEncounter - 12_522) / max(1, rows))
        random = SeededGenerator(seed: unlabelled ? seed ^ 0x5CA1_AB1E : seed)
    }

    mutating func appendEncounter(_ row: Int, to text: inout CSVText) {
        let id = firstID + row * step + random.int(below: step)
        var patient = due.popFirst(dueBy: id) ?? newPatient()
        let progress = unlabelled ? 1 : Double(row) / Double(max(1, rows))
        let encounter = Encounter(of: patient, progress: progress, random: &random)
        let label = drawLabel(encounter, patient)
        encounter.append(to: &text, id: id, patient: patient, label: unlabelled ? "?" : label.rawValue)
        discharge(&patient, encounter, label, id)
    }

    private enum Label: String {
        case never = "NO"
        case late = ">30"
        case early = "<30"
    }

    /// Numbers above those of the real file, so that no synthetic patient is a real one's namesake.
    private mutating func newPatient() -> Patient {
        patients += 1
        let base = unlabelled ? 400_000_000 : 200_000_000
        let frailty = random.normal()
        let inpatient = Tables.inpatient.value(at: random.uniform() * 0.97 + 0.03 * logistic(frailty))
        return Patient(
            number: base + patients,
            frailty: frailty,
            race: UInt8(Tables.race.draw(&random)),
            gender: UInt8(Tables.gender.draw(&random)),
            age: UInt8(Tables.age.draw(&random)),
            illness: UInt8(Tables.mainDiagnosis.draw(&random)),
            inpatient: UInt8(inpatient.rounded()),
            lastEarly: false
        )
    }

    private mutating func drawLabel(_ encounter: Encounter, _ patient: Patient) -> Label {
        if encounter.ending { return .never }
        let odds = encounter.logOdds + 0.3 * patient.frailty
        let early = logistic(odds)
        let late = (1 - early) * logistic(-0.4 + 0.5 * (odds + 2.2))
        let u = random.uniform()
        return u < early ? .early : u < early + late ? .late : .never
    }

    /// Sends home; most of those whose label says so, and a few others, will be seen again.
    private mutating func discharge(_ patient: inout Patient, _ encounter: Encounter, _ label: Label, _ id: Int) {
        let u = random.uniform()
        guard !encounter.ending, u < (label == .never ? 0.01 : 0.72) else { return }
        let gap = (label == .early ? Tables.soon : Tables.later).draw(&random)
        let forgotten = random.uniform() < (label == .early ? 0.2 : 0.35) ? 1 : 0
        patient.inpatient = UInt8(min(21, max(0, Int(patient.inpatient) + 1 - forgotten)))
        patient.lastEarly = label == .early
        due.insert(patient, dueAt: id + Int(gap))
    }
}

/// Properties of a synthetic patient that persist between encounters.
struct Patient: Sendable {
    let number: Int
    /// Standard normal; raises the risk and is not written.
    let frailty: Double
    let race: UInt8
    let gender: UInt8
    let age: UInt8
    /// Index of the main diagnosis he keeps coming back with.
    let illness: UInt8
    /// Stays in the year before.
    var inpatient: UInt8
    /// Whether he was readmitted within 30 days of the encounter before this one.
    var lastEarly: Bool
}
