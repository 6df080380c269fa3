package import Core
package import SQLLineage
internal import Storage

/// One entry of a table's history.
package struct TableVersion: Sendable, Encodable {
    /// Number of the version; the first is 0.
    package var version: Int
    /// Commit time; always later than that of the version before.
    package var at: Timestamp?
    /// Operation of the commit: "WRITE", "CREATE TABLE AS SELECT", …
    package var operation: String
    /// Number of data files added.
    package var added: Int
    /// Number of data files removed.
    package var removed: Int
    /// Rows of the data files that the commit added, those of rewritten files included.
    package var rowsAdded: Int
    /// Number of rows of the table after the commit.
    package var rows: Int?
    /// Number of data files of the table after the commit.
    package var dataFiles: Int
    /// Names of the landed files whose rows the commit added.
    package var files: [String]
    /// The table versions it was made from: "silver.visits@3".
    package var parents: [String]

    enum CodingKeys: String, CodingKey {
        case version, at, operation, added, removed, rows, files, parents
        case rowsAdded = "rows_added"
        case dataFiles = "data_files"
    }
}

extension Lake {
    /// Returns the history of a table as far as its log goes back, ascending.
    package func history(of name: TableName) throws -> [TableVersion] {
        let table = table(name)
        var entries: [TableVersion] = []
        try walk(name) { version, actions, live in
            entries.append(entry(version, actions, live.values, in: table, after: entries.last?.at))
        }
        return entries
    }

    /// Enumerates the versions that the log still has, ascending.
    /// - Parameter body: is given a version, its actions (none when its commit is gone), and the rows of each file
    ///   that is live after it, by path.
    func walk(_ name: TableName, _ body: (Int, [DeltaAction], [String: Int?]) throws -> Void) throws {
        let table = table(name)
        guard try table.exists else { throw missing(name) }
        let log = try table.log()
        let commits = Set(log.versions)
        var live: [String: Int?] = [:]
        var known: Int?
        for version in log.readable {
            let actions = commits.contains(version) ? try table.commit(version) : []
            if !actions.isEmpty, version == 0 || known == version - 1 {
                for action in actions { if let value = action.remove { live[value.path] = nil } }
                for action in actions { if let value = action.add { live.updateValue(value.rows, forKey: value.path) } }
            } else {
                live = [:]
                for file in try snapshot(of: name, at: version).files { live.updateValue(file.rows, forKey: file.path) }
            }
            known = version
            try body(version, actions, live)
        }
    }

    private func entry(
        _ version: Int, _ actions: [DeltaAction], _ live: some Collection<Int?>, in table: DeltaTable,
        after before: Timestamp?
    ) -> TableVersion {
        let info = actions.compactMap(\.commitInfo).last
        let files = info?["martlet"]?["files"]?.list?.compactMap { $0["name"]?.text } ?? []
        return TableVersion(
            version: version, at: time(of: version, info, in: table, after: before),
            operation: info?["operation"]?.text ?? "", added: actions.count { $0.add != nil },
            removed: actions.count { $0.remove != nil },
            rowsAdded: actions.compactMap { $0.add?.rows }.reduce(0, &+),
            rows: live.contains { $0 == nil } ? nil : live.reduce(0) { $0 &+ ($1 ?? 0) }, dataFiles: live.count,
            files: files, parents: info?["martlet"]?["parents"]?.list?.compactMap(\.text) ?? [])
    }

    /// When a version was committed, never before `before`: as its commit says, or, where another program's says nothing,
    /// when its file was written, as the protocol has it.
    private func time(
        of version: Int, _ info: JSONValue?, in table: DeltaTable, after before: Timestamp?
    ) -> Timestamp? {
        let said = info?["timestamp"]?.long.map { Timestamp(milliseconds: $0) }
        let written = (try? table.stamp(of: version)).map { Timestamp(microseconds: $0.modified / 1000) }
        guard let time = said ?? written else { return before }
        return before.map { max($0, time) } ?? time
    }

    /// The times of versions, ascending.
    func times(of name: TableName) throws -> [(version: Int, at: Timestamp)] {
        let table = table(name)
        guard try table.exists else { throw missing(name) }
        let log = try table.log()
        let commits = Set(log.versions)
        var times: [(version: Int, at: Timestamp)] = []
        for version in log.readable {
            let info = commits.contains(version) ? try table.commitInfo(version) : nil
            if let at = time(of: version, info, in: table, after: times.last?.at) { times.append((version, at)) }
        }
        return times
    }

    /// Returns the version that was the latest at a point in time.
    /// - Throws: `lake.no-version` when the table began later.
    package func version(of name: TableName, at moment: Timestamp) throws -> Int {
        let times = try times(of: name)
        guard let found = times.last(where: { $0.at <= moment }) else {
            throw MartletError(
                .missing, "lake.no-version",
                "\(name) begins at \(times.first.map { "\($0.at)" } ?? "no known time"); at \(moment) it was not there.",
                remedy: "`martlet lake history \(name)` lists its versions.")
        }
        return found.version
    }
}

extension DeltaTable {
    /// The `commitInfo` of a commit, without parsing the rest of it.
    func commitInfo(_ version: Int) throws -> JSONValue? {
        let lines = try objects.read(entryName(version)).split(separator: 10)
        // Most writers put it first; its line can be told without reading it whole.
        let mark = Array("{\"commitInfo\"".utf8)
        if let line = lines.first(where: { $0.starts(with: mark) }) { return JSONValue(parsing: line)?["commitInfo"] }
        return try commit(version).compactMap(\.commitInfo).last
    }
}
