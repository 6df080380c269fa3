package import Core
internal import SQLText

/// A named reader of the event outbox with its position.
package struct Consumer: Sendable, Equatable, Encodable {
    /// Name given by the reader, unique in the project: up to 100 ASCII letters, digits, -, _ and dots.
    package let name: String
    /// Position up to which events were delivered, inclusive.
    package let position: Int
    /// Number of events not yet delivered.
    package let behind: Int
    /// When the consumer was created, at the first use of its name.
    package let created: Timestamp
    /// When its position last changed.
    package let moved: Timestamp
}

/// The table `consumers`.
struct ConsumerTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func all() throws -> [Consumer] {
        let head = try EventTable(transaction).head()
        return try transaction.connection.rows(
            "SELECT * FROM consumers WHERE project = \(transaction.project) ORDER BY name"
        ).map { try Consumer(row: $0, head: head) }
    }

    func find(_ name: String) throws -> Consumer? {
        guard
            let row = try transaction.connection.row(
                "SELECT * FROM consumers WHERE project = \(transaction.project) AND name = \(name)")
        else { return nil }
        return try Consumer(row: row, head: try EventTable(transaction).head())
    }

    func insert(_ name: String, position: Int, at now: Timestamp) throws {
        try transaction.connection.execute(
            """
            INSERT INTO consumers (project, name, position, created, moved)
            VALUES (\(transaction.project), \(name), \(position), \(now), \(now))
            """)
    }

    func move(_ name: String, to position: Int, at now: Timestamp) throws {
        try transaction.connection.execute(
            """
            UPDATE consumers SET position = \(position), moved = \(now)
            WHERE project = \(transaction.project) AND name = \(name)
            """)
    }
}

/// The table `effects`: which events each consumer has processed.
struct EffectTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func exists(_ consumer: String, _ event: Event) throws -> Bool {
        try transaction.connection.row(
            """
            SELECT 1 FROM effects
            WHERE project = \(transaction.project) AND consumer = \(consumer) AND source = \(event.source)
                AND id = \(event.id)
            """) != nil
    }

    func insert(_ consumer: String, _ event: Event, at now: Timestamp) throws {
        try transaction.connection.execute(
            """
            INSERT INTO effects (project, consumer, source, id, at)
            VALUES (\(transaction.project), \(consumer), \(event.source), \(event.id), \(now))
            """)
    }
}

extension Consumer {
    fileprivate init(row: SQLRow, head: Int) throws {
        let position = try row.int("position")
        self.init(
            name: try row.text("name"), position: position, behind: max(0, head - position),
            created: try row.timestamp("created"), moved: try row.timestamp("moved"))
    }
}
