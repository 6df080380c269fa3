import CLibrary
import Core
import Foundation
import TestSupport
import Testing

/// What lies in a landing folder and when it is taken.
@Suite struct `Landing` {
    private func report(_ place: Sandbox) throws -> JSONValue {
        let outcome = try place.martlet("ingest", "--json")
        #expect(outcome.code == 0, "\(outcome)")
        return try outcome.json().list?.first ?? .null
    }

    private func outcomes(_ report: JSONValue) -> [String] {
        (report["files"]?.list ?? []).map { "\($0["name"]?.text ?? "") \($0["outcome"]?.text ?? "")" }.sorted()
    }

    private func landed() throws -> Sandbox {
        let place = try Wards.written()
        try place.write("landing/visits/good.csv", Wards.csv(Wards.rows(1..<21)))
        return place
    }

    @Test func `a file that a process has open for writing is left for later, then taken once and whole`() throws {
        let place = try Wards.written()
        let rows = Wards.rows(1..<41)
        let file = "landing/visits/slow.csv"
        try place.write(file, Wards.csv(Array(rows.prefix(20))))
        let writer = try #require(FileHandle(forWritingAtPath: place.path(file)))
        try writer.seekToEnd()
        #expect(outcomes(try report(place)) == ["slow.csv changing"])
        let run = try place.martlet("run", "--to", "ingest")
        #expect(run.code == 1 && run.errors.contains("[ingest.nothing]") && run.errors.contains("open for writing"))
        // A file that a person names is no exception.
        #expect(try place.martlet("ingest", file).output.contains("changing"))
        try writer.write(contentsOf: Data((rows.suffix(20).joined(separator: "\n") + "\n").utf8))
        try writer.close()
        #expect(outcomes(try report(place)) == ["slow.csv ingested"])
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 40)
        #expect(try place.count("SELECT count(DISTINCT visit_id) FROM bronze.visits") == 40)
    }

    @Test func `a file that is complete is taken at once`() throws {
        #expect(outcomes(try report(try landed())) == ["good.csv ingested"])
    }

    @Test func `quiet leaves files alone that changed a moment ago`() throws {
        let place = try landed()
        try place.edit("martlet.yaml", "  visits:\n", "  visits:\n    quiet: 3600\n")
        let first = try report(place)
        #expect(outcomes(first) == ["good.csv changing"])
        #expect(first.at("files.0.warnings.0")?.text?.contains("3600 s of quiet") == true, "\(first)")
        try place.edit("martlet.yaml", "quiet: 3600", "quiet: 0")
        #expect(outcomes(try report(place)) == ["good.csv ingested"])
    }

    @Test func `ready waits for the marker, and for a new one after it`() throws {
        let place = try landed()
        try place.edit("martlet.yaml", "  visits:\n", "  visits:\n    ready: _SUCCESS\n")
        let waiting = try report(place)
        #expect(outcomes(waiting) == [] && waiting["waits_for"]?.text == "_SUCCESS")
        #expect(try place.martlet("run", "--to", "ingest").errors.contains("there is no _SUCCESS"))
        try place.write("landing/visits/_SUCCESS", "")
        #expect(outcomes(try report(place)) == ["good.csv ingested"])
        try place.write("landing/visits/next.csv", Wards.csv(Wards.rows(21..<41)))
        let later = Date(timeIntervalSinceNow: 60)
        try FileManager.default.setAttributes(
            [.modificationDate: later], ofItemAtPath: place.path("landing/visits/next.csv"))
        #expect(outcomes(try report(place)) == ["good.csv already-known", "next.csv changing"])
        try FileManager.default.setAttributes(
            [.modificationDate: later], ofItemAtPath: place.path("landing/visits/_SUCCESS"))
        #expect(outcomes(try report(place)) == ["good.csv already-known", "next.csv ingested"])
    }

    @Test(arguments: [
        "a.csv.part", "a.csv.PARTIAL", "a.tmp", "a.csv.temp", "a.crdownload", "a.csv.filepart", "a.csv.swp", "a.csv~",
        "~$a.csv", "Thumbs.db", "desktop.ini", "_metadata", "_committed_12", "_started_12",
    ])
    func `names of unfinished and foreign files are no data`(_ name: String) throws {
        let place = try landed()
        // What it holds would be a good file.
        try place.write("landing/visits/\(name)", Wards.csv(Wards.rows(101..<121)))
        #expect(outcomes(try report(place)) == ["\(name) ignored", "good.csv ingested"].sorted())
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 20)
        #expect(try place.martlet("run", "--to", "ingest").errors.contains(name))
    }

    @Test(arguments: [".DS_Store", "._good.csv", "_SUCCESS"])
    func `nobody is told of names with a dot and of markers`(_ name: String) throws {
        let place = try landed()
        try place.write("landing/visits/\(name)", Wards.csv(Wards.rows(101..<121)))
        let found = try report(place)
        #expect(outcomes(found) == ["good.csv ingested"] && found["ignored"]?.list == [])
    }

    @Test func `what is no file is told once, and fails nothing`() throws {
        let place = try landed()
        try place.write("landing/visits/old/nested.csv", Wards.csv(Wards.rows(101..<121)))
        let folder = place.path("landing/visits")
        #expect(mkfifo(folder + "/pipe.csv", 0o644) == 0)
        #expect(symlink("/nonexistent", folder + "/dangling.csv") == 0)
        #expect(symlink(folder + "/good.csv", folder + "/link.csv") == 0)
        // A name of bytes that are no UTF-8.
        let name = Array(folder.utf8) + Array("/caf".utf8) + [0xE9] + Array(".csv".utf8) + [0]
        let file = name.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters -> Int32 in
                guard let path = characters.baseAddress else { return -1 }
                return open(path, O_CREAT | O_WRONLY, 0o644)
            }
        }
        if file >= 0 { close(file) }
        let found = try report(place)
        #expect(outcomes(found) == ["good.csv ingested"])
        let ignored = (found["ignored"]?.list ?? []).map { "\($0["name"]?.text ?? ""): \($0["reason"]?.text ?? "")" }
        #expect(ignored.contains("old: a folder") && ignored.contains("pipe.csv: a pipe"), "\(ignored)")
        #expect(ignored.contains("dangling.csv: a link to nothing"))
        #expect(ignored.contains("link.csv: a symbolic link"), "whoever may land files must not read by this account")
        if file >= 0 {
            #expect(ignored.contains { $0.hasPrefix("caf\\xE9.csv: a name that is not UTF-8") }, "\(ignored)")
        }
        let run = try place.martlet("run", "--to", "ingest")
        #expect(run.code == 0 && run.errors.contains("nothing new (1 known)"), "\(run)")
        #expect(run.errors.components(separatedBy: "left alone").count == 2, "\(run)")
    }

    @Test func `a link in the landing folder is not followed, and the folder may be one itself`() throws {
        let place = try landed()
        try place.write("secret.txt", "root:x:0:0\n")
        let folder = place.path("landing/visits")
        #expect(symlink(place.path("secret.txt"), folder + "/stolen.csv") == 0)
        let named = try place.martlet("ingest", "landing/visits/stolen.csv")
        #expect(named.code == 1 && named.errors.contains("[file.link]"), "\(named)")
        let found = try report(place)
        #expect(outcomes(found) == ["good.csv ingested"])
        #expect(place.files(".martlet", ending: "").allSatisfy { !$0.contains("_files") }, "nothing of it is kept")
        try place.move("landing/visits", to: "elsewhere")
        #expect(symlink(place.path("elsewhere"), folder) == 0)
        #expect(outcomes(try report(place)) == ["good.csv already-known"])
        // Whoever names a link elsewhere is free to.
        #expect(symlink(folder + "/good.csv", place.path("mine.csv")) == 0)
        let mine = try place.martlet("ingest", "mine.csv", "--source", "visits")
        #expect(mine.code == 0, "\(mine)")
    }

    @Test func `names with control characters are shown, not obeyed`() throws {
        let place = try landed()
        let name = "a\u{1B}[2J\u{1B}]0;owned\u{7}b\nc.csv"
        try place.write("landing/visits/\(name)", Wards.csv(Wards.rows(101..<121)))
        try place.write("landing/visits/\(name).part", "x")
        for outcome in [
            try place.martlet("ingest"), try place.martlet("run", "--to", "ingest"), try place.martlet("doctor"),
        ] {
            let all = outcome.output + outcome.errors
            #expect(!all.unicodeScalars.contains { $0.value < 32 && $0 != "\n" }, "\(all.debugDescription)")
        }
        let again = try place.martlet("ingest")
        #expect((again.output + again.errors).contains("a\\u{1B}[2J"), "\(again)")
    }

    @Test func `a step with a file of too many bad rows shows a cross and ends with 2, whatever else was taken`() throws
    {
        let place = try Wards.run()
        try place.edit("contracts/visits.yaml", "max_rejected: 0.2\n", "")
        try place.write("landing/visits/good.csv", Wards.csv(Wards.rows(2001..<2021)))
        let bad = Wards.rows(3001..<3041).enumerated().map { $0 < 3 ? $1.replacing("2026", with: "x") : $1 }
        try place.write("landing/visits/bad.csv", Wards.csv(bad))
        for arguments in [["run"], ["run"], ["ingest"]] {
            let outcome = try place.martlet(arguments)
            #expect(outcome.code == 2 && outcome.errors.contains("[ingest.refused]"), "\(outcome)")
            if arguments == ["run"] { #expect(outcome.errors.contains("✗ ingest:visits"), "\(outcome)") }
        }
        #expect(try place.count("SELECT count(*) FROM bronze.visits WHERE visit_id > 3000") == 0)
        #expect(try place.count("SELECT count(*) FROM bronze.visits WHERE visit_id BETWEEN 2001 AND 2020") == 20)
    }

    @Test func `run names all columns that a contract leaves out, once for all files`() throws {
        let place = try Wards.written()
        let names = (1...8).map { "other\($0)" }
        for (name, ids) in [("a.csv", 1..<21), ("b.csv", 21..<41)] {
            try place.write(
                "landing/visits/\(name)",
                Wards.csv(
                    Wards.rows(ids).map { $0 + ",1,2,3,4,5,6,7,8" },
                    header: Wards.header + "," + names.joined(separator: ",")))
        }
        let run = try place.martlet("run", "--to", "ingest")
        #expect(run.code == 0 && names.allSatisfy { run.errors.contains("\"\($0)\"") }, "\(run)")
        #expect(run.errors.contains("a.csv and 1 more: columns that the contract does not know"), "\(run)")
    }
}

