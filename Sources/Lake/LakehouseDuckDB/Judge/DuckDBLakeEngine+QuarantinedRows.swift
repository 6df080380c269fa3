package import Core
internal import DuckDB
package import Lakehouse
internal import Storage

// Reading quarantine: which rows are set aside, why, and where they stand.
//
// A file may have been judged more than once (a kill between quarantine and bronze, then another contract): the last
// pass counts. A replay notes new reasons under an attempt of its own, "replay-<id>", which sorts after all passes.

extension DuckDBLakeEngine {
    /// The relations that every question about set-aside rows begins with, as the start of a WITH: `judged` (one row
    /// a breach, as judged last), `fixes` (row and column, value now), `stands` (row and state).
    func quarantineRelations(_ tables: QuarantineTables) throws -> String {
        try connection.execute("CREATE OR REPLACE TEMP TABLE taken (digest VARCHAR, place BIGINT)")
        try connection.append(
            [
                .texts(codes: Array(0..<Int32(tables.taken.count)), levels: tables.taken),
                .integers(tables.taken.indices.map { Int64($0) }, valid: tables.taken.map { _ in true }),
            ], to: "taken")
        let floors = tables.floors.sorted { $0.key < $1.key }
        try connection.execute("CREATE OR REPLACE TEMP TABLE floors (file_digest VARCHAR, floor VARCHAR)")
        try connection.append(
            [
                .texts(codes: Array(0..<Int32(floors.count)), levels: floors.map(\.key)),
                .texts(codes: Array(0..<Int32(floors.count)), levels: floors.map(\.value)),
            ], to: "floors")
        let types = ["long": "BIGINT", "binary": "BLOB"]
        let columns = Self.quarantineFields.map { field in
            "NULL::\(types[field.type] ?? "VARCHAR") AS \(Quote.name(field.name))"
        }
        let source =
            tables.quarantined.isEmpty ? "" : "SELECT * FROM \(Quote.parquet(tables.quarantined)) UNION ALL BY NAME "
        // Without a decision there is no second attempt at any row, and no window is needed to find the last one.
        let last =
            tables.decisions.isEmpty
            ? "" : "QUALIFY attempt = max(attempt) OVER (PARTITION BY noted.file_digest, \"row\")"
        return """
            WITH noted AS (
                SELECT * EXCLUDE (floor) REPLACE (coalesce(attempt, '') AS attempt)
                FROM (\(source)SELECT \(columns.joined(separator: ", ")) WHERE false)
                LEFT JOIN floors USING (file_digest)
                WHERE "row" IS NOT NULL AND \(counts(tables)) AND coalesce(attempt, '') || '/' || file_digest NOT IN (
                    SELECT unnest(\(list(tables.void))))),
            passes AS (
                SELECT file_digest, max(left(attempt, 38)) AS pass FROM noted
                WHERE NOT starts_with(attempt, 'replay-') GROUP BY file_digest),
            judged AS (
                SELECT noted.*, taken.place FROM noted JOIN passes USING (file_digest)
                JOIN taken ON taken.digest = noted.file_digest
                WHERE left(attempt, 38) = pass OR starts_with(attempt, 'replay-') \(last)),
            decided AS (\(decisionsSource(tables))),
            fixes AS (
                SELECT file_digest, "row", "column", arg_max(new_value, decision) AS value FROM decided
                WHERE action = 'fix' GROUP BY ALL),
            replayed AS (
                SELECT DISTINCT file_digest, "row" FROM decided LEFT JOIN floors USING (file_digest)
                WHERE action = 'replay' AND decision >= coalesce(floor, '')
                  AND decision IN (SELECT unnest(\(list(tables.replays))))),
            dropped AS (
                SELECT file_digest, "row" FROM decided WHERE action IN ('drop', 'reopen') AND "row" IS NOT NULL
                GROUP BY ALL HAVING arg_max(action, decision) = 'drop'),
            stands AS (
                SELECT file_digest, "row", CASE
                    WHEN replayed.file_digest IS NOT NULL THEN 'replayed'
                    WHEN dropped.file_digest IS NOT NULL THEN 'dropped'
                    WHEN is_superseded THEN 'superseded' ELSE 'open' END AS state
                FROM (SELECT file_digest, "row", bool_and(rule = 'superseded by a later row') AS is_superseded
                      FROM judged GROUP BY ALL) AS rows
                LEFT JOIN replayed USING (file_digest, "row") LEFT JOIN dropped USING (file_digest, "row"))

            """
    }

