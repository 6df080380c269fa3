/// How a quality gate came out: a metric, a bound, and whether it held.
package struct GateResult: Sendable, Equatable, Encodable, CustomStringConvertible {
    package enum Comparator: String, Sendable, Encodable {
        case atLeast = "at_least"
        case atMost = "at_most"
    }

    package let part: String
    package let metric: String
    package let comparator: Comparator
    package let bound: Double
    /// `nil` where the metric was undefined; such a gate has not passed.
    package let value: Double?
    package let passed: Bool

    package init(part: String, metric: String, comparator: Comparator, bound: Double, value: Double?) {
        self.part = part
        self.metric = metric
        self.comparator = comparator
        self.bound = bound
        self.value = value
        passed = value.map { comparator == .atLeast ? $0 >= bound : $0 <= bound } ?? false
    }

    /// "test roc_auc 0.61 < 0.66".
    package var description: String {
        guard let value else { return "\(part) \(metric) is undefined" }
        let sign =
            switch (comparator, passed) {
            case (.atLeast, true): "≥"
            case (.atLeast, false): "<"
            case (.atMost, true): "≤"
            case (.atMost, false): ">"
            }
        return "\(part) \(metric) \(value) \(sign) \(bound)"
    }
}
