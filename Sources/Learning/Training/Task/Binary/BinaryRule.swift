package import Core

/// Calibration, threshold and bands of a binary model.
package struct BinaryRule: OutcomeRule {
    /// Map from the learner's raw probabilities to calibrated ones, fitted on the validation rows.
    package let calibration: Calibration
    /// The threshold on calibrated probabilities, chosen by the plan's rule.
    package let threshold: DecisionThreshold
    /// Bounds of the risk bands, as in the plan; `nil` for a model without bands.
    package let bands: RiskBands?

    package var columns: [OutcomeColumn] {
        [
            .init("probability", .number), .init("band", .text(RiskBands.Band.allCases.map(\.rawValue))),
            .init("decision", .flag),
        ]
    }

    package func outcomes(of scores: [Double]) -> [BinaryOutcome] {
        calibration.apply(scores).map { p in
            BinaryOutcome(probability: p, band: bands?.band(of: p), positive: p >= threshold.value)
        }
    }

    package var facts: [(name: String, value: String)] {
        let why = threshold.costs.map { costs in
            ", chosen for a miss costing \(number(costs.falseNegative)) and a false alarm \(number(costs.falsePositive))"
        }
        return [
            ("calibration", calibration.kind.rawValue),
            ("decision", "positive from a probability of \(number(threshold.value))\(why ?? "")"),
        ]
    }

    package func summary(of outcomes: [any Outcome]) -> OutcomeSummary {
        let positives = outcomes.count { $0.score >= threshold.value }
        return OutcomeSummary(
            figures: ["threshold": .number(threshold.value), "positive": .integer(Int64(positives))],
            clause: "\(grouped(positives)) at or above the threshold of \(number(threshold.value))")
    }

    package func canonicalBytes() throws -> [UInt8] {
        try JSON.encode(calibration) + JSON.encode(threshold) + JSON.encode(bands)
    }
}

/// A binary model's prediction for one row: calibrated probability, risk band and decision at the threshold.
package struct BinaryOutcome: Outcome {
    /// Calibrated probability of the positive class, 0 to 1.
    package let probability: Double
    /// Risk band; `nil` for a model without bands.
    package let band: RiskBands.Band?
    /// Whether the probability is at or above the threshold.
    package let positive: Bool

    package var score: Double { probability }

    package var cells: [JSONValue] {
        [.number(probability), band.map { .text($0.rawValue) } ?? .null, .flag(positive)]
    }
}

extension ModelRecord {
    /// The rule of a binary model, for code that serves only those.
    /// - Throws: `model.task` for a model of another task.
    package func binaryRule() throws -> BinaryRule {
        guard let rule = rule as? BinaryRule else {
            throw MartletError(
                .input, "model.task",
                "This needs a binary model; the model's task is \(type(of: plan.task).descriptor.name).")
        }
        return rule
    }
}
