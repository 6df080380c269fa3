internal import Core
internal import DuckDB
internal import Lakehouse
internal import Storage

// What is set aside, row by row: rule, raw value, and all cells of the row as they came. It is gathered in the
// temporary table `aside`, by place of the file in the request.

extension DuckDBLakeEngine {
    /// SQL for the place in the request of the file whose place in the staging table is given.
    func fileOf(_ place: String, _ job: AcceptJob) -> String {
        let files = job.staged.map { "\($0.file)::BIGINT" }
        return Set(files).count == 1 ? files[0] : "[\(files.joined(separator: ", "))][\(place) + 1]"
    }

    /// Works out which promises the noted rows of a group break: one row a breach, and counts of those that only warn.
    func noteBreaches(_ group: AcceptJob.Group, _ job: AcceptJob) throws {
        let sql = job.sql(group.layout)
        let rules = sql.layeredRules
        let cells = sql.present.map { raw in
            "cells[\((Int(raw.raw.dropFirst()) ?? 0) + 1)] AS \(raw.raw)"
        }
        let staged = """
            SELECT f, n + \(job.rowsBefore) AS "row", to_json(cells)::VARCHAR AS record, bytes,
              \(cells.joined(separator: ", ")) FROM staged
            WHERE cells IS NOT NULL AND f BETWEEN \(group.members.lowerBound) AND \(group.members.upperBound - 1)
            """
        let layers = sql.layers(over: staged) { cleaned($0, $1.missing, job.request.format) }
        func hits(_ rules: some Sequence<(offset: Int, element: ContractSQL.Rule)>) -> String {
            let cases = rules.map {
                "CASE WHEN \($1.breach) THEN {'rule': \($0 + 1), 'value': \(ContractSQL.text($1.raw))} END"
            }
            return """
                SELECT f, "row", record, bytes, unnest(list_filter([\(cases.joined(separator: ", "))], lambda hit: hit IS NOT NULL))
                  AS hit FROM (\(layers))
                """
        }
        let strict = rules.enumerated().filter { !$1.isWarning }
        if !strict.isEmpty {
            try connection.execute(
                """
                INSERT INTO aside
                SELECT \(fileOf("f", job)), "row", \(Quote.list(rules.map(\.column.name)))[hit.rule],
                  \(Quote.list(rules.map(\.name)))[hit.rule], hit.value, record, bytes FROM (\(hits(strict)))
                """)
            job.hasDetails = true
        }
        let warnings = rules.enumerated().filter { $1.isWarning }
        guard !warnings.isEmpty else { return }
        let counts = try connection.query(
            "SELECT f, hit.rule::BIGINT, count(*) FROM (\(hits(warnings))) GROUP BY ALL"
        ).integers { $0 }
        for row in counts {
            job.warned[job.staged[Int(row[0])].file][Int(row[1]) - 1, default: 0] += Int(row[2])
        }
    }

    /// Notes the records that could not be taken apart, whole.
    func noteBroken(_ job: AcceptJob) throws {
        try connection.execute(
            """
            INSERT INTO aside
            SELECT \(fileOf("f", job)), n + \(job.rowsBefore), NULL, 'well-formed line: ' || broken, line, NULL, bytes
            FROM staged WHERE broken IS NOT NULL
            """)
        job.hasDetails = true
    }

    /// What was broken, by place of the file in the request; most rows first.
    func breaches(_ job: AcceptJob) throws -> [Int: [Acceptance.Breach]] {
        guard job.hasDetails else { return [:] }
        let rows = try connection.query(
            """
            SELECT file::VARCHAR, "column", rule, count(*)::VARCHAR, arg_min(raw_value, "row"), min("row")::VARCHAR
            FROM (SELECT file, "row", "column", CASE
                    WHEN starts_with(rule, 'well-formed line: text in utf-8')
                      THEN 'text in utf-8 (for another encoding: csv: {encoding: ' || split_part(rule, 'it looks like ', 2) || '})'
                    WHEN starts_with(rule, 'well-formed') THEN 'well-formed line' ELSE rule END AS rule, raw_value
                  FROM aside) GROUP BY file, "column", rule ORDER BY file, count(*) DESC, "column", rule
            """
        ).texts()
        var breaches: [Int: [Acceptance.Breach]] = [:]
        for row in rows {
            guard let file = row[0].flatMap({ Int($0) }) else { continue }
            breaches[file, default: []].append(
                Acceptance.Breach(
                    column: row[1], rule: row[2] ?? "", rows: row[3].flatMap { Int($0) } ?? 0, example: row[4],
                    exampleRow: row[5].flatMap { Int($0) }))
        }
        return breaches
    }

