internal import DuckDB
package import Lakehouse
package import Vocabulary

// One landed file: raw texts are staged, every promise of the contract is one condition over them, and the rows
// that keep all promises are written, typed, to one Parquet file. Details of breaches are worked out only when
// there are any.

extension DuckDBLakeEngine {
    package func header(of file: String, format: SourceFormat) throws -> [String] {
        do {
            switch format.kind {
            case .csv: return try CSVHeader.read(file, format) ?? []
            case .parquet: return try describeTypes("SELECT * FROM \(Quote.parquet([file]))").map(\.name)
            }
        } catch let error as DuckDBError {
            throw MartletError(.input, "file.unreadable", error.message, at: .init(file: file))
        }
    }

    /// Looks whether patterns, bounds and allowed values are what the engine understands.
    package func check(_ contract: Contract) throws {
        let sql = ContractSQL(contract: contract, present: contract.columns.map { ($0, "cell") }, absent: [])
        for rule in sql.rules {
            do { _ = try connection.query("SELECT \(rule.breach) FROM (SELECT CAST(NULL AS VARCHAR) AS cell)") } catch {
                throw MartletError(
                    .input, "contract.rule", "The rule \"\(rule.name)\" cannot be checked: \(error.message)",
                    at: .init(file: contract.file, key: "columns.\(rule.column.name)"),
                    remedy: "Correct it in the contract.")
            }
        }
    }

    package func accept(_ request: AcceptRequest) throws -> Acceptance {
        defer { dropStaging() }
        do {
            try check(request.contract)
            return try onOneThread(areSmall([request.file])) {
                let staged = try stage(request)
                return try judge(request, staged)
            }
        } catch let refusal as Refusal {
            return try refuse(request, refusal.reason, Acceptance())
        } catch let error as DuckDBError {
            if Self.isMachineFailure(error) { throw Self.ioError(error) }
            if error.category == "Out of Memory" { throw explain(error, Query("", file: request.file)) }
            let first = error.message.split(separator: "\n").first.map(String.init) ?? error.message
            return try refuse(request, "it cannot be read: \(first)", Acceptance())
        }
    }

    private func judge(_ request: AcceptRequest, _ staged: Staged) throws -> Acceptance {
        var result = Acceptance()
        result.rowsRead = staged.rows + staged.broken
        if !staged.layout.extra.isEmpty {
            let names = staged.layout.extra.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ")
            result.warnings.append("columns that the contract does not know were left out: \(names)")
        }
        if let column = staged.layout.synthetic {
            let count = "SELECT count(*)::VARCHAR FROM staged WHERE TRY_CAST(\(Quote.name(column)) AS BOOLEAN)"
            result.syntheticRows = try connection.value(count).flatMap { Int($0) } ?? 0
        }
        let sql = staged.sql
        try connection.execute(
            "CREATE TEMP TABLE rejected AS SELECT rowid AS id FROM staged WHERE \(sql.isRejected)")
        let rejected = try count("rejected")
        try findConflicts(request, staged)
        let conflicts = try count("conflicts")
        let superseded = try count("superseded")
        result.rejectedRows = rejected + staged.broken + conflicts
        result.supersededRows = superseded
        try noteWarnings(sql, into: &result)
        if result.rejectedRows > 0 || superseded > 0 {
            result.breaches = try breaches(staged, conflicts: conflicts > 0)
            let share = Double(result.rejectedRows) / Double(result.rowsRead)
            let isStrict = try hasStrictBreach(sql, request.contract)
            if isStrict || request.contract.onViolation == .rejectFile || share > request.contract.maxRejected {
                let limit = percent(request.contract.maxRejected)
                let why =
                    share > request.contract.maxRejected
                    ? "\(result.rejectedRows) of its \(result.rowsRead) rows (\(percent(share))) break the contract, more than \(limit)"
                    : "\(result.rejectedRows) of its \(result.rowsRead) rows break the contract, and it says reject-file"
                return try refuse(request, why + (try unitHint(sql)), result)
            }
            result.quarantined = try quarantine(request, staged)
        }
        result.accepted = try writeAccepted(request, staged)
        if superseded > 0 || request.contract.onKeyConflict == .latestWins {
            result.rewrites = try replaceEarlier(request, staged)
        }
        return result
    }

    private func count(_ table: String) throws -> Int {
        try connection.value("SELECT count(*)::VARCHAR FROM \(table)").flatMap { Int($0) } ?? 0
    }

