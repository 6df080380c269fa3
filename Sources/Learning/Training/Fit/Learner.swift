/// Fits a model to a matrix. Its parameters are given when it is made; the same data, parameters and seed give the
/// same bytes whatever the count of threads.
package protocol Learner: Sendable {
    /// The learner's name in a project file: "lightgbm", "random_forest".
    var kind: String { get }

    /// - Parameters:
    ///   - labels: 0 or 1, one a row.
    ///   - validation: held-out rows for early stopping, where there are any.
    func fit(
        _ train: FeatureMatrix, labels: [UInt8], validation: (FeatureMatrix, [UInt8])?, seed: Int, threads: Int
    ) throws -> FittedModel
}

/// What a learner found, in the native format of the library that can load it.
package struct FittedModel: Sendable {
    /// The model file's bytes.
    package let text: [UInt8]
    /// Trees in use, after early stopping.
    package let rounds: Int
    /// Gain of each feature, in the matrix's order; any scale.
    package let gain: [Double]
    /// "lightgbm-text".
    package let format: String
    /// Log loss on the validation rows after each round, where the learner keeps track.
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

/// Gives the probability of the positive class for rows of a matrix.
package protocol ModelScorer {
    func probabilities(_ matrix: FeatureMatrix) throws -> [Double]
}
