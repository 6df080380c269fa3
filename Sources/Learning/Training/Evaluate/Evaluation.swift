internal import Core

/// How well probabilities foretell the outcomes of a set of rows, and how well decisions at a threshold do.
package struct Evaluation: Sendable, Equatable {
    package let rows: Int
    package let positives: Int
    /// The resampling units of the intervals: groups, or rows where the model has no group.
    package let clusters: Int
    package let threshold: Double
    package let confusion: ConfusionMatrix
    package let metrics: [Metric: Estimate]
    /// Cost of the wrong decisions per 1,000 rows, where costs are given.
    package let costPer1000: Estimate?
    /// The same if no row were called positive, and if every row were.
    package let costPer1000AlertNone: Double?
    package let costPer1000AlertAll: Double?

    package var baseRate: Double { Double(positives) / Double(rows) }

    /// Evaluates probabilities against labels (0 or 1). Refuses no rows and values that are not probabilities.
    /// - Parameters:
    ///   - groups: the clusters of the intervals; `nil` takes every row by itself.
    ///   - bootstrap: `nil` leaves the intervals out but for that of the calibration error, which needs no resampling.
    package init(
        labels: [UInt8], probabilities: [Double], threshold: Double, groups: [String]? = nil, costs: Costs? = nil,
        bootstrap: Bootstrap? = Bootstrap()
    ) throws {
        let numbers = groups.map(Self.numbered)
        let scored = try ScoredRows(
            labels: labels, probabilities: probabilities, threshold: threshold, clusters: numbers)
        let tally = scored.tally()
        let line = CalibrationLine(labels: labels, probabilities: probabilities, clusters: numbers)
        let (intervals, costInterval) = bootstrap?.intervals(of: scored, costs: costs) ?? ([:], nil)
        rows = tally.rows
        positives = tally.positives
        clusters = scored.clusters
        self.threshold = threshold
        confusion = tally.confusion
        var metrics: [Metric: Estimate] = [:]
        for metric in Metric.resampled {
            let value = tally[metric]
            let interval = value == nil ? nil : intervals[metric]
            metrics[metric] = Estimate(value, low: interval?.low, high: interval?.high)
        }
        metrics[.ece] = scored.calibrationError()
        metrics[.calibrationSlope] = bootstrap == nil ? Estimate(line.slope.value) : line.slope
        metrics[.calibrationIntercept] = bootstrap == nil ? Estimate(line.intercept.value) : line.intercept
        self.metrics = metrics
        let share = Double(tally.positives) / Double(tally.rows)
        costPer1000 = costs.map {
            Estimate(tally.confusion.costPer1000($0), low: costInterval?.low, high: costInterval?.high)
        }
        costPer1000AlertNone = costs.map { $0.falseNegative * share * 1000 }
        costPer1000AlertAll = costs.map { $0.falsePositive * (1 - share) * 1000 }
    }

    package subscript(metric: Metric) -> Estimate { metrics[metric] ?? Estimate(nil) }

    /// Numbers names by first appearance.
    private static func numbered(_ names: [String]) -> [UInt32] {
        var known: [ByteText: UInt32] = [:]
        known.reserveCapacity(names.count)
        return names.map { name in
            let name = ByteText(name)
            if let number = known[name] { return number }
            let number = UInt32(known.count)
            known[name] = number
            return number
        }
    }
}