    private func percent(_ share: Double) -> String {
        let tenths = (share * 1000).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths)) %" : "\(tenths) %"
    }

    private func hasStrictBreach(_ sql: ContractSQL, _ contract: Contract) throws -> Bool {
        let strict = sql.rules.filter { ($0.column.onViolation ?? contract.onViolation) == .rejectFile }
        guard !strict.isEmpty else { return false }
        let condition = strict.map { "coalesce(\($0.breach), false)" }.joined(separator: " OR ")
        return try connection.value("SELECT '1' FROM staged WHERE \(condition) LIMIT 1") != nil
    }

    private func noteWarnings(_ sql: ContractSQL, into result: inout Acceptance) throws {
        let rules = sql.rules.filter(\.isWarning)
        guard !rules.isEmpty else { return }
        let counts = rules.map { "count(*) FILTER (WHERE \($0.breach))::VARCHAR" }.joined(separator: ", ")
        let row = try connection.query("SELECT \(counts) FROM staged").texts().first ?? []
        for (rule, text) in zip(rules, row) {
            if let text, let count = Int(text), count > 0 {
                result.warnings.append("\(count) rows break \(rule.column.name): \(rule.name)")
            }
        }
    }

    /// Rows whose key came before: `conflicts` are refused, `superseded` gave way to a later row of the same file.
    private func findConflicts(_ request: AcceptRequest, _ staged: Staged) throws {
        try connection.execute(
            "CREATE TEMP TABLE conflicts (id BIGINT); CREATE TEMP TABLE superseded (id BIGINT)")
        let contract = request.contract
        guard !contract.key.isEmpty else { return }
        let sql = staged.sql
        let keys = contract.key.enumerated().map { "\(sql.key($1)) AS k\($0)" }.joined(separator: ", ")
        let names = contract.key.indices.map { "k\($0)" }.joined(separator: ", ")
        let keyed = "SELECT rowid AS id, \(keys) FROM staged WHERE rowid NOT IN (SELECT id FROM rejected)"
        let keep = contract.onKeyConflict == .reject ? "min" : "max"
        let target = contract.onKeyConflict == .reject ? "conflicts" : "superseded"
        try connection.execute(
            """
            INSERT INTO \(target) WITH keyed AS (\(keyed)), repeated AS (
                SELECT \(names), \(keep)(id) AS kept FROM keyed GROUP BY \(names) HAVING count(*) > 1)
            SELECT keyed.id FROM keyed JOIN repeated USING (\(names)) WHERE keyed.id <> repeated.kept
            """)
        guard contract.onKeyConflict == .reject, !request.existing.isEmpty else { return }
        let old = contract.key.enumerated().map { "\(Quote.name($1)) AS k\($0)" }.joined(separator: ", ")
        try connection.execute(
            """
            INSERT INTO conflicts WITH keyed AS (\(keyed))
            SELECT keyed.id FROM keyed
            SEMI JOIN (SELECT \(old) FROM \(Quote.parquet(request.existing))) AS before
              USING (\(names))
            WHERE keyed.id NOT IN (SELECT id FROM conflicts)
            """)
    }

    /// SQL for the 1-based number of a staged row in the file, counting the broken lines before it.
    func rowNumber(_ staged: Staged) -> String {
        staged.broken == 0
            ? "(rowid + 1)"
            : "(rowid + 1 + (SELECT count(*) FROM (SELECT line - row_number() OVER (ORDER BY line) + 1 AS at "
                + "FROM broken) AS gaps WHERE gaps.at <= staged.rowid + 1))"
    }

    private func writeAccepted(_ request: AcceptRequest, _ staged: Staged) throws -> WrittenFile {
        let sql = staged.sql
        try Disk.makeDirectory(request.folder)
        let file = "\(request.folder)/part-\(request.fileID).parquet"
        var columns = sql.projection
        columns.append("\(Quote.text(request.digest.hex)) AS _file")
        columns.append("\(rowNumber(staged)) AS _row")
        let out = try ["rejected", "conflicts", "superseded"].filter { try count($0) > 0 }.map {
            "SELECT id FROM \($0)"
        }
        let filter = out.isEmpty ? "" : " WHERE rowid NOT IN (\(out.joined(separator: " UNION ALL ")))"
        return try copy(
            "SELECT \(columns.joined(separator: ", ")) FROM staged\(filter)", to: file, request.contract.fields)
    }

    /// Earlier files without the rows whose keys came again (latest-wins).
    private func replaceEarlier(_ request: AcceptRequest, _ staged: Staged) throws -> [Acceptance.Rewrite] {
        let contract = request.contract
        guard contract.onKeyConflict == .latestWins, !contract.key.isEmpty, !request.existing.isEmpty else { return [] }
        let sql = staged.sql
        let keys = contract.key.map { "\(sql.key($0)) AS \(Quote.name($0))" }.joined(separator: ", ")
        let names = contract.key.map { Quote.name($0) }.joined(separator: ", ")
        let fresh = "(SELECT \(keys) FROM staged WHERE rowid NOT IN (SELECT id FROM rejected))"
        let hit = try connection.query(
            """
            SELECT DISTINCT _martlet_path FROM \(Quote.parquet(request.existing, options: ", filename = '_martlet_path'"))
            SEMI JOIN \(fresh) AS fresh USING (\(names)) ORDER BY _martlet_path
            """
        ).texts().compactMap { $0[0] }
        return try hit.enumerated().map { index, old in
            let source = Quote.parquet([old])
            let fields = try fields(of: "SELECT * FROM \(source)")
            let file = "\(request.folder)/part-\(request.fileID)-\(index).parquet"
            let kept = try copy(
                "SELECT * FROM \(source) ANTI JOIN \(fresh) AS fresh USING (\(names))", to: file, fields)
            return Acceptance.Rewrite(old: old, new: kept, oldHash: try hash(of: fields, in: source))
        }
    }
}
