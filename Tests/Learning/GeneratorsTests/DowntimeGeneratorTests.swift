import Core
import Generators
import Testing

struct DowntimeGeneratorTests {
    private func table(_ rows: Int, seed: UInt64) throws -> Table { try Table(bytes(rows, seed: seed)) }

    private func bytes(_ rows: Int, seed: UInt64) throws -> [UInt8] {
        var out: [UInt8] = []
        try DowntimeGenerator(rows: rows, seed: seed).write { out += $0 }
        return out
    }

    @Test func `the same seed gives the same bytes and another seed others`() throws {
        let first = try Digest(of: bytes(500, seed: 7))
        #expect(try Digest(of: bytes(500, seed: 7)) == first)
        #expect(try Digest(of: bytes(500, seed: 8)) != first)
    }

    @Test func `has the real file's sixteen headers with their units, and the mark of made-up rows`() throws {
        let table = try table(2, seed: 1)
        #expect(table.header == DowntimeGenerator.header)
        #expect(table.header.count == 17)
        #expect(table.header[3] == "Hydraulic_Pressure(bar)")
        #expect(table.header.last == "_synthetic")
        #expect(table.share(of: "true", in: "_synthetic") == 1)
    }

    @Test(arguments: [
        ("Hydraulic_Pressure(bar)", -20.0, 300.0), ("Coolant_Pressure(bar)", 0, 20),
        ("Air_System_Pressure(bar)", 0, 20), ("Coolant_Temperature", -10, 120), ("Hydraulic_Oil_Temperature", -10, 150),
        ("Spindle_Bearing_Temperature", -10, 150), ("Spindle_Vibration", -1, 20), ("Tool_Vibration", 0, 200),
        ("Spindle_Speed(RPM)", 0, 40_000), ("Voltage(volts)", 0, 1_000), ("Torque(Nm)", 0, 200), ("Cutting(kN)", 0, 20),
    ])
    func `writes sensors within their range, with few empty cells`(sensor: String, low: Double, high: Double) throws {
        let table = try table(5_000, seed: 2)
        let values = table.numbers(sensor)
        #expect(values.allSatisfy { low <= $0 && $0 <= high })
        #expect((0.001...0.012).contains(table.share(of: "", in: sensor)))
    }

    @Test func `writes day-first dates, three machines and both labels`() throws {
        let table = try table(5_000, seed: 3)
        let dates = table["Date"]
        #expect(dates.allSatisfy { $0.utf8.count == 10 && $0.hasSuffix("-2022") && $0.dropFirst(2).first == "-" })
        #expect(Set(table["Machine_ID"]) == ["Makino-L1-Unit1-2013", "Makino-L2-Unit1-2015", "Makino-L3-Unit1-2015"])
        #expect(Set(table["Downtime"]) == ["Machine_Failure", "No_Machine_Failure"])
        #expect((0.38...0.6).contains(table.share(of: "Machine_Failure", in: "Downtime")))
    }

    @Test func `a few thresholds nearly separate the labels`() throws {
        let table = try table(5_000, seed: 4)
        var right = 0
        var seen = 0
        for row in table.rows {
            guard let pressure = Double(row[3]), let torque = Double(row[13]), let cutting = Double(row[14]) else {
                continue
            }
            let failing = pressure < 72 || torque > 33.5 || torque < 15.5 || cutting > 3.55
            right += failing == (row[15] == "Machine_Failure") ? 1 : 0
            seen += 1
        }
        #expect(Double(right) / Double(seen) > 0.985)
    }
}
