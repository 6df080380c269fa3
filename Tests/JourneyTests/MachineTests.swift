import Core
import Foundation
import Storage
import TestSupport
import Testing

/// A small file system of its own in memory, for a test that fills it; needs root and `mount`.
final class SmallDisk {
    let path: String

    static let isPossible: Bool = {
        guard geteuid() == 0,
            let disk = try? SmallDisk(at: NSTemporaryDirectory() + "martlet-mount-\(getpid())", "size=64k")
        else { return false }
        withExtendedLifetime(disk) {}
        return true
    }()

    init(at path: String, _ options: String) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let outcome = try Program.run("/bin/mount", ["-t", "tmpfs", "-o", options, "tmpfs", path], in: "/")
        guard outcome.code == 0 else { throw Unusable(what: "\(outcome)") }
    }

    func become(_ options: String) throws {
        let outcome = try Program.run("/bin/mount", ["-o", "remount,\(options)", path], in: "/")
        guard outcome.code == 0 else { throw Unusable(what: "\(outcome)") }
    }

    deinit {
        _ = try? Program.run("/bin/umount", ["-l", path], in: "/")
        try? FileManager.default.removeItem(atPath: path)
    }
}

@Suite struct `A machine that will not` {
    private static let needsMount: Comment = "needs root and a kernel that lets it mount tmpfs"

    @Test(.enabled(if: SmallDisk.isPossible, needsMount), arguments: [24, 48, 96, 160, 224, 288, 352, 448])
    func `a full disk is said to be full, and the run goes on once there is room`(kilobytes: Int) throws {
        let place = try Wards.written()
        try place.write("landing/visits/first.csv", Wards.csv(Wards.rows(1..<6001)))
        let disk = try SmallDisk(at: place.path("small"), "size=\(kilobytes)k")
        defer { withExtendedLifetime(disk) {} }
        let run = try place.martlet("run", "--home", "small/state")
        #expect(run.isClean, "\(run)")
        #expect(run.code == 1, "\(run)")
        // On the smallest disks SQLite finds no room even for its shared memory, and says only that the disk failed.
        #expect(run.errors.contains("full") || run.errors.contains("has room"), "\(run)")
        #expect(["[disk.full]", "[metadata.full]", "[metadata.failed]"].contains { run.errors.contains($0) }, "\(run)")
        try disk.become("size=64m")
        let again = try place.martlet("run", "--home", "small/state")
        #expect(again.code == 0, "\(again)")
        let counted = try place.martlet(
            "lake", "sql", "SELECT count(*) AS n FROM bronze.visits", "--json", "--home", "small/state")
        #expect(try counted.json().at("0.n")?.integer == 6000)
        #expect(try place.martlet("verify", "stay@1", "--home", "small/state").code == 0)
    }

