internal import Core
internal import Registry

/// A running attempt with its process and limits.
final class SupervisedProcess {
    let job: JobRecord
    let process: any JobProcess
    let began: Double
    let memoryLimit: Int64?
    var lastHeartbeat: Double
    var renewed: Double
    var progress: JobProgress?
    /// Progress that the database does not have yet.
    var hasUnsavedProgress = false
    /// Why the supervisor ended it.
    var verdict: JobEnding?
    /// How the process ended, until that is written down.
    var exit: ProcessExit?

    var ticket: JobTicket { JobTicket(job: job.id, token: job.token) }

    init(job: JobRecord, process: any JobProcess, now: Double, memoryLimit: Int64?) {
        self.job = job
        self.process = process
        self.memoryLimit = memoryLimit
        began = now
        lastHeartbeat = now
        renewed = now
    }
}

extension Supervisor {
    /// Listens, measures and reaps.
    func watch(_ job: SupervisedProcess, _ now: Double) {
        guard job.exit == nil else { return }
        for sign in job.process.heartbeats() {
            job.lastHeartbeat = now
            guard let sign, sign != job.progress else { continue }
            job.progress = sign
            job.hasUnsavedProgress = true
        }
        if let exit = job.process.exit() {
            job.exit = exit
            return
        }
        guard job.verdict == nil else { return }
        if let limit = job.memoryLimit, let used = job.process.memory(), used > limit {
            let verdict = "out of memory: used \(bytes(used)) of \(bytes(limit))"
            end(job, JobEnding(.killed, reason: at(job, verdict), errorCode: "job.memory", mayRetry: true))
        } else if let limit = job.job.timeLimit, now - job.began > limit {
            let verdict = "took longer than \(seconds(limit))"
            end(job, JobEnding(.killed, reason: at(job, verdict), errorCode: "job.timeout", mayRetry: true))
        } else if now - job.lastHeartbeat >= settings.lease {
            let verdict = "no sign of life for \(seconds(settings.lease))"
            end(job, JobEnding(.killed, reason: at(job, verdict), errorCode: "job.silent", mayRetry: true))
        }
    }

    /// Ends a process; what is said of it is written when it is gone.
    func end(_ job: SupervisedProcess, _ verdict: JobEnding) {
        job.verdict = verdict
        job.process.kill()
    }

    /// Writes down how ended processes came out. A command that came to an end has written that itself.
    func settle() throws {
        for job in running {
            guard let exit = job.exit else { continue }
            try settle(job, exit)
            running.removeAll { $0 === job }
            try jobs.note(job.ticket, peakMemory: exit.peakMemory, cpuSeconds: exit.cpuSeconds)
        }
    }

    private func settle(_ supervised: SupervisedProcess, _ exit: ProcessExit) throws {
        guard try jobs.stale([supervised.ticket]).isEmpty else {
            return log(try jobs.find(supervised.job.id), "ended")
        }
        do {
            switch supervised.verdict {
            case .some(let verdict) where verdict.outcome == .released:
                try jobs.release(supervised.ticket, reason: verdict.reason ?? "")
                log(supervised.job, "given back to the queue")
            case .some(let verdict): log(try jobs.conclude(supervised.ticket, verdict), "ended by its supervisor")
            case nil: log(try jobs.conclude(supervised.ticket, ending(supervised, exit)), "ended")
            }
        } catch let error as MartletError where error.code == "job.fenced" {
            log(supervised.job, "ended, and belongs to another by now")
        }
    }

    /// What the end of a process means that did not say so itself.
    private func ending(_ job: SupervisedProcess, _ exit: ProcessExit) -> JobEnding {
        switch exit.manner {
        case .signal(let number):
            let name = Signals.name(number)
            var verdict = "ended by \(name)"
            if name == "SIGKILL" { verdict += " from outside, perhaps by the system for want of memory" }
            return JobEnding(
                .crashed, reason: at(job, verdict), errorCode: "job.signal", signal: name, mayRetry: true)
        case .code(let code):
            return JobEnding(
                .crashed, reason: at(job, "ended with exit code \(code) and without a result"), errorCode: "job.exit",
                exitCode: Int(code), mayRetry: true)
        }
    }

    /// Prolongs leases when a third of their time is over, and sooner when there is progress to tell.
    func renew(_ now: Double) throws {
        let due = running.filter {
            $0.exit == nil && now - $0.renewed >= ($0.hasUnsavedProgress ? settings.interval : settings.lease / 3)
        }
        guard !due.isEmpty else { return }
        let stale = try jobs.renew(due.map { ($0.ticket, $0.progress) }, seconds: settings.lease)
        for job in due {
            job.renewed = now
            job.hasUnsavedProgress = false
            if stale.contains(job.ticket), job.verdict == nil {
                end(job, JobEnding(.cancelled, reason: "it no longer holds the job"))
            }
        }
    }

    private func at(_ job: SupervisedProcess, _ verdict: String) -> String {
        job.progress.map { "\(verdict), at \($0.step)" } ?? verdict
    }

    private func seconds(_ count: Double) -> String { count == count.rounded() ? "\(Int(count)) s" : "\(count) s" }

    private func bytes(_ count: Int64) -> String {
        count >= 10 << 30 ? "\(count >> 30) GiB" : count >= 10 << 20 ? "\(count >> 20) MiB" : "\(count >> 10) KiB"
    }
}
