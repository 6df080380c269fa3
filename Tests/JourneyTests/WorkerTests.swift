import Core
import Foundation
import Storage
import TestSupport
import Testing

@Suite struct `Jobs in processes of their own` {
    @Test(arguments: [
        (SIGKILL, "ended by SIGKILL from outside, perhaps by the system for want of memory, at train:stay"),
        (SIGSEGV, "ended by SIGSEGV, at train:stay"), (SIGABRT, "ended by SIGABRT, at train:stay"),
        (SIGSTOP, "no sign of life for 8 s, at train:stay"),
    ])
    func `a process that dies or stops in the middle of training ends one attempt, and nothing else`(
        signal: Int32, reason: String
    ) throws {
        let fixture = try WorkerFixture()
        let worker = try fixture.start("--slots", "2", "--lease", "8")
        let run = try fixture.submit("run")
        let (_, process) = try fixture.training(run)
        let beside = try (1...3).map { try fixture.submit("predict", "landing/visits/later.csv", "-o", "\($0).csv") }
        try fixture.makeQuick()
        #expect(kill(process, signal) == 0)
        let hurt = try fixture.job(run) { $0.outcomes.count == 2 || $0["state"]?.text == "queued" }
        #expect(hurt.attempts.first?["reason"]?.text == reason)
        let done = try fixture.ended(run)
        #expect(done["state"]?.text == "finished", "\(done.shown)")
        #expect(done.outcomes == [signal == SIGSTOP ? "killed" : "crashed", "finished"])
        // It comes to the model that is registered already.
        #expect(done.at("result.models.0.version.version")?.integer == 1)
        #expect(done.at("result.models.0.run")?.text != nil, "\(done.shown)")
        for id in beside {
            let other = try fixture.ended(id)
            #expect(other["state"]?.text == "finished" && other.outcomes == ["finished"], "\(other.shown)")
        }
        #expect(fixture.place.list("").contains("3.csv"))
        #expect(worker.process.isRunning && WorkerFixture.isGone(process))
        #expect(try fixture.place.martlet("verify", "stay@1").code == 0)
    }

    @Test func `a process that uses more memory than it may is ended with the figures, its worker goes on`() throws {
        let fixture = try WorkerFixture()
        let worker = try fixture.start("--lease", "5")
        let run = try fixture.submit("run", "--memory-limit", "12MB", "--max-attempts", "1")
        let job = try fixture.ended(run)
        let reason = try #require(job["reason"]?.text)
        #expect(job["state"]?.text == "failed" && job["error_code"]?.text == "job.memory")
        #expect(reason.hasPrefix("out of memory: used ") && reason.contains(" of 11 MiB"), "\(reason)")
        try fixture.makeQuick()
        #expect(try fixture.ended(fixture.submit("run"))["state"]?.text == "finished")
        #expect(worker.process.isRunning)
    }

    @Test func `a time limit ends a process`() throws {
        let fixture = try WorkerFixture()
        _ = try fixture.start()
        let job = try fixture.ended(fixture.submit("run", "--time-limit", "2", "--max-attempts", "1"))
        #expect(job["error_code"]?.text == "job.timeout")
        #expect(job["reason"]?.text?.hasPrefix("took longer than 2 s") == true)
    }

    @Test func `cancelling kills the process, says who and why, and lets the next job begin`() throws {
        let fixture = try WorkerFixture()
        _ = try fixture.start()
        let run = try fixture.submit("run")
        let (_, process) = try fixture.training(run)
        let next = try fixture.submit("ingest")
        #expect(try fixture.job(next)["state"]?.text == "queued")
        #expect(try fixture.place.martlet("jobs", "cancel", run, "--reason", "wrong rounds").code == 0)
        #expect(WorkerFixture.waitUntilGone(process))
        let job = try fixture.ended(run)
        #expect(job["state"]?.text == "cancelled" && job["reason"]?.text == "wrong rounds")
        #expect(job["cancelled_by"]?.text?.isEmpty == false && job.outcomes == ["cancelled"])
        #expect(try fixture.ended(next)["state"]?.text == "finished")
        #expect(try fixture.place.martlet("jobs", "cancel", run).errors.contains("[job.ended]"))
        try fixture.makeQuick()
        #expect(try fixture.place.martlet("jobs", "retry", run).code == 0)
        #expect(try fixture.ended(run)["state"]?.text == "finished")
    }

    @Test func `a worker killed takes its processes with it, and another one takes over at once`() throws {
        let fixture = try WorkerFixture()
        let worker = try fixture.start()
        let run = try fixture.submit("run")
        let (_, process) = try fixture.training(run)
        kill(worker.process.processIdentifier, SIGKILL)
        #expect(WorkerFixture.waitUntilGone(process))
        #expect(try fixture.job(run)["state"]?.text == "running")
        try fixture.makeQuick()
        let heir = try fixture.start("--drain")
        let job = try fixture.ended(run)
        #expect(job["state"]?.text == "finished" && job.outcomes == ["lost", "finished"], "\(job.shown)")
        #expect(try fixture.end(of: heir) == 0)
    }

