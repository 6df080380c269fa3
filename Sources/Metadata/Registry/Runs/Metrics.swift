/// A metric's value measured on a part of a run's data.
package struct Metric: Sendable, Equatable {
    /// Name of the part: "test", "validation", "cv".
    package let part: String
    /// Name of the metric: "roc_auc", "log_loss", …
    package let name: String
    /// The value; `nil` where the metric is undefined (one class only, no positive prediction).
    package let value: Double?
    /// Lower end of the 95 % interval, where one was computed.
    package let low: Double?
    /// Upper end of the 95 % interval.
    package let high: Double?
    /// Fold of a cross-validation, from 0; `nil` for the value of the whole part.
    package let fold: Int?

    /// Makes a metric; values that are not finite count as undefined.
    package init(
        part: String, name: String, value: Double?, low: Double? = nil, high: Double? = nil, fold: Int? = nil
    ) {
        self.part = part
        self.name = name
        self.value = value.finite
        self.low = low.finite
        self.high = high.finite
        self.fold = fold
    }
}

/// All metrics of a run.
///
/// As JSON they are nested by part and name, `{"test": {"roc_auc": {"value": …, "low": …, "high": …}}}`, with
/// null for what is undefined; where there are folds, `"folds"` lists their values in order.
package struct Metrics: Sendable, Equatable, ExpressibleByArrayLiteral {
    /// Every metric, of whole parts and of folds; as read back, by part, name and fold.
    package var all: [Metric]

    package init(_ all: [Metric] = []) { self.all = all }
    package init(arrayLiteral elements: Metric...) { all = elements }

    /// The metric of a whole part; `nil` when it was not measured.
    package subscript(part: String, name: String) -> Metric? {
        all.first { $0.part == part && $0.name == name && $0.fold == nil }
    }

    /// Returns the names of the metrics measured on a part, sorted.
    package func names(in part: String) -> [String] {
        Set(all.lazy.filter { $0.part == part }.map(\.name)).sorted()
    }

    /// Names of the parts, sorted: "cv", "test", …
    package var parts: [String] { Set(all.map(\.part)).sorted() }
}

extension Metrics: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var nested: [String: [String: Figure]] = [:]
        for metric in all {
            var figure = nested[metric.part]?[metric.name] ?? Figure()
            if let fold = metric.fold {
                figure.folds.append((fold, metric.value))
            } else {
                (figure.value, figure.low, figure.high) = (metric.value, metric.low, metric.high)
            }
            nested[metric.part, default: [:]][metric.name] = figure
        }
        try nested.encode(to: encoder)
    }

    private struct Figure: Encodable {
        var value: Double?
        var low: Double?
        var high: Double?
        var folds: [(fold: Int, value: Double?)] = []

        enum CodingKeys: String, CodingKey {
            case value, low, high, folds
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(value, forKey: .value)
            try container.encode(low, forKey: .low)
            try container.encode(high, forKey: .high)
            if !folds.isEmpty {
                try container.encode(folds.sorted { $0.fold < $1.fold }.map(\.value), forKey: .folds)
            }
        }
    }
}

extension Double? {
    fileprivate var finite: Double? { self.flatMap { $0.isFinite ? $0 : nil } }
}
