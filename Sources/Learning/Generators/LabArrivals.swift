internal import Core

/// One experiment as it is submitted. Choices are indices into `LabTables`.
struct LabExperiment: Sendable {
    /// Whole seconds since the start; no two experiments share one.
    var second: Int
    var type = 0
    var priority = 0
    var scientist = 0
    var instrumentType = 0
    var reagent = 0
    var steps = 0
    var units = 0
    /// Planned minutes, in tenths.
    var duration = 0.0
    /// Seconds from submission to planned start.
    var buffer = 0

    var minute: Double { Double(second) / 60 }
    var day: Int { second / LabClock.secondsPerDay }
}

/// Generates the submissions of experiments: times and properties.
struct LabArrivals: Sendable {
    /// In order of submission.
    let experiments: [LabExperiment]
    /// Mean units a day of each reagent, by the demand without drift: what the laboratory's orders go by.
    let dailyUse: [Double]

    init(experiments count: Int, seed: UInt64, drift: LabDrift?) {
        let hours = Self.hours(seed: seed)
        var random = LabStream.arrivals.generator(seed: seed)
        var base = Self.draw(count, weights: hours.map(\.usual), random: &random)
        Self.fill(&base, LabStream.attributes.generator(seed: seed))

        let reagents = LabTables.instruments.count * LabTables.reagentsPerInstrumentType
        var use = [Double](repeating: 0, count: reagents)
        for experiment in base { use[experiment.reagent] += 2 / Double(LabClock.days) }
        dailyUse = use

        if drift == .covariate {
            let usual = hours.reduce(0) { $0 + $1.usual }
            let added = hours.reduce(0) { $0 + $1.added }
            let more = Int((Double(count) * added / usual).rounded())
            var random = LabStream.addedArrivals.generator(seed: seed)
            var extra = Self.draw(more, weights: hours.map(\.added), random: &random)
            Self.fill(&extra, LabStream.addedAttributes.generator(seed: seed))
            base = Self.spread((base + extra).sorted { $0.second < $1.second })
        }
        experiments = base
    }

    /// The rate of each hour, and what the covariate drift adds to it.
    private static func hours(seed: UInt64) -> [(usual: Double, added: Double)] {
        var random = LabStream.campaigns.generator(seed: seed)
        var campaigns = [Int](repeating: 0, count: LabClock.hours)
        for _ in 0..<150 {
            let day = random.int(below: LabClock.days)
            let start = 8 + random.int(below: 6)
            let length = 2 + random.int(below: 5)
            for hour in start..<start + length { campaigns[day * 24 + hour] += 1 }
        }
        return (0..<LabClock.hours).map { hour in
            let day = hour / 24
            let season = 1 + 0.10 * sine(turns: Double(day) / 365)
            let growth = 1 + 0.15 * Double(day) / Double(LabClock.days)
            let rate = LabTables.dayWeights[day % 7] * season * growth * LabTables.hourWeights[hour % 24]
            let usual = rate * raised(2.2, campaigns[hour])
            let drifted = day >= LabDrift.firstDay ? rate * raised(3.5, campaigns[hour]) : usual
            return (usual, drifted - usual)
        }
    }

    /// Overlapping campaigns multiply.
    private static func raised(_ factor: Double, _ count: Int) -> Double {
        (0..<count).reduce(1) { product, _ in product * factor }
    }

    private static func draw(
        _ count: Int, weights: [Double], random: inout SeededGenerator
    ) -> [LabExperiment] {
        var sum = 0.0
        let cumulative = weights.map { weight in
            sum += weight
            return sum
        }
        var seconds = (0..<count).map { _ in
            let u = random.uniform() * sum
            var low = 0
            var high = cumulative.count - 1
            while low < high {
                let middle = (low + high) / 2
                if u < cumulative[middle] { high = middle } else { low = middle + 1 }
            }
            return low * 3_600 + random.int(below: 3_600)
        }
        seconds.sort()
        return spread(seconds.map { LabExperiment(second: $0) })
    }

    /// Moves experiments of the same second apart, so that time alone orders them.
    private static func spread(_ experiments: [LabExperiment]) -> [LabExperiment] {
        var spread = experiments
        for row in spread.indices.dropFirst() where spread[row].second <= spread[row - 1].second {
            spread[row].second = spread[row - 1].second + 1
        }
        var limit = LabClock.days * LabClock.secondsPerDay - 1
        for row in spread.indices.reversed() {
            guard spread[row].second > limit else { break }
            spread[row].second = limit
            limit -= 1
        }
        return spread
    }
}

extension LabArrivals {
    /// Draws all but the times.
    ///
    /// Type and duration come from one uniform per experiment. These uniforms are a stratified sample (one in each
    /// 1/n of the unit interval, in random order: McKay, Beckman and Conover, Technometrics 21(2), 1979), so that the
    /// mix of planned durations hardly differs between seeds; single experiments have the plain distributions.
    private static func fill(_ experiments: inout [LabExperiment], _ generator: SeededGenerator) {
        var random = generator
        let normal = NormalQuantiles()
        var strata = Array(experiments.indices)
        for last in strata.indices.dropFirst().reversed() { strata.swapAt(last, random.int(below: last + 1)) }
        for row in experiments.indices {
            let share = (Double(strata[row]) + random.openUniform()) / Double(strata.count)
            experiments[row].plan(share, normal)
            experiments[row].fill(&random)
        }
    }
}

extension LabExperiment {
    /// Sets type and planned duration: which part of the unit interval `share` lies in, and where in it.
    fileprivate mutating func plan(_ share: Double, _ normal: NormalQuantiles) {
        let weights = LabTables.experimentTypes.levels.map(\.weight)
        var rest = share
        type = 0
        while type < weights.count - 1, rest >= weights[type] {
            rest -= weights[type]
            type += 1
        }
        let table = LabTables.experiments[type]
        let minutes = table.duration * exponential(table.spread * normal.value(at: rest / weights[type]))
        duration = (min(max(minutes, 15), 480) * 10).rounded() / 10
    }

    fileprivate mutating func fill(_ random: inout SeededGenerator) {
        let table = LabTables.experiments[type]
        steps = max(2, random.drawPoisson(table.steps))
        priority = LabTables.priorities.draw(&random)
        buffer = Int(((LabTables.leastBuffer[priority] + random.drawExponential(mean: 30)) * 60).rounded())
        scientist = LabTables.scientists.draw(&random)
        instrumentType = table.instruments.draw(&random)
        reagent = instrumentType * LabTables.reagentsPerInstrumentType + LabTables.reagentSlots.draw(&random)
        units = max(1, random.drawPoisson(2))
    }
}
