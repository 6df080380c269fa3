/// Evaluation of predicted probabilities and thresholded decisions on a set of rows: metrics, confusion matrix, costs.
///
/// ```swift
/// let test = try BinaryEvaluation(labels: labels, probabilities: probabilities, threshold: 0.3)
/// test[.rocAUC].value
/// ```
package struct BinaryEvaluation: Evaluation {
    /// Number of rows.
    package let rows: Int
    /// Number of rows with label 1.
    package let positives: Int
    /// Number of resampling units for the intervals: groups, or rows where the model has no group.
    package let clusters: Int
    /// The decision threshold.
    package let threshold: Double
    /// Counts of decisions at the threshold.
    package let confusion: ConfusionMatrix
    /// Each metric with its interval.
    package let metrics: [Metric: Estimate]
    /// Cost of wrong decisions per 1,000 rows; `nil` without costs.
    package let costPer1000: Estimate?
    /// Cost per 1,000 rows if no row were predicted positive.
    package let costPer1000AlertNone: Double?
    /// Cost per 1,000 rows if every row were predicted positive.
    package let costPer1000AlertAll: Double?

    /// Share of positive rows.
    package var baseRate: Double { Double(positives) / Double(rows) }

    /// Evaluates probabilities against labels (0 or 1). Throws for no rows and for values that are not probabilities.
    /// - Parameters:
    ///   - groups: the clusters of the intervals; `nil` takes every row by itself.
    ///   - bootstrap: `nil` leaves the intervals out but for that of the calibration error, which needs no resampling.
    package init(
        labels: [UInt8], probabilities: [Double], threshold: Double, groups: [String]? = nil, costs: Costs? = nil,
        bootstrap: Bootstrap? = Bootstrap()
    ) throws {
        let numbers = groups.map(Bootstrap.clusters)
        let scored = try ScoredRows(
            labels: labels, probabilities: probabilities, threshold: threshold, clusters: numbers)
        let tally = scored.tally()
        let line = CalibrationLine(labels: labels, probabilities: probabilities, clusters: numbers)
        let resampled = BinaryMetric.all.compactMap { item in item.value.map { (metric: item.metric, value: $0) } }
        let intervals = bootstrap?.intervals(clusters: scored.clusters, figures: resampled.count + 1) { counts in
            let tally = scored.tally(counts: counts)
            return resampled.map { $0.value(tally) } + [costs.flatMap { tally.confusion.costPer1000($0) }]
        }
        rows = tally.rows
        positives = tally.positives
        clusters = scored.clusters
        self.threshold = threshold
        confusion = tally.confusion
        var metrics: [Metric: Estimate] = [:]
        for (place, item) in resampled.enumerated() {
            metrics[item.metric] = Estimate(item.value(tally), within: intervals?[place] ?? nil)
        }
        metrics[.ece] = scored.calibrationError()
        metrics[.calibrationSlope] = bootstrap == nil ? Estimate(line.slope.value) : line.slope
        metrics[.calibrationIntercept] = bootstrap == nil ? Estimate(line.intercept.value) : line.intercept
        self.metrics = metrics
        let share = Double(tally.positives) / Double(tally.rows)
        costPer1000 = costs.map { Estimate(tally.confusion.costPer1000($0), within: intervals?.last ?? nil) }
        costPer1000AlertNone = costs.map { $0.falseNegative * share * 1000 }
        costPer1000AlertAll = costs.map { $0.falsePositive * (1 - share) * 1000 }
    }
}
