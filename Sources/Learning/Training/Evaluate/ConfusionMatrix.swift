/// Counts of decisions at a threshold: a row is called positive when its probability is at or above it.
package struct ConfusionMatrix: Sendable, Equatable, Codable {
    package var truePositives: Int
    package var falsePositives: Int
    package var falseNegatives: Int
    package var trueNegatives: Int

    package init(truePositives: Int, falsePositives: Int, falseNegatives: Int, trueNegatives: Int) {
        self.truePositives = truePositives
        self.falsePositives = falsePositives
        self.falseNegatives = falseNegatives
        self.trueNegatives = trueNegatives
    }

    private enum CodingKeys: String, CodingKey {
        case truePositives = "true_positives"
        case falsePositives = "false_positives"
        case falseNegatives = "false_negatives"
        case trueNegatives = "true_negatives"
    }

    package var rows: Int { truePositives + falsePositives + falseNegatives + trueNegatives }
    package var accuracy: Double? { share(truePositives + trueNegatives, of: rows) }
    package var precision: Double? { share(truePositives, of: truePositives + falsePositives) }
    package var recall: Double? { share(truePositives, of: truePositives + falseNegatives) }
    package var f1: Double? { share(2 * truePositives, of: 2 * truePositives + falsePositives + falseNegatives) }
    package var specificity: Double? { share(trueNegatives, of: trueNegatives + falsePositives) }
    package var npv: Double? { share(trueNegatives, of: trueNegatives + falseNegatives) }

    /// Cost of the wrong decisions per 1,000 rows.
    package func costPer1000(_ costs: Costs) -> Double? {
        guard rows > 0 else { return nil }
        let cost = costs.falseNegative * Double(falseNegatives) + costs.falsePositive * Double(falsePositives)
        return cost * 1000 / Double(rows)
    }

    private func share(_ part: Int, of whole: Int) -> Double? {
        whole == 0 ? nil : Double(part) / Double(whole)
    }
}

/// What a wrong decision costs, in any unit.
package struct Costs: Sendable, Equatable, Codable {
    package var falseNegative: Double
    package var falsePositive: Double

    package init(falseNegative: Double, falsePositive: Double) {
        self.falseNegative = falseNegative
        self.falsePositive = falsePositive
    }

    private enum CodingKeys: String, CodingKey {
        case falseNegative = "false_negative"
        case falsePositive = "false_positive"
    }

    /// The threshold that is best for calibrated probabilities: cFP / (cFP + cFN) (Elkan 2001, "The foundations of
    /// cost-sensitive learning", section 2).
    package var theoreticalThreshold: Double { falsePositive / (falsePositive + falseNegative) }
}
