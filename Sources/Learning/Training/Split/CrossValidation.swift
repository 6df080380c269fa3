/// A metric over the folds of a cross-validation.
package struct FoldSummary: Sendable, Equatable, Codable {
    /// Mean over the folds; `nil` if it is undefined in one of them.
    package let mean: Double?
    /// Standard deviation over the folds, with folds - 1.
    package let sd: Double?
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

/// The metrics of every fold and their means. JSON has each metric under its own name.
package struct CrossValidationResult: Sendable, Equatable, Codable {
    package let folds: Int
    /// By metric name.
    package let metrics: [String: FoldSummary]

    init(_ evaluations: [Evaluation]) {
        folds = evaluations.count
        var metrics: [String: FoldSummary] = [:]
        for metric in Metric.allCases { metrics[metric.rawValue] = FoldSummary(evaluations.map { $0[metric].value }) }
        self.metrics = metrics
    }

    package subscript(metric: Metric) -> FoldSummary? { metrics[metric.rawValue] }

    private enum CodingKeys: String, CodingKey { case folds, metrics }

    /// What a later version of Martlet measures besides may have any form; it is left out.
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
