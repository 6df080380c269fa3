/// Counts of true and false decisions at a threshold: positive means a probability at or above it.
package struct ConfusionMatrix: Sendable, Equatable, Codable {
    /// Number of positive rows at or above the threshold.
    package var truePositives: Int
    /// Number of negative rows at or above the threshold: false alarms.
    package var falsePositives: Int
    /// Number of positive rows below the threshold: missed cases.
    package var falseNegatives: Int
    /// Number of negative rows below the threshold.
    package var trueNegatives: Int

    private enum CodingKeys: String, CodingKey {
        case truePositives = "true_positives"
        case falsePositives = "false_positives"
        case falseNegatives = "false_negatives"
        case trueNegatives = "true_negatives"
    }

    /// Number of rows counted.
    package var rows: Int { truePositives + falsePositives + falseNegatives + trueNegatives }
    /// Share of right decisions; `nil` without rows.
    package var accuracy: Double? { share(truePositives + trueNegatives, of: rows) }
    /// Share of true positives among predicted positives; `nil` when there are none.
    package var precision: Double? { share(truePositives, of: truePositives + falsePositives) }
    /// Share of true positives among actual positives; `nil` when there are none.
    package var recall: Double? { share(truePositives, of: truePositives + falseNegatives) }
    /// Harmonic mean of precision and recall; `nil` when undefined.
    package var f1: Double? { share(2 * truePositives, of: 2 * truePositives + falsePositives + falseNegatives) }
    /// Share of true negatives among actual negatives; `nil` when there are none.
    package var specificity: Double? { share(trueNegatives, of: trueNegatives + falsePositives) }
    /// Negative predictive value: share of true negatives among predicted negatives; `nil` when there are none.
    package var npv: Double? { share(trueNegatives, of: trueNegatives + falseNegatives) }

    /// Returns the cost of wrong decisions per 1,000 rows; `nil` without rows.
    package func costPer1000(_ costs: Costs) -> Double? {
        guard rows > 0 else { return nil }
        let cost = costs.falseNegative * Double(falseNegatives) + costs.falsePositive * Double(falsePositives)
        return cost * 1000 / Double(rows)
    }

    private func share(_ part: Int, of whole: Int) -> Double? {
        whole == 0 ? nil : Double(part) / Double(whole)
    }
}

/// The costs of a false negative and a false positive, in any unit.
package struct Costs: Sendable, Equatable, Codable {
    /// Cost of a positive row that is predicted negative.
    package var falseNegative: Double
    /// Cost of a negative row that is predicted positive.
    package var falsePositive: Double

    package init(falseNegative: Double, falsePositive: Double) {
        self.falseNegative = falseNegative
        self.falsePositive = falsePositive
    }

    private enum CodingKeys: String, CodingKey {
        case falseNegative = "false_negative"
        case falsePositive = "false_positive"
    }

    /// The best threshold for calibrated probabilities: cFP / (cFP + cFN).
    ///
    /// Elkan 2001, "The foundations of cost-sensitive learning", section 2.
    var theoreticalThreshold: Double { falsePositive / (falsePositive + falseNegative) }
}
