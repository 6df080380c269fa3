package import Core
package import SQLText

/// The audit log of a server: the entries of all its projects' databases merged by time.
///
/// ```swift
/// let page = try ServerAudit(databases).list(AuditQuery(action: "token", limit: 50))
/// ```
///
/// Each project's acts are written in the transaction of the act, so they stand in that project's own database; people,
/// tokens and sessions in the one of the project that the server was started with first.
package struct ServerAudit: Sendable {
    /// Position in the merged list, for paging: time, database and position of the last entry returned.
    package struct Place: Sendable, Equatable {
        /// Time of the entry.
        package let at: Timestamp
        /// Index of the entry's database among those of the ``ServerAudit``, from 0, duplicates not counted.
        package let database: Int
        /// Number of the entry in its database, from 1.
        package let position: Int

        fileprivate init(_ entry: AuditEntry, _ database: Int) {
            at = entry.at
            self.database = database
            position = entry.position
        }
    }

    private let databases: [any SQLDatabase]

    /// Reads these databases, duplicates only once; their schemas are up to date.
    package init(_ databases: [any SQLDatabase]) {
        var places: Set<String> = []
        self.databases = databases.filter { places.insert($0.place).inserted }
    }

    /// Returns a page of entries, oldest first, and where the next page begins; `nil` at the end.
    package func list(_ query: AuditQuery, behind place: Place? = nil) throws -> (entries: [AuditEntry], next: Place?) {
        var wanted = query
        wanted.limit = query.limit < .max ? query.limit + 1 : .max
        let found = try entries { table, number in
            try table.list(
                wanted,
                behind: place.map {
                    // At the same moment the databases come in their order.
                    let position = number < $0.database ? .max : number == $0.database ? $0.position : 0
                    return ($0.at, position)
                })
        }
        let shown = found.prefix(query.limit)
        return (shown.map(\.entry), found.count > shown.count ? shown.last.map { Place($0.entry, $0.database) } : nil)
    }

    /// Returns the newest `query.limit` entries, oldest of them first.
    package func newest(_ query: AuditQuery) throws -> [AuditEntry] {
        try entries { table, _ in try table.newest(query) }.suffix(query.limit).map(\.entry)
    }

    /// Returns the number of matching entries, whatever the limit.
    package func count(_ query: AuditQuery) throws -> Int {
        try databases.reduce(0) { sum, database in
            sum + (try database.read { try AuditTable($0).count(query) })
        }
    }

    private func entries(
        _ read: (AuditTable, Int) throws -> [AuditEntry]
    ) throws -> [(entry: AuditEntry, database: Int)] {
        var all: [(entry: AuditEntry, database: Int)] = []
        for (number, database) in databases.enumerated() {
            all += try database.read { try read(AuditTable($0), number) }.map { ($0, number) }
        }
        return all.sorted { a, b in
            (a.entry.at, a.database, a.entry.position) < (b.entry.at, b.database, b.entry.position)
        }
    }
}

extension ServerAudit.Place: CustomStringConvertible {
    package var description: String { "\(at.microseconds) \(database) \(position)" }

    /// Parses the form that `description` writes; `nil` for other texts.
    package init?(_ text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, let at = Int64(parts[0]), let database = Int(parts[1]), let position = Int(parts[2])
        else { return nil }
        self.at = Timestamp(microseconds: at)
        self.database = database
        self.position = position
    }
}
