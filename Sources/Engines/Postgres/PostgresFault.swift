internal import Core

/// An error reported by a PostgreSQL server, before it becomes a `MartletError`.
struct PostgresFault: Error {
    /// Five characters: https://www.postgresql.org/docs/15/errcodes-appendix.html; `nil` where only libpq spoke.
    let state: String?
    let text: String
    var constraint: String?
    /// The connection is gone.
    let isLost: Bool

    /// Two transactions got in each other's way; the server undid this one, and the same may be tried again.
    var isRepeatable: Bool { state == "40001" || state == "40P01" }

    /// The server ends, starts or was ended under the connection, or the network did.
    var isAway: Bool {
        isLost || state.map { $0.hasPrefix("08") || ["57P01", "57P02", "57P03"].contains($0) } ?? true
    }
}

extension MartletError {
    /// A connection that did not come about; `text` is libpq's.
    static func unconnected(_ text: String, _ place: String) -> MartletError {
        let reason = text.split(separator: "\n").last.map(String.init) ?? text
        func has(_ part: String) -> Bool { text.contains(part) }
        if has("password authentication failed") || has("no password supplied") || has("pg_hba.conf")
            || has("authentication failed") || has("role \"")
        {
            return MartletError(
                .machine, "metadata.denied", "PostgreSQL does not let this account in: \(reason).",
                at: .init(file: place),
                remedy: "Check user and password: ~/.pgpass, PGUSER and PGPASSWORD, and pg_hba.conf of the server.")
        }
        if has("database \""), has("does not exist") {
            return MartletError(
                .missing, "metadata.missing", "There is no such database: \(reason).", at: .init(file: place),
                remedy: "Make it once with `createdb`; Martlet makes the tables.")
        }
        if has("too many clients") || has("remaining connection slots") {
            return MartletError(
                .machine, "metadata.away", "PostgreSQL has no connection left: \(reason).", at: .init(file: place),
                remedy: "Raise max_connections, or put a connection pool before the server.")
        }
        return away(reason, place)
    }

    static func away(_ reason: String, _ place: String) -> MartletError {
        MartletError(
            .machine, "metadata.away", "The metadata database does not answer: \(reason).", at: .init(file: place),
            remedy: "Check that PostgreSQL runs and can be reached from here; nothing of this change was kept.")
    }

    /// The connection was lost while the transaction was being committed: whether it was is not known.
    static func undecided(_ place: String) -> MartletError {
        MartletError(
            .machine, "metadata.undecided",
            "The connection to the metadata database was lost during the commit: the change was kept whole, or not at all.",
            at: .init(file: place), remedy: "Look at what is there before you repeat it.")
    }

    init(_ fault: PostgresFault, _ place: String) {
        let location = Location(file: place)
        let text = fault.text.split(separator: "\n").first.map(String.init) ?? fault.text
        switch fault.state {
        case _ where fault.isAway: self = .away(text, place)
        case "40001", "40P01", "55P03":
            self.init(
                .conflict, "metadata.busy", "Other transactions kept the metadata database locked for too long.",
                at: location, remedy: "Look for another `martlet` at work on this project, and try again.")
        case "53100":
            self.init(
                .machine, "metadata.full", "The disk of the database is full; nothing of this change was kept.",
                at: location, remedy: "Make room and run the command again.")
        case "25006", "42501":
            self.init(
                .machine, "metadata.readonly", "The metadata database may not be written: \(text).", at: location,
                remedy: "Give this role the right to create and write tables in its schema, on the primary server.")
        case "XX001", "XX002":
            self.init(
                .machine, "metadata.corrupt", "PostgreSQL found damage in the metadata database: \(text).",
                at: location, remedy: "Restore it from a backup.")
        case let state? where state.hasPrefix("23"):
            self.init(
                .conflict, "metadata.constraint", "The metadata database refused a change: \(text).", at: location)
        default:
            self.init(.machine, "metadata.failed", "The metadata database failed: \(text).", at: location)
        }
    }
}
