/// Grows a random forest and hands it over as a LightGBM model file, so that one scorer serves both learners.
package struct RandomForestLearner: Learner {
    package let kind = "random_forest"
    package let forest: RandomForest
    private let parameters: [String: ParameterValue]

    /// Refuses unknown parameters and values out of range.
    package init(parameters: [String: ParameterValue]) throws {
        forest = try RandomForest(parameters: parameters)
        self.parameters = parameters
    }

    /// The validation rows are not used: a forest has no early stopping.
    package func fit(
        _ train: FeatureMatrix, labels: [UInt8], validation: (FeatureMatrix, [UInt8])?, seed: Int, threads: Int
    ) throws -> FittedModel {
        let grown = try forest.fit(train, labels: labels, seed: seed)
        let given = parameters.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value.description) }
        return FittedModel(
            text: Array(grown.lightGBMText(parameters: given + [("seed", "\(seed)")]).utf8), rounds: grown.count,
            gain: grown.importance, format: "lightgbm-text")
    }
}
