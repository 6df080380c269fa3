internal import Core
internal import Lakehouse
package import Registry
internal import SQLLineage
internal import Training

// Rebuilds a version from its bronze snapshots alone, with the SQL and specification stored at the time, and
// compares content hashes table by table, each by the scheme in which it was recorded, and the hash of the model.
// Touches nothing but a scratch folder.

/// Result of rebuilding a version: comparison of each table and of the model.
package struct VerifyReport: Sendable, Encodable {
    /// Comparison of one table or of the model with the recorded hash.
    package struct Check: Sendable, Encodable {
        /// A table's name, or "model".
        package var what: String
        /// Hash that the version's run recorded; "not recorded" for a table that the run's lineage lacks.
        package var recorded: String
        /// The rebuilt hash; `nil` when it could not be rebuilt.
        package var rebuilt: String?
        /// Whether `rebuilt` is `recorded`; `false` when it could not be rebuilt.
        package var equal: Bool
        /// Why it could not be rebuilt.
        package var problem: String?
    }

    /// Name of the registered model.
    package var model: String
    /// Number of the version within the model, from 1.
    package var version: Int
    /// Bronze tables, then those made by SQL, parents first, then the model; after a difference nothing is rebuilt.
    package var checks: [Check]
    /// Duration of the check in seconds, rounded to milliseconds.
    package var seconds: Double

    /// Whether everything was rebuilt identically.
    package var equal: Bool { checks.allSatisfy(\.equal) }
    /// The first table, parents first, or the model that differs.
    package var firstDifference: String? { checks.first { !$0.equal }?.what }

    enum CodingKeys: String, CodingKey {
        case model, version, equal, checks, seconds, firstDifference = "first_difference"
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(model, forKey: .model)
        try box.encode(version, forKey: .version)
        try box.encode(equal, forKey: .equal)
        try box.encode(checks, forKey: .checks)
        try box.encode(seconds, forKey: .seconds)
        try box.encodeIfPresent(firstDifference, forKey: .firstDifference)
    }
}

extension Workspace {
    /// Rebuilds a version from bronze and compares tables and model with the recorded hashes.
    package func verify(_ reference: ModelReference, progress: (String) throws -> Void = { _ in }) throws
        -> VerifyReport
    {
        let start = context.uptime()
        let loaded = try load(reference)
        let recorded = try registry.models.show(reference).run.lineage
        var report = VerifyReport(model: loaded.name, version: loaded.version, checks: [], seconds: 0)
        try withScratch { folder in
            var rebuilt: [TableName: [String]] = [:]
            for table in recorded.tables {
                guard let name = TableName(table.name), name.layer == .bronze else { continue }
                try progress(table.name)
                report.checks.append(
                    check(table.name, table.hash) {
                        let files = try lake.files(of: name, at: table.snapshot)
                        rebuilt[name] = files
                        return try lake.engine.contentHash(of: files, by: scheme(table.hash)).description
                    })
            }
            guard report.equal else { return }
            let hashes = Dictionary(recorded.tables.map { ($0.name, $0.hash) }) { first, _ in first }
            for stored in loaded.blueprint.transforms {
                try progress(stored.table.description)
                let recorded = hashes[stored.table.description] ?? "not recorded"
                let check = check(stored.table.description, recorded) {
                    let analysis = try lake.engine.parse(stored.sql, file: stored.file).analysis()
                    var inputs: [TableName: [String]] = [:]
                    for parent in analysis.tables { inputs[parent] = rebuilt[parent] }
                    let written = try lake.engine.materialise(
                        stored.query(over: inputs, inRowOrder: analysis.orderSensitive),
                        into: "\(folder)/\(stored.table.description).parquet")
                    rebuilt[stored.table] = [written.path]
                    let scheme = scheme(recorded)
                    let hash =
                        try scheme == written.hash.scheme
                        ? written.hash : lake.engine.contentHash(of: [written.path], by: scheme)
                    return hash.description
                }
                report.checks.append(check)
                if !check.equal { return }
            }
            try progress("model")
            report.checks.append(
                check("model", loaded.hash.hex) {
                    func rebuild(_ task: some PredictionTask) throws -> TrainedModel {
                        try fit(
                            task, loaded.specification, files: rebuilt[loaded.specification.table] ?? [],
                            CPUMeter(cpuSeconds), coding: loaded.record.signature.coding
                        ).trained
                    }
                    return try modelHash(rebuild(loaded.specification.plan.task)).hex
                })
        }
        report.seconds = ((context.uptime() - start) * 1000).rounded() / 1000
        return report
    }

    private func scheme(_ recorded: String) -> ContentHash.Scheme { ContentHash(recorded)?.scheme ?? .h2 }

    private func check(_ what: String, _ recorded: String, _ rebuild: () throws -> String) -> VerifyReport.Check {
        do {
            let found = try rebuild()
            return .init(what: what, recorded: recorded, rebuilt: found, equal: found == recorded)
        } catch {
            return .init(what: what, recorded: recorded, rebuilt: nil, equal: false, problem: "\(error)")
        }
    }
}
