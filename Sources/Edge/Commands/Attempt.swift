internal import ArgumentParser
internal import CommandComposition
internal import Composition
internal import Core
internal import Registry
internal import Storage
internal import Workers
internal import Workflow

/// One attempt at a job: done in this process, as the person who asked for it, and what came of it into the database.
struct Attempt {
    let ticket: JobTicket
    let composition: Composition

    func run() throws {
        let record = try composition.withJobs(isNew: false) { try $0.claimed(ticket) }
        var ending = perform(record)
        if let result = ending.result, result.utf8.count >= Self.largestResult {
            let path = AttemptLauncher.output(of: record.id, attempt: ticket.token, in: composition.jobLogs)
            ending.result = nil
            // What was done stands, whatever becomes of the account of it.
            do {
                try Disk.replaceDurably(path, Array(result.utf8))
                Output.note("The result is 4 MiB of JSON or more; it is kept in \(path).")
            } catch { Output.note("The result is 4 MiB of JSON or more, and could not be kept: \(error)") }
        }
        try composition.withJobs(isNew: false) { _ = try $0.conclude(ticket, ending) }
        SystemPlatform.end(Int32(ending.exitCode ?? 0))
    }

    /// Bytes of a result that a database should hold.
    private static let largestResult = 4 << 20

    private func perform(_ record: JobRecord) -> JobEnding {
        do {
            return JobHandler(
                environment: composition.acting(as: record.actor, in: "job/\(record.id)"),
                observer: StepProgress().observer, note: Output.note
            ).run(try JobCommands.job(of: record))
        } catch let error as MartletError {
            Output.note("error: \(error)")
            return .failed(error)
        } catch {
            let message = Martlet.message(for: error)
            Output.note("error: \(message)")
            return JobEnding(
                .failed, reason: message, errorCode: "job.arguments",
                exitCode: Int(Martlet.exitCode(for: error).rawValue))
        }
    }
}
