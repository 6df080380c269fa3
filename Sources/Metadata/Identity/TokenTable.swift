internal import Core
internal import SQLText

/// The tables `api_tokens` and `api_token_uses`.
struct TokenTable {
    let connection: any SQLConnection

    private static let columns: SQL = """
        SELECT t.*, u.last_used AS last_used FROM api_tokens t LEFT JOIN api_token_uses u ON u.token = t.id
        """

    /// Newest first.
    func all() throws -> [APIToken] {
        try connection.rows(TokenTable.columns + " ORDER BY t.created DESC, t.id DESC").map(APIToken.init(row:))
    }

    /// The token with this name, id or shown prefix; several where a prefix fits more than one.
    func find(_ text: String) throws -> [APIToken] {
        try connection.rows(
            TokenTable.columns + " WHERE t.name = \(text) OR t.id = \(text) OR t.prefix = \(text) ORDER BY t.name"
        ).map(APIToken.init(row:))
    }

    /// Those that may be used at `now`, with their digests.
    func valid(at now: Timestamp) throws -> [(token: APIToken, digest: Digest)] {
        try connection.rows(
            TokenTable.columns + " WHERE t.revoked IS NULL AND (t.expires IS NULL OR t.expires > \(now))"
        ).map { (try APIToken(row: $0), try $0.digest("hash")) }
    }

    func countValid(at now: Timestamp) throws -> Int {
        try connection.row(
            "SELECT COUNT(*) AS n FROM api_tokens WHERE revoked IS NULL AND (expires IS NULL OR expires > \(now))"
        )?.int("n") ?? 0
    }

    func insert(_ token: APIToken, _ digest: Digest) throws {
        try connection.execute(
            """
            INSERT INTO api_tokens (id, name, prefix, hash, project, role, created, created_by, expires)
            VALUES (\(token.id), \(token.name), \(token.prefix), \(digest), \(token.project), \(token.role.rawValue),
                \(token.created), \(token.createdBy), \(token.expires))
            """)
    }

    func revoke(_ token: APIToken, by actor: String, at now: Timestamp) throws {
        try connection.execute(
            "UPDATE api_tokens SET revoked = \(now), revoked_by = \(actor) WHERE id = \(token.id)")
    }

    func noteUse(of id: String, at instant: Timestamp) throws {
        try connection.execute(
            """
            INSERT INTO api_token_uses (token, last_used) VALUES (\(id), \(instant))
            ON CONFLICT (token) DO UPDATE SET last_used = excluded.last_used
            WHERE excluded.last_used > api_token_uses.last_used
            """)
    }
}

extension APIToken {
    fileprivate init(row: SQLRow) throws {
        self.init(
            id: try row.text("id"), name: try row.text("name"), prefix: try row.text("prefix"),
            project: try row.optionalText("project"), role: try row.oneOf("role"),
            created: try row.timestamp("created"), createdBy: try row.text("created_by"),
            expires: try row.optionalTimestamp("expires"), lastUsed: try row.optionalTimestamp("last_used"),
            revoked: try row.optionalTimestamp("revoked"), revokedBy: try row.optionalText("revoked_by"))
    }
}
