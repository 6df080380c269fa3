internal import SQLText

/// The table `run_gates`, in the order of the configuration.
struct RunGateTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func insert(_ gates: [GateResult], run: String) throws {
        for (position, gate) in gates.enumerated() {
            try transaction.connection.execute(
                """
                INSERT INTO run_gates
                    (project, run, position, part, metric, comparator, bound, value, judged, passed)
                VALUES (\(transaction.project), \(run), \(position), \(gate.part), \(gate.metric),
                    \(gate.comparator.rawValue), \(gate.bound), \(gate.value), \(gate.judged), \(gate.passed))
                """)
        }
    }

    func all(run: String) throws -> [GateResult] {
        try transaction.connection.rows(
            "SELECT * FROM run_gates WHERE project = \(transaction.project) AND run = \(run) ORDER BY position"
        ).map { row in
            GateResult(
                part: try row.text("part"),
                metric: try row.text("metric"),
                comparator: try row.oneOf("comparator"),
                bound: try row.real("bound"),
                value: try row.optionalReal("value"),
                judged: try row.optionalReal("judged")
            )
        }
    }
}
