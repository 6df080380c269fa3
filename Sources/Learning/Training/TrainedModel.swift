/// Stored description of a trained model: plan, signature, calibration, threshold, evaluation and gates.
///
/// Everything needed to use the model besides the learner's own file.
package struct ModelRecord: Sendable, Equatable, Codable {
    /// The importance of one feature.
    package struct Importance: Sendable, Equatable, Codable {
        /// Name of the feature's column.
        package let name: String
        /// The feature's share of the total gain.
        package let share: Double
    }

    /// Number of rows and of positives of a part.
    package struct PartSize: Sendable, Equatable, Codable {
        /// Number of labelled rows in the part.
        package let rows: Int
        /// Number of rows with label 1 in the part.
        package let positives: Int
    }

    /// The settings with which the model was trained.
    package let plan: TrainingPlan
    /// The input columns and their encoding, learned from the training rows.
    package let signature: Signature
    /// Map from the learner's raw probabilities to calibrated ones, fitted on the validation rows.
    package let calibration: Calibration
    /// The threshold on calibrated probabilities, chosen by the plan's rule.
    package let threshold: DecisionThreshold
    /// Bounds of the risk bands, as in the plan; `nil` for a model without bands.
    package let bands: RiskBands?
    /// Format of the learner's file.
    package let format: String
    /// Number of trees in use.
    package let rounds: Int
    /// Sizes of the labelled parts by name: train, validation, test.
    package let parts: [String: PartSize]
    /// Number of rows without a label.
    package let unlabelled: Int
    /// Evaluation on the test part.
    package let test: Evaluation
    /// Evaluation on the validation part; `nil` when there is none.
    package let validation: Evaluation?
    /// Metrics over the folds; `nil` when the plan has no cross-validation.
    package let crossValidation: CrossValidationResult?
    /// Results of the plan's quality gates, in the plan's order.
    package let gates: [GateResult]
    /// Gain importance of the features, the largest first.
    package let importance: [Importance]
    /// Range of each numeric column in the training rows; `nil` in records of earlier versions.
    package let ranges: [String: ColumnRange]?
    /// Number of infinite values in each numeric column, which count as missing; `nil` if there are none.
    package let infinite: [String: Int]?

    private enum CodingKeys: String, CodingKey {
        case plan, signature, calibration, threshold, bands, format, rounds, parts, unlabelled, test, validation
        case crossValidation = "cross_validation"
        case gates, importance, ranges, infinite
    }

    /// Whether every gate passed.
    package var passed: Bool { gates.allSatisfy(\.passed) }

    /// Computes calibrated probabilities of new rows.
    package func probabilities(_ table: [NamedColumn], scorer: any ModelScorer) throws -> [Double] {
        calibration.apply(try scorer.probabilities(try signature.encode(table)))
    }

    /// Computes calibrated probability, band and decision of new rows.
    package func predictions(_ table: [NamedColumn], scorer: any ModelScorer) throws -> [Prediction] {
        try probabilities(table, scorer: scorer).map { p in
            Prediction(probability: p, band: bands?.band(of: p), positive: p >= threshold.value)
        }
    }
}

extension ModelRecord {
    /// Decodes a record; members that an earlier version did not write are `nil`.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        plan = try container.decode(TrainingPlan.self, forKey: .plan)
        signature = try container.decode(Signature.self, forKey: .signature)
        calibration = try container.decode(Calibration.self, forKey: .calibration)
        threshold = try container.decode(DecisionThreshold.self, forKey: .threshold)
        bands = try container.decodeIfPresent(RiskBands.self, forKey: .bands)
        format = try container.decode(String.self, forKey: .format)
        rounds = try container.decode(.rounds, or: 0)
        parts = try container.decode(.parts, or: [:])
        unlabelled = try container.decode(.unlabelled, or: 0)
        test = try container.decode(Evaluation.self, forKey: .test)
        validation = try container.decodeIfPresent(Evaluation.self, forKey: .validation)
        crossValidation = try container.decodeIfPresent(CrossValidationResult.self, forKey: .crossValidation)
        gates = try container.decode(.gates, or: [])
        importance = try container.decode(.importance, or: [])
        ranges = try container.decodeIfPresent([String: ColumnRange].self, forKey: .ranges)
        infinite = try container.decodeIfPresent([String: Int].self, forKey: .infinite)
    }
}

/// The prediction for one row: probability, band and decision.
package struct Prediction: Sendable, Equatable {
    /// Calibrated probability of the positive class, 0 to 1.
    package let probability: Double
    /// Risk band; `nil` for a model without bands.
    package let band: RiskBands.Band?
    /// Whether the probability is at or above the threshold.
    package let positive: Bool
}

/// Result of a training: the model record, the learner's file, and the test predictions.
package struct TrainedModel: Sendable {
    /// Description of the model, stored beside the learner's file.
    package let record: ModelRecord
    /// The learner's file, with its trace and raw gains.
    package let fitted: FittedModel
    /// The part of every input row; `nil` for a row without label.
    package let parts: [SplitPart?]
    /// Indices of the input rows of the test part, in order.
    package let testRows: [Int]
    /// Calibrated probability of each of `testRows`.
    package let testProbabilities: [Double]
}