    /// True for attempts that count: those of a pass over known files only with its commit, and older ones no longer.
    private func counts(_ tables: QuarantineTables) -> String {
        let id = Self.stamp("attempt")
        return "\(id) >= coalesce(floor, '') AND (NOT starts_with(coalesce(attempt, ''), 'again-') "
            + "OR \(id) IN (SELECT unnest(\(list(tables.agains)))))"
    }

    /// SQL for the id in an attempt, whoever made it: ids sort by time.
    private static func stamp(_ attempt: String) -> String {
        "left(regexp_replace(coalesce(\(attempt), ''), '^[a-z]+-', ''), 32)"
    }

    private func decisionsSource(_ tables: QuarantineTables) -> String {
        let columns = Self.decisionFields.map { name in
            "NULL::\(name.type == "long" ? "BIGINT" : "VARCHAR") AS \(Quote.name(name.name))"
        }
        let source =
            tables.decisions.isEmpty ? "" : "SELECT * FROM \(Quote.parquet(tables.decisions)) UNION ALL BY NAME "
        return "\(source)SELECT \(columns.joined(separator: ", ")) WHERE false"
    }

    /// The columns of a decisions table.
    static let decisionFields =
        ["decision", "at", "actor", "action", "reason", "file_digest", "file_name"].map {
            DeltaField(name: $0, type: "string")
        } + [DeltaField(name: "row", type: "long")]
        + ["column", "old_value", "new_value"].map { DeltaField(name: $0, type: "string") }

    private func list(_ texts: [String]) -> String {
        "[\(texts.map { Quote.text($0) }.joined(separator: ", "))]::VARCHAR[]"
    }

    /// Counts quarantined rows by file, column, rule and state, most rows first.
    package func countQuarantined(_ tables: QuarantineTables) throws -> [QuarantineCount] {
        try telling(tables) {
            try connection.query(
                try quarantineRelations(tables) + """
                    SELECT any_value(file_name), file_digest, "column",
                      CASE WHEN starts_with(rule, 'well-formed') THEN 'well-formed line' ELSE rule END AS rule, state,
                      count(*)::VARCHAR, arg_min(raw_value, "row"), min("row")::VARCHAR
                    FROM judged JOIN stands USING (file_digest, "row")
                    GROUP BY 2, 3, 4, 5 ORDER BY count(*) DESC, 1, 2, 3, 4, 5
                    """
            ).texts().map { row in
                QuarantineCount(
                    file: row[0] ?? "", digest: row[1] ?? "", column: row[2], rule: row[3] ?? "",
                    state: row[4].flatMap { QuarantineState(rawValue: $0) } ?? .open,
                    rows: row[5].flatMap { Int($0) } ?? 0,
                    example: row[6], exampleRow: row[7].flatMap { Int($0) })
            }
        }
    }

    /// Counts quarantined rows by state.
    package func countQuarantinedRows(_ tables: QuarantineTables) throws -> [QuarantineState: Int] {
        try telling(tables) {
            let rows = try connection.query(
                try quarantineRelations(tables) + "SELECT state, count(*)::VARCHAR FROM stands GROUP BY state"
            ).texts()
            return Dictionary(
                rows.compactMap { row in
                    row[0].flatMap { QuarantineState(rawValue: $0) }.map { ($0, row[1].flatMap { Int($0) } ?? 0) }
                }, uniquingKeysWith: +)
        }
    }

    /// Returns quarantined rows, by file in order of ingestion and row.
    package func quarantinedRows(
        _ tables: QuarantineTables, _ filter: QuarantineFilter, limit: Int?
    ) throws -> [QuarantinedRow] {
        try telling(tables) {
            let rows = try connection.query(
                try quarantineRelations(tables) + """
                    , chosen AS (\(try chosen(filter)))
                    SELECT file_name, file_digest, "row"::VARCHAR, state, breaches::JSON::VARCHAR, header, cells, line,
                      (SELECT json_group_object("column", value) FROM fixes
                       WHERE fixes.file_digest = chosen.file_digest AND fixes."row" = chosen."row")::VARCHAR
                    FROM chosen ORDER BY place, chosen."row"\(limit.map { " LIMIT \($0)" } ?? "")
                    """
            ).texts()
            return try rows.map { row in
                QuarantinedRow(
                    file: row[0] ?? "", digest: row[1] ?? "", row: row[2].flatMap { Int($0) } ?? 0,
                    state: row[3].flatMap { QuarantineState(rawValue: $0) } ?? .open,
                    breaches: try row[4].map { try JSON.decode([QuarantinedRow.Breach].self, from: $0) } ?? [],
                    header: try row[5].map { try JSON.decode([String].self, from: $0) },
                    cells: try row[6].map { try JSON.decode([String?].self, from: $0) }, line: row[7],
                    corrections: try row[8].map { try JSON.decode([String: String].self, from: $0) } ?? [:])
            }
        }
    }