    @Test func `a training that is killed is told as interrupted at once, by lists and by doctor`() throws {
        let fixture = try WorkerFixture()
        let run = try Program.start(Program.path, ["run"], in: fixture.place.folder)
        func newest() throws -> JSONValue {
            try fixture.place.martlet("runs", "list", "--limit", "1", "--json").json().list?.first ?? .null
        }
        for _ in 0..<600 where try newest()["status"]?.text != "running" { Thread.sleep(forTimeInterval: 0.1) }
        #expect(try newest()["status"]?.text == "running")
        #expect(try fixture.place.martlet("runs", "list").output.contains("running"))
        kill(run.process.processIdentifier, SIGKILL)
        _ = try run.finish()
        let killed = try newest()
        #expect(killed["status"]?.text == "failed" && killed["error"]?.text == "interrupted", "\(killed)")
        let id = try #require(killed["id"]?.text)
        for words in [["runs", "list"], ["runs", "show", id]] {
            let outcome = try fixture.place.martlet(words)
            #expect(outcome.output.contains("interrupted") && !outcome.output.contains("running"), "\(outcome)")
        }
        let doctor = try fixture.place.martlet("doctor")
        #expect(doctor.output.contains("interrupted, their process is gone: \(id)"), "\(doctor)")
        // Doctor opened the project for writing: by now it is recorded.
        let events = try fixture.place.martlet("events", "list", "--type", "run.failed", "--json")
        #expect(events.output.contains(id))
        #expect(try fixture.place.martlet("runs", "show", id, "--json").json()["ended"]?.text != nil)
    }

    @Test func `the list of jobs tells when each ended and how long it took`() throws {
        let place = try Wards.run()
        let id = try place.martlet("jobs", "submit", "ingest", "--json").json()["id"]?.text ?? ""
        #expect(try place.martlet("worker", "--drain").code == 0)
        let list = try place.martlet("jobs", "list")
        #expect(list.output.contains("ended (UTC)") && list.output.contains("took"), "\(list)")
        #expect(list.output.contains(" s"), "\(list)")
        let job = try #require(try place.martlet("jobs", "list", "--json").json().list?.first)
        #expect(job["id"]?.text == id && job["ended"]?.text != nil && job["seconds"]?.number ?? -1 >= 0)
        for _ in 0..<2 { _ = try place.martlet("jobs", "submit", "ingest") }
        let cut = try place.martlet("jobs", "list", "--limit", "1")
        #expect(cut.errors.contains("1 of 3 jobs; 2 are not shown"), "\(cut)")
    }

    @Test func `a stopped worker is taken over when its lease is over, and gives way when it goes on`() throws {
        let fixture = try WorkerFixture()
        let worker = try fixture.start("--lease", "6")
        let run = try fixture.submit("run")
        let (_, process) = try fixture.training(run)
        try fixture.stop(worker.process.processIdentifier, process)
        try fixture.makeQuick()
        let heir = try fixture.start("--lease", "6")
        _ = try fixture.job(run) { $0.outcomes.count == 2 }
        // The stopped process still has the project's lock: the heir's waits for it, and does not fail.
        kill(worker.process.processIdentifier, SIGCONT)
        #expect(WorkerFixture.waitUntilGone(process))
        let job = try fixture.ended(run)
        #expect(job["state"]?.text == "finished" && job.outcomes == ["lost", "finished"], "\(job.shown)")
        #expect(worker.process.isRunning && heir.process.isRunning)
    }

    @Test func `asked to stop, a worker gives its job back and ends in good order`() throws {
        let fixture = try WorkerFixture()
        let worker = try fixture.start("--grace", "0.5")
        let run = try fixture.submit("run", "--max-attempts", "1")
        let (_, process) = try fixture.training(run)
        kill(worker.process.processIdentifier, SIGTERM)
        #expect(try fixture.end(of: worker) == 0)
        #expect(WorkerFixture.isGone(process))
        let job = try fixture.job(run)
        #expect(job["state"]?.text == "queued" && job["attempts"]?.integer == 0 && job.outcomes == ["released"])
        try fixture.makeQuick()
        #expect(try fixture.end(of: fixture.start("--drain")) == 0)
        #expect(try fixture.job(run)["state"]?.text == "finished")
    }

