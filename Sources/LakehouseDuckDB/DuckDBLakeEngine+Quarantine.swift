internal import DuckDB
internal import Lakehouse
internal import Vocabulary

// What is set aside, row by row, with rule and raw value.

extension DuckDBLakeEngine {
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

    func breaches(_ staged: Staged, conflicts: Bool) throws -> [Acceptance.Breach] {
        try connection.query(
            """
            SELECT "column", rule, count(*)::VARCHAR, arg_min(raw_value, "row"), min("row")::VARCHAR
            FROM (SELECT "row", "column", CASE
                    WHEN contains(rule, 'utf-8 encoded') THEN 'text in utf-8 (for another encoding: csv: {encoding: latin-1})'
                    WHEN starts_with(rule, 'well-formed') THEN 'well-formed line' ELSE rule END AS rule, raw_value
                  FROM (\(details(staged)))) GROUP BY ALL ORDER BY count(*) DESC, 1, 2
            """
        ).texts().map { row in
            Acceptance.Breach(
                column: row[0], rule: row[1] ?? "", rows: row[2].flatMap { Int($0) } ?? 0, example: row[3],
                exampleRow: row[4].flatMap { Int($0) })
        }
    }

    func quarantine(_ request: AcceptRequest, _ staged: Staged) throws -> WrittenFile {
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
    func refuse(_ request: AcceptRequest, _ reason: String, _ known: Acceptance) throws -> Acceptance {
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
    func unitHint(_ sql: ContractSQL) throws -> String {
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
