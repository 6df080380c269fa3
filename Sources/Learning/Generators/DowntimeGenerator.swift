internal import Core

/// Generates synthetic machine readings in the format of the public machine-downtime file.
///
/// ```swift
/// try DowntimeGenerator(rows: 2500, seed: 42).write { piece in file.append(piece) }
/// ```
///
/// The same 16 headers with their units, day-first dates, three machines, an empty cell in about one of 200, and a last
/// column `_synthetic` that is always `true`.
///
/// A reading is a failure when hydraulic pressure is low, torque is high or low, or the cutting force is high, so a
/// few thresholds nearly separate the classes, as in the real file; the other sensors carry nothing. One label in 500
/// is turned round. The same rows and seed give the same bytes everywhere, in constant memory.
package struct DowntimeGenerator: Sendable {
    /// Number of readings.
    package let rows: Int
    /// Seed of the random numbers: the same seed and rows give the same bytes.
    package let seed: UInt64

    package init(rows: Int, seed: UInt64) {
        self.rows = rows
        self.seed = seed
    }

    /// Column names in the order of the real file, with `_synthetic` last.
    package static let header: [String] = [
        "Date", "Machine_ID", "Assembly_Line_No", "Hydraulic_Pressure(bar)", "Coolant_Pressure(bar)",
        "Air_System_Pressure(bar)", "Coolant_Temperature", "Hydraulic_Oil_Temperature", "Spindle_Bearing_Temperature",
        "Spindle_Vibration", "Tool_Vibration", "Spindle_Speed(RPM)", "Voltage(volts)", "Torque(Nm)", "Cutting(kN)",
        "Downtime", "_synthetic",
    ]

    /// Writes the file in pieces of about 64 KiB.
    ///
    /// - Parameter sink: receives each piece in order; what it throws ends the writing.
    package func write(to sink: (_ piece: [UInt8]) throws -> Void) throws {
        var text = CSVText(header: Self.header)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<max(0, rows) {
            appendReading(to: &text, &random)
            try text.flush(to: sink, above: 65_536)
        }
        try text.flush(to: sink, above: 0)
    }

    private func appendReading(to text: inout CSVText, _ random: inout SeededGenerator) {
        let line = 1 + random.int(below: 3)
        text.field(Self.dates[random.int(below: Self.dates.count)])
        text.field("Makino-L\(line)-Unit1-\(line == 1 ? 2013 : 2015)")
        text.field("Shopfloor-L\(line)")
        let values = Self.sensors.map { $0.quantiles.draw(&random) }
        for (sensor, value) in zip(Self.sensors, values) {
            text.field(random.int(below: 200) == 0 ? nil : value, decimals: sensor.decimals)
        }
        let (pressure, torque, cutting) = (values[0], values[10], values[11])
        let failing = pressure < 72 || torque > 33.5 || torque < 15.5 || cutting > 3.55
        let turned = random.int(below: 500) == 0
        text.field(failing != turned ? "Machine_Failure" : "No_Machine_Failure")
        text.field("true")
        text.endRow()
    }

    /// The days of January to May 2022, written day first.
    private static let dates: [String] = [(1, 31), (2, 28), (3, 31), (4, 30), (5, 31)].flatMap { month, days in
        (1...days).map { day in "\(day < 10 ? "0" : "")\(day)-0\(month)-2022" }
    }

    /// The sensors in the order of the header: quantiles at 0, 1, 5, 25, 50, 75, 95, 99 and 100 % and decimals.
    private static let sensors: [(quantiles: Quantiles, decimals: Int)] = [
        sensor(45, 51.2, 57, 76.4, 96.8, 126.4, 149.4, 164.1, 190, decimals: 2),
        sensor(0.4, 3.05, 3.11, 4.46, 4.94, 5.52, 6.86, 6.96, 11.3, decimals: 6),
        sensor(5.07, 5.57, 5.82, 6.22, 6.51, 6.78, 7.15, 7.44, 7.97, decimals: 6),
        sensor(4.1, 4.5, 5.7, 10.4, 21.2, 25.6, 29.9, 32.6, 36.5, decimals: 1),
        sensor(35.2, 38.8, 41.4, 45.1, 47.7, 50.1, 53.7, 56.3, 61.4, decimals: 1),
        sensor(22.6, 26.3, 28.9, 32.5, 35.1, 37.6, 41.1, 43.7, 49.5, decimals: 1),
        sensor(0.01, 0.23, 0.44, 0.78, 1.01, 1.24, 1.59, 1.82, 2, decimals: 3),
        sensor(2.2, 9.9, 15, 21.1, 25.5, 29.8, 35.8, 40.1, 45.7, decimals: 3),
        sensor(11_000, 13_272, 14_152, 17_919, 20_138, 22_502, 27_000, 27_900, 27_957, decimals: 0),
        sensor(202, 241, 275, 319, 349, 380, 422, 454, 479, decimals: 0),
        sensor(5, 14.2, 15.1, 21.7, 24.6, 30.5, 35.4, 35.6, 55, decimals: 6),
        sensor(1.8, 1.85, 1.87, 2.25, 2.78, 3.27, 3.69, 3.9, 3.93, decimals: 2),
    ]

    private static func sensor(_ values: Double..., decimals: Int) -> (quantiles: Quantiles, decimals: Int) {
        let shares = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1]
        return (Quantiles(Array(zip(shares, values)).map { (share: $0.0, value: $0.1) }), decimals)
    }
}
