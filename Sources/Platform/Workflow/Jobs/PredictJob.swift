internal import Core
internal import Projects
internal import Registry
internal import Storage

/// Scores a file of raw records into another file.
package struct PredictJob: JobDefinition {
    package static let kind = "predict"
    package static let isExclusive = false
    /// The queue keeps no result: the scores are in the file.
    package static let keepsResult = false

    /// The file, in the form of the source's files; "-" is standard input.
    package var file: String
    /// NAME, NAME@ALIAS or NAME@NUMBER; `nil` is the only model's champion.
    package var model: String?
    /// The source that the file belongs to; `nil` goes by landing folder or header.
    package var source: String?
    /// Where the scores go: a path that ends in .parquet, .csv or .json; `nil` keeps them in the result.
    package var output: String?
    /// Threads of SQL engine and learner; `nil`, which a stored job may have: as configured.
    package var threads: JobThreads?

    package init(
        file: String, model: String? = nil, source: String? = nil, output: String?, threads: JobThreads = JobThreads()
    ) {
        self.file = file
        self.model = model
        self.source = source
        self.output = output
        self.threads = threads
    }

    /// How the name of an output may end.
    private static let formats = [".parquet", ".csv", ".json"]

    private enum CodingKeys: String, CodingKey, CaseIterable { case file, model, source, output, threads }

    /// Names of the members of the job's JSON object.
    package static var members: [String] { CodingKeys.allCases.map(\.rawValue) }
    package var job: Job { .predict(self) }

    package func validate() throws {
        guard let output else { throw Job.refusal("A job writes its scores into a file: --output.") }
        try Self.check(output)
        try threads?.validate()
    }

    /// - Throws: `job.arguments` for a name that says no format.
    package static func check(_ output: String) throws {
        guard formats.contains(where: { output.hasSuffix($0) }) else {
            throw Job.refusal("-o \(output): the file must end in .parquet, .csv or .json.")
        }
    }

    package var arguments: [String] {
        var words = output.map { ["--output", $0] } ?? []
        if let model { words += ["--model", model] }
        if let source { words += ["--source", source] }
        return words + (threads?.arguments ?? []) + ["--", file]
    }

    package func perform(in environment: some JobEnvironment, observer: JobObserver) throws -> PredictResult {
        try environment.configured(splitSeed: nil, threads: threads ?? JobThreads()).withReadingWorkspace { workspace in
            let reference = try reference(workspace)
            let prediction = try workspace.withFile(named: file) { path in
                try workspace.predict(file: path, of: try workspace.source(named: source, for: path), by: reference)
            }
            if let output, output.hasSuffix(".parquet") {
                try workspace.write(prediction, parquet: output)
            } else if let output {
                let text =
                    output.hasSuffix(".json")
                    ? try JSON.text(prediction.objects, pretty: true) + "\n" : prediction.csv
                try Disk.replaceDurably(Disk.absolute(output), Array(text.utf8))
            }
            return PredictResult(prediction: prediction, output: output)
        }
    }

    private func reference(_ workspace: Workspace) throws -> ModelReference {
        guard let model else {
            return ModelReference(model: try workspace.project.model(nil).name, selector: .alias(.champion))
        }
        return try ModelReference(parsing: model).orChampion
    }
}
