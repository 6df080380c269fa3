internal import SQLText
internal import Vocabulary

/// The table `registered_models`.
struct ModelTable {
    private let page: Page

    init(_ page: Page) { self.page = page }

    func insert(_ model: String, at now: Timestamp) throws {
        try page.connection.execute(
            """
            INSERT INTO registered_models (project, name, created)
            VALUES (\(page.project), \(model), \(now)) ON CONFLICT (project, name) DO NOTHING
            """)
    }

    /// Names and times of creation, by name.
    func all() throws -> [(name: String, created: Timestamp)] {
        try page.connection.rows(
            "SELECT name, created FROM registered_models WHERE project = \(page.project) ORDER BY name"
        ).map { (try $0.text("name"), try $0.timestamp("created")) }
    }
}
