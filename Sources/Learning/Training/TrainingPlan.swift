internal import Core

/// All settings of a training besides its data. The same data and plan give the same bytes.
///
/// ```swift
/// let plan = TrainingPlan(
///     split: SplitPlan(kind: .hash), learner: LearnerPlan(kind: "lightgbm"), task: BinaryTask(calibration: .platt))
/// try plan.check()
/// ```
package struct TrainingPlan: Sendable, Codable {
    /// Number of training rows below which a category level is pooled as rare.
    package var rareBelow: Int
    /// How missing categories are encoded.
    package var missing: Signature.MissingPolicy
    /// Division of the labelled rows into training, validation and test parts.
    package var split: SplitPlan
    /// Cross-validation in addition to the split; `nil` for none.
    package var crossValidation: CrossValidationPlan?
    /// The training algorithm with its parameters and seed.
    package var learner: LearnerPlan
    /// What is predicted, with the task's own settings: for binary models calibration, threshold and bands.
    package var task: any PredictionTask
    /// Bounds on metrics that a version must meet before it can be used.
    package var gates: [QualityGate]
    /// Resampling for the intervals of the test metrics.
    package var bootstrap: Bootstrap
    /// Reactions to input that does not match, when the model is served; `nil`: the defaults.
    package var input: InputPolicy?
    /// Column that identifies whom a row is about, logged with its prediction; not a feature.
    package var entity: String?

    package init(
        rareBelow: Int = 1, missing: Signature.MissingPolicy = .level, split: SplitPlan,
        crossValidation: CrossValidationPlan? = nil, learner: LearnerPlan, task: any PredictionTask,
        gates: [QualityGate] = [], bootstrap: Bootstrap = Bootstrap()
    ) {
        self.rareBelow = rareBelow
        self.missing = missing
        self.split = split
        self.crossValidation = crossValidation
        self.learner = learner
        self.task = task
        self.gates = gates
        self.bootstrap = bootstrap
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        rareBelow = try container.decode(.rareBelow, or: 1)
        missing = try container.decode(.missing, or: .level)
        split = try container.decode(SplitPlan.self, forKey: .split)
        crossValidation = try container.decodeIfPresent(CrossValidationPlan.self, forKey: .crossValidation)
        learner = try container.decode(LearnerPlan.self, forKey: .learner)
        task = try PredictionTasks.decode(from: decoder)
        gates = try container.decodeGates(.gates, of: type(of: task).descriptor.metrics)
        bootstrap = try container.decode(.bootstrap, or: Bootstrap())
        input = try container.decodeIfPresent(InputPolicy.self, forKey: .input)
        entity = try container.decodeIfPresent(String.self, forKey: .entity)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rareBelow, forKey: .rareBelow)
        try container.encode(missing, forKey: .missing)
        try container.encode(split, forKey: .split)
        try container.encodeIfPresent(crossValidation, forKey: .crossValidation)
        try container.encode(learner, forKey: .learner)
        try PredictionTasks.encode(task, to: encoder)
        try container.encode(gates, forKey: .gates)
        try container.encode(bootstrap, forKey: .bootstrap)
        try container.encodeIfPresent(input, forKey: .input)
        try container.encodeIfPresent(entity, forKey: .entity)
    }

    private enum CodingKeys: String, CodingKey {
        case rareBelow, missing, split, crossValidation, learner, gates, bootstrap, input, entity
    }

    /// Throws for settings that cannot be carried out, before any work is done.
    package func check() throws {
        try split.check()
        try crossValidation?.check()
        if crossValidation?.gap != nil, split.kind != .time {
            throw MartletError(
                .input, "cross-validation.gap", "the gap of a cross-validation is for a split by time",
                remedy: "leave gap out, or split by time")
        }
        for gate in gates { try check(gate) }
        try task.check(hasValidation: split.validation > 0)
        guard split.validation == 0 else { return }
        if learner.earlyStopping > 0 { throw Self.needsValidation("early stopping") }
    }

    private func check(_ gate: QualityGate) throws {
        try gate.check()
        let known = type(of: task).descriptor
        guard known.metrics.contains(gate.metric) else {
            throw MartletError(
                .input, "gate.unknown-metric",
                "the task \(known.name) has no metric \(gate.metric.rawValue)",
                remedy: "its metrics are \(known.metrics.map(\.rawValue).joined(separator: ", "))")
        }
        if gate.part == .cv, crossValidation == nil {
            throw MartletError(
                .input, "gate.no-cross-validation",
                "the gate on \(gate.metric.rawValue) is on part cv, but there is no cross_validation",
                remedy: "add cross_validation: {folds: 5}")
        }
        if gate.part == .validation, split.validation == 0 {
            throw Self.needsValidation("the gate on \(gate.metric.rawValue) of part validation")
        }
    }

    /// The error for a setting that needs validation rows, where the split holds none out.
    static func needsValidation(_ what: String) -> MartletError {
        MartletError(
            .input, "split.no-validation", "\(what) needs held-out rows, but the split's validation share is 0",
            remedy: "give the split a validation share, such as 0.1")
    }
}

/// The learner and its parameters.
package struct LearnerPlan: Sendable, Equatable, Codable {
    /// Name of the learner: "lightgbm" or "random_forest".
    package var kind: String
    /// Parameters of the algorithm by the names of its own library, as in the project file.
    package var parameters: [String: ParameterValue]
    /// Largest number of boosting rounds; `nil` for a forest.
    package var rounds: Int?
    /// Rounds without a better validation log loss before training stops; 0 is off.
    package var earlyStopping: Int
    /// Seed of the learner's random numbers, 42 by default.
    package var seed: Int

    package init(
        kind: String, parameters: [String: ParameterValue] = [:], rounds: Int? = nil, earlyStopping: Int = 0,
        seed: Int = 42
    ) {
        self.kind = kind
        self.parameters = parameters
        self.rounds = rounds
        self.earlyStopping = earlyStopping
        self.seed = seed
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kind = try container.decode(String.self, forKey: .kind)
        parameters = try container.decode(.parameters, or: [:])
        rounds = try container.decodeIfPresent(Int.self, forKey: .rounds)
        earlyStopping = try container.decode(.earlyStopping, or: 0)
        seed = try container.decode(.seed, or: 42)
    }

    private enum CodingKeys: String, CodingKey { case kind, parameters, rounds, earlyStopping, seed }
}
