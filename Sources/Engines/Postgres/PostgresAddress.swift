internal import CPQ
internal import Core

/// Address of a PostgreSQL database: `postgres://user@host:port/name`, or libpq's `host=… dbname=…`.
///
/// Parts that are not given come from libpq's own defaults: the `PG…` environment variables, `~/.pgpass` for the
/// password. https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
///
/// ```swift
/// let address = try PostgresAddress("postgres://martlet@db.example.org/martlet")
/// let database = try PostgresDatabase(address, pause: context.clock.block)
/// ```
package struct PostgresAddress: Sendable, Equatable {
    /// What libpq is given; may hold a password, so it is never shown.
    let connectionString: String
    /// Host, port and database name for messages, without a password.
    package let place: String

    /// Parses an address.
    /// - Throws: `metadata.address` when libpq does not understand the text, `metadata.library` when libpq cannot be
    ///   loaded.
    package init(_ text: String) throws {
        var reason: UnsafeMutablePointer<CChar>?
        let library = try PostgresLibrary.load()
        guard let options = library.conninfoParse(text, &reason) else {
            // The reason may repeat parts of the text, a password among them.
            library.freemem(reason)
            throw MartletError(
                .input, "metadata.address", "The address of the PostgreSQL database cannot be read.",
                remedy:
                    "Write postgres://user@host:5432/name; keep the password in ~/.pgpass or PGPASSWORD. Characters "
                    + "like @ and / in a name are written as %40 and %2F.")
        }
        defer { library.conninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        connectionString = text
        let host = values["host"] ?? values["hostaddr"] ?? "local socket"
        let port = values["port"].map { ":\($0)" } ?? ""
        // Another search path is another set of tables.
        let path = values["options"].map { "?options=\($0)" } ?? ""
        place = "postgres://\(host)\(port)/\(values["dbname"] ?? "")\(path)"
    }

    /// Whether a text has the form of a PostgreSQL address, as opposed to a file path.
    package static func isAddress(_ text: String) -> Bool {
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    }
}
