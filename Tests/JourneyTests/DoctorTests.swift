import Core
import TestSupport
import Testing

/// Something that is wrong with a project that has run, and what the doctor must say of it.
struct Ailment: CustomTestStringConvertible, Sendable {
    var name: String
    /// Parts of the line with the cross.
    var words: [String]
    var arrange: @Sendable (Sandbox) throws -> Void
    var testDescription: String { name }

    init(_ name: String, _ words: String..., arrange: @escaping @Sendable (Sandbox) throws -> Void) {
        self.name = name
        self.words = words
        self.arrange = arrange
    }

    private static func artifacts(_ place: Sandbox) -> [String] {
        place.files(".martlet/artifacts", ending: "").filter { $0.split(separator: "/").last?.count == 64 }
    }

    static let all = [
        Ailment("artifacts are gone", "version stay@1", "model.txt is gone", "artifact.missing") { place in
            for path in artifacts(place) { try place.remove(path) }
        },
        Ailment("an artifact was altered", "version stay@1", "artifact.altered", "backup") { place in
            let path = try #require(artifacts(place).first)
            try place.write(path, bytes: try place.bytes(path) + [10])
        },
        Ailment("the key is no column", "model stay", "no column visit", "key", "Did you mean") {
            try $0.edit("martlet.yaml", "key: visit_id", "key: visit_ids")
        },
        Ailment("the target is no column", "model stay", "no column outcom", "target", "Did you mean outcome?") {
            try $0.edit("martlet.yaml", "column: outcome", "column: outcom")
        },
        Ailment("the model's table is made by nobody", "model stay", "gold.visit", "transforms/gold/visit.sql") {
            try $0.edit("martlet.yaml", "table: gold.visits", "table: gold.visit")
        },
        Ailment("the event time is a text", "model stay", "event_time note", "text", "model.event-time") {
            try $0.edit("martlet.yaml", "    key: visit_id", "    key: visit_id\n    event_time: note")
        },
        Ailment(
            "a contract's event time is a number with decimals", "project", "visits.yaml", "moment", "contract.time"
        ) {
            try $0.edit("contracts/visits.yaml", "columns:", "event_time: weight\ncolumns:")
        },
        Ailment("the registry is gone", "registry", "martlet.db", "versions", "backup") {
            for name in ["", "-wal", "-shm"] where $0.exists(".martlet/martlet.db\(name)") {
                try $0.remove(".martlet/martlet.db\(name)")
            }
        },
        Ailment("the registry is damaged", "database", "metadata.corrupt", ".recover") { place in
            for name in ["-wal", "-shm"] where place.exists(".martlet/martlet.db\(name)") {
                try place.remove(".martlet/martlet.db\(name)")
            }
            var bytes = try place.bytes(".martlet/martlet.db")
            for page in [5, 9, 14, 20] where bytes.count > (page + 1) * 4096 {
                bytes.replaceSubrange(page * 4096..<(page + 1) * 4096, with: [UInt8](repeating: 9, count: 4096))
            }
            try place.write(".martlet/martlet.db", bytes: bytes)
        },
        Ailment("a landed file lacks a column", "landing/visits", "short.csv", "weight(kg)", "from:") {
            try $0.write("landing/visits/short.csv", "visit_id,seen_at,ward,weight,readings,note\n")
        },
        Ailment("a folder of no source", "landing/visit", "1 file", "landing/visits?") {
            try $0.write("landing/visit/a.csv", Wards.first)
        },
        Ailment("the contract got a column since", "bronze.visits", "it has no doctor", "contracts/visits.yaml") {
            try $0.append("contracts/visits.yaml", "  doctor: {type: text, optional: true}\n")
        },
        Ailment(
            "SQL names a column that is not there", "transforms", "gold/visits.sql:1", "gold.visits", "wieght",
            "weight?"
        ) {
            try $0.edit("transforms/gold/visits.sql", "ward, weight,", "ward, wieght,")
        },
        Ailment("the project was renamed", "registry", "1 version", "name: wards") {
            try $0.edit("martlet.yaml", "name: wards", "name: hospital")
        },
    ]
}

@Suite struct `The doctor` {
    @Test(arguments: Ailment.all) func `finds what is wrong, says what to do and changes nothing`(_ ailment: Ailment)
        throws
    {
        let place = try Wards.run()
        try ailment.arrange(place)
        for _ in 0..<2 {
            let doctor = try place.martlet("doctor")
            #expect(doctor.code == 1 && doctor.isClean, "\(doctor)")
            let crosses = doctor.output.split(separator: "✗").dropFirst().joined(separator: "\n")
            for word in ailment.words { #expect(crosses.contains(word), "\(word) in \(doctor)") }
            let json = try place.martlet("doctor", "--json")
            #expect(json.code == 1)
            let wrong = (try json.json().list ?? []).filter { $0["state"]?.text == "wrong" }
            let told = wrong.map { "\($0["what"]?.text ?? ""): \($0["detail"]?.text ?? "")" }.joined(separator: "\n")
            for word in ailment.words { #expect(told.contains(word), "\(word) in \(told)") }
        }
    }

    @Test func `lists every finding, and every fault of every file`() throws {
        let place = try Wards.run()
        try place.edit("martlet.yaml", "rounds: 40", "rounds: many")
        try place.edit("martlet.yaml", "calibration: platt", "calibration: plat")
        try place.edit("contracts/visits.yaml", "min: 20", "minimum: 20")
        let doctor = try place.martlet("doctor")
        #expect(doctor.code == 1)
        let crosses = doctor.output.split(separator: "\n").filter { $0.hasPrefix("✗") }
        #expect(crosses.count == 3, "\(doctor)")
        for word in ["martlet.yaml:16", "martlet.yaml:18", "Did you mean platt?", "visits.yaml:10", "minimum"] {
            #expect(doctor.output.contains(word), "\(word) in \(doctor)")
        }
        let run = try place.martlet("run")
        #expect(run.code == 1 && run.errors.ranges(of: "error: ").count == 3, "\(run)")
    }

    @Test func `says before anything has run what a model cannot find`() throws {
        let place = try Wards.written()
        #expect(try place.martlet("doctor").code == 0)
        try place.edit("martlet.yaml", "key: visit_id", "key: visit")
        #expect(try place.martlet("doctor").output.contains("✗ model stay"))
        #expect(try place.martlet("doctor").code == 1)
    }

    @Test func `a column that is not there is not told as a leak`() throws {
        let place = try Wards.written()
        try place.edit("transforms/gold/visits.sql", "weight / nullif(readings, 0)", "wheight / nullif(readings, 0)")
        for command in ["doctor", "lineage"] {
            let outcome = try place.martlet(command)
            #expect(outcome.code == 1 && outcome.all.contains("sql.invalid"), "\(outcome)")
            #expect(outcome.all.contains("There is no column wheight in silver.visits"), "\(outcome)")
            #expect(outcome.all.contains("Did you mean weight?") && !outcome.all.contains("leak."), "\(outcome)")
        }
    }
}