/// `martlet ingest --again`.
@Suite struct `Known files again` {
    /// Readings become fractional numbers, and the ward west is one.
    private func changed() throws -> Sandbox {
        let place = try Wards.run()
        try place.edit("contracts/visits.yaml", "readings: {type: integer, min: 0}", "readings: {type: double, min: 0}")
        try place.edit("contracts/visits.yaml", "[north, south, east]", "[north, south, east, west]")
        return place
    }

    @Test func `a changed contract is told by run and applied by ingest --again`() throws {
        let place = try changed()
        let run = try place.martlet("run", "--to", "ingest")
        #expect(run.code == 0 && run.errors.contains("2 files were taken under an earlier contract"), "\(run)")
        #expect(run.errors.contains("martlet ingest --again --source visits"))
        try place.write("landing/visits/new.csv", Wards.csv(Wards.rows(5001..<5011)))
        let refused = try place.martlet("ingest")
        #expect(refused.code == 1 && refused.errors.contains("[contract.incompatible]"), "\(refused)")
        #expect(refused.errors.contains("martlet ingest --again"))
        let again = try place.martlet("ingest", "--again", "--source", "visits", "--json")
        #expect(again.code == 0, "\(again)")
        #expect((try again.json().at("0.files")?.list ?? []).compactMap { $0["rows_accepted"]?.integer } == [601, 40])
        #expect(try place.sql("SELECT typeof(readings) AS t FROM bronze.visits LIMIT 1").first?["t"]?.text == "DOUBLE")
        let after = try place.martlet("run")
        #expect(after.code == 0 && !after.errors.contains("earlier contract"), "\(after)")
        #expect(try place.count("SELECT count(*) FROM gold.visits") == 651)
        #expect(try place.martlet("quarantine", "list", "--json").json().at("0.rows.open")?.integer == 2)
        #expect(try place.martlet("verify", "stay@1").code == 0)
        // Comments and words are no other promises.
        try place.edit("contracts/visits.yaml", "description: one row per visit", "description: a visit # or two")
        #expect(try !place.martlet("run").errors.contains("earlier contract"))
    }

