/// A metric's values over the folds of a cross-validation, with mean and standard deviation.
package struct FoldSummary: Sendable, Equatable, Codable {
    /// Mean over the folds; `nil` if the metric is undefined in one of them.
    package let mean: Double?
    /// Sample standard deviation over the folds (denominator folds - 1).
    package let sd: Double?
    /// The metric's value in each fold.
    package let folds: [Double?]

    package init(_ folds: [Double?]) {
        self.folds = folds
        let known = folds.compactMap(\.self)
        guard known.count == folds.count, !known.isEmpty else {
            mean = nil
            sd = nil
            return
        }
        let mean = known.reduce(0, +) / Double(known.count)
        self.mean = mean
        let squares = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        sd = known.count > 1 ? (squares / Double(known.count - 1)).squareRoot() : nil
    }
}

/// All metrics over the folds of a cross-validation. In JSON each metric stands under its own name.
package struct CrossValidationResult: Sendable, Equatable, Codable {
    /// Number of folds.
    package let folds: Int
    /// Summaries by metric name.
    package let metrics: [String: FoldSummary]

    init(_ evaluations: [some Evaluation], of metrics: [Metric]) {
        folds = evaluations.count
        self.metrics = metrics.reduce(into: [:]) { summaries, metric in
            summaries[metric.rawValue] = FoldSummary(evaluations.map { $0[metric].value })
        }
    }

    /// The summary of a metric; `nil` when it was not measured.
    package subscript(metric: Metric) -> FoldSummary? { metrics[metric.rawValue] }

    private enum CodingKeys: String, CodingKey { case folds, metrics }

    /// Decodes a result; members with an unknown form, as a later version of Martlet may write, are skipped.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        folds = try container.decodeIfPresent(Int.self, forKey: .folds) ?? 0
        let known = try container.decodeIfPresent([String: Lenient].self, forKey: .metrics) ?? [:]
        metrics = known.compactMapValues(\.summary)
    }

    private struct Lenient: Decodable {
        let summary: FoldSummary?
        init(from decoder: any Decoder) throws { summary = try? FoldSummary(from: decoder) }
    }
}
