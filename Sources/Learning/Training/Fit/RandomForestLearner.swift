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
