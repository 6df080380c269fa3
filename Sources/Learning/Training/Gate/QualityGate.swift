internal import Core

/// A bound on a metric that a model must meet before its version can be used.
///
/// ```swift
/// let result = QualityGate(.rocAUC, atLeast: 0.66).judge(evaluation[.rocAUC])
/// ```
package struct QualityGate: Sendable, Equatable, Codable {
    /// The rows on which the metric is measured.
    package enum Part: String, Sendable, Codable, CaseIterable {
        case test, validation
        /// The mean over the folds of the cross-validation.
        case cv
    }

    /// The metric that is bounded.
    package var metric: Metric
    /// The rows on which the metric is measured; the test part by default.
    package var part: Part
    /// Lower bound; `nil` for none.
    package var atLeast: Double?
    /// Upper bound; `nil` for none.
    package var atMost: Double?

    package init(_ metric: Metric, part: Part = .test, atLeast: Double? = nil, atMost: Double? = nil) {
        self.metric = metric
        self.part = part
        self.atLeast = atLeast
        self.atMost = atMost
    }

    private enum CodingKeys: String, CodingKey {
        case metric, part
        case atLeast = "at_least"
        case atMost = "at_most"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        metric = try container.decode(Metric.self, forKey: .metric)
        part = try container.decodeIfPresent(Part.self, forKey: .part) ?? .test
        atLeast = try container.decodeIfPresent(Double.self, forKey: .atLeast)
        atMost = try container.decodeIfPresent(Double.self, forKey: .atMost)
    }

    /// Throws for a gate without a bound.
    package func check() throws {
        guard atLeast != nil || atMost != nil else {
            throw MartletError(
                .input, "gate.no-bound", "the gate on \(metric.rawValue) has no bound",
                remedy: "add at_least or at_most")
        }
    }

    /// Compares a metric with the bounds. An undefined or missing metric fails.
    ///
    /// For a ceiling on `ece` the upper end of the interval is judged, where there is one: a value near 0 comes as
    /// easily from few rows as from good probabilities.
    package func judge(_ estimate: Estimate?) -> GateResult {
        let place = part == .cv ? "in cross-validation" : "on the \(part.rawValue) part"
        guard let estimate, let value = estimate.value else {
            let why = estimate == nil ? "was not measured" : "is undefined"
            return result(estimate, passed: false, "\(metric.rawValue) \(why) \(place), so the gate fails")
        }
        let ceiling = metric == .ece && atMost != nil ? estimate.high : nil
        let judged = ceiling.map { $0.isNaN ? $0 : max($0, value) } ?? value
        let reach = ceiling.map { ", at most \($0.rounded(to: 4)) by its 95 % interval," } ?? ""
        let figure = "\(metric.rawValue) \(value.rounded(to: 4))\(reach) \(place)"
        if let atLeast, !(value >= atLeast) {
            return result(estimate, passed: false, "\(figure) is below the floor of \(atLeast)")
        }
        if let atMost, !(judged <= atMost) {
            return result(
                estimate, judged: ceiling.map { _ in judged }, passed: false,
                "\(figure) is above the ceiling of \(atMost)")
        }
        let bounds = [atLeast.map { "at least \($0)" }, atMost.map { "at most \($0)" }].compactMap(\.self)
        return result(
            estimate, judged: ceiling.map { _ in judged }, passed: true,
            "\(figure) is \(bounds.joined(separator: " and "))")
    }

    private func result(
        _ estimate: Estimate?, judged: Double? = nil, passed: Bool, _ sentence: String
    ) -> GateResult {
        GateResult(
            metric: metric.rawValue, part: part, atLeast: atLeast, atMost: atMost, value: estimate?.value,
            low: estimate?.low, high: estimate?.high, judged: judged, passed: passed, sentence: sentence)
    }
}

/// The outcome of a quality gate, with the value that was judged.
package struct GateResult: Sendable, Equatable, Codable {
    /// Name of the metric; a text, so that a record of another version of Martlet can be decoded.
    package let metric: String
    /// The rows on which the metric was measured.
    package let part: QualityGate.Part
    /// Lower bound of the gate; `nil` for none.
    package let atLeast: Double?
    /// Upper bound of the gate; `nil` for none.
    package let atMost: Double?
    /// Value of the metric; `nil` when it is undefined or was not measured, so that the gate fails.
    package let value: Double?
    /// Lower end of the metric's 95 % interval; `nil` without one, as in cross-validation.
    package let low: Double?
    /// Upper end of the metric's 95 % interval; `nil` without one, as in cross-validation.
    package let high: Double?
    /// The value compared with the bound where it is not `value`: the upper end of the interval of `ece`.
    package let judged: Double?
    /// Whether the metric is within the bounds; false when it has no value.
    package let passed: Bool
    /// The outcome in words: "roc_auc 0.641 on the test part is below the floor of 0.66".
    package let sentence: String

    private enum CodingKeys: String, CodingKey {
        case metric, part, value, low, high, judged, passed, sentence
        case atLeast = "at_least"
        case atMost = "at_most"
    }
}

extension Double {
    /// The number with so many decimals, for sentences.
    func rounded(to decimals: Int) -> Double {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}