    /// Writes some quarantined rows again under another attempt; commits nothing.
    package func copyQuarantined(
        _ tables: QuarantineTables, _ filter: QuarantineFilter, attempt: String, into file: String
    ) throws -> WrittenFile {
        try telling(tables) {
            let columns = Self.quarantineFields.map { field in
                field.name == "attempt" ? "\(Quote.text(attempt)) AS attempt" : Quote.name(field.name)
            }
            return try copy(
                try quarantineRelations(tables) + """
                    SELECT \(columns.joined(separator: ", ")) FROM judged
                    WHERE \(Self.isOne(of: filter.only ?? [])) ORDER BY place, "row", "column", rule
                    """, to: file, Self.quarantineFields)
        }
    }

    private static func isOne(of rows: [(digest: String, row: Int)]) -> String {
        let pairs = rows.map { "(\(Quote.text($0.digest)), \($0.row))" }.joined(separator: ", ")
        return "(file_digest, \"row\") IN (\(pairs.isEmpty ? "(\'\', 0)" : pairs))"
    }

    /// SELECT of one row a set-aside row that the filter lets through.
    func chosen(_ filter: QuarantineFilter) throws -> String {
        var conditions: [String] = []
        let states = filter.states.map { Quote.text($0.rawValue) }.sorted()
        conditions.append("state IN (\(states.joined(separator: ", ")))")
        if let digests = filter.digests {
            conditions.append("file_digest IN (\((digests + [""]).map { Quote.text($0) }.joined(separator: ", ")))")
        }
        if let rows = filter.rows {
            conditions.append("\"row\" IN (\((rows + [0]).map(String.init).joined(separator: ", ")))")
        }
        if let only = filter.only { conditions.append(Self.isOne(of: only)) }
        for (column, text) in filter.holding {
            let value = "nullif(\(current(column)), '')"
            conditions.append(text.map { "\(value) = \(Quote.text($0))" } ?? "\(value) IS NULL")
        }
        var breach: [String] = []
        if let column = filter.column { breach.append("b.\"column\" = \(Quote.text(column))") }
        if let rule = filter.rule {
            breach.append("(b.rule = \(Quote.text(rule)) OR starts_with(b.rule, \(Quote.text(rule + ":"))))")
        }
        if !breach.isEmpty {
            conditions.append("len(list_filter(breaches, lambda b: \(breach.joined(separator: " AND ")))) > 0")
        }
        if filter.correctedOnly { conditions.append("fixed IS NOT NULL") }
        return """
            SELECT * FROM (
                SELECT any_value(file_name) AS file_name, file_digest, "row", any_value(state) AS state,
                  list({'column': "column", 'rule': rule, 'value': raw_value} ORDER BY "column", rule) AS breaches,
                  any_value(header) AS header, any_value(cells) AS cells, any_value(place) AS place,
                  any_value(bytes) AS bytes, any_value(raw_value) FILTER (WHERE starts_with(rule, 'well-formed')) AS line,
                  from_json(any_value(header), '["VARCHAR"]') AS names, from_json(any_value(cells), '["VARCHAR"]') AS texts
                FROM judged JOIN stands USING (file_digest, "row") GROUP BY file_digest, "row") AS rows
            LEFT JOIN (SELECT file_digest, "row", map(list("column"), list(value)) AS fixed FROM fixes GROUP BY ALL)
              AS fixed USING (file_digest, "row")
            WHERE \(conditions.joined(separator: " AND "))
            """
    }

    /// SQL for what a contract column of a set-aside row holds now: its correction, else its cell as it came.
    func current(_ column: Contract.Column) -> String {
        let name = Quote.text(column.name)
        let cells = column.headerNames.map { "texts[nullif(list_position(names, \(Quote.text($0))), 0)]" }
        let cell = cells.count == 1 ? cells[0] : "coalesce(\(cells.joined(separator: ", ")))"
        return "CASE WHEN map_contains(fixed, \(name)) THEN fixed[\(name)] ELSE \(cell) END"
    }

    /// Returns the files that were rejected whole, each with its latest reason.
    package func refusedFiles(
        _ tables: QuarantineTables
    ) throws -> [(file: String, digest: String, reason: String)] {
        guard !tables.quarantined.isEmpty else { return [] }
        return try telling(tables) {
            try connection.query(
                """
                SELECT arg_max(file_name, \(Self.stamp("attempt"))), file_digest, arg_max(rule, \(Self.stamp("attempt")))
                FROM (SELECT * FROM \(Quote.parquet(tables.quarantined)) UNION ALL BY NAME
                      SELECT NULL::VARCHAR AS attempt WHERE false)
                WHERE "row" IS NULL GROUP BY file_digest ORDER BY min(\(Self.stamp("attempt"))), 2
                """
            ).texts().map { row in
                let rule = row[2] ?? ""
                return (row[0] ?? "", row[1] ?? "", rule.hasPrefix("whole file: ") ? String(rule.dropFirst(12)) : rule)
            }
        }
    }

    /// Whether the rows of a new quarantine file equal those already quarantined for this digest.
    package func isQuarantined(_ file: WrittenFile, of digest: Digest, in tables: QuarantineTables) throws -> Bool {
        try telling(tables) {
            let columns = "\"row\", \"column\", rule, raw_value, cells"
            let old = """
                SELECT \(columns) FROM \(Quote.parquet(tables.quarantined))
                WHERE file_digest = \(Quote.text(digest.hex)) AND "row" IS NOT NULL
                  AND attempt || '/' || file_digest NOT IN (SELECT unnest(\(list(tables.void))))
                """
            let new = "SELECT \(columns) FROM \(Quote.parquet([file.path]))"
            return try connection.value("SELECT '1' FROM ((\(old)) EXCEPT ALL (\(new))) LIMIT 1") == nil
                && connection.value("SELECT '1' FROM ((\(new)) EXCEPT ALL (\(old))) LIMIT 1") == nil
        }
    }

    /// Returns the passes that quarantined rows of a file, as ATTEMPT/DIGEST.
    package func attempts(of digest: Digest, in tables: QuarantineTables) throws -> [String] {
        guard !tables.quarantined.isEmpty else { return [] }
        return try telling(tables) {
            try connection.query(
                """
                SELECT DISTINCT attempt || '/' || file_digest FROM \(Quote.parquet(tables.quarantined))
                WHERE file_digest = \(Quote.text(digest.hex)) AND "row" IS NOT NULL ORDER BY 1
                """
            ).texts().compactMap { $0[0] }
        }
    }

    /// Returns the decisions about these rows, in order of time.
    package func decisions(
        _ tables: QuarantineTables, about rows: [(digest: String, row: Int?)]?
    ) throws -> [QuarantineDecision] {
        guard !tables.decisions.isEmpty else { return [] }
        var wanted: [String] = []
        if let rows {
            let files = rows.filter { $0.row == nil }.map { Quote.text($0.digest) }
            let single = rows.compactMap { row in row.row.map { "(\(Quote.text(row.digest)), \($0))" } }
            if !files.isEmpty { wanted.append("\"row\" IS NULL AND file_digest IN (\(files.joined(separator: ", ")))") }
            if !single.isEmpty { wanted.append("(file_digest, \"row\") IN (\(single.joined(separator: ", ")))") }
            if wanted.isEmpty { return [] }
        }
        return try telling(tables) {
            try connection.query(
                """
                SELECT decision, "at", actor, action, reason, file_digest, file_name, "row"::VARCHAR, "column",
                  old_value, new_value
                FROM (\(decisionsSource(tables)))
                WHERE (action <> 'replay' OR decision IN (SELECT unnest(\(list(tables.replays)))))
                  \(wanted.isEmpty ? "" : "AND (\(wanted.joined(separator: " OR ")))")
                ORDER BY decision, file_digest, "row", "column"
                """
            ).texts().map { row in
                QuarantineDecision(
                    decision: row[0] ?? "", at: row[1] ?? "", actor: row[2] ?? "", action: row[3] ?? "",
                    reason: row[4], digest: row[5] ?? "", file: row[6] ?? "", row: row[7].flatMap { Int($0) },
                    column: row[8], oldValue: row[9], newValue: row[10])
            }
        }
    }

    /// Turns DuckDB's error for the tables' own files into a message.
    func telling<T>(_ tables: QuarantineTables, _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as DuckDBError {
            throw explain(error, Query("", file: nil))
        }
    }
}