    /// The columns of a quarantine table.
    static let quarantineFields = [
        DeltaField(name: "file_digest", type: "string"), DeltaField(name: "file_name", type: "string"),
        DeltaField(name: "row", type: "long"), DeltaField(name: "column", type: "string"),
        DeltaField(name: "rule", type: "string"), DeltaField(name: "raw_value", type: "string"),
        DeltaField(name: "header", type: "string"), DeltaField(name: "cells", type: "string"),
        DeltaField(name: "attempt", type: "string"),
        DeltaField(name: "bytes", type: "binary"),
    ]

    /// Writes the quarantined rows: the bad rows of accepted files, and one row for each rejected file.
    /// - Returns: `nil` when there is nothing.
    func quarantine(_ job: AcceptJob) throws -> WrittenFile? {
        let request = job.request
        let refused = request.files.indices.filter { job.refusals[$0] != nil }
        guard job.hasDetails || !refused.isEmpty else { return nil }
        try Disk.makeDirectory(request.quarantineFolder)
        let digests = Quote.list(request.files.map(\.digest.hex))
        let names = Quote.list(request.files.map(\.name))
        let headers = try request.files.indices.map { try job.layouts[$0].map { try JSON.text($0.header) } ?? "" }
        let distinct = Array(Set(headers)).sorted()
        let places = headers.map { "\((distinct.firstIndex(of: $0) ?? 0) + 1)" }.joined(separator: ", ")
        let header = "\(Quote.list(distinct))[[\(places)][file + 1]]"
        let taken = refused.isEmpty ? "" : " WHERE file NOT IN (\(refused.map(String.init).joined(separator: ", ")))"
        var parts = [
            "SELECT file, \"row\", \"column\", rule, raw_value, \(header) AS header, record, bytes FROM aside\(taken)"
        ]
        parts += refused.map {
            "SELECT \($0), NULL, NULL, \(Quote.text("whole file: \(job.refusals[$0] ?? "")")), NULL, NULL, NULL, NULL"
        }
        let written = try copy(
            """
            SELECT \(digests)[file + 1] AS file_digest, \(names)[file + 1] AS file_name, "row"::BIGINT AS "row",
              "column"::VARCHAR AS "column", rule::VARCHAR AS rule, raw_value::VARCHAR AS raw_value,
              header::VARCHAR AS header, record::VARCHAR AS cells, \(Quote.text(request.id)) AS attempt, bytes::BLOB AS bytes
            FROM (\(parts.joined(separator: " UNION ALL "))) ORDER BY file, "row", "column", rule
            """, to: "\(request.quarantineFolder)/part-\(request.id).parquet", Self.quarantineFields)
        if written.rows > 0 { return written }
        Disk.remove(written.path)
        return nil
    }

    /// Out-of-range cells that are all off by the same power of ten look like another unit.
    func unitHint(_ job: AcceptJob, _ place: Int) throws -> String {
        for (index, column) in job.contract.columns.enumerated() {
            guard let max = column.max.flatMap({ Double($0) }), let unit = column.unit, max > 0 else { continue }
            let median = try connection.value(
                """
                SELECT median(t\(index))::VARCHAR FROM staged WHERE f = \(place)
                HAVING count(*) FILTER (t\(index) > \(max)) > 0.9 * count(t\(index))
                """)
            if let median, let number = Double(median) {
                return
                    ". \(column.name) is mostly far above \(column.max ?? "") \(unit) (median \(number)): is it in another unit?"
            }
        }
        return ""
    }
}