    @Test func `an error of the data is the job's reason, and is not tried again`() throws {
        let fixture = try WorkerFixture()
        let place = fixture.place
        try place.write("bad.csv", "visit_id\n1\n")
        try fixture.makeQuick()
        try place.edit("martlet.yaml", "at_least: 0.6}", "at_least: 0.999}")
        let file = try fixture.submit("ingest", "--source", "visits", "bad.csv")
        let gate = try fixture.submit("run")
        #expect(try fixture.end(of: fixture.start("--drain")) == 0)
        let refused = try fixture.job(file)
        #expect(refused["state"]?.text == "failed" && refused["error_code"]?.text == "ingest.refused")
        #expect(refused["reason"]?.text?.contains("bad.csv") == true && refused.outcomes == ["failed"])
        let missed = try fixture.job(gate)
        #expect(missed["error_code"]?.text == "gates.failed" && missed["exit_code"]?.integer == 2)
        #expect(missed.at("result.models.0.passed")?.flag == false)
        let log = try place.martlet("jobs", "logs", gate)
        #expect(log.code == 0 && log.output.contains("gates.failed") && log.output.contains("train:stay"), "\(log)")
    }

    @Test func `two workers share a queue, and each job is done once`() throws {
        let fixture = try WorkerFixture()
        // The job that waits for the project's lock fills one worker, so the other one does the rest.
        var lock = try FileLock(fixture.place.path(".martlet/lock"))
        #expect(lock != nil)
        let waiting = try fixture.submit("ingest")
        let quick = try (1...6).map { try fixture.submit("predict", "landing/visits/later.csv", "-o", "\($0).csv") }
        let workers = try (1...2).map { _ in try fixture.start("--drain") }
        for id in quick { _ = try fixture.ended(id) }
        #expect(try fixture.job(waiting)["state"]?.text == "running")
        lock = nil
        for worker in workers { #expect(try fixture.end(of: worker) == 0) }
        let ids = [waiting] + quick
        for id in ids {
            let job = try fixture.job(id)
            #expect(job["state"]?.text == "finished" && job.outcomes == ["finished"], "\(job.shown)")
        }
        let owners = try Set(ids.flatMap { try fixture.job($0).attempts.compactMap { $0["owner"]?.text } })
        #expect(owners.count == 2)
    }

    @Test func `a job waits while a command is at work on the project`() throws {
        let fixture = try WorkerFixture()
        var lock = try FileLock(fixture.place.path(".martlet/lock"))
        #expect(lock != nil)
        _ = try fixture.start()
        let id = try fixture.submit("ingest")
        _ = try fixture.job(id) { $0.at("progress.step")?.text == "waiting for another martlet at work" }
        lock = nil
        #expect(try fixture.ended(id)["state"]?.text == "finished")
    }

    @Test func `an order with a known key is not done twice, and wrong orders are refused before they are queued`()
        throws
    {
        let place = try WorkerFixture().place
        func order(_ words: String...) throws -> Outcome { try place.martlet(["jobs", "submit"] + words) }
        let first = try order("transform", "--key", "nightly", "--json").json()["id"]?.text
        let second = try order("transform", "--key", "nightly", "--json").json()["id"]?.text
        #expect(first != nil && first == second)
        #expect(try order("run", "--key", "nightly").errors.contains("[job.key-taken]"))
        let detached = try place.martlet("run", "--to", "transform", "--detach", "--json").json()
        #expect(detached["kind"]?.text == "run" && detached["state"]?.text == "queued")
        #expect(detached["arguments"]?.list?.compactMap(\.text) == ["--to", "transform"])
        for words in [["run", "--from", "nowhere"], ["predict", "a.csv"], ["fly"], ["run", "--max-attempts", "0"]] {
            let outcome = try place.martlet(["jobs", "submit"] + words)
            #expect(outcome.code == 64, "\(outcome)")
        }
        #expect(try place.martlet("jobs", "list", "--json").json().list?.count == 2)
        #expect(try place.martlet("jobs", "show", "feed").errors.contains("[job.unknown]"))
        #expect(try place.martlet("jobs", "logs", first ?? "").errors.contains("[job.no-log]"))
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/stat"), "needs /proc"))
    func `a worker with nothing to do uses next to no processor time`() throws {
        let fixture = try WorkerFixture()
        let worker = try fixture.start()
        func ticks() throws -> Int {
            let text = try String(contentsOfFile: "/proc/\(worker.process.processIdentifier)/stat", encoding: .utf8)
            let fields = try #require(text.split(separator: ")").last).split(separator: " ")
            return (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)
        }
        // Once it has done a job it has started, however slow the machine.
        try fixture.makeQuick()
        _ = try fixture.ended(fixture.submit("ingest"))
        Thread.sleep(forTimeInterval: 1.5)
        let before = try ticks()
        Thread.sleep(forTimeInterval: 4)
        // Hundredths of a second of processor time: less than two percent of one processor.
        let used = try ticks() - before
        #expect(used <= 8)
        kill(worker.process.processIdentifier, SIGTERM)
        #expect(try fixture.end(of: worker) == 0)
    }
}
