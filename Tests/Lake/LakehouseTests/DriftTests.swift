import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import SourceFormats
import TestSupport
import Testing

/// A machine's readings: what a drifted file is compared with.
private struct Plant {
    let box: Sandbox
    let contract: Contract
    var format = SourceFormat()

    init() throws {
        box = try Sandbox()
        contract = Lakehouse.Contract(
            source: "readings", file: "contracts/readings.yaml",
            columns: [
                column("day", .date) { $0.from = ["Day"] },
                column("machine", .text) { $0.from = ["Machine"] },
                column("pressure", .double) {
                    ($0.from, $0.min, $0.max, $0.unit) = (["Pressure(bar)"], "0", "300", "bar")
                },
                column("temperature", .double) { ($0.from, $0.unit) = (["Temperature"], "°C") },
                column("cutting", .double) { ($0.from, $0.min, $0.max) = (["Cutting(kN)"], "0", "20") },
                column("runs", .integer) { $0.from = ["Runs"] },
                column("state", .text) { ($0.from, $0.allowed, $0.optional) = (["State"], ["up", "down"], true) },
            ])
    }

    static let header = ["Day", "Machine", "Pressure(bar)", "Temperature", "Cutting(kN)", "Runs", "State"]

    /// Rows as cells; the same ids give the same rows.
    static func rows(_ ids: Range<Int>) -> [[String]] {
        ids.map { id in
            [
                "2026-03-\(10 + id % 18)", "mill \(id % 3)", "\(90 + id * 7 % 60).5", "\(20 + id * 3 % 15).2",
                "\(Double(15 + id * 11 % 30) / 10)", "\(100 + id % 50)", id % 4 == 0 ? "down" : "up",
            ]
        }
    }

    func text(_ rows: [[String]], header: [String] = Plant.header, by delimiter: String = ",") -> String {
        ([header] + rows).map { $0.joined(separator: delimiter) }.joined(separator: "\n") + "\n"
    }

    /// Takes a first file, then says how a second one drifted.
    func drift(_ bytes: [UInt8]) throws -> [SchemaDrift] {
        _ = try box.ingest(text(Self.rows(0..<200)), under: contract, format: format, name: "first.csv")
        let path = try box.folder.write("landing/second.csv", bytes)
        return try box.engine.drift(
            DriftRequest(
                path: path, contract: contract, format: format,
                existing: try box.lake.files(of: TableName(.bronze, "readings"))))
    }

    func drift(_ text: String) throws -> [SchemaDrift] { try drift(Array(text.utf8)) }

    /// The drifts of a file whose cells of one column are others.
    func drift(of place: Int, _ change: (String) -> String) throws -> [SchemaDrift] {
        let rows = Self.rows(200..<400).map { row in
            var row = row
            row[place] = change(row[place])
            return row
        }
        return try drift(text(rows))
    }
}

private func names(_ drifts: [SchemaDrift]) -> [String] {
    drifts.map { "\($0.kind.rawValue) \($0.column ?? "–")" }
}

@Suite struct `Schema drift` {
    @Test func `a file like those before has none`() throws {
        let plant = try Plant()
        #expect(try plant.drift(plant.text(Plant.rows(200..<400))) == [])
    }

    @Test(arguments: [
        ("Pressure", "renamed pressure"), ("pressure(BAR)", "header-case pressure"),
        ("Presure(bar)", "renamed pressure"),
        ("Pressure [bar]", "renamed pressure"), ("Pressure(psi)", "unit pressure"),
    ])
    func `a column under another name is told from one in another unit`(name: String, says: String) throws {
        let plant = try Plant()
        var header = Plant.header
        header[2] = name
        let drifts = try plant.drift(plant.text(Plant.rows(200..<400), header: header))
        #expect(names(drifts) == [says])
        #expect(drifts.first?.found == name && drifts.first?.suggestion?.contains("columns.pressure") == true)
    }

    @Test func `a column with a name of its own is known by what it holds`() throws {
        let plant = try Plant()
        var header = Plant.header
        (header[1], header[4]) = ("Equipment", "F_c")
        let drifts = try plant.drift(plant.text(Plant.rows(200..<400), header: header))
        #expect(names(drifts) == ["renamed machine", "renamed cutting"])
        #expect(drifts.map(\.found) == ["Equipment", "F_c"])
    }

    @Test func `new and missing columns are named`() throws {
        let plant = try Plant()
        var header = Plant.header
        header[5] = "Operator"
        let rows = Plant.rows(200..<400).map { row in
            var row = row
            row[5] = "op\(row[5])"
            return row
        }
        #expect(names(try plant.drift(plant.text(rows, header: header))) == ["missing runs", "new –"])
    }

    @Test(arguments: [
        (100_000.0, "Pa"), (100, "kPa"), (14.5038, "psi"), (1000, "mbar"), (0.1, "MPa"),
    ])
    func `a unit is known by the scale of its values`(factor: Double, unit: String) throws {
        let plant = try Plant()
        let drifts = try plant.drift(of: 2) { "\((Double($0) ?? 0) * factor)" }
        #expect(names(drifts) == ["unit pressure"])
        #expect(drifts.first?.found == unit, "\(drifts)")
    }

