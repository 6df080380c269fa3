package import Core
package import Forests
internal import PredictionLog
package import Training

/// A loaded model version that serves predictions: forest, calibration, threshold and input schema. Immutable.
///
/// ```swift
/// var probabilities: [Double] = []
/// model.score(batch, into: &probabilities)
/// ```
///
/// A request that began with it ends with it whatever is swapped in meanwhile.
package final class ServedModel: Sendable {
    /// The model that this is a version of.
    package let key: ModelKey
    /// Number of the version in the registry, from 1.
    package let version: Int
    /// SHA-256 of the canonical model file.
    package let hash: Digest
    /// Whether it was trained on synthetic rows.
    package let synthetic: Bool
    /// The input signature and policy, indexed for parsing rows.
    package let schema: RowSchema
    /// Map from the forest's raw probabilities to calibrated ones.
    package let calibration: Calibration
    /// Least calibrated probability that is predicted positive.
    package let threshold: Double
    /// Bounds of the risk bands; `nil` for a model without bands.
    package let bands: RiskBands?
    /// The trees, in a form that scores rows without the training library.
    package let forest: CompactForest
    /// Where its predictions are logged; `nil` when they are not.
    package let journal: ModelJournal?
    /// `"project":…,"model":…,"version":…`: the beginning of each answer.
    let head: [UInt8]

    /// Assembles a version.
    /// - Throws: `model.task` for a model that is not binary; `model.width` when the forest takes another number of
    ///   columns than the signature has.
    package init(
        key: ModelKey, version: Int, hash: Digest, synthetic: Bool, record: ModelRecord, schema: RowSchema,
        forest: CompactForest, journal: ModelJournal? = nil
    ) throws {
        guard forest.featureCount == schema.width else {
            throw MartletError(
                .defect, "model.width",
                "The model takes \(forest.featureCount) columns; its signature has \(schema.width).")
        }
        self.key = key
        self.version = version
        self.hash = hash
        self.synthetic = synthetic
        self.schema = schema
        let rule = try record.binaryRule()
        calibration = rule.calibration
        threshold = rule.threshold.value
        bands = rule.bands
        self.forest = forest
        self.journal = journal
        var writer = JSONWriter()
        writer.raw("\"project\":")
        writer.text(key.project)
        writer.raw(",\"model\":")
        writer.text(key.model)
        writer.raw(",\"version\":")
        writer.integer(version)
        head = writer.bytes
    }

    /// The input signature of the model.
    package var signature: Signature { schema.signature }

    /// Computes the calibrated probabilities of all rows of a batch into `probabilities`, which grows as needed.
    package func score(_ batch: RowBatch, into probabilities: inout [Double]) {
        let count = batch.count
        if probabilities.count < count { probabilities = [Double](repeating: 0, count: count) }
        probabilities.withUnsafeMutableBufferPointer { scores in
            if count == 1 {
                scores[0] = calibration.apply(forest.score(of: batch.row(0)))
            } else {
                forest.score(rows: batch.rows, count: count, into: scores)
                if calibration.kind != .none { for row in 0..<count { scores[row] = calibration.apply(scores[row]) } }
            }
        }
    }

    /// Cost of the reasons of one row, in steps of 2 to 5 ns.
    package var reasonSteps: Int { forest.attributionWork }

    /// Whether a probability is at or above the threshold.
    package func isPositive(_ probability: Double) -> Bool { probability >= threshold }

    /// What the model says of a row with a probability, for the log.
    func outcome(of probability: Double) -> PredictionOutcome {
        let band: PredictionOutcome.Band? =
            switch bands?.band(of: probability) {
            case .low: .low
            case .medium: .medium
            case .high: .high
            case nil: nil
            }
        return .binary(probability: probability, positive: isPositive(probability), band: band)
    }
}
