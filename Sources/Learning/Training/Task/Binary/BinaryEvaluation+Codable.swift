/// The JSON shape: counts and costs, and each metric under its own name as `{value, low, high}`. A metric that a record
/// does not have is undefined, one that is not known is passed over.
extension BinaryEvaluation: Codable {
    private typealias Key = NamedKey

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(rows, forKey: Key("rows"))
        try container.encode(positives, forKey: Key("positives"))
        try container.encode(clusters, forKey: Key("clusters"))
        try container.encode(baseRate, forKey: Key("base_rate"))
        try container.encode(threshold, forKey: Key("threshold"))
        try container.encode(confusion, forKey: Key("confusion"))
        try container.encodeIfPresent(costPer1000, forKey: Key("cost_per_1000"))
        try container.encodeIfPresent(costPer1000AlertNone, forKey: Key("cost_per_1000_alert_none"))
        try container.encodeIfPresent(costPer1000AlertAll, forKey: Key("cost_per_1000_alert_all"))
        try container.encode(metrics, of: BinaryTask.descriptor.metrics)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        rows = try container.decode(Int.self, forKey: Key("rows"))
        positives = try container.decode(Int.self, forKey: Key("positives"))
        clusters = try container.decode(Key("clusters"), or: rows)
        threshold = try container.decode(Double.self, forKey: Key("threshold"))
        confusion = try container.decode(ConfusionMatrix.self, forKey: Key("confusion"))
        costPer1000 = try container.decodeIfPresent(Estimate.self, forKey: Key("cost_per_1000"))
        costPer1000AlertNone = try container.decodeIfPresent(Double.self, forKey: Key("cost_per_1000_alert_none"))
        costPer1000AlertAll = try container.decodeIfPresent(Double.self, forKey: Key("cost_per_1000_alert_all"))
        metrics = try container.decodeEstimates(of: BinaryTask.descriptor.metrics)
    }
}
