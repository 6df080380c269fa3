/// Result of judging outcomes by labels: metrics with intervals, and what else the task measures.
package protocol Evaluation: Sendable, Equatable, Codable {
    /// Number of rows.
    var rows: Int { get }
    /// Number of resampling units for the intervals: groups, or rows where the model has no group.
    var clusters: Int { get }
    /// Each metric with its interval.
    var metrics: [Metric: Estimate] { get }
    /// Further figures by name, in the order in which they are recorded; see ``TaskDescriptor/figures``.
    var figures: [(name: String, estimate: Estimate)] { get }
    /// What the rows are made of, as a phrase: "1,200 positive, base rate 12 %".
    var composition: String? { get }
    /// Rows below the metrics of a model card's table.
    var cardRows: [(name: String, estimate: Estimate)] { get }
    /// Lines of Markdown below that table.
    var cardLines: [String] { get }
}

extension Evaluation {
    /// The estimate of a metric; undefined if it was not computed.
    package subscript(metric: Metric) -> Estimate { metrics[metric] ?? Estimate(nil) }

    package var figures: [(name: String, estimate: Estimate)] { [("rows", Estimate(Double(rows)))] }
    package var composition: String? { nil }
    package var cardRows: [(name: String, estimate: Estimate)] { [] }
    package var cardLines: [String] { [] }
}

/// A member of a JSON object whose name is known at run time only.
package struct NamedKey: CodingKey {
    package let stringValue: String
    package var intValue: Int? { nil }

    package init(_ name: String) { stringValue = name }
    package init?(stringValue: String) { self.stringValue = stringValue }
    package init?(intValue: Int) { nil }
}

extension KeyedEncodingContainer<NamedKey> {
    /// Writes each metric of a task under its own name as `{value, low, high}`, undefined ones too. One that a record of
    /// before does not have stays away, so that its bytes are the same however many metrics come.
    mutating func encode(_ estimates: [Metric: Estimate], of metrics: [Metric]) throws {
        for metric in metrics { try encodeIfPresent(estimates[metric], forKey: Key(metric.rawValue)) }
    }
}

extension KeyedDecodingContainer<NamedKey> {
    /// Reads the metrics of a task. One that a record does not have is undefined, one that is not known is skipped.
    func decodeEstimates(of metrics: [Metric]) throws -> [Metric: Estimate] {
        try metrics.reduce(into: [:]) { $0[$1] = try decodeIfPresent(Estimate.self, forKey: Key($1.rawValue)) }
    }
}
