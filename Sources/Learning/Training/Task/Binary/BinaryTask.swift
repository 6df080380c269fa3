internal import Core

/// Prediction of one of two values: labels 0 and 1, a calibrated probability, and a decision at a threshold.
package struct BinaryTask: PredictionTask {
    /// Method by which probabilities are calibrated on the validation rows; none by default.
    package var calibration: Calibration.Kind
    /// Rule by which the decision threshold is chosen; 0.5 by default.
    package var threshold: ThresholdRule
    /// Bounds of the risk bands; `nil` for a model without bands.
    package var bands: RiskBands?

    package static let descriptor = TaskDescriptor(
        name: "binary", otherNames: ["binary_classification"], metrics: BinaryMetric.all.map(\.metric),
        headlines: [.rocAUC, .prAUC, .brier], figures: ["cost_per_1000", "threshold"],
        counts: [
            "rows", "positives", "true_positives", "false_positives", "true_negatives", "false_negatives",
        ])

    package init(
        calibration: Calibration.Kind = .none, threshold: ThresholdRule = .fixed(0.5), bands: RiskBands? = nil
    ) {
        self.calibration = calibration
        self.threshold = threshold
        self.bands = bands
    }

    package init(_ settings: some TaskSettings) throws {
        calibration = settings["calibration"].flatMap { .init(rawValue: $0.text) } ?? .none
        if let cost = settings["threshold"]?["cost"] {
            let costs = Costs(
                falseNegative: cost["false_negative"]?.number ?? 1, falsePositive: cost["false_positive"]?.number ?? 1)
            threshold = cost["rule"]?.text == "theoretical" ? .theoretical(costs) : .cost(costs)
        } else {
            threshold = .fixed(settings["threshold"]?["fixed"]?.number ?? 0.5)
        }
        bands = settings["bands"].map { RiskBands(medium: $0["medium"]?.number ?? 0, high: $0["high"]?.number ?? 0) }
    }

    private enum CodingKeys: String, CodingKey { case calibration, threshold, bands }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        calibration = try container.decode(.calibration, or: .none)
        threshold = try container.decode(.threshold, or: .fixed(0.5))
        bands = try container.decodeIfPresent(RiskBands.self, forKey: .bands)
    }

    package func check(hasValidation: Bool) throws {
        try bands?.check()
        switch threshold {
        case .fixed(let value): _ = try DecisionThreshold.fixed(value)
        case .cost(let costs), .theoretical(let costs):
            guard costs.falseNegative > 0, costs.falsePositive > 0 else {
                throw MartletError(.input, "threshold.costs", "the costs of the threshold must be above 0")
            }
        }
        if hasValidation { return }
        if calibration != .none { throw TrainingPlan.needsValidation("calibration: \(calibration.rawValue)") }
        if case .cost = threshold { throw TrainingPlan.needsValidation("a threshold by cost") }
    }

    package var parameters: [String: String] {
        var parameters = ["calibration": calibration.rawValue]
        switch threshold {
        case .fixed(let value): parameters["threshold.fixed"] = "\(value)"
        case .cost(let costs), .theoretical(let costs):
            parameters["threshold.cost.false_negative"] = "\(costs.falseNegative)"
            parameters["threshold.cost.false_positive"] = "\(costs.falsePositive)"
        }
        if case .theoretical = threshold { parameters["threshold.cost.rule"] = "theoretical" }
        return parameters
    }

    /// Fits the calibration, then chooses the threshold on calibrated probabilities.
    package func rule(labels: [UInt8], scores: [Double]?) throws -> BinaryRule {
        let fitted = try scores.map { try Calibration.fit(calibration, labels: labels, probabilities: $0) } ?? .none
        return BinaryRule(
            calibration: fitted, threshold: try threshold(labels, scores.map { fitted.apply($0) }), bands: bands)
    }

    private func threshold(_ labels: [UInt8], _ calibrated: [Double]?) throws -> DecisionThreshold {
        switch threshold {
        case .fixed(let value): return try .fixed(value)
        case .cost(let costs):
            guard let calibrated else {
                throw MartletError(.input, "split.no-validation", "a threshold by cost needs held-out rows")
            }
            return try .leastCost(costs, labels: labels, probabilities: calibrated)
        case .theoretical(let costs): return DecisionThreshold(value: costs.theoreticalThreshold, costs: costs)
        }
    }

    package func evaluate(
        _ outcomes: [BinaryOutcome], labels: [UInt8], by rule: BinaryRule, groups: [String]?, bootstrap: Bootstrap?
    ) throws -> BinaryEvaluation {
        try BinaryEvaluation(
            labels: labels, probabilities: outcomes.map(\.probability), threshold: rule.threshold.value,
            groups: groups, costs: threshold.costs, bootstrap: bootstrap)
    }
}
