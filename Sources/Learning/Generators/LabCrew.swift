internal import Core

/// Individual properties of the instruments and scientists of one synthetic laboratory.
struct LabCrew: Sendable {
    struct Instrument: Sendable {
        /// Such as HPLC-00; the number runs through all types.
        let name: String
        /// The index of its type.
        let type: Int
        /// Minutes that every experiment on it takes longer.
        let effect: Double
        /// What its vibration lies above the type's, in mm/s.
        let vibrationOffset: Double
    }

    let instruments: [Instrument]
    /// The indices of the instruments of each type.
    let byType: [Range<Int>]
    /// The index of each scientist's experience.
    let experience: [Int]

    init(seed: UInt64) {
        var random = LabStream.master.generator(seed: seed)
        var instruments: [Instrument] = []
        var byType: [Range<Int>] = []
        for (type, table) in LabTables.instruments.enumerated() {
            byType.append(instruments.count..<instruments.count + table.count)
            for _ in 0..<table.count {
                let name = "\(table.name)-\(LabClock.padded(instruments.count, to: 2))"
                let effect = random.drawNormal(deviation: 4)
                let offset = random.drawNormal(deviation: 0.03)
                instruments.append(Instrument(name: name, type: type, effect: effect, vibrationOffset: offset))
            }
        }
        self.instruments = instruments
        self.byType = byType
        experience = LabTables.scientists.levels.map { _ in LabTables.experience.draw(&random) }
    }
}
