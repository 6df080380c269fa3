internal import SQLText

/// The table `run_gates`, in the order of the configuration.
struct RunGateTable {
    private let page: Page

    init(_ page: Page) { self.page = page }

    func insert(_ gates: [GateResult], run: String) throws {
        for (position, gate) in gates.enumerated() {
            try page.connection.execute(
                """
                INSERT INTO run_gates
                    (project, run, position, part, metric, comparator, bound, value, judged, passed)
                VALUES (\(page.project), \(run), \(position), \(gate.part), \(gate.metric),
                    \(gate.comparator.rawValue), \(gate.bound), \(gate.value), \(gate.judged), \(gate.passed))
                """)
        }
    }

    func all(run: String) throws -> [GateResult] {
        try page.connection.rows(
            "SELECT * FROM run_gates WHERE project = \(page.project) AND run = \(run) ORDER BY position"
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
