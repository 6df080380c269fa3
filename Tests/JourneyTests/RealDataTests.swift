import Core
import Foundation
import Storage
import Testing

/// The real data sets: `$MARTLET_DATA`, else ../shared/data beside the package.
enum RealData {
    static let folder: String = {
        let given = ProcessInfo.processInfo.environment["MARTLET_DATA"] ?? ""
        return given.isEmpty ? URL(fileURLWithPath: Program.root + "/../shared/data").standardized.path : given
    }()

    /// With MARTLET_REQUIRE_DATA=1 a test whose data are missing fails instead of being skipped.
    static let isRequired = ProcessInfo.processInfo.environment["MARTLET_REQUIRE_DATA"] == "1"

    static func path(_ name: String) -> String { "\(folder)/\(name)" }
    static func isThere(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    static func skip(_ name: String) -> any TestTrait {
        .enabled(
            if: isRequired || isThere(name),
            "\(path(name)) is not there; set MARTLET_DATA, or MARTLET_REQUIRE_DATA=1 to insist")
    }

    /// The file's path, or an error that names it.
    static func require(_ name: String) throws -> String {
        guard isThere(name) else { throw Unusable(what: "MARTLET_REQUIRE_DATA is 1, and \(path(name)) is not there") }
        return path(name)
    }
}

@Suite struct `Real data` {
    static let encounters = "diabetes130/diabetic_data.csv"
    static let readings = "downtime/machine_downtime_raw.csv"
    static let cleaned = "downtime/machine_downtime_cleaned.csv"
    static let adult = "adult/adult.data"

    private func metric(_ place: Sandbox, _ project: String, _ model: String, _ name: String) throws -> Double {
        let outcome = try place.martlet("models", "show", model, "--project", project, "--json")
        guard let value = try outcome.json().at("metrics.\(name).value")?.number else {
            throw Unusable(what: "\(outcome)")
        }
        return value
    }

