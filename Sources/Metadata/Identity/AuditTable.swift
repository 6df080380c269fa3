package import Core
package import SQLText

/// Writer and reader of the append-only table `audit`, in the transaction of the change that an entry records.
///
/// ```swift
/// try database.write(scope: .audit) { try AuditTable($0).append(draft, by: author, at: now) }
/// ```
package struct AuditTable {
    let connection: any SQLConnection

    package init(_ connection: any SQLConnection) { self.connection = connection }

    /// Appends an entry.
    package func append(_ draft: AuditDraft, by author: Author, at now: Timestamp) throws {
        try connection.lock(.audit)
        let last = try connection.row("SELECT COALESCE(MAX(position), 0) AS last FROM audit")?.int("last") ?? 0
        try connection.execute(
            """
            INSERT INTO audit (position, at, actor, action, subject, project, was, became, request)
            VALUES (\(last + 1), \(now), \(author.actor), \(draft.action), \(draft.subject), \(draft.project),
                \(try draft.before.map { try JSON.text($0) }), \(try draft.after.map { try JSON.text($0) }),
                \(author.request))
            """)
    }

    /// By time, the first `limit`.
    /// - Parameter place: only what comes behind this moment and, of that moment, behind this position.
    func list(_ query: AuditQuery, behind place: (at: Timestamp, position: Int)? = nil) throws -> [AuditEntry] {
        var statement = select(query)
        if let place {
            statement += " AND (at > \(place.at) OR (at = \(place.at) AND position > \(place.position)))"
        }
        return try connection.rows(statement + " ORDER BY at, position LIMIT \(query.limit)")
            .map(AuditEntry.init(row:))
    }

    /// By time, the last `limit`.
    func newest(_ query: AuditQuery) throws -> [AuditEntry] {
        try connection.rows(select(query) + " ORDER BY at DESC, position DESC LIMIT \(query.limit)")
            .map(AuditEntry.init(row:)).reversed()
    }

    func count(_ query: AuditQuery) throws -> Int {
        try connection.row("SELECT COUNT(*) AS n FROM (\(select(query))) AS found")?.int("n") ?? 0
    }

    private func select(_ query: AuditQuery) -> SQL {
        var statement: SQL = "SELECT * FROM audit WHERE position > \(query.after)"
        if let actor = query.actor { statement += " AND actor = \(actor)" }
        if let since = query.since { statement += " AND at >= \(since)" }
        if let until = query.until { statement += " AND at < \(until)" }
        if let action = query.action {
            // "/" is the character behind ".".
            statement += " AND (action = \(action) OR (action > \(action + ".") AND action < \(action + "/")))"
        }
        if let subject = query.subject {
            // "0" is the character behind "/".
            statement += " AND (subject = \(subject) OR (subject > \(subject + "/") AND subject < \(subject + "0")))"
        }
        return statement
    }
}

extension AuditEntry {
    fileprivate init(row: SQLRow) throws {
        func json(_ column: String) throws -> JSONValue? {
            try row.optionalText(column).map { JSONValue(parsing: $0) ?? .text($0) }
        }
        self.init(
            position: try row.int("position"), at: try row.timestamp("at"), actor: try row.text("actor"),
            action: try row.text("action"), subject: try row.text("subject"), project: try row.optionalText("project"),
            before: try json("was"), after: try json("became"), request: try row.optionalText("request"))
    }
}
