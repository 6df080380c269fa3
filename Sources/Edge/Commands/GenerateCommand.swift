internal import ArgumentParser
internal import Core
internal import Generators
internal import Storage

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Generate synthetic data in the format of a template.",
        discussion: """
            The rows have a column _synthetic, so that every result computed from them is marked as synthetic. The \
            same seed gives the same bytes.
            """,
        examples: [
            "martlet generate readmission --rows 5000 -o encounters.csv",
            "martlet generate lab-delay --drift concept -o lab",
        ])

    @Argument(help: "readmission, downtime or lab-delay.")
    var kind: String

    @Option(
        name: [.long, .customLong("experiments")],
        help: "Number of rows, or of experiments for lab-delay (default: as many as the real data set has).")
    var rows: Int?

    @Option(help: "Seed of the random numbers.")
    var seed: UInt64 = 7

    @Option(
        help: ArgumentHelp(
            "For lab-delay, the change from day 432 on: covariate, concept, quality, label.", valueName: "kind"))
    var drift: String?

    @Flag(help: "Omit the outcome, as in records to be scored.")
    var unlabelled = false

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The CSV file to write (default: standard output).", valueName: "file"))
    var output: String?

    func validate() throws {
        if let rows, rows < 1 { throw ValidationError("--rows must be at least 1.") }
    }

    func run() throws {
        if kind == "lab-delay" { return try writeLab() }
        if drift != nil {
            throw MartletError(.usage, "generate.drift", "--drift is for lab-delay only.")
        }
        guard ["readmission", "downtime"].contains(kind) else {
            let near = Spelling.nearest(to: kind, among: ["readmission", "downtime", "lab-delay"])
            throw MartletError(
                .usage, "generate.kind", "There is no generator \(kind).",
                remedy: near.map { "Did you mean \($0)?" } ?? "Generators: readmission, downtime, lab-delay.")
        }
        if kind == "downtime", unlabelled {
            throw MartletError(.usage, "generate.unlabelled", "--unlabelled is for readmission only.")
        }
        guard let output else {
            return try writeRows { Output.raw(String(decoding: $0, as: UTF8.self), to: 1) }
        }
        let taken = MartletError(
            .conflict, "generate.exists", "The file \(output) is there already.", remedy: "Choose another name.")
        if Disk.exists(output) { throw taken }
        let path = Disk.absolute(output)
        try Disk.makeDirectory(Disk.parent(of: path))
        guard try Disk.createDurably(path, writing: writeRows) else { throw taken }
        Output.note("Wrote \(output).")
    }

    private func writeRows(to sink: ([UInt8]) throws -> Void) throws {
        if kind == "readmission" {
            try ReadmissionGenerator(rows: rows ?? 101_766, seed: seed, unlabelled: unlabelled).write(to: sink)
        } else {
            try DowntimeGenerator(rows: rows ?? 2500, seed: seed).write(to: sink)
        }
    }

    /// The lab's four logs as daily files, each source in a folder of its own, and the true probabilities beside them.
    private func writeLab() throws {
        guard let output, !unlabelled else {
            throw MartletError(
                .usage, "generate.lab",
                output == nil ? "lab-delay makes many files." : "--unlabelled is for readmission only.",
                remedy: "Name a folder with -o.")
        }
        let change = try drift.map { name in
            guard let change = LabDrift(rawValue: name) else {
                let names = LabDrift.allCases.map(\.rawValue)
                throw MartletError(
                    .usage, "generate.drift", "There is no drift \(name).",
                    remedy: Spelling.nearest(to: name, among: names).map { "Did you mean \($0)?" }
                        ?? "Drifts: \(names.joined(separator: ", ")).")
            }
            return change
        }
        let folder = Disk.absolute(output)
        // The landing folder of a new project has the sources' folders, all empty.
        let isFree = try Disk.list(folder).allSatisfy {
            try LabGenerator.sources.contains($0) && Disk.isDirectory("\(folder)/\($0)")
                && Disk.list("\(folder)/\($0)").isEmpty
        }
        guard isFree else {
            throw MartletError(
                .conflict, "generate.exists", "The folder \(output) is there already and not empty.",
                remedy: "Choose another name.")
        }
        try Disk.makeDirectory(folder)
        var files = 0
        try LabGenerator(experiments: rows ?? 50_000, seed: seed, drift: change).write { path, bytes in
            let file = "\(folder)/\(path)"
            try Disk.makeDirectory(Disk.parent(of: file))
            try Disk.append(file, bytes)
            files += 1
        }
        Output.note("Wrote \(files) files into \(output); \(LabGenerator.truthFile) is for grading only.")
    }
}
