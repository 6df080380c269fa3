package import Core
package import SQLText

/// Identifies a request that must take effect only once, by the client's `Idempotency-Key`.
package struct IdempotencyKey: Sendable, Equatable {
    /// Name of the project that the request changes.
    package let project: String
    /// Caller of the request, as in the audit log: "user:ada", "token:scoring".
    package let actor: String
    /// The key as the client sent it; each actor has its own keys.
    package let key: String
    /// Digest of the request's method, address and body.
    package let digest: Digest

    package init(project: String, actor: String, key: String, digest: Digest) {
        self.project = project
        self.actor = actor
        self.key = key
        self.digest = digest
    }

    /// Primary key of the request in the table.
    package var name: String { "\(project)\n\(actor)\n\(key)" }
}

/// Completed requests by idempotency key with their responses, kept for a day (table `request_keys`).
///
/// ```swift
/// let keys = IdempotencyTable(database)
/// if let done = try keys.find(key, at: now) { return done.answer }
/// ```
package struct IdempotencyTable: Sendable {
    private static let kept: Int64 = 24 * 3_600_000_000
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    /// Returns the stored response to a request; `nil` if it was not completed yet.
    /// - Throws: `request.key-taken` when the key belongs to another request, `request.no-answer` when it was done but
    ///   the answer was lost.
    package func find(_ mark: IdempotencyKey, at now: Timestamp) throws -> (status: Int, answer: String)? {
        let row = try database.read { connection in
            try connection.row(
                """
                SELECT digest, status, answer FROM request_keys
                WHERE project = \(mark.project) AND actor = \(mark.actor) AND request_key = \(mark.key)
                    AND created > \(now.microseconds - IdempotencyTable.kept)
                """)
        }
        guard let row else { return nil }
        guard try row.digest("digest") == mark.digest else {
            throw MartletError(
                .input, "request.key-taken", "This Idempotency-Key belongs to another request.",
                remedy: "Use a key of its own for each request.")
        }
        guard let status = try row.optionalInt("status"), let answer = try row.optionalText("answer") else {
            throw MartletError(
                .conflict, "request.no-answer", "This request was carried out, but its answer was lost in a crash.",
                remedy: "Look at what it was to change; it is not done twice.")
        }
        return (status, answer)
    }

    /// Records, in the transaction of a change, that its request is completed; idempotent within the transaction.
    ///
    /// - Throws: `request.underway` when another server has completed the request since it was looked up; roll back
    ///   then.
    package static func write(_ mark: IdempotencyKey, at now: Timestamp, _ connection: any SQLConnection) throws {
        try connection.execute(
            "DELETE FROM request_keys WHERE created <= \(now.microseconds - kept)")
        let isNew =
            try connection.execute(
                """
                INSERT INTO request_keys (project, actor, request_key, digest, created)
                VALUES (\(mark.project), \(mark.actor), \(mark.key), \(mark.digest), \(now))
                ON CONFLICT (project, actor, request_key) DO NOTHING
                """) > 0
        if isNew { return }
        let known = try connection.row(
            """
            SELECT created FROM request_keys
            WHERE project = \(mark.project) AND actor = \(mark.actor) AND request_key = \(mark.key)
            """)
        // One of this request was written by it, at the same moment.
        guard try known?.timestamp("created") == now else {
            throw MartletError(
                .conflict, "request.underway", "The request with this Idempotency-Key is at work on another server.",
                remedy: "Ask again in a moment.")
        }
    }

    /// Stores the response to a completed request.
    package func keep(_ mark: IdempotencyKey, status: Int, answer: String, at now: Timestamp) throws {
        try database.write(scope: .identity) { connection in
            try IdempotencyTable.write(mark, at: now, connection)
            try connection.execute(
                """
                UPDATE request_keys SET status = \(status), answer = \(answer)
                WHERE project = \(mark.project) AND actor = \(mark.actor) AND request_key = \(mark.key)
                    AND digest = \(mark.digest)
                """)
        }
    }
}
