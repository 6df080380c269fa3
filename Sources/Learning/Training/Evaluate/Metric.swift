/// A quality metric by its name in reports, gates and JSON.
package enum Metric: String, Sendable, Codable, CaseIterable, Hashable {
    /// Area under the receiver operating characteristic curve; a tie counts one half.
    case rocAUC = "roc_auc"
    /// Average precision: the sum of precision times the gain in recall over the distinct scores.
    case prAUC = "pr_auc"
    /// Mean negative log likelihood in nats.
    case logLoss = "log_loss"
    /// Mean squared difference between probability and outcome.
    case brier
    /// Debiased expected calibration error over 15 equal-mass bins, in its L2 form.
    case ece
    /// Slope of the logistic regression of the outcome on the logit of the probability; 1 is calibrated.
    case calibrationSlope = "calibration_slope"
    /// Intercept of the same regression; 0 is calibrated.
    case calibrationIntercept = "calibration_intercept"
    case accuracy
    case precision
    /// Share of the positives above the threshold (sensitivity).
    case recall
    case f1
    /// Share of the negatives below the threshold.
    case specificity
    /// Negative predictive value: share of negatives among the rows below the threshold.
    case npv

    /// The metrics that the bootstrap resamples. Those of calibration have intervals of their own: a robust standard
    /// error, and for the calibration error an inverted test.
    static let resampled: [Metric] = allCases.filter {
        ![.ece, .calibrationSlope, .calibrationIntercept].contains($0)
    }
}

/// A metric's value with its 95 % interval. Undefined values (0/0, one class only) are `nil`, not 0.
package struct Estimate: Sendable, Equatable, Codable {
    /// The metric on the evaluated rows; `nil` when it is undefined there.
    package var value: Double?
    /// Lower end of the 95 % interval; `nil` when none was computed.
    package var low: Double?
    /// Upper end of the 95 % interval; `nil` when none was computed.
    package var high: Double?

    package init(_ value: Double?, low: Double? = nil, high: Double? = nil) {
        self.value = value
        self.low = low
        self.high = high
    }

    private enum CodingKeys: String, CodingKey { case value, low, high }

    /// Encodes undefined values as null, so that the shape is always the same.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(value, forKey: .value)
        try container.encode(low, forKey: .low)
        try container.encode(high, forKey: .high)
    }
}
