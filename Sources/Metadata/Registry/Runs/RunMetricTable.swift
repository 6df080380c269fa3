internal import SQLText

/// The table `run_metrics`.
struct RunMetricTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func insert(_ metrics: [Metric], run: String) throws {
        for metric in metrics {
            try transaction.connection.execute(
                """
                INSERT INTO run_metrics (project, run, part, name, fold, value, low, high)
                VALUES (\(transaction.project), \(run), \(metric.part), \(metric.name), \(metric.fold ?? -1),
                    \(metric.value), \(metric.low), \(metric.high))
                """)
        }
    }

    func all(run: String) throws -> [Metric] {
        try transaction.connection.rows(
            """
            SELECT * FROM run_metrics WHERE project = \(transaction.project) AND run = \(run) ORDER BY part, name, fold
            """
        ).map(Metric.init(row:))
    }

    /// The figures of whole parts, by run.
    func whole(runs: [String]) throws -> [String: [Metric]] {
        guard !runs.isEmpty else { return [:] }
        let rows = try transaction.connection.rows(
            """
            SELECT * FROM run_metrics WHERE project = \(transaction.project) AND run IN (\(list: runs)) AND fold = -1
            ORDER BY run, part, name
            """)
        var found: [String: [Metric]] = [:]
        for row in rows { found[try row.text("run"), default: []].append(try Metric(row: row)) }
        return found
    }
}

extension Metric {
    fileprivate init(row: SQLRow) throws {
        let fold = try row.int("fold")
        self.init(
            part: try row.text("part"),
            name: try row.text("name"),
            value: try row.optionalReal("value"),
            low: try row.optionalReal("low"),
            high: try row.optionalReal("high"),
            fold: fold < 0 ? nil : fold
        )
    }
}
