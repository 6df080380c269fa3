/// Everything needed to use a model besides the learner's own file, and what was found about it.
package struct ModelRecord: Sendable, Equatable, Codable {
    package struct Importance: Sendable, Equatable, Codable {
        package let name: String
        /// The feature's share of the summed gain of all.
        package let share: Double
    }

    package struct PartSize: Sendable, Equatable, Codable {
        package let rows: Int
        package let positives: Int
    }

    package let plan: TrainingPlan
    package let signature: Signature
    package let calibration: Calibration
    package let threshold: DecisionThreshold
    package let bands: RiskBands?
    /// The format of the learner's file.
    package let format: String
    package let rounds: Int
    /// Labelled rows by part name: train, validation, test.
    package let parts: [String: PartSize]
    package let unlabelled: Int
    package let test: Evaluation
    package let validation: Evaluation?
    package let crossValidation: CrossValidationResult?
    package let gates: [GateResult]
    /// Gain importance, the largest first.
    package let importance: [Importance]
    /// What the training rows had in each number column; `nil` in records of before.
    package let ranges: [String: ColumnRange]?

    private enum CodingKeys: String, CodingKey {
        case plan, signature, calibration, threshold, bands, format, rounds, parts, unlabelled, test, validation
        case crossValidation = "cross_validation"
        case gates, importance, ranges
    }

    /// Whether every gate passed.
    package var passed: Bool { gates.allSatisfy(\.passed) }

    /// Calibrated probabilities of new rows.
    package func probabilities(_ table: [NamedColumn], scorer: any ModelScorer) throws -> [Double] {
        calibration.apply(try scorer.probabilities(try signature.encode(table)))
    }

    /// Calibrated probability, band and decision of new rows.
    package func predictions(_ table: [NamedColumn], scorer: any ModelScorer) throws -> [Prediction] {
        try probabilities(table, scorer: scorer).map { p in
            Prediction(probability: p, band: bands?.band(of: p), positive: p >= threshold.value)
        }
    }
}

/// What a model says of one row.
package struct Prediction: Sendable, Equatable {
    package let probability: Double
    /// `nil` where the model has no bands.
    package let band: RiskBands.Band?
    /// Whether the probability is at or above the threshold.
    package let positive: Bool

    package init(probability: Double, band: RiskBands.Band?, positive: Bool) {
        self.probability = probability
        self.band = band
        self.positive = positive
    }
}

/// The outcome of one training.
package struct TrainedModel: Sendable {
    package let record: ModelRecord
    /// The learner's file, with its trace and raw gains.
    package let fitted: FittedModel
    /// The part of every input row; `nil` for a row without label.
    package let parts: [Part?]
    /// The input rows of the test part, in order, and their calibrated probabilities.
    package let testRows: [Int]
    package let testProbabilities: [Double]
}
