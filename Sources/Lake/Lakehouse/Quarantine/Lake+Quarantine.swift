package import Core
internal import SQLLineage
package import SourceFormats
internal import Storage

extension Lake {
    /// Name of the table with people's decisions about a source's quarantine. No source's name begins with `_`.
    func decisionsTable(_ source: String) -> TableName { TableName(.quarantine, "_\(source)_decisions") }

    /// Path where the bytes of a rejected file are kept. Delta ignores names with `_`.
    package func keptFile(_ digest: Digest, of source: String) -> String {
        "\(table(TableName(.quarantine, source)).folder)/_files/\(digest.hex)"
    }

    /// Keeps a refused file's bytes, durably.
    /// - Returns: `false` when they are no longer those that were read.
    func keep(_ landed: LandedFile, of source: String) throws -> Bool {
        let target = keptFile(landed.digest, of: source)
        try Disk.makeDirectory(Disk.parent(of: target))
        return try Disk.copyDurably(landed.path, to: target, expecting: landed.content)
    }

    /// Looks at the form of a file that was refused, or most of whose rows were, or that has unknown columns. Only so
    /// many of a run: each costs a sample of its rows.
    func drift(
        of landed: LandedFile, _ acceptance: Acceptance, _ contract: Contract, _ format: SourceFormat,
        _ existing: [String], examined: inout Int
    ) throws -> [SchemaDrift] {
        let isOdd =
            acceptance.refusal != nil || acceptance.rejectedRows * 2 > acceptance.rowsRead
            || acceptance.warnings.contains { $0.hasPrefix("columns that the contract does not know") }
        guard isOdd, examined < 20 else { return [] }
        examined += 1
        return try engine.drift(
            DriftRequest(path: landed.path, contract: contract, format: format, existing: existing))
    }

    /// Compares a rejected file's schema with the contract as it is now.
    package func drift(
        of file: String, _ contract: Contract, _ format: SourceFormat
    ) throws -> [SchemaDrift] {
        let bronze = TableName(.bronze, contract.source)
        return try engine.drift(
            DriftRequest(
                path: file, contract: contract, format: format,
                existing: try table(bronze).exists ? files(of: bronze) : []))
    }

    func quarantineTables(_ source: String) throws -> QuarantineTables {
        func snapshot(_ name: TableName) throws -> (DeltaSnapshot, [String])? {
            let table = table(name)
            guard try table.exists else { return nil }
            let snapshot = try self.snapshot(of: name)
            return (snapshot, snapshot.files.map { table.path(of: $0) })
        }
        var tables = QuarantineTables()
        if let (aside, files) = try snapshot(TableName(.quarantine, source)) {
            tables.quarantined = files
            tables.void = ids("martlet/void/", aside)
        }
        tables.decisions = try snapshot(decisionsTable(source))?.1 ?? []
        let bronze = table(TableName(.bronze, source))
        if try bronze.exists {
            let snapshot = try self.snapshot(of: TableName(.bronze, source))
            tables.replays = ids(replayMark, snapshot)
            tables.agains = ids(againMark, snapshot)
            let passes = Dictionary(
                tables.agains.map { (snapshot.transactions[againMark + $0] ?? 0, $0) }, uniquingKeysWith: { $1 })
            for (name, pass) in snapshot.transactions where !passes.isEmpty && name.hasPrefix(rereadMark) {
                tables.floors[String(name.dropFirst(rereadMark.count))] = passes[pass]
            }
            tables.taken = try ingestedFiles(source).map(\.digest.hex)
        }
        return tables
    }

    private func ids(_ prefix: String, _ snapshot: DeltaSnapshot) -> [String] {
        snapshot.transactions.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
    }

    var replayMark: String { "martlet/replay/" }

    /// Counts a source's quarantined rows by file, column, rule and state.
    package func countQuarantined(_ source: String) throws -> [QuarantineCount] {
        try engine.countQuarantined(try quarantineTables(source))
    }

    /// Counts a source's quarantined rows by state.
    package func countQuarantinedRows(_ source: String) throws -> [QuarantineState: Int] {
        try engine.countQuarantinedRows(try quarantineTables(source))
    }

    /// Returns quarantined rows, with the history of decisions about each unless it is not wanted.
    package func quarantinedRows(
        _ source: String, _ filter: QuarantineFilter, limit: Int?, withHistory: Bool = true
    ) throws -> [QuarantinedRow] {
        let tables = try quarantineTables(source)
        var rows = try engine.quarantinedRows(tables, filter, limit: limit)
        guard withHistory else { return rows }
        let decisions = try engine.decisions(tables, about: rows.map { ($0.digest, $0.row) })
        let byRow = Dictionary(grouping: decisions) { "\($0.digest):\($0.row ?? 0)" }
        for index in rows.indices { rows[index].history = byRow["\(rows[index].digest):\(rows[index].row)"] ?? [] }
        return rows
    }

    /// Returns the files of a source that were rejected whole.
    package func refusedFiles(_ source: String) throws -> [RefusedFile] {
        let tables = try quarantineTables(source)
        let found = try engine.refusedFiles(tables)
        guard !found.isEmpty else { return [] }
        let decisions = try engine.decisions(tables, about: found.map { ($0.digest, nil) })
        let taken = Set(tables.taken)
        return found.map { name, digest, reason in
            let history = decisions.filter { $0.digest == digest && $0.row == nil }
            let last = history.last { $0.action == "drop" || $0.action == "reopen" }
            let kept = Digest(hex: digest).map { keptFile($0, of: source) }.flatMap { Disk.exists($0) ? $0 : nil }
            return RefusedFile(
                file: name, digest: digest, reason: reason,
                state: taken.contains(digest) ? .replayed : last?.action == "drop" ? .dropped : .open, kept: kept,
                history: history)
        }
    }

    /// Returns those of the digests whose rejected files a person marked as dropped.
    package func droppedFiles(_ source: String, among digests: [Digest]) throws -> Set<Digest> {
        let name = decisionsTable(source)
        guard !digests.isEmpty, try table(name).exists else { return [] }
        let tables = QuarantineTables(decisions: try files(of: name))
        var dropped: Set<Digest> = []
        for decision in try engine.decisions(tables, about: digests.map { ($0.hex, nil) })
        where decision.row == nil {
            guard let digest = Digest(hex: decision.digest) else { continue }
            if decision.action == "drop" { dropped.insert(digest) }
            if decision.action == "reopen" { dropped.remove(digest) }
        }
        return dropped
    }

    /// A file that was quarantined before and is not in bronze was judged by a run that was killed. When the contract
    /// or the table has changed since, the rows may be others now.
    /// - Returns: attempts that count no more, or `nil` when the rows of `file` stand there already.
    func outdatedAttempts(_ file: WrittenFile?, of digest: Digest, in source: String) throws -> [String]? {
        let tables = try quarantineTables(source)
        if let file, try engine.isQuarantined(file, of: digest, in: tables) { return nil }
        return try engine.attempts(of: digest, in: tables)
    }
}

extension IngestReport.File {
    /// Adds drifts of columns of which nothing is said yet.
    mutating func add(_ more: [SchemaDrift]) {
        drift += more.filter { one in !drift.contains { $0.column == one.column && $0.kind == one.kind } }
    }
}