    @Test func `degrees Fahrenheit and newtons are known, without a unit in the contract too`() throws {
        #expect(try Plant().drift(of: 3) { "\((Double($0) ?? 0) * 1.8 + 32)" }.first?.found == "°F")
        let drifts = try Plant().drift(of: 4) { "\((Double($0) ?? 0) * 1000)" }
        #expect(names(drifts) == ["unit cutting"] && drifts.first?.found == "N", "\(drifts)")
        #expect(drifts.first?.evidence.contains("/ 1000 fits") == true)
        #expect(names(try Plant().drift(of: 5) { "\((Int($0) ?? 0) * 60)" }) == ["unit runs"])
    }

    @Test(arguments: [
        (2, "decimal commas"), (3, "decimal commas"), (2, "thousands separators"), (2, "look like text"),
        (2, "carry a unit"), (5, "fractions"), (0, "another format"), (0, "look like text"),
    ])
    func `another type is told by how it looks`(place: Int, looks: String) throws {
        let drifts = try Plant().drift(of: place) { cell in
            switch looks {
            case "decimal commas": "\"\(cell.replacing(".", with: ","))\""
            case "thousands separators": "\"1,\(cell.prefix(1))00\""
            case "carry a unit": "\(cell) bar"
            case "fractions": "\(cell).5"
            case "another format": "\(cell.suffix(2)).03.2026"
            default: "see note"
            }
        }
        let name = ["day", "machine", "pressure", "temperature", "cutting", "runs"][place]
        #expect(names(drifts) == ["retyped \(name)"])
        #expect(drifts.first?.evidence.contains(looks) == true && drifts.first?.evidence.contains("100 %") == true)
        if looks == "another format" { #expect(drifts.first?.suggestion?.contains("format: \"%d.%m.%Y\"") == true) }
    }

    @Test func `values under other codes are told`() throws {
        let drifts = try Plant().drift(of: 6) { $0 == "up" ? "1" : "0" }
        #expect(names(drifts) == ["recoded state"] && drifts.first?.evidence.contains("\"1\", \"0\"") == true)
        #expect(try Plant().drift(of: 6) { $0.uppercased() }.first?.evidence.contains("letter case") == true)
    }

    @Test func `delimiter, order, encoding and a lost header are told, and what else drifted with them`() throws {
        let plant = try Plant()
        let rows = Plant.rows(200..<400)
        let semicolons = try plant.drift(plant.text(rows, by: ";"))
        #expect(names(semicolons) == ["delimiter –"] && semicolons[0].found == ";")
        let tabs = try Plant().drift(
            plant.text(rows, header: Plant.header.map { $0 == "Runs" ? "Operator" : $0 }, by: "\t"))
        #expect(names(tabs) == ["delimiter –", "renamed runs"])
        let order = try Plant().drift(plant.text(rows.map { $0.reversed() }, header: Plant.header.reversed()))
        #expect(names(order) == ["order –"])
        let latin = try Plant().drift(
            Array(plant.text(rows).utf8).replacing(Array("mill".utf8), with: [0x6D, 0xFC, 0x68, 0x6C]))
        #expect(names(latin).contains("encoding –"), "\(latin)")
        let wide: [UInt8] = [0xFF, 0xFE] + plant.text(rows).utf8.flatMap { [$0, 0] as [UInt8] }
        #expect(try Plant().drift(wide).map(\.found) == ["utf-16"])
        #expect(names(try Plant().drift(plant.text(rows, header: rows[0]))) == ["no-header –"])
    }

    @Test func `without a table yet, the contract's range gives the unit away`() throws {
        let plant = try Plant()
        let rows = Plant.rows(0..<50).map { row in
            var row = row
            row[2] = "\((Double(row[2]) ?? 0) * 100_000)"
            return row
        }
        let path = try plant.box.folder.write("first.csv", Array(plant.text(rows).utf8))
        let drifts = try plant.box.engine.drift(
            DriftRequest(path: path, contract: plant.contract, format: plant.format, existing: []))
        #expect(names(drifts) == ["unit pressure"] && drifts.first?.found == "Pa")
    }

    @Test func `another unit within the contract's range is taken, with a warning`() throws {
        let plant = try Plant()
        _ = try plant.box.ingest(plant.text(Plant.rows(0..<200)), under: plant.contract, name: "first.csv")
        let rows = Plant.rows(200..<400).map { row in
            var row = row
            row[3] = "\((Double(row[3]) ?? 0) * 1.8 + 32)"
            return row
        }
        let report = try plant.box.ingest(plant.text(rows), under: plant.contract, name: "second.csv")
        #expect(report.outcome == .ingested && report.rowsAccepted == 200)
        #expect(names(report.drift) == ["unit temperature"] && report.drift.first?.found == "°F")
        let third = try plant.box.ingest(plant.text(Plant.rows(400..<500)), under: plant.contract, name: "third.csv")
        #expect(third.drift.isEmpty)
    }

    @Test(
        arguments: [
            ("Cutting(kN)", "kN", "cutting"), ("weight [kg]", "kg", "weight"), ("pressure_bar", "bar", "pressure"),
            ("Spindle_Speed(RPM)", "rpm", "spindlespeed"), ("Voltage(volts)", "V", "voltage"),
            ("Temp (degC)", "°C", "temp"), ("machine_id", nil, "machineid"), ("Vibration(µm)", "µm", "vibration"),
        ] as [(String, String?, String)])
    func `units stand at the end of names`(name: String, unit: String?, stem: String) {
        #expect(MeasurementUnit.unit(inName: name) == unit)
        #expect(MeasurementUnit.stem(name) == stem)
    }
}
