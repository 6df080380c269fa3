internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import Projects
internal import Registry
internal import Storage
internal import Training
internal import Workflow

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Score a file of raw records.",
        discussion: """
            The records go through the source's contract and the model's own SQL, together with what the lake knows of
            their entities; the lake itself is not changed. The output has one row a record: the key under its own name,
            probability, risk band, decision at the threshold, model and version. The file may lack the target's column
            and every other column that neither the features nor the choice of rows depend on.
            """)

    @Argument(help: "The file, in the form of the source's files; - is standard input.")
    var file: String

    @Option(
        help: ArgumentHelp("NAME, NAME@ALIAS or NAME@NUMBER (default: the only model's champion).", valueName: "model"))
    var model: String?

    @Option(help: "The source the file belongs to.")
    var source: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Write .parquet, .csv or .json (default: CSV on standard output).", valueName: "file"))
    var output: String?

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print a summary as JSON (its shape is in docs/cli.md), with the rows unless -o takes them.")
    var json = false

    func validate() throws {
        if let output { try PredictJobOptions.check(output) }
    }

    func run() throws {
        let job = PredictJob(file: file, model: model, source: source, output: output, threads: threads.threads)
        let result = try job.perform(in: place.composition(), observer: JobObserver())
        if json { return try Output.json(result) }
        if output == nil { Output.raw(result.prediction.csv, to: 1) }
        for line in result.notes { Output.note(line) }
    }
}
