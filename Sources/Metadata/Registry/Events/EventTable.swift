internal import Core
internal import SQLText

/// The table `events`, which only grows.
struct EventTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    private var source: String { "/projects/\(transaction.project)" }

    /// The position of the newest event; 0 if there is none.
    func head() throws -> Int {
        try transaction.connection.row(
            "SELECT COALESCE(MAX(position), 0) AS head FROM events WHERE project = \(transaction.project)"
        )?.int("head") ?? 0
    }

    /// Writes an event at the end. Gives its position; `nil`, with nothing written, if it is there already.
    func append(_ draft: EventDraft) throws -> Int? {
        let known = try transaction.connection.row(
            "SELECT position FROM events WHERE project = \(transaction.project) AND source = \(source) AND id = \(draft.id)"
        )
        guard known == nil else { return nil }
        let position = try head() + 1
        try transaction.connection.execute(
            """
            INSERT INTO events (project, position, source, id, type, subject, time, data)
            VALUES (\(transaction.project), \(position), \(source), \(draft.id), \(draft.type.rawValue), \(draft.subject),
                \(draft.time), \(JSON.text(draft.data)))
            """)
        return position
    }

    /// How many events have an id below `prefix`, which ends without a slash.
    func count(below prefix: String) throws -> Int {
        // "0" follows "/" in the order of bytes.
        try transaction.connection.row(
            """
            SELECT COUNT(*) AS n FROM events
            WHERE project = \(transaction.project) AND source = \(source) AND id > \(prefix + "/") AND id < \(prefix + "0")
            """
        )?.int("n") ?? 0
    }

    /// In order of position.
    func list(_ query: EventQuery) throws -> [Event] {
        try transaction.connection.rows(select(query) + " ORDER BY position LIMIT \(query.limit)").map(Event.init(row:))
    }

    /// The last of those asked for, in order of position.
    func newest(_ query: EventQuery) throws -> [Event] {
        try transaction.connection.rows(select(query) + " ORDER BY position DESC LIMIT \(query.limit)")
            .map(Event.init(row:)).reversed()
    }

    /// How many are asked for, whatever the limit.
    func count(_ query: EventQuery) throws -> Int {
        try transaction.connection.row("SELECT COUNT(*) AS n FROM (\(select(query))) AS found")?.int("n") ?? 0
    }

    /// The position of the first event that happened at `instant` or later.
    func first(since instant: Timestamp) throws -> Int? {
        try transaction.connection.row(
            "SELECT MIN(position) AS first FROM events WHERE project = \(transaction.project) AND time >= \(instant)"
        )?.optionalInt("first")
    }

    private func select(_ query: EventQuery) -> SQL {
        var statement: SQL = "SELECT * FROM events WHERE project = \(transaction.project) AND position > \(query.after)"
        if query.before < .max { statement += " AND position < \(query.before)" }
        if !query.types.isEmpty { statement += " AND type IN (\(list: query.types.map(\.rawValue)))" }
        if let since = query.since { statement += " AND time >= \(since)" }
        return statement
    }
}

extension Event {
    fileprivate init(row: SQLRow) throws {
        let text = try row.text("data")
        guard let data = try? JSON.decode(JSONValue.self, from: text) else {
            throw MartletError(
                .machine, "metadata.corrupt", "The data of an event in the metadata database is not JSON.",
                remedy: "It was altered from outside, or is damaged: restore martlet.db from a copy.")
        }
        self.init(
            position: try row.int("position"), source: try row.text("source"), id: try row.text("id"),
            type: try row.text("type"), subject: try row.text("subject"), time: try row.timestamp("time"), data: data)
    }
}
