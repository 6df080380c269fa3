internal import CLibrary

/// Decides after each round of boosting whether another one is worth it, by the log loss on validation rows.
///
/// ```swift
/// var stopping = EarlyStopping(patience: 50, labels: held)
/// for round in 1...rounds {
///     …
///     if stopping.isOver(after: round, predictions) { break }
/// }
/// ```
package struct EarlyStopping {
    private let patience: Int
    private let labels: [UInt8]
    private var least = Double.infinity
    /// The round with the least log loss so far; without patience the last round.
    package private(set) var best = 0
    /// Log loss on the validation rows after each round.
    package private(set) var trace: [(round: Int, validationLogLoss: Double)] = []

    /// - Parameters:
    ///   - patience: rounds without a better log loss before it is over; 0 = never.
    ///   - labels: 0 or 1 a validation row.
    package init(patience: Int, labels: [UInt8]) {
        self.patience = patience
        self.labels = labels
    }

    /// Notes a round, from 1, and says whether it was the last.
    /// - Parameter probabilities: of the validation rows after this round.
    package mutating func isOver(after round: Int, _ probabilities: [Double]) -> Bool {
        let loss = Self.logLoss(probabilities, labels)
        trace.append((round, loss))
        if patience == 0 || loss < least { best = round }
        least = min(least, loss)
        return patience > 0 && round - best >= patience
    }

    /// Mean negative log-likelihood, clipped as scikit-learn does, summed in row order.
    private static func logLoss(_ probabilities: [Double], _ labels: [UInt8]) -> Double {
        let epsilon = Double.ulpOfOne
        var sum = 0.0
        for index in labels.indices {
            let p = min(max(probabilities[index], epsilon), 1 - epsilon)
            sum -= log(labels[index] == 1 ? p : 1 - p)
        }
        return sum / Double(max(1, labels.count))
    }
}
