internal import SQLText

/// The `SQLConnection` of a PostgreSQL session inside one transaction.
struct PostgresConnection: SQLConnection {
    let session: PostgresSession

    func execute(_ sql: SQL) throws -> Int { try session.run(sql).changed }

    func rows(_ sql: SQL) throws -> [SQLRow] { try session.run(sql).rows() }

    func hasTable(_ name: String) throws -> Bool {
        try !rows(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = \(name)"
        ).isEmpty
    }

    /// An advisory lock that ends with the transaction. Its number is a hash of the name: two names with the same hash
    /// would only wait for each other.
    func lock(_ scope: SQLScope) throws {
        _ = try rows("SELECT pg_advisory_xact_lock(\(Self.key(scope)))")
    }

    /// FNV-1a, 64 bits, of the name behind a prefix of ours: others may take advisory locks in the same database.
    static func key(_ scope: SQLScope) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in "martlet/\(scope.name)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}
