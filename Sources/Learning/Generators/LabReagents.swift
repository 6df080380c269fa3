internal import Core

/// The reagents' stock, lots and orders. Stock is in hundredths of a unit, times are whole seconds.
struct LabReagents {
    struct Reagent {
        /// What one delivery brings; half of it is the reorder point.
        let delivery: Int
        var stock: Int
        var lot: Int
        var expiry: Int
        var borderline = false
        /// When the open order arrives.
        var arrival: Int?
        /// The day of the last storage excursion; it is flagged on that day and the two after.
        var excursionDay = -1_000
    }

    /// State of the reagents when an experiment is submitted.
    struct Finding {
        let short: Bool
        /// Hours to the next delivery, at most 72; 0 if there is enough.
        let hoursToDelivery: Double
        let daysToExpiry: Double
        let borderline: Bool
        let excursion: Bool
    }

    /// One row of the log: the reagent as it is after the change.
    struct Event {
        enum Kind: String {
            case receive, consume, stockout, discard
        }

        let kind: Kind
        let second: Int
        let reagent: Int
        let quantity: Int
        let after: Reagent

        var excursion: Bool { second / LabClock.secondsPerDay - after.excursionDay <= 2 }
    }

    private var reagents: [Reagent]
    private var lots: Int
    private var lastDay = -1
    private var random: SeededGenerator
    private var storage: SeededGenerator
    private var discards: SeededGenerator

    init(dailyUse: [Double], seed: UInt64) {
        var random = LabStream.reagents.generator(seed: seed)
        reagents = dailyUse.enumerated().map { lot, use in
            let delivery = Int((14 * use * 100).rounded())
            let expiry = Int(random.drawUniform(20, 90) * Double(LabClock.secondsPerDay))
            return Reagent(delivery: delivery, stock: delivery, lot: lot, expiry: expiry)
        }
        lots = reagents.count
        self.random = random
        storage = LabStream.storage.generator(seed: seed)
        discards = LabStream.discard.generator(seed: seed)
    }

    /// Takes in what has arrived by `second`, in order of arrival.
    mutating func receive(by second: Int, _ write: (Event) -> Void) {
        let due = reagents.indices.compactMap { index in
            reagents[index].arrival.flatMap { $0 <= second ? (arrival: $0, index: index) : nil }
        }
        for (arrival, index) in due.sorted(by: { ($0.arrival, $0.index) < ($1.arrival, $1.index) }) {
            let days = 45 * exponential(0.5 * random.drawNormal())
            let midnight = arrival - arrival % LabClock.secondsPerDay
            var reagent = reagents[index]
            reagent.stock += reagent.delivery
            reagent.expiry = midnight + Int(days * Double(LabClock.secondsPerDay))
            reagent.lot = lots
            reagent.borderline = random.uniform() < 0.07
            reagent.arrival = nil
            lots += 1
            reagents[index] = reagent
            write(Event(kind: .receive, second: arrival, reagent: index, quantity: reagent.delivery, after: reagent))
        }
    }

    /// What happens at the first experiment of a day: storage excursions, and orders for what runs low.
    mutating func startDay(at second: Int) {
        let day = second / LabClock.secondsPerDay
        guard day > lastDay else { return }
        lastDay = day
        for index in reagents.indices {
            if storage.uniform() < 0.012 { reagents[index].excursionDay = day }
            guard reagents[index].arrival == nil, 2 * reagents[index].stock < reagents[index].delivery else { continue }
            let days = 5 * exponential(0.45 * random.drawNormal())
            reagents[index].arrival = second + Int((days * Double(LabClock.secondsPerDay)).rounded(.up))
        }
    }

    /// Takes what an experiment needs, if there is enough, and returns what it found.
    mutating func use(_ units: Int, of index: Int, at second: Int, _ write: (Event) -> Void) -> Finding {
        var reagent = reagents[index]
        let short = reagent.stock < 100 * units
        if !short { reagent.stock -= 100 * units }
        let event = Event(
            kind: short ? .stockout : .consume, second: second, reagent: index, quantity: short ? 0 : -100 * units,
            after: reagent)
        write(event)
        let finding = Finding(
            short: short,
            hoursToDelivery: short ? min(72, reagent.arrival.map { Double($0 - second) / 3_600 } ?? 72) : 0,
            daysToExpiry: Double(reagent.expiry - second) / Double(LabClock.secondsPerDay),
            borderline: reagent.borderline, excursion: event.excursion)
        if finding.daysToExpiry < 0, discards.uniform() < 0.35 {
            let lost = reagent.stock
            reagent.stock = 0
            write(Event(kind: .discard, second: second, reagent: index, quantity: -lost, after: reagent))
            let latest = second + LabClock.secondsPerDay * 3 / 2
            reagent.arrival = min(reagent.arrival ?? latest, latest)
            reagent.expiry = (second / LabClock.secondsPerDay + 60) * LabClock.secondsPerDay
        }
        reagents[index] = reagent
        return finding
    }
}
