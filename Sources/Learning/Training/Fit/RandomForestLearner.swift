internal import Core

/// The `random_forest` learner: trains a forest and returns it as a LightGBM model file.
///
/// ```swift
/// let learner = try RandomForestLearner(parameters: plan.parameters)
/// ```
///
/// One scorer so serves both learners.
package struct RandomForestLearner: Learner {
    package let kind = "random_forest"
    /// Settings of the forest, parsed from the learner's parameters.
    package let forest: RandomForest

    /// The forest's entry in a catalogue.
    /// - Parameter text: the learner whose library reads the same format, and scores the forest.
    package static func descriptor(readBy text: LearnerDescriptor) -> LearnerDescriptor {
        LearnerDescriptor(
            kind: "random_forest", defaultRounds: nil, format: text.format, library: text.library,
            make: { plan in
                for (name, isGiven) in [("rounds", plan.rounds != nil), ("early_stopping", plan.earlyStopping != 0)]
                where isGiven {
                    throw MartletError(
                        .input, "learner.unknown-parameter",
                        "\(name) is for boosting; a forest has n_estimators under parameters.",
                        at: .init(key: "learner.\(name)"))
                }
                return try RandomForestLearner(parameters: plan.parameters)
            }, scorer: text.scorer)
    }

    /// Parses the parameters; throws for unknown ones and values out of range.
    package init(parameters: [String: ParameterValue]) throws {
        forest = try RandomForest(parameters: parameters)
    }

    /// Trains a forest. The validation rows are not used: a forest has no early stopping.
    package func fit(
        _ train: FeatureMatrix, labels: [UInt8], validation: (FeatureMatrix, [UInt8])?, seed: Int, threads: Int
    ) throws -> FittedModel {
        let grown = try forest.fit(train, labels: labels, seed: seed)
        return FittedModel(
            text: Array(grown.lightGBMText().utf8), rounds: grown.count, gain: grown.importance,
            format: "lightgbm-text")
    }
}