    @Test(RealData.skip(encounters))
    func `readmission reaches the peer's ROC-AUC on seed 42 and is not called synthetic`() throws {
        let place = try Sandbox()
        let data = try RealData.require(Self.encounters)
        #expect(try place.martlet("init", "p", "--template", "readmission", "--data", data).code == 0)
        let run = try place.martlet("run", "--project", "p")
        #expect(run.code == 0, "\(run)")
        #expect(!run.all.contains("synthetic"))
        #expect(try metric(place, "p", "readmission@champion", "test.roc_auc") >= 0.6808 - 0.003)
        #expect(try metric(place, "p", "readmission@champion", "test.ece") <= 0.015)
        #expect((0.85...1.15).contains(try metric(place, "p", "readmission@champion", "test.calibration_slope")))
        #expect(
            try place.martlet("lake", "sql", "SELECT count(*) AS n FROM bronze.encounters", "--project", "p", "--json")
                .json().at("0.n")?.integer == 101_766)
        let leak = """
            SELECT count(*) AS n FROM (SELECT patient_nbr FROM gold.encounters GROUP BY patient_nbr HAVING count(*) > 1)
            """
        #expect(
            try place.martlet("lake", "sql", leak, "--project", "p", "--json").json().at("0.n")?.integer ?? 0 > 10_000)
        let columns = try place.martlet("lake", "show", "gold.encounters", "--limit", "1", "--project", "p", "--json")
            .json()
        guard case .object(let row)? = columns.list?.first else { throw Unusable(what: "no row of gold.encounters") }
        #expect(row.count - 3 >= 44, "features beside key, patient and label")
        let verified = try place.martlet("verify", "readmission@1", "--project", "p", "--engine-threads", "2")
        #expect(verified.code == 0, "\(verified)")
    }

    @Test(RealData.skip(readings))
    func `downtime reaches its floors in five folds of the raw file`() throws {
        let place = try Sandbox()
        #expect(
            try place.martlet("init", "p", "--template", "downtime", "--data", try RealData.require(Self.readings)).code
                == 0)
        let run = try place.martlet("run", "--project", "p")
        #expect(run.code == 0, "\(run)")
        #expect(run.output.contains("waits for approval"))
        for name in ["accuracy", "f1", "recall"] {
            #expect(try metric(place, "p", "downtime@1", "cv.\(name)") >= 0.975, "\(name)")
        }
        #expect(try metric(place, "p", "downtime@1", "cv.roc_auc") >= 0.995)
        #expect(
            try place.martlet("lake", "sql", "SELECT count(*) AS n FROM bronze.readings", "--project", "p", "--json")
                .json().at("0.n")?.integer == 2500)
    }

    @Test(RealData.skip(cleaned))
    func `the cleaned downtime file, in other units, is refused by its header`() throws {
        let place = try Sandbox()
        #expect(
            try place.martlet("init", "p", "--template", "downtime", "--data", try RealData.require(Self.cleaned)).code
                == 0)
        let run = try place.martlet("run", "--project", "p")
        #expect(run.code == 1 && run.isClean, "\(run)")
        for word in [
            "ingest.refused", "machine_downtime_cleaned.csv", "Hydraulic_Pressure(bar)", "\"Hydraulic_Pressure\"",
            "in bar",
        ] {
            #expect(run.errors.contains(word), "\(word) in \(run)")
        }
        #expect(
            try place.martlet("lake", "tables", "--project", "p", "--json").json().list?
                .contains { $0["table"]?.text == "bronze.readings" } == false)
    }

    @Test(RealData.skip(cleaned), RealData.skip(readings))
    func `the cleaned downtime file with the raw file's headers is refused by its values`() throws {
        let place = try Sandbox()
        let raw = String(decoding: try Disk.read(try RealData.require(Self.readings)), as: UTF8.self)
        var lines = String(decoding: try Disk.read(try RealData.require(Self.cleaned)), as: UTF8.self)
            .split(whereSeparator: \.isNewline).map(String.init)
        let names = try #require(raw.split(whereSeparator: \.isNewline).first).split(separator: ",").map(String.init)
        func plain(_ name: String) -> String { String(name.split(separator: "(")[0]) }
        lines[0] = lines[0].split(separator: ",").map { old in
            names.first { plain($0) == plain(String(old)) } ?? String(old)
        }
        .joined(separator: ",")
        // The dates as in the raw file, so that only the units are left to tell the two apart.
        for index in lines.indices.dropFirst() {
            let date = lines[index].prefix(10).split(separator: "-")
            if date.count == 3 { lines[index] = date.reversed().joined(separator: "-") + lines[index].dropFirst(10) }
        }
        try place.write("renamed.csv", lines.joined(separator: "\n") + "\n")
        #expect(try place.martlet("init", "p", "--template", "downtime", "--data", "renamed.csv").code == 0)
        let run = try place.martlet("run", "--project", "p")
        #expect(run.code == 2 && run.isClean && run.errors.contains("ingest.refused"), "\(run)")
        #expect(run.errors.contains("unit") || run.errors.contains("max"), "\(run)")
        #expect(!run.errors.contains("reading_date: type date"), "\(run)")
    }

    @Test(RealData.skip(adult))
    func `adult, a project that no example covers, reaches its gate on real rows`() throws {
        let place = try Sandbox()
        let data = try RealData.require(Self.adult)
        try FileManager.default.copyItem(atPath: Program.root + "/Benchmarks/adult", toPath: place.path("adult"))
        try place.write("adult/landing/adult/adult.data", bytes: try Disk.read(data))
        let run = try place.martlet("run", "--project", "adult")
        #expect(run.code == 0, "\(run)")
        #expect(try metric(place, "adult", "adult@champion", "test.roc_auc") >= 0.927 - 0.003)
        #expect(
            try place.martlet("lake", "sql", "SELECT count(*) AS n FROM bronze.adult", "--project", "adult", "--json")
                .json().at("0.n")?.integer == 32_561)
        let lines = try ["martlet.yaml", "contracts/adult.yaml"].map {
            try place.read("adult/\($0)").split(separator: "\n").count
        }
        #expect(lines.reduce(0, +) < 40)
    }
}
