internal import ArgumentParser
internal import CommandComposition
internal import Composition
internal import Core
internal import Registry
internal import Storage
internal import Workers
internal import Workflow

struct JobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Submit jobs to workers and manage them.",
        discussion: "Jobs wait in the project's queue until a `martlet worker` takes them.",
        examples: ["martlet jobs submit run", "martlet jobs list --state running", "martlet worker --drain"],
        subcommands: [
            SubmitCommand.self, List.self, Show.self, Logs.self, Cancel.self, Retry.self,
            MetadataLoadCommand.self,
        ])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List jobs, newest first.",
            examples: ["martlet jobs list --state failed"])
        @Option(help: "Only in this state: queued, running, finished, failed, cancelled.") var state: JobRecord.State?
        @Option(help: "At most so many.") var limit = 20
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let (jobs, count) = try place.composition().withRegistry {
                (try $0.jobs.list(state: state, limit: max(1, limit)), try $0.jobs.count(state: state))
            }
            Output.cut(shown: jobs.count, of: count, "jobs")
            if format.json { return try Output.json(jobs) }
            var grid = TextGrid(
                "job", "kind", "state", "attempts", "created (UTC)", "ended (UTC)", "took", "progress", "reason")
            for job in jobs {
                grid.rows.append([
                    String(job.id.prefix(12)), job.kind, job.state.rawValue, "\(job.attempts) of \(job.maxAttempts)",
                    job.created.minute, job.ended?.minute ?? "", job.seconds.map { JobPages.duration($0) } ?? "",
                    job.state == .running ? JobPages.progress(job) : "",
                    String((job.reason ?? "").prefix(60)),
                ])
            }
            Output.print(jobs.isEmpty ? "No jobs." : grid.text)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a job with its attempts and its result.",
            examples: ["martlet jobs show 01976c2f"])
        @OptionGroup var named: JobArgument
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let (job, attempts) = try place.composition().withRegistry { try $0.jobs.show(named.id) }
            if format.json { return try Output.json(JobPages.Whole(job: job, attempts: attempts)) }
            JobPages.show(job, attempts)
        }
    }

    struct Logs: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "logs",
            abstract: "Print the output of a job's attempts.",
            examples: ["martlet jobs logs 01976c2f --follow", "martlet jobs logs 01976c2f --attempt 1"])
        @OptionGroup var named: JobArgument
        @Option(help: ArgumentHelp("Only this attempt (default: the newest).", valueName: "n")) var attempt: Int?
        @Flag(help: "Go on until the job has ended.") var follow = false
        @OptionGroup var place: ProjectOptions

        func run() throws {
            let composition = try place.composition()
            var tail: LogTail?
            while true {
                let (job, attempts) = try composition.withRegistry { try $0.jobs.show(named.id) }
                let newest = self.attempt ?? job.token
                let path = AttemptLauncher.log(of: job.id, attempt: newest, in: composition.jobLogs)
                if tail?.path != path {
                    // What the attempt before said last is mostly why it ended.
                    Output.raw(try tail?.rest() ?? "", to: 1)
                    tail = LogTail(path)
                }
                Output.raw(try tail?.more() ?? "", to: 1)
                let isOver = job.state.isEnded || attempts.contains { $0.attempt == self.attempt && $0.ended != nil }
                if !follow, !Disk.exists(path) {
                    throw MartletError(
                        .missing, "job.no-log", "Job \(job.id) has no log of an attempt \(newest).",
                        remedy: newest == 0 ? "It has not been begun: start a `martlet worker`." : nil)
                }
                if !follow || isOver { return }
                composition.context.clock.block(seconds: 0.5)
            }
        }
    }

    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel",
            abstract: "Cancel a job: remove it from the queue, or end its process.",
            examples: [#"martlet jobs cancel 01976c2f --reason "wrong data""#])
        @OptionGroup var named: JobArgument
        @Option(help: "Why.") var reason: String?
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let job = try place.composition().withJobs { try $0.cancel(named.id, reason: reason) }
            if format.json { return try Output.json(job) }
            Output.print("Job \(job.id) is cancelled.")
        }
    }

    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry",
            abstract: "Queue a failed or cancelled job again.",
            examples: ["martlet jobs retry 01976c2f"])
        @OptionGroup var named: JobArgument
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let job = try place.composition().withJobs { try $0.retry(named.id) }
            if format.json { return try Output.json(job) }
            Output.print("Job \(job.id) is queued again.")
        }
    }
}

extension JobRecord.State: ExpressibleByArgument {}

struct JobArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The job's id, or its beginning.", valueName: "job")) var id: String
}

/// Formats the sections of `jobs show`.
enum JobPages {
    /// The shape of `jobs show --json`.
    struct Whole: Encodable {
        var job: JobRecord
        var attempts: [JobAttempt]

        private enum CodingKeys: String, CodingKey { case attempts = "history" }

        func encode(to encoder: any Encoder) throws {
            try job.encode(to: encoder)
            var box = encoder.container(keyedBy: CodingKeys.self)
            try box.encode(attempts, forKey: .attempts)
        }
    }

    static func progress(_ job: JobRecord) -> String {
        guard let progress = job.progress else { return "" }
        return progress.percent.map { "\($0) % \(progress.step)" } ?? progress.step
    }

    /// "4.2 s", "3 min 20 s", "2 h 5 min".
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, (0..<1e9).contains(seconds) else { return "" }
        if seconds < 60 { return number((seconds * 10).rounded() / 10) + " s" }
        let whole = Int(seconds)
        return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole / 60 % 60) min"
    }

    static func show(_ job: JobRecord, _ attempts: [JobAttempt]) {
        Output.print("job \(job.id): \(([job.kind] + job.arguments).joined(separator: " "))")
        Output.print("state: \(job.state.rawValue)\(job.state == .running ? ", \(progress(job))" : "")")
        if let reason = job.reason {
            let who = job.cancelledBy.map { " (\($0))" } ?? ""
            Output.print("reason: \(reason)\(job.errorCode.map { " [\($0)]" } ?? "")\(who)")
        }
        Output.print("asked for by \(job.actor), \(job.created.minute) UTC")
        if let ended = job.ended {
            Output.print("ended \(ended.minute) UTC" + (job.seconds.map { ", took \(duration($0))" } ?? ""))
        }
        if attempts.isEmpty { return }
        var grid = TextGrid(
            "attempt", "outcome", "started (UTC)", "ended (UTC)", "process", "CPU s", "peak MiB", "reason")
        for attempt in attempts {
            grid.rows.append([
                "\(attempt.attempt)", attempt.outcome.rawValue, attempt.started.minute, attempt.ended?.minute ?? "",
                attempt.process.map(String.init) ?? "", attempt.cpuSeconds.map { number($0) } ?? "",
                attempt.peakMemory.map { "\($0 >> 20)" } ?? "", attempt.reason ?? "",
            ])
        }
        Output.print("\n" + grid.text)
    }
}
