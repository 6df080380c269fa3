/// The differences between runs. Lists of values are in the order of `runs`; what is equal in all is left out.
package struct RunComparison: Sendable, Equatable, Encodable {
    /// Values of a parameter or table in each run; `nil` where a run has none of that name.
    package struct Difference: Sendable, Equatable, Encodable {
        /// Name of the parameter, or of the table with its layer.
        package let name: String
        /// The parameter's value or the table's content hash in each run, in the order of `runs`.
        package let values: [String?]
    }

    /// Values of a metric in each run.
    package struct MetricDifference: Sendable, Equatable, Encodable {
        /// Name of the part: "test", "validation", "cv".
        package let part: String
        /// Name of the metric: "roc_auc", "log_loss", …
        package let name: String
        /// Value in each run, in the order of `runs`; `nil` where it was not measured or is undefined.
        package let values: [Double?]
    }

    /// The runs compared, in the order asked for.
    package let runs: [RunSummary]
    /// Differing parameters, by name.
    package let params: [Difference]
    /// Differing metrics of whole parts.
    package let metrics: [MetricDifference]
    /// Differing content hashes of the tables that the runs read.
    package let tables: [Difference]

    init(_ runs: [Run], summaries: [RunSummary]) {
        self.runs = summaries
        params = Self.differences(runs.map(\.params))
        tables = Self.differences(
            runs.map { run in
                Dictionary(run.lineage.tables.map { ($0.name, $0.hash) }, uniquingKeysWith: { first, _ in first })
            })
        let parts = Set(runs.flatMap(\.metrics.parts)).sorted()
        metrics = parts.flatMap { part in
            Set(runs.flatMap { $0.metrics.names(in: part) }).sorted().compactMap { name in
                let values = runs.map { $0.metrics[part, name]?.value }
                return Set(values).count > 1 ? MetricDifference(part: part, name: name, values: values) : nil
            }
        }
    }

    private static func differences(_ sides: [[String: String]]) -> [Difference] {
        Set(sides.flatMap(\.keys)).sorted().compactMap { name in
            let values = sides.map { $0[name] }
            return Set(values).count > 1 ? Difference(name: name, values: values) : nil
        }
    }
}
