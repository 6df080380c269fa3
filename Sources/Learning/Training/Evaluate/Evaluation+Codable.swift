/// The JSON shape: counts and costs, and each metric under its own name as `{value, low, high}`. A metric that a record
/// does not have is undefined, one that is not known is passed over.
extension Evaluation: Codable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }

        static let rows = Key("rows")
        static let positives = Key("positives")
        static let clusters = Key("clusters")
        static let baseRate = Key("base_rate")
        static let threshold = Key("threshold")
        static let confusion = Key("confusion")
        static let cost = Key("cost_per_1000")
        static let costNone = Key("cost_per_1000_alert_none")
        static let costAll = Key("cost_per_1000_alert_all")
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(rows, forKey: .rows)
        try container.encode(positives, forKey: .positives)
        try container.encode(clusters, forKey: .clusters)
        try container.encode(baseRate, forKey: .baseRate)
        try container.encode(threshold, forKey: .threshold)
        try container.encode(confusion, forKey: .confusion)
        try container.encodeIfPresent(costPer1000, forKey: .cost)
        try container.encodeIfPresent(costPer1000AlertNone, forKey: .costNone)
        try container.encodeIfPresent(costPer1000AlertAll, forKey: .costAll)
        for metric in Metric.allCases { try container.encode(self[metric], forKey: Key(metric.rawValue)) }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        rows = try container.decode(Int.self, forKey: .rows)
        positives = try container.decode(Int.self, forKey: .positives)
        clusters = try container.decode(.clusters, or: rows)
        threshold = try container.decode(Double.self, forKey: .threshold)
        confusion = try container.decode(ConfusionMatrix.self, forKey: .confusion)
        costPer1000 = try container.decodeIfPresent(Estimate.self, forKey: .cost)
        costPer1000AlertNone = try container.decodeIfPresent(Double.self, forKey: .costNone)
        costPer1000AlertAll = try container.decodeIfPresent(Double.self, forKey: .costAll)
        var metrics: [Metric: Estimate] = [:]
        for metric in Metric.allCases {
            metrics[metric] = try container.decode(Key(metric.rawValue), or: Estimate(nil))
        }
        self.metrics = metrics
    }
}
