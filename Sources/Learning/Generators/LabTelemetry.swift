internal import Core

/// Generates the hourly readings of every instrument, with episodes of degradation.
struct LabTelemetry: Sendable {
    struct Reading: Sendable {
        var vibration = 0.0
        var temperature = 0.0
        var pressure = 0.0
        /// 0 in a lost row.
        var errors = 0
        /// The row came without readings.
        var lost = false
    }

    /// Recent telemetry of an instrument when an experiment is submitted.
    struct Window {
        /// Means over the six hours before, in mm/s and °C.
        let vibration: Double
        let temperature: Double
        /// Errors in the 24 hours before.
        let errors: Int
    }

    private let crew: LabCrew
    /// By instrument and hour.
    private let readings: [[Reading]]
    /// By instrument and day.
    private let calibrationAges: [[Int]]

    init(crew: LabCrew, seed: UInt64, drift: LabDrift?) {
        self.crew = crew
        var readings: [[Reading]] = []
        var ages: [[Int]] = []
        for (index, instrument) in crew.instruments.enumerated() {
            var random = LabStream.telemetry.generator(seed: seed, offset: 2 * index)
            ages.append(Self.calibrationAges(&random))
            var rows = Self.readings(of: instrument, &random)
            var losses = LabStream.telemetry.generator(seed: seed, offset: 2 * index + 1)
            for hour in rows.indices {
                let drifted = drift == .quality && hour >= LabDrift.firstDay * 24
                guard losses.uniform() < (drifted ? 0.15 : 0.015) else { continue }
                rows[hour].lost = true
                rows[hour].errors = 0
            }
            readings.append(rows)
        }
        self.readings = readings
        calibrationAges = ages
    }

    func reading(_ instrument: Int, hour: Int) -> Reading { readings[instrument][hour] }

    /// Whole days since the last calibration.
    func calibrationAge(_ instrument: Int, day: Int) -> Int { calibrationAges[instrument][day] }

    /// The readings of the hours before `hour`, lost ones left out; what the type reads usually if there are none.
    func window(_ instrument: Int, before hour: Int) -> Window {
        let rows = readings[instrument]
        var vibration = 0.0
        var temperature = 0.0
        var seen = 0.0
        for reading in rows[max(0, hour - 6)..<hour] where !reading.lost {
            vibration += reading.vibration
            temperature += reading.temperature
            seen += 1
        }
        let errors = rows[max(0, hour - 24)..<hour].reduce(0) { $0 + $1.errors }
        guard seen > 0 else {
            let usual = LabTables.instruments[crew.instruments[instrument].type]
            return Window(vibration: usual.vibration, temperature: usual.temperature, errors: errors)
        }
        return Window(vibration: vibration / seen, temperature: temperature / seen, errors: errors)
    }

    /// The last calibration lies 0 to 29 days before the start, each next one 30 to 39 days after.
    private static func calibrationAges(_ random: inout SeededGenerator) -> [Int] {
        var last = -random.int(below: 30)
        var next = last + 30 + random.int(below: 10)
        return (0..<LabClock.days).map { day in
            if day >= next {
                last = next
                next = last + 30 + random.int(below: 10)
            }
            return day - last
        }
    }

    private static func readings(of instrument: LabCrew.Instrument, _ random: inout SeededGenerator) -> [Reading] {
        let usual = LabTables.instruments[instrument.type]
        let severity = severity(&random)
        let daily = (0..<24).map { sine(turns: Double($0 - 9) / 24) }
        return severity.enumerated().map { hour, severity in
            Reading(
                vibration: usual.vibration + instrument.vibrationOffset + 0.35 * severity
                    + random.drawNormal(deviation: 0.10),
                temperature: usual.temperature + daily[hour % 24] + 3 * severity + random.drawNormal(deviation: 0.7),
                pressure: 2.0 - 0.25 * severity + random.drawNormal(deviation: 0.12),
                errors: random.drawPoisson(0.02 + 0.45 * severity)
            )
        }
    }

    /// The hidden severity of each hour: episodes start 25 days apart in the mean, last 36 hours in the median and
    /// take 8 hours to their level; where they overlap, the worse one counts.
    private static func severity(_ random: inout SeededGenerator) -> [Double] {
        var severity = [Double](repeating: 0, count: LabClock.hours)
        var start = random.drawExponential(mean: 25 * 24)
        while start < Double(LabClock.hours) {
            let length = 36 * exponential(0.6 * random.drawNormal())
            let level = random.drawUniform(0.4, 1.5)
            var hour = Int(start.rounded(.up))
            while hour < LabClock.hours, Double(hour) <= start + length {
                severity[hour] = max(severity[hour], level * min(1, (Double(hour) - start) / 8))
                hour += 1
            }
            start += random.drawExponential(mean: 25 * 24)
        }
        return severity
    }
}
