/// A training algorithm with its parameters: fits a model to a matrix, deterministically.
///
/// The same data, parameters and seed give the same bytes whatever the number of threads.
package protocol Learner<Label>: Sendable {
    /// Label of a row: 0 or 1 for binary models.
    associatedtype Label: TrainingLabel

    /// The learner's name in a project file: "lightgbm", "random_forest".
    var kind: String { get }

    /// Trains a model.
    /// - Parameters:
    ///   - labels: one a row.
    ///   - validation: held-out rows for early stopping, where there are any.
    func fit(
        _ train: FeatureMatrix, labels: [Label], validation: (FeatureMatrix, [Label])?, seed: Int, threads: Int
    ) throws -> FittedModel
}

/// A trained model as bytes in its library's own format, with training statistics.
package struct FittedModel: Sendable {
    /// The model file's bytes.
    package let text: [UInt8]
    /// Number of trees in use, after early stopping.
    package let rounds: Int
    /// Total gain of each feature, in the matrix's order; any scale.
    package let gain: [Double]
    /// Name of the format: "lightgbm-text".
    package let format: String
    /// Log loss on the validation rows after each round, for learners that record it.
    package let trace: [(round: Int, validationLogLoss: Double)]?

    package init(
        text: [UInt8], rounds: Int, gain: [Double], format: String,
        trace: [(round: Int, validationLogLoss: Double)]? = nil
    ) {
        self.text = text
        self.rounds = rounds
        self.gain = gain
        self.format = format
        self.trace = trace
    }
}

/// A loaded model that computes raw scores of feature matrices.
package protocol ModelScorer {
    /// Returns the score of each row; for a binary model the probability of the positive class.
    func scores(_ matrix: FeatureMatrix) throws -> [Double]
}
