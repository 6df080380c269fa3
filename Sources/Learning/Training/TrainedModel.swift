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
    /// How many rows of the table are infinite in each number column, and count as missing; `nil` if none are.
    package let infinite: [String: Int]?

    private enum CodingKeys: String, CodingKey {
        case plan, signature, calibration, threshold, bands, format, rounds, parts, unlabelled, test, validation
        case crossValidation = "cross_validation"
        case gates, importance, ranges, infinite
    }

    init(
        plan: TrainingPlan, signature: Signature, calibration: Calibration, threshold: DecisionThreshold,
        bands: RiskBands?, format: String, rounds: Int, parts: [String: PartSize], unlabelled: Int, test: Evaluation,
        validation: Evaluation?, crossValidation: CrossValidationResult?, gates: [GateResult],
        importance: [Importance], ranges: [String: ColumnRange]?, infinite: [String: Int]?
    ) {
        self.plan = plan
        self.signature = signature
        self.calibration = calibration
        self.threshold = threshold
        self.bands = bands
        self.format = format
        self.rounds = rounds
        self.parts = parts
        self.unlabelled = unlabelled
        self.test = test
        self.validation = validation
        self.crossValidation = crossValidation
        self.gates = gates
        self.importance = importance
        self.ranges = ranges
        self.infinite = infinite
    }

    /// A record of another version: what is not there was not known then.
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
    package let parts: [SplitPart?]
    /// The input rows of the test part, in order, and their calibrated probabilities.
    package let testRows: [Int]
    package let testProbabilities: [Double]
}
