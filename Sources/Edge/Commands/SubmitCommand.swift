internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Registry
internal import Workflow

/// The command `martlet jobs submit KIND`, with the options of each command that can be a job.
struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Submit a job to the queue.",
        examples: ["martlet jobs submit run", "martlet jobs submit verify readmission@3 --priority 5"],
        subcommands: JobCommands.all.map { submission($0) })

    private static func submission<Command: JobCommand>(_: Command.Type) -> any ParsableCommand.Type {
        Submit<Command>.self
    }
}

struct Submit<Command: JobCommand>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: Command.kind,
            abstract: Command.configuration.abstract,
            examples: ["martlet jobs submit \(Command.kind)\(Command.example)"])
    }

    @OptionGroup var order: OrderOptions
    @OptionGroup var command: Command

    func run() throws { try order.submit(command) }
}

/// Options for how a job is run: priority, attempts, limits.
struct OrderOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Higher ones go first.", valueName: "n"))
    var priority = 0

    @Option(help: ArgumentHelp("How often a job is tried whose process dies.", valueName: "n"))
    var maxAttempts = 3

    @Option(help: ArgumentHelp("Seconds that an attempt may take (default: as long as it needs).", valueName: "s"))
    var timeLimit: Double?

    @Option(help: ArgumentHelp("Memory that an attempt may use, like 2GB (default: the worker's).", valueName: "size"))
    var memoryLimit: ByteCount?

    @Option(help: ArgumentHelp("A second order with the same key is the first one.", valueName: "text"))
    var key: String?

    func validate() throws {
        if !(1...100).contains(maxAttempts) { throw ValidationError("--max-attempts must be from 1 to 100.") }
        if let timeLimit, !(timeLimit >= 0.001 && timeLimit < 1e9) {
            throw ValidationError("--time-limit must be a number of seconds, 0.001 or more.")
        }
        if key?.isEmpty == true { throw ValidationError("--key must not be empty.") }
    }

    func submit<Command: JobCommand>(_ command: Command) throws {
        let composition = try command.place.composition()
        let order = try JobOrder(
            command.definition().job, priority: priority, maxAttempts: maxAttempts, timeLimit: timeLimit,
            memoryLimit: memoryLimit?.bytes,
            idempotencyKey: key)
        let (job, isNew) = try composition.withJobs { try $0.submit(order) }
        if command.format.json { return try Output.json(job) }
        Output.print(
            isNew ? "Job \(job.id) is queued." : "Job \(job.id) has this key already; it is \(job.state.rawValue).")
        Output.note("Follow it with `martlet jobs logs \(job.id.prefix(12)) --follow`; a `martlet worker` does it.")
    }
}
