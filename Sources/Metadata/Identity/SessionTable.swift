internal import Core
internal import SQLText

/// The table `sessions`.
struct SessionTable {
    let connection: any SQLConnection

    func insert(_ session: Session) throws {
        try connection.execute(
            """
            INSERT INTO sessions (id, user_id, created, expires)
            VALUES (\(session.id), \(session.user.id), \(session.created), \(session.expires))
            """)
    }

    /// Gives the number of sessions that this ended.
    func end(_ id: String, at now: Timestamp) throws -> Int {
        try connection.execute("UPDATE sessions SET ended = \(now) WHERE id = \(id) AND ended IS NULL")
    }

    func endAll(of user: User, at now: Timestamp) throws {
        try connection.execute("UPDATE sessions SET ended = \(now) WHERE user_id = \(user.id) AND ended IS NULL")
    }

    /// Forgets those whose time is over: no cookie names them any more.
    func forget(before now: Timestamp) throws {
        try connection.execute("DELETE FROM sessions WHERE expires <= \(now)")
    }

    /// The sessions that hold at `now`, with the people of today: role and name are not the cookie's to say.
    func valid(at now: Timestamp) throws -> [(id: String, principal: Principal)] {
        try connection.rows(
            """
            SELECT s.id AS session, s.expires, u.id AS id, u.name, u.role FROM sessions s JOIN users u ON u.id = s.user_id
            WHERE s.ended IS NULL AND s.expires > \(now) AND u.disabled IS NULL
            """
        ).map { row in
            (
                try row.text("session"),
                Principal(
                    kind: .user, id: try row.text("id"), name: try row.text("name"), role: try row.oneOf("role"),
                    expires: try row.timestamp("expires"))
            )
        }
    }
}
