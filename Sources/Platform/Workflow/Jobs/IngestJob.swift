package import Core
package import Lakehouse
internal import Projects
internal import Registry

/// Takes files into bronze, each exactly once, under their contracts.
package struct IngestJob: JobDefinition {
    package static let kind = "ingest"

    /// Paths of files; without any, what has arrived in the landing folders, or in that of `source`.
    package var files: [String]
    /// The source that the files belong to; `nil` goes by landing folder or header.
    package var source: String?
    /// Whether all known files are taken again, under the contract as it is now.
    package var again: Bool

    package init(files: [String] = [], source: String? = nil, again: Bool = false) {
        self.files = files
        self.source = source
        self.again = again
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case files, source, again }

    package init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            files: try box.decodeIfPresent([String].self, forKey: .files) ?? [],
            source: try box.decodeIfPresent(String.self, forKey: .source),
            again: try box.decodeIfPresent(Bool.self, forKey: .again) ?? false)
    }

    /// Names of the members of the job's JSON object.
    package static var members: [String] { CodingKeys.allCases.map(\.rawValue) }
    package var job: Job { .ingest(self) }

    package func validate() throws {
        if again, !files.isEmpty { throw Job.refusal("--again takes known files; name no others.") }
    }

    package var arguments: [String] {
        (source.map { ["--source", $0] } ?? []) + (again ? ["--again"] : [])
            + (files.isEmpty ? [] : ["--"] + files)
    }

    package func perform(in environment: some JobEnvironment, observer: JobObserver) throws -> IngestResult {
        IngestResult(reports: try environment.withWorkspace { try reports($0) })
    }

    private func reports(_ workspace: Workspace) throws -> [IngestReport] {
        if files.isEmpty {
            let sources = try source.map { [try workspace.source(named: $0, for: "")] } ?? workspace.project.sources
            return try sources.map { try again ? workspace.ingestAgain($0) : workspace.ingestLanded($0) }
        }
        var bySource: [String: [String]] = [:]
        for file in files {
            let name = try workspace.source(named: source, for: file).name
            bySource[name, default: []].append(file)
        }
        return try workspace.project.sources.compactMap { source in
            try bySource[source.name].map { try workspace.ingest($0, of: source) }
        }
    }
}

/// Result of an ingestion: as JSON, a list of its reports, one for each source.
package struct IngestResult: JobResult {
    /// Reports by source, in the order of martlet.yaml; only of the sources that the job was for.
    package let reports: [IngestReport]

    package func encode(to encoder: any Encoder) throws { try reports.encode(to: encoder) }

    private var refused: [(source: String, file: IngestReport.File)] {
        reports.flatMap { report in report.files.filter { $0.outcome == .refused }.map { (report.source, $0) } }
    }

    package var notes: [String] {
        refused.dropFirst().prefix(20).map { _, file in
            let drifts = file.drift.filter { $0.kind != .order }.prefix(2).map { "\n  · \($0.sentence)" }.joined()
            return "warning: \(file.name): refused: \(file.refusal ?? "it breaks the contract")\(drifts)"
        }
    }

    /// Why the job, though it was done, counts as failed; `nil` otherwise.
    package var refusal: MartletError? { refused.first.map { Workspace.refusal(of: $0.file, $0.source) } }
}
