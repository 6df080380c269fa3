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
            case .parquet: return try describeTypes("SELECT * FROM read_parquet(\(Quote.text(file)))").map(\.name)
            }
        } catch let error as DuckDBError {
            throw MartletError(.input, "file.unreadable", error.message, at: .init(file: file))
        }
    }

    package func accept(_ request: AcceptRequest) throws -> Acceptance {
        defer { dropStaging() }
        do {
            return try onOneThread(areSmall([request.file])) {
                let staged = try stage(request)
                return try judge(request, staged)
            }
        } catch let refusal as Refusal {
            return try refuse(request, refusal.reason, Acceptance())
        } catch let error as DuckDBError {
            if error.category == "IO", error.message.contains("space") || error.message.contains("quota") {
                throw Self.ioError(error)
            }
            if error.category == "Out of Memory" { throw explain(error, Query("", file: request.file)) }
            let first = error.message.split(separator: "\n").first.map(String.init) ?? error.message
            return try refuse(request, "it cannot be read: \(first)", Acceptance())
        }
    }

    private struct Staged {
        var sql: ContractSQL
        var layout: HeaderReader.Layout
        var rows: Int
        var broken: Int
    }

    private func dropStaging() {
        _ = try? connection.execute(
            "DROP TABLE IF EXISTS staged; DROP TABLE IF EXISTS broken; DROP TABLE IF EXISTS broken_scan; "
                + "DROP TABLE IF EXISTS rejected; DROP TABLE IF EXISTS conflicts; DROP TABLE IF EXISTS superseded")
    }

    // MARK: Stage

    /// Loads the file as texts into `staged` (0-based `rowid` in file order) and broken lines into `broken`.
    private func stage(_ request: AcceptRequest) throws -> Staged {
        dropStaging()
        let reader = HeaderReader(contract: request.contract, fileName: request.name)
        let format = request.format
        guard Disk.stamp(request.file)?.size != 0 else { throw Refusal("it is empty") }
        let layout: HeaderReader.Layout
        let source: String
        switch format.kind {
        case .parquet:
            let columns = try describeTypes("SELECT * FROM read_parquet(\(Quote.text(request.file)))")
            layout = try reader.layout(columns.map(\.name))
            let texts = columns.map { "CAST(\(Quote.name($0.name)) AS VARCHAR) AS \(Quote.name($0.name))" }
            source = "SELECT \(texts.joined(separator: ", ")) FROM read_parquet(\(Quote.text(request.file)))"
            try connection.execute("CREATE TEMP TABLE broken (line BIGINT, message VARCHAR, text VARCHAR)")
        case .csv:
            guard let header = try CSVHeader.read(request.file, format) else { throw Refusal("it has no header") }
            if format.header {
                layout = try reader.layout(header)
            } else {
                layout = try positional(header.count, request)
            }
            source = csvSource(request, layout)
        }
        let cells = layout.names.map { name in "\(cleaned(name, layout, request)) AS \(Quote.name(name))" }
        try connection.execute("CREATE TEMP TABLE staged AS SELECT \(cells.joined(separator: ", ")) FROM (\(source))")
        if format.kind == .csv {
            let skipped = format.skipLines + (format.header ? 1 : 0)
            try connection.execute(
                """
                ALTER TABLE broken RENAME TO broken_lines;
                CREATE TEMP TABLE broken AS
                SELECT line - \(skipped) AS line, first(error_message ORDER BY column_idx) AS message,
                    first(csv_line ORDER BY column_idx) AS text
                FROM broken_lines GROUP BY line ORDER BY line;
                DROP TABLE broken_lines
                """)
        }
        let rows = try connection.value("SELECT count(*)::VARCHAR FROM staged").flatMap { Int($0) } ?? 0
        let broken = try connection.value("SELECT count(*)::VARCHAR FROM broken").flatMap { Int($0) } ?? 0
        if rows + broken == 0 { throw Refusal("it has a header but no rows") }
        return Staged(
            sql: ContractSQL(contract: request.contract, present: layout.present, absent: layout.absent),
            layout: layout,
            rows: rows, broken: broken)
    }

    private func csvSource(_ request: AcceptRequest, _ layout: HeaderReader.Layout) -> String {
        let format = request.format
        let columns = layout.names.map { "\(Quote.text($0)): 'VARCHAR'" }.joined(separator: ", ")
        let skip = format.skipLines + (format.header ? 1 : 0)
        return """
            SELECT * FROM read_csv(\(Quote.text(request.file)), auto_detect = false, header = false, skip = \(skip),
              delim = \(Quote.text(format.delimiter)), quote = \(Quote.text(format.quote)),
              escape = \(Quote.text(format.quote)), columns = {\(columns)}, nullstr = \(Quote.list(format.trim ? [""] : [""] + format.missing)),
              encoding = \(Quote.text(format.encoding.rawValue)), null_padding = false, strict_mode = true,
              store_rejects = true, rejects_table = 'broken', rejects_scan = 'broken_scan', rejects_limit = 0)
            """
    }

    /// A headerless file brings the contract's columns in order; optional ones may be left out at the end.
    private func positional(_ count: Int, _ request: AcceptRequest) throws -> HeaderReader.Layout {
        let columns = request.contract.columns
        let needed = columns.lastIndex { !$0.optional }.map { $0 + 1 } ?? 0
        guard (needed...max(needed, columns.count)).contains(count) else {
            throw Refusal("its first line has \(count) columns; the contract has \(columns.count)")
        }
        let present = columns.prefix(count)
        return HeaderReader.Layout(
            names: present.map(\.name), present: present.map { ($0, $0.name) }, absent: Array(columns.dropFirst(count)),
            extra: [], syntheticColumn: nil)
    }

    /// A cell after trimming, with the texts that mean "missing" made null.
    private func cleaned(_ name: String, _ layout: HeaderReader.Layout, _ request: AcceptRequest) -> String {
        let column = layout.present.first { $0.raw == name }?.column
        let cell = request.format.trim ? "trim(\(Quote.name(name)))" : Quote.name(name)
        // Without trimming, the CSV reader itself has made the source's own markers null.
        let isRaw = request.format.trim || request.format.kind == .parquet
        var missing = (isRaw ? request.format.missing : []) + (column?.missing ?? [])
        if isRaw { missing.append("") }
        if missing.count == 1 { return "nullif(\(cell), \(Quote.text(missing[0])))" }
        if missing.isEmpty { return cell }
        let list = missing.map { Quote.text($0) }.joined(separator: ", ")
        return "CASE WHEN \(cell) NOT IN (\(list)) THEN \(cell) END"
    }

    // MARK: Judge

    private func judge(_ request: AcceptRequest, _ staged: Staged) throws -> Acceptance {
        var result = Acceptance()
        result.rowsRead = staged.rows + staged.broken
        if !staged.layout.extra.isEmpty {
            let names = staged.layout.extra.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ")
            result.warnings.append("columns that the contract does not know were left out: \(names)")
        }
        if let column = staged.layout.syntheticColumn {
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
        if result.rowsRead > result.rejectedRows + superseded {
            result.accepted = try writeAccepted(request, staged)
        }
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
            SEMI JOIN (SELECT \(old) FROM read_parquet(\(Quote.list(request.existing)), union_by_name = true)) AS before
              USING (\(names))
            WHERE keyed.id NOT IN (SELECT id FROM conflicts)
            """)
    }

    /// SQL for the 1-based number of a staged row in the file, counting the broken lines before it.
    private func rowNumber(_ staged: Staged) -> String {
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
        var fields = request.contract.columns.map {
            DeltaField(name: $0.name, type: DeltaTypes.delta(DeltaTypes.duck($0.type))?.type ?? "string")
        }
        fields += [DeltaField(name: "_file", type: "string"), DeltaField(name: "_row", type: "long")]
        let out = try ["rejected", "conflicts", "superseded"].filter { try count($0) > 0 }.map {
            "SELECT id FROM \($0)"
        }
        let filter = out.isEmpty ? "" : " WHERE rowid NOT IN (\(out.joined(separator: " UNION ALL ")))"
        return try copy("SELECT \(columns.joined(separator: ", ")) FROM staged\(filter)", to: file, fields)
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
            SELECT DISTINCT filename FROM read_parquet(\(Quote.list(request.existing)), filename = true, union_by_name = true)
            SEMI JOIN \(fresh) AS fresh USING (\(names)) ORDER BY filename
            """
        ).texts().compactMap { $0[0] }
        return try hit.enumerated().map { index, old in
            let source = "read_parquet(\(Quote.text(old)))"
            let fields = try fields(of: "SELECT * FROM \(source)")
            let file = "\(request.folder)/part-\(request.fileID)-\(index).parquet"
            let kept = try copy(
                "SELECT * FROM \(source) ANTI JOIN \(fresh) AS fresh USING (\(names))", to: file, fields)
            return Acceptance.Rewrite(old: old, new: kept, oldHash: try hash(of: fields, in: source))
        }
    }

    // MARK: Quarantine

    /// One row a breach: where, which rule, what the cell held.
    private func details(_ staged: Staged) -> String {
        let number = rowNumber(staged)
        var parts = staged.sql.rules.filter { !$0.isWarning }.map { rule in
            """
            SELECT \(number) AS "row", \(Quote.text(rule.column.name)) AS "column", \(Quote.text(rule.name)) AS rule,
              \(Quote.name(rule.raw)) AS raw_value FROM staged WHERE \(rule.breach)
            """
        }
        parts.append("SELECT line, NULL, 'well-formed line: ' || message, text FROM broken")
        let key = staged.sql.contract.key
        if !key.isEmpty {
            let names = Quote.text(key.joined(separator: ", "))
            let value = key.map { name in
                staged.sql.present.first { $0.column.name == name }.map { Quote.name($0.raw) } ?? "NULL"
            }.joined(separator: ", ")
            parts.append(
                "SELECT \(number), \(names), 'unique key', concat_ws(', ', \(value)) FROM staged WHERE rowid IN (SELECT id FROM conflicts)"
            )
            parts.append(
                "SELECT \(number), \(names), 'superseded by a later row', concat_ws(', ', \(value)) FROM staged WHERE rowid IN (SELECT id FROM superseded)"
            )
        }
        return parts.joined(separator: "\nUNION ALL ")
    }

    private func breaches(_ staged: Staged, conflicts: Bool) throws -> [Acceptance.Breach] {
        try connection.query(
            """
            SELECT "column", rule, count(*)::VARCHAR, arg_min(raw_value, "row"), min("row")::VARCHAR
            FROM (SELECT "row", "column", if(starts_with(rule, 'well-formed'), 'well-formed line', rule) AS rule, raw_value
                  FROM (\(details(staged)))) GROUP BY ALL ORDER BY count(*) DESC, 1, 2
            """
        ).texts().map { row in
            Acceptance.Breach(
                column: row[0], rule: row[1] ?? "", rows: row[2].flatMap { Int($0) } ?? 0, example: row[3],
                exampleRow: row[4].flatMap { Int($0) })
        }
    }

    private func quarantine(_ request: AcceptRequest, _ staged: Staged) throws -> WrittenFile {
        try writeQuarantine(
            request,
            "SELECT \"row\", \"column\", rule, raw_value FROM (\(details(staged))) ORDER BY \"row\", \"column\", rule")
    }

    private func writeQuarantine(_ request: AcceptRequest, _ select: String) throws -> WrittenFile {
        try Disk.makeDirectory(request.quarantineFolder)
        let fields = [
            DeltaField(name: "file_digest", type: "string"), DeltaField(name: "file_name", type: "string"),
            DeltaField(name: "row", type: "long"), DeltaField(name: "column", type: "string"),
            DeltaField(name: "rule", type: "string"), DeltaField(name: "raw_value", type: "string"),
        ]
        return try copy(
            """
            SELECT \(Quote.text(request.digest.hex)) AS file_digest, \(Quote.text(request.name)) AS file_name,
              "row"::BIGINT AS "row", "column"::VARCHAR AS "column", rule::VARCHAR AS rule, raw_value::VARCHAR AS raw_value
            FROM (\(select))
            """, to: "\(request.quarantineFolder)/part-\(request.fileID).parquet", fields)
    }

    /// The whole file is set aside: one quarantine row says why.
    private func refuse(_ request: AcceptRequest, _ reason: String, _ known: Acceptance) throws -> Acceptance {
        var result = known
        result.refusal = reason
        result.accepted = nil
        do {
            result.quarantined = try writeQuarantine(
                request,
                "SELECT NULL AS \"row\", NULL AS \"column\", \(Quote.text("whole file: \(reason)")) AS rule, NULL AS raw_value"
            )
        } catch let error as DuckDBError { throw Self.ioError(error) }
        return result
    }

    /// Out-of-range cells that are all off by the same power of ten look like another unit.
    private func unitHint(_ sql: ContractSQL) throws -> String {
        for (column, raw) in sql.present {
            guard let max = column.max.flatMap({ Double($0) }), let unit = column.unit, max > 0 else { continue }
            let value = sql.typed(column, raw)
            let median = try connection.value(
                "SELECT median(\(value))::VARCHAR FROM staged WHERE (SELECT count(*) FILTER (WHERE \(value) > \(max)) > 0.9 * count(\(value)) FROM staged)"
            )
            if let median, let number = Double(median) {
                return
                    ". \(column.name) is mostly far above \(column.max ?? "") \(unit) (median \(number)): is it in another unit?"
            }
        }
        return ""
    }
}
