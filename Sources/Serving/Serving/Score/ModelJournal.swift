internal import Core
package import PredictionLog
package import Training

/// The prediction log of one served model version, with the version's source number.
///
/// ```swift
/// let journal = try ModelJournal(log, key: key, version: 3, signature: record.signature)
/// ```
package struct ModelJournal: Sendable {
    /// The project's prediction log, which its models share.
    package let log: PredictionLog
    /// Number that stands for the version in the log's records.
    package let source: PredictionSourceNumber

    /// Registers the version as a source of predictions.
    /// - Throws: `predictions.sources`.
    package init(_ log: PredictionLog, key: ModelKey, version: Int, signature: Signature) throws {
        self.log = log
        let columns = signature.columns.map { feature in
            let shown = feature.shownLevels
            return PredictionSource.Column(
                name: feature.name, levels: feature.type == .category ? shown : nil,
                missing: feature.missingCode.flatMap { $0 < shown.count ? nil : $0 })
        }
        source = try log.register(
            PredictionSource(
                project: key.project, model: key.model, version: version,
                signature: Digest(of: try JSON.encode(signature)), columns: columns))
    }
}
