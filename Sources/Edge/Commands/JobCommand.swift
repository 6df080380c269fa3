internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Registry
internal import Storage
internal import Training
internal import Workflow

/// A command that can also be submitted as a job for a worker.
protocol JobCommand: ParsableCommand {
    /// What the job is called.
    static var kind: String { get }
    /// Whether it changes tables or models, so that only one at a time can run.
    static var isExclusive: Bool { get }
    /// The words of the command line that do this job, up to the job's own.
    static var words: [String] { get }
    /// Whether the words may be followed by `--json`.
    static var hasJSON: Bool { get }
    var place: ProjectOptions { get }
    var format: JSONOption { get }
    /// This command's options as words that mean the same in any folder.
    func jobArguments() throws -> [String]
}

extension JobCommand {
    static var kind: String { words[0] }
    static var isExclusive: Bool { true }
    static var hasJSON: Bool { true }
}

/// The kinds of jobs and their commands.
enum JobKinds {
    static let all: [any JobCommand.Type] = [
        RunCommand.self, IngestCommand.self, TransformJob.self, TrainJob.self, PredictJob.self, VerifyCommand.self,
        PredictionsCompactCommand.self,
    ]

    /// The command line that does a job; `place` are the words that say where.
    static func words(_ job: Job, at place: [String]) throws -> [String] {
        guard let kind = all.first(where: { $0.kind == job.kind }) else {
            throw MartletError(
                .input, "job.kind", "This worker does not know jobs of the kind \(job.kind).",
                remedy: "It knows \(all.map { $0.kind }.joined(separator: ", ")).")
        }
        // The job's own words come last: after a `--` everything is a file.
        return kind.words + (kind.hasJSON ? ["--json"] : []) + place + job.arguments
    }
}

extension RunCommand: JobCommand {
    static let words = ["run"]

    func jobArguments() -> [String] {
        var words = from == .ingest ? [] : ["--from", from.rawValue]
        if to != .predict { words += ["--to", to.rawValue] }
        if let splitSeed { words += ["--split-seed", "\(splitSeed)"] }
        return words + threads.words
    }
}

extension IngestCommand: JobCommand {
    static let words = ["ingest"]

    func jobArguments() throws -> [String] {
        (source.map { ["--source", $0] } ?? []) + (files.isEmpty ? [] : ["--"] + files.map { Disk.absolute($0) })
    }
}

extension VerifyCommand: JobCommand {
    static let words = ["verify"]
    static let isExclusive = false

    func jobArguments() -> [String] { [model] + threads.words }
}

struct TransformJob: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "transform", abstract: "Build the silver and gold tables anew where something changed.")
    static let kind = "transform"
    static let words = ["run", "--from", "transform", "--to", "transform"]

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var format: JSONOption

    func jobArguments() -> [String] { threads.words }
}

struct TrainJob: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train on the tables as they are, and register what passes its gates.")
    static let kind = "train"
    static let words = ["run", "--from", "train", "--to", "register"]

    @Option(help: ArgumentHelp("Use this split seed in place of the one in martlet.yaml.", valueName: "n"))
    var splitSeed: Int?

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var format: JSONOption

    func jobArguments() -> [String] { (splitSeed.map { ["--split-seed", "\($0)"] } ?? []) + threads.words }
}

struct PredictJob: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Score a file of raw records into another file.")
    static let kind = "predict"
    static let words = ["predict"]
    static let isExclusive = false
    static let hasJSON = false

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

    func jobArguments() -> [String] {
        var words = ["--output", Disk.absolute(output)]
        if let model { words += ["--model", model] }
        if let source { words += ["--source", source] }
        return words + threads.words + ["--", Disk.absolute(file)]
    }
}

extension ThreadOptions {
    var words: [String] {
        (engineThreads.map { ["--engine-threads", "\($0)"] } ?? [])
            + (trainingThreads.map { ["--training-threads", "\($0)"] } ?? [])
    }
}

/// A memory size as a command-line value: "512MB", "2GiB".
struct ByteCount: ExpressibleByArgument {
    var bytes: Int64
    /// As it was written.
    var text: String

    init?(argument: String) {
        guard let bytes = ByteAmount.bytes(argument) else { return nil }
        self.bytes = bytes
        text = argument
    }
}
