internal import SQLText

/// The table `run_params`.
struct RunParamTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func insert(_ params: [String: String], run: String) throws {
        for (name, value) in params.sorted(by: { $0.key < $1.key }) {
            try transaction.connection.execute(
                """
                INSERT INTO run_params (project, run, name, value)
                VALUES (\(transaction.project), \(run), \(name), \(value))
                """)
        }
    }

    func all(run: String) throws -> [String: String] {
        var params: [String: String] = [:]
        let rows = try transaction.connection.rows(
            "SELECT name, value FROM run_params WHERE project = \(transaction.project) AND run = \(run)")
        for row in rows { params[try row.text("name")] = try row.text("value") }
        return params
    }
}
