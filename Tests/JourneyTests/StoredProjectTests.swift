import Core
import Foundation
import Testing

/// Projects that earlier programs left, made by scripts/fixtures/project.py: they must open, serve and roll back, and give
/// the same verdicts and scores as then.
@Suite(.needs("curl"), .needs("tar")) struct StoredProjectTests {
    private static let fixtures = "\(Program.root)/Tests/JourneyTests/Fixtures"
    static let archives =
        (try? FileManager.default.contentsOfDirectory(atPath: fixtures))?.filter {
            $0.hasPrefix("project-")
        }.sorted() ?? []

    private func unpacked(_ archive: String) throws -> (outer: Sandbox, project: Sandbox) {
        let outer = try Sandbox(), project = try Sandbox()
        let file = "\(Self.fixtures)/\(archive)"
        for (place, what) in [(outer, ["--exclude=project"]), (project, ["--strip-components=1", "project"])] {
            let done = try Program.run(Program.which("tar") ?? "tar", ["xzf", file] + what, in: place.folder)
            #expect(done.code == 0, "\(done)")
        }
        return (outer, project)
    }

    private func json(_ place: Sandbox, _ name: String) throws -> JSONValue {
        try #require(JSONValue(parsing: try place.read(name)))
    }

    @Test func `one of each released form is there`() { #expect(Self.archives.count >= 1) }

    @Test(arguments: archives) func `open, and say of each version what they said`(_ archive: String) throws {
        let (outer, project) = try unpacked(archive)
        // Brings the database up to date; all else is as it was left.
        let run = try project.martlet("run")
        #expect(run.code == 0 && run.errors.contains("train:downtime") && !run.errors.contains("✓ train"), "\(run)")
        let verdicts = try json(outer, "verify.json"), scores = try json(outer, "scores.json")
        for version in ["1", "2"] {
            let told = try project.martlet("verify", "downtime@\(version)", "--json").json()
            #expect(told["checks"] == verdicts.at("\(version).checks"), "\(told)")
            #expect(told["equal"] == .flag(true))
            let rows = try project.martlet(
                "predict", outer.path("row.csv"), "--model", "downtime@\(version)", "--json"
            ).json()["rows"]?.list
            let then = scores[version]?.list?.first
            #expect(rows?.first?["probability"] == then?["probability"] && then?["probability"] != nil, "\(rows ?? [])")
            #expect(rows?.first?["band"] == then?["band"])
        }
    }

    @Test(arguments: archives) func `grow by rows without a label, which state their hash anew and train nothing`(
        _ archive: String
    ) throws {
        let (outer, project) = try unpacked(archive)
        let row = try outer.read("row.csv").replacing("12-02-2022", with: "13-02-2022")
        try project.write("landing/readings/later.csv", row.replacing("Machine_Failure", with: ""))
        let run = try project.martlet("run")
        #expect(run.code == 0, "\(run)")
        // The runs of the first program go by all rows of the table, so that it trained again, too.
        #expect(run.errors.contains("no new labelled rows") == (archive != "project-6273d94.tar.gz"), "\(run)")
        for table in ["bronze", "silver", "gold"] {
            // Each commit states the hash by the present scheme, which doctor computes again.
            let log = project.files(".martlet/lake/\(table)/readings/_delta_log", ending: ".json")
            #expect(try project.read(try #require(log.last)).contains(#""contentHash":"h2:"#), "\(log)")
        }
        #expect(try project.martlet("doctor").code == 0)
        #expect(try project.martlet("verify", "downtime@2").code == 0)
    }

    @Test(arguments: archives) func `are served, and rolled back`(_ archive: String) throws {
        let (outer, project) = try unpacked(archive)
        #expect(try project.martlet("run").code == 0)
        let server = try RunningServer(serving: project, role: "admin", ["--workers", "0"])
        let scores = try json(outer, "scores.json"), record = try outer.read("record.json")
        for version in ["2", "1"] {
            let answer = try server.ask("/predict", record)
            #expect(answer.at("predictions.0.probability") == scores.at("\(version).0.probability"), "\(answer)")
            #expect(answer["version"]?.integer.map { "\($0)" } == version, "\(answer)")
            if version == "2" {
                let back = try server.ask("/api/deploy/rollback", #"{"model": "downtime", "reason": "test"}"#)
                #expect(back["from"]?.integer == 2 && back["to"]?.integer == 1, "\(back)")
            }
        }
    }
}
