internal import ArgumentParser
internal import Generators
internal import Vocabulary

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make up rows that look like a template's data.",
        discussion: """
            The rows carry a column _synthetic, so that every figure that comes from them is labelled synthetic.
            The same seed gives the same bytes.
            """)

    @Argument(help: "readmission or downtime.")
    var kind: String

    @Option(help: "How many rows (default: as many as the real data set has).")
    var rows: Int?

    @Option(help: "Another seed gives other rows.")
    var seed: UInt64 = 7

    @Flag(help: "Leave the outcome out, as for records that have just arrived.")
    var unlabelled = false

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The CSV file to write (default: standard output).", valueName: "file"))
    var output: String?

    func validate() throws {
        if let rows, rows < 1 { throw ValidationError("--rows must be at least 1.") }
    }

    func run() throws {
        if let output, Disk.exists(output) {
            throw MartletError(
                .conflict, "generate.exists", "The file \(output) is there already.", remedy: "Choose another name.")
        }
        var file: [UInt8] = []
        func sink(_ piece: [UInt8]) throws {
            if output == nil { Output.raw(String(decoding: piece, as: UTF8.self), to: 1) } else { file += piece }
        }
        switch kind {
        case "readmission":
            try ReadmissionGenerator(rows: rows ?? 101_766, seed: seed, unlabelled: unlabelled).write(to: sink)
        case "downtime":
            if unlabelled {
                throw MartletError(.usage, "generate.unlabelled", "--unlabelled is for readmission only.")
            }
            try DowntimeGenerator(rows: rows ?? 2500, seed: seed).write(to: sink)
        default:
            let near = Spelling.nearest(to: kind, among: ["readmission", "downtime"])
            throw MartletError(
                .usage, "generate.kind", "There is no generator \(kind).",
                remedy: near.map { "Did you mean \($0)?" } ?? "Generators: readmission, downtime.")
        }
        if let output {
            try Disk.makeDirectory(Disk.parent(of: Disk.absolute(output)))
            _ = try Disk.createDurably(Disk.absolute(output), file)
            Output.note("Wrote \(output).")
        }
    }
}
