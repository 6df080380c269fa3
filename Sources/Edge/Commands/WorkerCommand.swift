internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Registry
internal import Workers

struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Run queued jobs, each in its own process.",
        discussion: """
            A job whose process dies, uses too much memory or time, or sends no heartbeat, is retried or fails with a \
            reason; other jobs are not affected. On SIGTERM the worker ends when its jobs have ended or the grace \
            period is over; unfinished jobs are queued again.
            """,
        examples: ["martlet worker", "martlet worker --slots 2 --memory-limit 4GB", "martlet worker --drain"])

    @Option(help: ArgumentHelp("Jobs at once.", valueName: "n"))
    var slots = 1

    @Flag(help: "Do one job, if one is waiting, and end.")
    var once = false

    @Flag(help: "End when no job is queued or running any more.")
    var drain = false

    @Option(
        help: ArgumentHelp(
            "Memory that a job may use, like 2GB (default: four fifths of the machine's, shared by the slots).",
            valueName: "size"))
    var memoryLimit: ByteCount?

    @Option(help: ArgumentHelp("Seconds without a sign of life after which a process counts as dead.", valueName: "s"))
    var lease = 30.0

    @Option(help: ArgumentHelp("Seconds that running jobs get when the worker is asked to stop.", valueName: "s"))
    var grace = 30.0

    @Flag(
        help: """
            For a worker that another program looks after, such as a server: stop, as after SIGTERM, when standard input \
            ends, and let jobs work only when nothing else wants the processor.
            """)
    var attached = false

    @Flag(help: .hidden) var onlyWhenIdle = false
    @Option(help: .hidden) var attempt: String?
    @Option(help: .hidden) var token: Int?
    @Option(help: .hidden) var supervisor: Int32?

    @OptionGroup var place: ProjectOptions

    func validate() throws {
        if !(1...256).contains(slots) { throw ValidationError("--slots must be from 1 to 256.") }
        if once && drain { throw ValidationError("--once and --drain exclude each other.") }
        if !(1...86_400).contains(lease) { throw ValidationError("--lease must be from 1 to 86400 seconds.") }
        if !(0...86_400).contains(grace) { throw ValidationError("--grace must be from 0 to 86400 seconds.") }
    }

    func run() throws {
        if let attempt, let token, let supervisor {
            ParentWatchdog.begin(supervisor: supervisor, every: min(5, lease / 6), onlyWhenIdle: onlyWhenIdle)
            return try Attempt(
                ticket: JobTicket(job: attempt, token: token), composition: place.composition()
            ).run()
        }
        if attached { Signals.stopWhenInputEnds() }
        let composition = try place.composition()
        try composition.supervise(
            .init(
                slots: slots, memoryLimit: memoryLimit?.bytes, lease: lease, grace: grace,
                mode: once ? .once : drain ? .drain : .serve, jobsOnlyWhenIdle: attached),
            report: { Output.note("\(composition.context.now()) \($0)") })
    }
}
