extension Metric {
    /// Area under the receiver operating characteristic curve; a tie counts one half.
    package static let rocAUC = Metric("roc_auc")
    /// Average precision: the sum of precision times the gain in recall over the distinct scores.
    package static let prAUC = Metric("pr_auc")
    /// Mean negative log likelihood in nats.
    package static let logLoss = Metric("log_loss")
    /// Mean squared difference between probability and outcome.
    package static let brier = Metric("brier")
    /// Slope of the logistic regression of the outcome on the logit of the probability; 1 is calibrated.
    package static let calibrationSlope = Metric("calibration_slope")
    /// Intercept of the same regression; 0 is calibrated.
    package static let calibrationIntercept = Metric("calibration_intercept")
    /// Share of right decisions.
    package static let accuracy = Metric("accuracy")
    /// Share of positives among the rows above the threshold.
    package static let precision = Metric("precision")
    /// Share of the positives above the threshold (sensitivity).
    package static let recall = Metric("recall")
    /// Harmonic mean of precision and recall.
    package static let f1 = Metric("f1")
    /// Share of the negatives below the threshold.
    package static let specificity = Metric("specificity")
    /// Negative predictive value: share of negatives among the rows below the threshold.
    package static let npv = Metric("npv")
}

/// A metric of binary models with how it is computed.
struct BinaryMetric: Sendable {
    let metric: Metric
    /// The metric from the sums of a weighted pass, which the bootstrap repeats; `nil` for those with intervals of their
    /// own, which ``BinaryEvaluation`` computes: a robust standard error, and for the calibration error an inverted test.
    let value: (@Sendable (ScoredRows.Tally) -> Double?)?

    init(_ metric: Metric, _ value: (@Sendable (ScoredRows.Tally) -> Double?)? = nil) {
        self.metric = metric
        self.value = value
    }

    /// All of them, in the order of pages.
    static let all: [BinaryMetric] = [
        BinaryMetric(.rocAUC) { $0.rocAUC },
        BinaryMetric(.prAUC) { $0.prAUC },
        BinaryMetric(.logLoss) { $0.meanLogLoss },
        BinaryMetric(.brier) { $0.meanSquaredError },
        BinaryMetric(.ece),
        BinaryMetric(.calibrationSlope),
        BinaryMetric(.calibrationIntercept),
        BinaryMetric(.accuracy) { $0.confusion.accuracy },
        BinaryMetric(.precision) { $0.confusion.precision },
        BinaryMetric(.recall) { $0.confusion.recall },
        BinaryMetric(.f1) { $0.confusion.f1 },
        BinaryMetric(.specificity) { $0.confusion.specificity },
        BinaryMetric(.npv) { $0.confusion.npv },
    ]
}
