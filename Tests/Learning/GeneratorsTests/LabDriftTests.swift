import Generators
import Testing

struct LabDriftTests {
    /// The name of the first file that may differ.
    private static let firstDay = "2025-09-06.csv"
    /// Minutes by type of instrument.
    private static let conceptShift = ["Spectrometer": 30.0, "HPLC": -10]

    private func files(_ drift: LabDrift?) throws -> LabFiles {
        guard let drift else { return try LabSamples.plain.get() }
        return try LabSamples.drifted(drift)
    }

    private func isBefore(_ path: String) -> Bool { (path.split(separator: "/").last ?? "") < Self.firstDay }

    @Test(arguments: LabDrift.allCases)
    func `changes nothing before day 432, and something after`(drift: LabDrift) throws {
        let plain = try files(nil)
        let drifted = try files(drift)
        let daily = plain.paths.dropLast()
        let early = daily.filter(isBefore)
        #expect(early.count > 4 * 350)
        #expect(early == drifted.paths.dropLast().filter(isBefore))
        #expect(early.filter { plain.bytes[$0] != drifted.bytes[$0] }.isEmpty)
        #expect(daily.contains { !isBefore($0) && plain.bytes[$0] != drifted.bytes[$0] })
        let unchanged = plain.log("workflow_logs").seconds("submitted_ts").count { ($0 ?? 0) < 432 * 86_400 }
        #expect(plain.truth.texts("p_delayed").prefix(unchanged) == drifted.truth.texts("p_delayed").prefix(unchanged))
    }

    @Test func `covariate: campaigns bring more experiments, other hours as many`() throws {
        let plain = try files(nil).log("workflow_logs").seconds("submitted_ts").compactMap(\.self)
        let drifted = try files(.covariate).log("workflow_logs").seconds("submitted_ts").compactMap(\.self)
        #expect(plain.count == 20_000)
        #expect((1.005...1.06).contains(Double(drifted.count) / Double(plain.count)))
        #expect(Set(plain).subtracting(drifted).count < 50)
        func busiest(_ seconds: [Int]) -> Int {
            var hours = [Int](repeating: 0, count: 540 * 24)
            for second in seconds where second >= 432 * 86_400 { hours[second / 3_600] += 1 }
            return hours.sorted().suffix(50).reduce(0, +)
        }
        #expect(Double(busiest(drifted)) > 1.25 * Double(busiest(plain)))
    }

    @Test func `concept: spectrometers take 30 minutes more, HPLC 10 less, nothing else changes`() throws {
        let plain = try files(nil)
        let drifted = try files(.concept)
        for source in LabGenerator.sources.dropFirst() {
            #expect(plain.days(of: source).filter { plain.bytes[$0] != drifted.bytes[$0] }.isEmpty)
        }
        let log = plain.log("workflow_logs")
        let instruments = log.texts("instrument_id")
        let before = log.numbers("delay_min")
        let after = drifted.log("workflow_logs").numbers("delay_min")
        let days = log.seconds("submitted_ts").map { ($0 ?? 0) / 86_400 }
        let planned = log.numbers("planned_duration_min")
        var seen: [Double: Int] = [:]
        var wrong: [Int] = []
        for row in days.indices {
            let least = (-0.3 * planned[row] * 100).rounded(.up) / 100
            guard before[row] > least, after[row] > least else { continue }
            let type = instruments[row].split(separator: "-").first.map(String.init) ?? ""
            let shift: Double = days[row] < 432 ? 0 : Self.conceptShift[type, default: 0]
            if abs(after[row] - before[row] - shift) > 0.011 { wrong.append(row) }
            seen[shift, default: 0] += 1
        }
        #expect(wrong.isEmpty)
        #expect(seen.count == 3 && seen.values.allSatisfy { $0 > 300 })
    }

    @Test func `quality: telemetry loses ten times as many rows`() throws {
        func lost(_ files: LabFiles) -> (early: Double, late: Double) {
            let lost = files.log("instrument_telemetry").optionals("pressure_bar").map { $0 == nil ? 1.0 : 0 }
            let split = 432 * 24 * 25
            return (LabFigures.mean(Array(lost[..<split])), LabFigures.mean(Array(lost[split...])))
        }
        let plain = try lost(files(nil))
        let drifted = try lost(files(.quality))
        #expect(abs(plain.early - 0.015) < 0.001 && abs(plain.late - 0.015) < 0.002)
        #expect(drifted.early == plain.early)
        #expect(abs(drifted.late - 0.15) < 0.006)
    }

    @Test func `label: above 20 minutes counts as delayed, the delays stay`() throws {
        let plain = try files(nil).log("workflow_logs")
        let drifted = try files(.label).log("workflow_logs")
        let delays = drifted.numbers("delay_min")
        #expect(delays == plain.numbers("delay_min"))
        let thresholds = drifted.seconds("submitted_ts").map { ($0 ?? 0) < 432 * 86_400 ? 30.0 : 20 }
        #expect(drifted.numbers("delayed") == zip(delays, thresholds).map { $0 > $1 ? 1 : 0 })
        let truth = try files(.label).truth.numbers("p_delayed")
        #expect(abs(LabFigures.mean(truth) - LabFigures.mean(drifted.numbers("delayed"))) < 0.01)
    }
}
