internal import DuckDB
internal import Lakehouse
internal import Vocabulary

// What is set aside, row by row: rule, raw value, and all cells of the row as they came.

extension DuckDBLakeEngine {
    /// One row a breach: where, which rule, what the cell held.
    private func details(_ staged: Staged) -> String {
        let number = rowNumber(staged)
        var parts = staged.sql.rules.filter { !$0.isWarning }.map { rule in
            """
            SELECT rowid AS id, \(number) AS "row", \(Quote.text(rule.column.name)) AS "column",
              \(Quote.text(rule.name)) AS rule, \(Quote.name(rule.raw)) AS raw_value FROM staged WHERE \(rule.breach)
            """
        }
        parts.append(
            "SELECT NULL AS id, line AS \"row\", NULL AS \"column\", 'well-formed line: ' || message AS rule, text AS raw_value FROM broken"
        )
        let key = staged.sql.contract.key
        if !key.isEmpty {
            let names = Quote.text(key.joined(separator: ", "))
            let value = key.map { name in
                staged.sql.present.first { $0.column.name == name }.map { Quote.name($0.raw) } ?? "NULL"
            }.joined(separator: ", ")
            parts.append(
                "SELECT rowid, \(number), \(names), 'unique key', concat_ws(', ', \(value)) FROM staged WHERE rowid IN (SELECT id FROM conflicts)"
            )
            parts.append(
                "SELECT rowid, \(number), \(names), 'superseded by a later row', concat_ws(', ', \(value)) FROM staged WHERE rowid IN (SELECT id FROM superseded)"
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
        try stageRecords(request, staged)
        let header = Quote.text(try JSON.text(staged.layout.header))
        return try writeQuarantine(
            request,
            """
            SELECT "row", "column", rule, raw_value, \(header) AS header, records.cells AS cells
            FROM (\(details(staged))) AS details LEFT JOIN records ON records.id = details.id
            ORDER BY "row", "column", rule
            """)
    }

    /// The cells of the refused rows as they came, before trimming and missing texts, in the file's order: read once
    /// more, since there are few of them. Broken lines are left out both times, so rows count alike.
    private func stageRecords(_ request: AcceptRequest, _ staged: Staged) throws {
        let cells = (0..<staged.layout.cells).map { HeaderReader.Layout.cell($0) }.joined(separator: ", ")
        try connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE records AS
            SELECT id, to_json([\(cells)])::VARCHAR AS cells
            FROM (SELECT row_number() OVER () - 1 AS id, * FROM (\(try rawSource(request, staged.layout))))
            WHERE id IN (SELECT id FROM rejected UNION ALL SELECT id FROM conflicts UNION ALL SELECT id FROM superseded)
            """)
    }

    /// All cells of a file as texts, empty ones null.
    func rawSource(_ request: AcceptRequest, _ layout: HeaderReader.Layout) throws -> String {
        let format = request.format
        switch format.kind {
        case .parquet:
            let texts = try describeTypes("SELECT * FROM \(Quote.parquet([request.file]))").enumerated().map {
                "CAST(\(Quote.name($1.name)) AS VARCHAR) AS \(HeaderReader.Layout.cell($0))"
            }
            return "SELECT \(texts.joined(separator: ", ")) FROM \(Quote.parquet([request.file]))"
        case .csv:
            let columns = (0..<layout.cells).map { "\(HeaderReader.Layout.cell($0)): 'VARCHAR'" }
            return """
                SELECT * FROM read_csv(\(Quote.path(request.file)), hive_partitioning = false, auto_detect = false,
                  header = false, skip = \(format.skipLines + (format.header ? 1 : 0)),
                  delim = \(Quote.text(format.delimiter)), quote = \(Quote.text(format.quote)),
                  escape = \(Quote.text(format.quote)), columns = {\(columns.joined(separator: ", "))}, nullstr = '',
                  encoding = \(Quote.text(format.encoding.rawValue)), null_padding = false, strict_mode = true,
                  ignore_errors = true)
                """
        }
    }

    /// The columns of a quarantine table.
    static let quarantineFields = [
        DeltaField(name: "file_digest", type: "string"), DeltaField(name: "file_name", type: "string"),
        DeltaField(name: "row", type: "long"), DeltaField(name: "column", type: "string"),
        DeltaField(name: "rule", type: "string"), DeltaField(name: "raw_value", type: "string"),
        DeltaField(name: "header", type: "string"), DeltaField(name: "cells", type: "string"),
        DeltaField(name: "attempt", type: "string"),
    ]

    private func writeQuarantine(_ request: AcceptRequest, _ select: String) throws -> WrittenFile {
        try Disk.makeDirectory(request.quarantineFolder)
        return try copy(
            """
            SELECT \(Quote.text(request.digest.hex)) AS file_digest, \(Quote.text(request.name)) AS file_name,
              "row"::BIGINT AS "row", "column"::VARCHAR AS "column", rule::VARCHAR AS rule,
              raw_value::VARCHAR AS raw_value, header::VARCHAR AS header, cells::VARCHAR AS cells,
              \(Quote.text(request.fileID)) AS attempt
            FROM (\(select))
            """, to: "\(request.quarantineFolder)/part-\(request.fileID).parquet", Self.quarantineFields)
    }

    /// The whole file is set aside: one quarantine row says why.
    func refuse(_ request: AcceptRequest, _ reason: String, _ known: Acceptance) throws -> Acceptance {
        var result = known
        result.refusal = reason
        result.accepted = nil
        do {
            result.quarantined = try writeQuarantine(
                request,
                "SELECT NULL AS \"row\", NULL AS \"column\", \(Quote.text("whole file: \(reason)")) AS rule, NULL AS raw_value, NULL AS header, NULL AS cells"
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
