import Core
import Foundation
import TestSupport
import Testing

/// A ward project with a training that takes long, a queue, and workers.
final class WorkerFixture {
    let place: Sandbox
    private var workers: [Started] = []

    /// The project after its first run, then with far more rounds and folds, so that the next run trains for long.
    init() throws {
        place = try Wards.run()
        try makeSlow()
    }

    deinit { for worker in workers { if worker.process.isRunning { kill(worker.process.processIdentifier, SIGKILL) } } }

    func makeSlow() throws {
        try place.edit(
            "martlet.yaml", "rounds: 40\n      early_stopping: 10\n",
            "rounds: 20000\n      early_stopping: 0\n    cross_validation: {folds: 60, seed: 42}\n")
    }

    func makeQuick() throws {
        try place.write("martlet.yaml", Wards.configuration.replacingOccurrences(of: "rounds: 40", with: "rounds: 41"))
    }

    func start(_ options: String...) throws -> Started {
        let worker = try Program.start(Program.path, ["worker"] + options, in: place.folder)
        workers.append(worker)
        return worker
    }

    /// The exit code of a worker that ends by itself; one that does not within two minutes is killed.
    func end(of worker: Started) throws -> Int32 {
        for _ in 0..<1200 where worker.process.isRunning { Thread.sleep(forTimeInterval: 0.1) }
        if worker.process.isRunning { kill(worker.process.processIdentifier, SIGKILL) }
        return try worker.finish().code
    }

    func submit(_ words: String...) throws -> String {
        let outcome = try place.martlet(["jobs", "submit"] + words + ["--json"])
        guard outcome.code == 0, let id = try outcome.json()["id"]?.text else { throw Unusable(what: "\(outcome)") }
        return id
    }

    func job(_ id: String) throws -> JSONValue {
        let outcome = try place.martlet("jobs", "show", id, "--json")
        guard outcome.code == 0 else { throw Unusable(what: "\(outcome)") }
        return try outcome.json()
    }

    /// The job when it is as wanted; fails after two minutes.
    func job(_ id: String, when isSo: (JSONValue) -> Bool) throws -> JSONValue {
        for _ in 0..<600 {
            let job = try job(id)
            if isSo(job) { return job }
            Thread.sleep(forTimeInterval: 0.2)
        }
        throw Unusable(what: "job \(id) never came to be as it should; it is \(try JSON.text(job(id)))")
    }

    /// The job when it trains, with the number of its process.
    func training(_ id: String) throws -> (job: JSONValue, process: Int32) {
        let job = try job(id) { $0.at("progress.step")?.text == "train:stay" && $0["state"]?.text == "running" }
        let process = try #require(job.attempts.last?["process"]?.integer)
        return (job, Int32(process))
    }

    /// Stops processes, but not in the middle of a write to the database: whoever stands still there keeps everybody
    /// else from writing until it goes on, and no lease can help.
    func stop(_ processes: Int32...) throws {
        let file = open("\(place.folder)/.martlet/martlet.db-shm", O_RDWR)
        guard file >= 0 else { throw Unusable(what: "no martlet.db-shm") }
        defer { close(file) }
        for _ in 0..<100 {
            for process in processes { kill(process, SIGSTOP) }
            Thread.sleep(forTimeInterval: 0.02)
            // The byte that SQLite locks for writing in WAL mode (walformat.html, section 2.3).
            var lock = flock()
            lock.l_type = Int16(F_WRLCK)
            lock.l_whence = Int16(SEEK_SET)
            lock.l_start = 120
            lock.l_len = 1
            guard fcntl(file, F_GETLK, &lock) == 0 else { throw Unusable(what: "no lock can be asked for") }
            if lock.l_type == Int16(F_UNLCK) { return }
            for process in processes { kill(process, SIGCONT) }
            Thread.sleep(forTimeInterval: 0.05)
        }
        throw Unusable(what: "the database is written to without a pause")
    }

    func ended(_ id: String) throws -> JSONValue {
        try job(id) { ["finished", "failed", "cancelled"].contains($0["state"]?.text) }
    }

    /// Whether a process is gone, or dead and only not yet counted by its parent.
    static func isGone(_ process: Int32) -> Bool {
        guard kill(process, 0) == 0 else { return true }
        let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        return status.split(separator: ")").last?.split(separator: " ").first == "Z"
    }

    static func waitUntilGone(_ process: Int32) -> Bool {
        for _ in 0..<100 {
            if isGone(process) { return true }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return false
    }
}

extension JSONValue {
    var attempts: [JSONValue] { self["history"]?.list ?? [] }
    var outcomes: [String] { attempts.compactMap { $0["outcome"]?.text } }
}

extension JSONValue {
    var shown: String { (try? JSON.text(self)) ?? "" }
}
