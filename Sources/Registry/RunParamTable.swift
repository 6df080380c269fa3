internal import SQLText

/// The table `run_params`.
struct RunParamTable {
    private let page: Page

    init(_ page: Page) { self.page = page }

    func insert(_ params: [String: String], run: String) throws {
        for (name, value) in params.sorted(by: { $0.key < $1.key }) {
            try page.connection.execute(
                """
                INSERT INTO run_params (project, run, name, value)
                VALUES (\(page.project), \(run), \(name), \(value))
                """)
        }
    }

    func all(run: String) throws -> [String: String] {
        var params: [String: String] = [:]
        let rows = try page.connection.rows(
            "SELECT name, value FROM run_params WHERE project = \(page.project) AND run = \(run)")
        for row in rows { params[try row.text("name")] = try row.text("value") }
        return params
    }
}
