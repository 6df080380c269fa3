/// The outcome of a quality gate as stored with a run: metric, bound, and whether it passed.
package struct GateResult: Sendable, Equatable, Encodable, CustomStringConvertible {
    /// Direction of the bound.
    package enum Comparator: String, Sendable, Encodable {
        case atLeast = "at_least"
        case atMost = "at_most"
    }

    /// Part of the data that the metric is measured on: "test", "validation", "cv".
    package let part: String
    /// Name of the metric: "roc_auc", "ece".
    package let metric: String
    /// Whether the value must be at least or at most `bound`.
    package let comparator: Comparator
    /// The bound that the project file sets; a value equal to it passes.
    package let bound: Double
    /// The metric's value; `nil` where it was undefined, which fails the gate.
    package let value: Double?
    /// The value compared with the bound where it is not `value`: the upper end of the interval of `ece`.
    package let judged: Double?
    /// Whether `judged`, or else `value`, keeps the bound; `false` where that is undefined.
    package let passed: Bool

    package init(
        part: String, metric: String, comparator: Comparator, bound: Double, value: Double?, judged: Double? = nil
    ) {
        self.part = part
        self.metric = metric
        self.comparator = comparator
        self.bound = bound
        self.value = value
        self.judged = judged
        passed = (judged ?? value).map { comparator == .atLeast ? $0 >= bound : $0 <= bound } ?? false
    }

    /// The outcome as text: "test roc_auc 0.61 < 0.66"; "test ece 0.012, upper end 0.031 ≤ 0.05".
    package var description: String { sentence { "\($0)" } }

    /// Describes the outcome in words with a given format for numbers.
    package func sentence(_ number: (Double) -> String) -> String {
        guard let value else { return "\(part) \(metric) is undefined" }
        let sign =
            switch (comparator, passed) {
            case (.atLeast, true): "≥"
            case (.atLeast, false): "<"
            case (.atMost, true): "≤"
            case (.atMost, false): ">"
            }
        // A number that rounds to its bound is shown in full.
        func short(_ value: Double) -> String { number(value) == number(bound) ? "\(value)" : number(value) }
        let end = judged.map { ", upper end \(short($0))" } ?? ""
        return "\(part) \(metric) \(judged == nil ? short(value) : number(value))\(end) \(sign) \(bound)"
    }
}
