internal import Core
package import PredictionLog
package import Training

/// The prediction log of one served model version, with what its records say of the version.
///
/// ```swift
/// let journal = try ModelJournal(log, key: key, version: 3, signature: record.signature)
/// let source = try journal.register(deployment: "default", arm: "champion")
/// ```
package struct ModelJournal: Sendable {
    /// The project's prediction log, which its models share.
    package let log: PredictionLog
    private let key: ModelKey
    private let version: Int
    private let signature: Digest
    private let columns: [PredictionSource.Column]

    /// - Throws: what encoding the signature throws.
    package init(_ log: PredictionLog, key: ModelKey, version: Int, signature: Signature) throws {
        self.log = log
        self.key = key
        self.version = version
        self.signature = Digest(of: try JSON.encode(signature))
        columns = signature.columns.map { feature in
            let shown = feature.shownLevels
            return PredictionSource.Column(
                name: feature.name, levels: feature.type == .category ? shown : nil,
                missing: feature.missingCode.flatMap { $0 < shown.count ? nil : $0 })
        }
    }

    /// Registers the version, as an arm of a deployment, as a source of predictions; again gives the same number.
    /// - Throws: `predictions.sources`.
    package func register(deployment: String, arm: String) throws -> PredictionSourceNumber {
        try log.register(
            PredictionSource(
                project: key.project, model: key.model, version: version, deployment: deployment, arm: arm,
                signature: signature, columns: columns))
    }
}
