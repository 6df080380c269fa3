internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Registry
internal import Storage
internal import Workflow

/// A command that can also be submitted as a job for a worker.
protocol JobCommand: ParsableCommand {
    associatedtype Definition: JobDefinition
    /// Arguments for the help of `martlet jobs submit KIND`, a space first.
    static var example: String { get }
    var place: ProjectOptions { get }
    var format: JSONOption { get }
    /// The job, with paths that mean the same in any folder.
    func definition() throws -> Definition
}

/// The commands for all kinds of jobs.
enum JobCommands {
    static let all: [any JobCommand.Type] = [
        RunCommand.self, IngestCommand.self, TransformJobOptions.self, TrainJobOptions.self, PredictJobOptions.self,
        VerifyCommand.self, PredictionsCompactCommand.self,
    ]

    /// What a job in the queue is to do. One of an earlier program has the words of a command line only.
    static func job(of record: JobRecord) throws -> Job {
        if let definition = record.definition {
            let job = try Job(stored: definition)
            guard job.kind == record.kind else {
                throw MartletError(
                    .machine, "metadata.corrupt", "Job \(record.id) is of the kind \(record.kind) and holds another.",
                    remedy: "The metadata were altered from outside, or are damaged: restore them from a copy.")
            }
            return job
        }
        guard let command = all.first(where: { $0.kind == record.kind }) else {
            throw MartletError(
                .input, "job.kind", "This program does not know jobs of the kind \(record.kind).",
                remedy: "It knows \(all.map { $0.kind }.joined(separator: ", ")).")
        }
        return try command.parse(record.arguments).definition().job
    }
}

extension JobCommand {
    static var kind: String { Definition.kind }
    static var example: String { "" }

    /// What a job must not be, a command must not ask for.
    func validate() throws { try asUsage { try definition().validate() } }
}

struct TransformJobOptions: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "transform",
        abstract: "Rebuild the silver and gold tables whose inputs have changed.")

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var format: JSONOption

    func definition() -> TransformJob { TransformJob(threads: threads.threads) }
}

struct TrainJobOptions: JobCommand {
    static let example = " --split-seed 7"
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train on the tables as they are, and register models that pass their gates.")

    @Option(help: ArgumentHelp("Use this split seed in place of the one in martlet.yaml.", valueName: "n"))
    var splitSeed: Int?

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var format: JSONOption

    func definition() -> TrainJob { TrainJob(splitSeed: splitSeed, threads: threads.threads) }
}

struct PredictJobOptions: JobCommand {
    static let example = " arrivals.csv --output predictions.csv"
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Score a file of raw records into another file.")

    @Argument(help: "The file, in the form of the source's files; the target's column may be missing.")
    var file: String

    @Option(
        help: ArgumentHelp("NAME, NAME@ALIAS or NAME@NUMBER (default: the only model's champion).", valueName: "model"))
    var model: String?

    @Option(help: "The source the file belongs to.")
    var source: String?

    @Option(name: [.short, .long], help: ArgumentHelp("Write .parquet, .csv or .json.", valueName: "file"))
    var output: String

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var format: JSONOption

    func definition() -> PredictJob {
        PredictJob(
            file: Disk.absolute(file), model: model, source: source, output: Disk.absolute(output),
            threads: threads.threads)
    }
}

/// Tells a refusal of the body's as a command line that is wrong.
func asUsage(_ body: () throws -> Void) throws {
    do { try body() } catch let error as MartletError { throw ValidationError(error.message) }
}

extension ThreadOptions {
    var threads: JobThreads { JobThreads(engine: engineThreads, training: trainingThreads) }
}
