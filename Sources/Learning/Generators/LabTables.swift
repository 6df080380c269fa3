internal import Core

/// Constants of the synthetic laboratory.
enum LabTables {
    /// A type of instrument: how many there are, how much its faults delay (`sensitivity`), and what it reads when
    /// nothing is wrong: vibration in mm/s, temperature in °C.
    struct Instrument: Sendable {
        let name: String
        let count: Int
        let sensitivity: Double
        let vibration: Double
        let temperature: Double
    }

    /// A type of experiment: the median duration in minutes, the deviation of its logarithm, the mean count of steps,
    /// and which instrument it needs.
    struct Experiment: Sendable {
        let duration: Double
        let spread: Double
        let steps: Double
        let instruments: Choice
    }

    static let instruments: [Instrument] = [
        Instrument(name: "HPLC", count: 7, sensitivity: 1.2, vibration: 1.2, temperature: 35),
        Instrument(name: "PCR", count: 5, sensitivity: 1.0, vibration: 0.8, temperature: 40),
        Instrument(name: "Spectrometer", count: 4, sensitivity: 1.1, vibration: 1.0, temperature: 30),
        Instrument(name: "Centrifuge", count: 3, sensitivity: 0.7, vibration: 2.4, temperature: 28),
        Instrument(name: "Microscope", count: 3, sensitivity: 0.8, vibration: 0.5, temperature: 26),
        Instrument(name: "Incubator", count: 3, sensitivity: 0.6, vibration: 0.6, temperature: 37),
    ]
    static let hplc = 0
    static let pcr = 1
    static let spectrometer = 2

    static let experimentTypes = Choice([
        Level("QC", 0.30), Level("Validation", 0.20), Level("Screening", 0.25), Level("Pilot", 0.10),
        Level("R&D", 0.15),
    ])
    static let experiments: [Experiment] = [
        experiment(50, 0.25, 4, [0.35, 0.20, 0.20, 0.05, 0.15, 0.05]),
        experiment(80, 0.30, 6, [0.40, 0.15, 0.20, 0.10, 0.05, 0.10]),
        experiment(60, 0.30, 5, [0.20, 0.40, 0.10, 0.10, 0.15, 0.05]),
        experiment(115, 0.30, 8, [0.30, 0.20, 0.15, 0.15, 0.05, 0.15]),
        experiment(130, 0.40, 9, [0.30, 0.20, 0.20, 0.10, 0.10, 0.10]),
    ]

    static let priorities = Choice([
        Level("Low", 0.20), Level("Medium", 0.50), Level("High", 0.22), Level("Critical", 0.08),
    ])
    /// By priority: the least minutes between submission and planned start, and the share of the backlog to wait for.
    static let leastBuffer = [300.0, 150, 60, 20]
    static let waitFactor = [1.1, 1.0, 0.6, 0.25]

    static let experience = Choice([Level("Junior", 0.40), Level("Mid", 0.35), Level("Senior", 0.25)])
    /// Experiments a day that a scientist can look after, by experience.
    static let capacity = [3, 4, 6]
    static let junior = 0

    /// Ninety scientists; the first ones submit most.
    static let scientists = Choice((0..<90).map { Level("SCI-\(LabClock.padded($0, to: 3))", 1 / Double($0 + 12)) })

    static let reagentsPerInstrumentType = 6
    static let reagentSlots = Choice([0.30, 0.22, 0.18, 0.14, 0.10, 0.06].map { Level("", $0) })

    /// Arrivals by day of the week from Monday, and by hour of the day.
    static let dayWeights = [1, 1.08, 1.1, 1.05, 0.9, 0.18, 0.12]
    static let hourWeights = [
        0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.15, 0.5, 1.2, 1.6, 1.7, 1.4, 0.9, 1.3, 1.5, 1.3, 1.0, 0.6, 0.35, 0.2,
        0.1, 0.06, 0.04, 0.04,
    ]

    private static func experiment(
        _ duration: Double, _ spread: Double, _ steps: Double, _ instruments: [Double]
    ) -> Experiment {
        Experiment(
            duration: duration, spread: spread, steps: steps, instruments: Choice(instruments.map { Level("", $0) }))
    }
}

/// The independent sequences of a seed. A drift switch changes only sequences, or parts of them, that are drawn for
/// later days.
enum LabStream: Int {
    case master, campaigns, arrivals, attributes, addedArrivals, addedAttributes
    case assignment, run, reagents, storage, discard, delay
    /// The first of two for each instrument: readings and losses.
    case telemetry = 100

    func generator(seed: UInt64, offset: Int = 0) -> SeededGenerator {
        SeededGenerator(seed: Int(truncatingIfNeeded: seed), stream: rawValue + offset)
    }
}
