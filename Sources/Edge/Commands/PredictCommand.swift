internal import ArgumentParser
internal import CommandComposition
internal import Workflow

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Score a file of raw records.",
        discussion: """
            The records are checked against the source's contract and pass through the model's own SQL, together with \
            the lakehouse's data of their entities; the lakehouse is not changed. The output has one row for each \
            record: its key, probability, risk band, decision at the threshold, model and version. The file may lack \
            the target column and every other column that neither the features nor the selection of rows depend on.
            """,
        examples: [
            "martlet predict arrivals.csv -o predictions.csv",
            "martlet predict arrivals.csv --model readmission@3 --json",
        ])

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
        if let output { try asUsage { try PredictJob.check(output) } }
    }

    func run() throws {
        let job = PredictJob(file: file, model: model, source: source, output: output, threads: threads.threads)
        let result = try job.perform(in: place.composition(), observer: JobObserver())
        if json { return try Output.json(result) }
        if output == nil { Output.raw(result.prediction.csv, to: 1) }
        for line in result.notes { Output.note(line) }
    }
}
