internal import Core
package import PredictionLog
package import Training

/// Where the predictions of one served version are logged.
package struct ModelJournal: Sendable {
    package let log: PredictionLog
    package let source: PredictionSourceNumber

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