    @Test func `files that were named by hand are found where they were, and those that are gone are told of`() throws {
        let place = try Wards.written()
        try place.write("a.csv", Wards.csv(Wards.rows(1..<41)))
        try place.write("b.csv", Wards.csv(Wards.rows(41..<61)))
        // Within a second of a change, nothing is remembered of a file.
        for name in ["a.csv", "b.csv"] {
            usleep(1_100_000)
            #expect(try place.martlet("ingest", name).code == 0)
        }
        try place.remove("b.csv")
        try place.edit("contracts/visits.yaml", "max: 250", "max: 90")
        let again = try place.martlet("ingest", "--again")
        #expect(again.code == 2 && again.errors.contains("[ingest.again-refused]"), "\(again)")
        try place.edit("contracts/visits.yaml", "max: 90", "max: 240")
        let kept = try place.martlet("ingest", "--again")
        #expect(kept.code == 0 && kept.errors.contains("the bytes of b.csv are gone"), "\(kept)")
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 60)
        // There is nothing left to do about it, and doctor alone goes on telling it.
        #expect(try !place.martlet("run", "--to", "ingest").errors.contains("earlier contract"))
        let doctor = try place.martlet("doctor")
        #expect(
            doctor.output.contains("1 file in bronze.visits (b.csv) came in under an earlier contract"), "\(doctor)")
        try place.edit("contracts/visits.yaml", "max: 240", "max: 230")
        #expect(
            try place.martlet("run", "--to", "ingest").errors.contains("2 files were taken under an earlier contract"))
        #expect(try place.martlet("ingest", "--again", "a.csv").code == 64)
    }

    @Test func `a kill at any point leaves the tables as they were, or as they are to be`() throws {
        let before = try changed()
        var kills = 0
        for point in 1...200 {
            let place = try Sandbox(copyOf: before)
            let outcome = try place.martlet(
                "ingest", "--again", environment: ["MARTLET_FAILPOINT": "*:kill@\(point)"])
            if !outcome.isSignal {
                #expect(outcome.code == 0, "\(outcome)")
                break
            }
            kills += 1
            let rows = try place.count("SELECT count(*) FROM bronze.visits")
            let open = try place.martlet("quarantine", "list", "--json").json().at("0.rows.open")?.integer
            #expect(
                rows == 640 && open == 3 || rows == 641 && open == 2, "point \(point): \(rows ?? -1), \(open ?? -1)")
            guard point % 3 == 0 else { continue }
            let again = try place.martlet("ingest", "--again")
            #expect(again.code == 0, "\(again)")
            #expect(try place.count("SELECT count(*) FROM bronze.visits") == 641)
            #expect(try place.martlet("quarantine", "list", "--json").json().at("0.rows.open")?.integer == 2)
        }
        #expect(kills > 3)
    }
}
