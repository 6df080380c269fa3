/// Stored description of a trained model: plan, signature, outcome rule, evaluation and gates.
///
/// Everything needed to use the model besides the learner's own file.
package struct ModelRecord: Sendable {
    /// The importance of one feature.
    package struct Importance: Sendable, Equatable, Codable {
        /// Name of the feature's column.
        package let name: String
        /// The feature's share of the total gain.
        package let share: Double
    }

    /// Number of rows of a part, and of positives where the task has them.
    package struct PartSize: Sendable, Equatable, Codable {
        /// Number of labelled rows in the part.
        package let rows: Int
        /// Number of rows with label 1 in the part; `nil` for a task without a positive class.
        package let positives: Int?
    }

    /// The settings with which the model was trained.
    package let plan: TrainingPlan
    /// The input columns and their encoding, learned from the training rows.
    package let signature: Signature
    /// What turns the learner's raw scores into outcomes, fitted on the validation rows.
    package let rule: any OutcomeRule
    /// Format of the learner's file.
    package let format: String
    /// Number of trees in use.
    package let rounds: Int
    /// Sizes of the labelled parts by name: train, validation, test.
    package let parts: [String: PartSize]
    /// Number of rows without a label.
    package let unlabelled: Int
    /// Evaluation on the test part.
    package let test: any Evaluation
    /// Evaluation on the validation part; `nil` when there is none.
    package let validation: (any Evaluation)?
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

    /// Whether every gate passed.
    package var passed: Bool { gates.allSatisfy(\.passed) }

    /// Computes the outcomes of new rows.
    package func outcomes(_ table: [NamedColumn], scorer: any ModelScorer) throws -> [any Outcome] {
        func outcomes(by rule: some OutcomeRule) throws -> [any Outcome] {
            try rule.outcomes(of: try scorer.scores(try signature.encode(table)))
        }
        return try outcomes(by: rule)
    }
}

extension ModelRecord: Codable {
    private enum CodingKeys: String, CodingKey {
        case plan, signature, format, rounds, parts, unlabelled, test, validation
        case crossValidation = "cross_validation"
        case gates, importance, ranges, infinite
    }

    /// Decodes a record; members that an earlier version did not write are `nil`. The plan says of which task it is.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        plan = try container.decode(TrainingPlan.self, forKey: .plan)
        signature = try container.decode(Signature.self, forKey: .signature)
        func ofTask<Task: PredictionTask>(
            _ task: Task
        ) throws -> (any OutcomeRule, any Evaluation, (any Evaluation)?) {
            (
                try Task.Rule(from: decoder), try container.decode(Task.Report.self, forKey: .test),
                try container.decodeIfPresent(Task.Report.self, forKey: .validation)
            )
        }
        (rule, test, validation) = try ofTask(plan.task)
        format = try container.decode(String.self, forKey: .format)
        rounds = try container.decode(.rounds, or: 0)
        parts = try container.decode(.parts, or: [:])
        unlabelled = try container.decode(.unlabelled, or: 0)
        crossValidation = try container.decodeIfPresent(CrossValidationResult.self, forKey: .crossValidation)
        gates = try container.decode(.gates, or: [])
        importance = try container.decode(.importance, or: [])
        ranges = try container.decodeIfPresent([String: ColumnRange].self, forKey: .ranges)
        infinite = try container.decodeIfPresent([String: Int].self, forKey: .infinite)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(plan, forKey: .plan)
        try container.encode(signature, forKey: .signature)
        try rule.encode(to: encoder)
        try container.encode(format, forKey: .format)
        try container.encode(rounds, forKey: .rounds)
        try container.encode(parts, forKey: .parts)
        try container.encode(unlabelled, forKey: .unlabelled)
        try container.encode(test, forKey: .test)
        if let validation { try container.encode(validation, forKey: .validation) }
        try container.encodeIfPresent(crossValidation, forKey: .crossValidation)
        try container.encode(gates, forKey: .gates)
        try container.encode(importance, forKey: .importance)
        try container.encodeIfPresent(ranges, forKey: .ranges)
        try container.encodeIfPresent(infinite, forKey: .infinite)
    }
}

/// Result of a training: the model record, the learner's file, and the outcomes of the test rows.
package struct TrainedModel: Sendable {
    /// Description of the model, stored beside the learner's file.
    package let record: ModelRecord
    /// The learner's file, with its trace and raw gains.
    package let fitted: FittedModel
    /// The part of every input row; `nil` for a row without label.
    package let parts: [SplitPart?]
    /// Indices of the input rows of the test part, in order.
    package let testRows: [Int]
    /// The outcome of each of `testRows`.
    package let testOutcomes: [any Outcome]
}