    @Test(.enabled(if: Program.which("sh") != nil, "needs a shell to set a limit"), arguments: [1, 16, 64, 150, 300])
    func `a limit on the size of files is an error, not a crash, and the run goes on without it`(blocks: Int) throws {
        let place = try Wards.written()
        try place.write("landing/visits/first.csv", Wards.csv(Wards.rows(1..<6001)))
        let shell = try #require(Program.which("sh"))
        let run = try Program.run(
            shell, ["-c", "ulimit -f \(blocks); exec \"$0\" run", Program.path], in: place.folder)
        #expect(run.isClean && run.code == 1, "\(run)")
        #expect(["[disk.", "[metadata."].contains { run.errors.contains($0) }, "\(run)")
        let again = try place.martlet("run")
        #expect(again.code == 0, "\(again)")
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 6000)
        #expect(try place.martlet("verify", "stay@1").code == 0)
    }

    @Test(.enabled(if: SmallDisk.isPossible, needsMount))
    func `a read-only home is said to be read-only, and can still be read`() throws {
        let place = try Wards.run()
        let disk = try SmallDisk(at: place.path("small"), "size=16m")
        defer { withExtendedLifetime(disk) {} }
        #expect(try place.martlet("run", "--home", "small/state").code == 0)
        try disk.become("ro")
        try place.write("landing/visits/more.csv", Wards.csv(Wards.rows(7001..<7011)))
        let run = try place.martlet("run", "--home", "small/state")
        #expect(run.code == 1 && run.isClean, "\(run)")
        #expect(run.errors.contains("disk.permission") && run.errors.contains("small/state"), "\(run)")
        for arguments in [
            ["lake", "tables"], ["lake", "sql", "SELECT count(*) FROM gold.visits"], ["models", "list"],
            ["models", "show", "stay@1"], ["runs", "list"],
        ] {
            let outcome = try place.martlet(arguments + ["--home", "small/state"])
            #expect(outcome.code == 0, "\(outcome)")
        }
        let doctor = try place.martlet("doctor", "--home", "small/state")
        #expect(doctor.code == 1 && doctor.isClean && doctor.output.contains("cannot be written"), "\(doctor)")
    }

    @Test func `a second martlet at work in the project is told to wait, and reading goes on`() throws {
        let place = try Wards.run()
        let lock = try FileLock(place.path(".martlet/lock"))
        #expect(lock != nil)
        for arguments in [["run"], ["ingest"]] {
            let refused = try place.martlet(arguments)
            #expect(refused.code == 1 && refused.errors.contains("[project.busy]"), "\(refused)")
        }
        for arguments in [
            ["models", "list"], ["lake", "tables"], ["runs", "list"], ["predict", "landing/visits/later.csv"],
            ["verify", "stay@1"], ["models", "promote", "stay@1"],
        ] {
            let outcome = try place.martlet(arguments)
            #expect(outcome.code == 0, "\(outcome)")
        }
        withExtendedLifetime(lock) {}
    }

    @Test func `of runs started at once one works and the others say that it does`() throws {
        let place = try Wards.written()
        try place.write("landing/visits/first.csv", Wards.first)
        let started = try (0..<4).map { _ in try Program.start(Program.path, ["run"], in: place.folder) }
        let outcomes = try started.map { try $0.finish() }
        #expect(outcomes.contains { $0.code == 0 })
        for outcome in outcomes where outcome.code != 0 {
            #expect(outcome.code == 1 && outcome.errors.contains("[project.busy]"), "\(outcome)")
        }
        #expect(try place.count("SELECT count(*) FROM bronze.visits") == 600)
        #expect(try place.martlet("models", "list", "--json").json().at("0.versions")?.integer == 1)
    }

    @Test(.needs("python3"))
    func `a database of a newer Martlet is left alone`() throws {
        let place = try Wards.run()
        let script = """
            import sqlite3, sys
            database = sqlite3.connect(sys.argv[1])
            database.execute(sys.argv[2])
            database.commit()
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.close()
            """
        let python = try #require(Program.python)
        func change(_ statement: String) throws {
            let file = place.path(".martlet/martlet.db")
            let outcome = try Program.run(python, ["-c", script, file, statement], in: place.folder)
            #expect(outcome.code == 0, "\(outcome)")
        }
        let before = try place.martlet("models", "show", "stay@1", "--json").output
        try change("INSERT INTO schema_migrations VALUES (9999, 'from the future', 0)")
        for arguments in [["run"], ["models", "list"], ["predict", "landing/visits/later.csv"]] {
            let refused = try place.martlet(arguments)
            #expect(refused.code == 1 && refused.isClean && refused.errors.contains("[metadata.newer]"), "\(refused)")
        }
        try change("DELETE FROM schema_migrations WHERE number = 9999")
        #expect(try place.martlet("models", "show", "stay@1", "--json").output == before)
        #expect(try place.martlet("run").code == 0)
        #expect(try place.martlet("models", "show", "stay@1", "--json").output == before)
    }

    @Test(arguments: ["MARTLET_THREADS", "MARTLET_TRAINING_THREADS", "MARTLET_MEMORY"])
    func `a setting of no sense is refused by its name`(variable: String) throws {
        let place = try Wards.run()
        try place.write("landing/visits/more.csv", Wards.csv(Wards.rows(7001..<7011)))
        let run = try place.martlet("run", environment: [variable: "plenty"])
        #expect(run.isClean && run.code != 0 && run.errors.contains(variable), "\(run)")
    }
}
