internal import Core
internal import SQLText

/// The table `setup_links`.
struct SetupTable {
    let connection: any SQLConnection

    func insert(_ digest: Digest, created: Timestamp, expires: Timestamp) throws {
        try connection.execute(
            "INSERT INTO setup_links (hash, created, expires) VALUES (\(digest), \(created), \(expires))")
    }

    /// Whether there is such a link, unused and in time.
    func isValid(_ digest: Digest, at now: Timestamp) throws -> Bool {
        try connection.row(
            "SELECT 1 FROM setup_links WHERE hash = \(digest) AND used IS NULL AND expires > \(now)") != nil
    }

    /// Takes all links out of use: one of them has done its work, or they are followed by another.
    func useUp(at now: Timestamp) throws {
        try connection.execute("UPDATE setup_links SET used = \(now) WHERE used IS NULL")
    }
}
