internal import Core
internal import DelimitedText
internal import DuckDB
package import Lakehouse
internal import SourceFormats
internal import Storage

// Judging refused rows again. They are written out as a small Parquet file of texts under the contract's own header
// names, corrected, in the order in which they came; that file is judged like any other. What comes out is given back
// its true file and row.

extension DuckDBLakeEngine {
    /// Checks quarantined rows, with corrections, under the present contract.
    package func rejudge(_ request: RejudgeRequest) throws -> Rejudgement {
        defer {
            _ = try? connection.execute(
                """
                DROP TABLE IF EXISTS again; DROP TABLE IF EXISTS kept; DROP TABLE IF EXISTS reasons;
                DROP TABLE IF EXISTS chosen; DROP TABLE IF EXISTS reread
                """)
        }
        do {
            var result = Rejudgement()
            let columns = try gather(request)
            result.judged = try number("SELECT count(*) FROM again")
            guard result.judged > 0 else { return result }
            // A person asked for these rows: each is judged for itself.
            var contract = request.contract
            contract.judgeRows()
            let isLatest = contract.onKeyConflict == .latestWins && !contract.key.isEmpty
            let acceptance = try judge(columns, request, contract, existing: isLatest ? [] : request.existing)
            let fields = contract.columns.map { Quote.name($0.name) }.joined(separator: ", ")
            let accepted = acceptance.accepted.filter { $0.rows > 0 }.map(\.path)
            if !accepted.isEmpty {
                try connection.execute(
                    "CREATE OR REPLACE TEMP TABLE kept AS SELECT \(fields), _row AS _martlet_pos FROM \(Quote.parquet(accepted))"
                )
            } else {
                try connection.execute("CREATE OR REPLACE TEMP TABLE kept AS SELECT 0 AS _martlet_pos WHERE false")
            }
            try connection.execute(
                "CREATE OR REPLACE TEMP TABLE reasons (_martlet_pos BIGINT, \"column\" VARCHAR, rule VARCHAR, raw_value VARCHAR)"
            )
            if let file = acceptance.quarantined {
                try connection.execute(
                    "INSERT INTO reasons SELECT \"row\", \"column\", rule, raw_value FROM \(Quote.parquet([file.path]))"
                )
            }
            if isLatest, !accepted.isEmpty { try loseToLater(request, contract) }
            // A contract may have columns that are named like those of `again`.
            let own = contract.columns.map { "kept.\(Quote.name($0.name))" }.joined(separator: ", ")
            try finish(request, contract, own, &result)
            if isLatest, result.accepted != nil { result.rewrites = try replaceOlder(request, contract) }
            return result
        } catch let error as DuckDBError { throw explain(error, Query("", file: nil)) }
    }

    /// The rows that are meant, in the order in which they came, as `again`: place, origin, and each contract column
    /// as it stands now. Gives the columns that there are.
    private func gather(_ request: RejudgeRequest) throws -> [Contract.Column] {
        let contract = request.contract
        let cells = contract.columns.enumerated().map { "\(current($1)) AS v\($0)" }.joined(separator: ", ")
        let brought = contract.columns.enumerated().map { index, column in
            let names = column.headerNames.map { "list_contains(names, \(Quote.text($0)))" }
            let isFixed = "coalesce(map_contains(fixed, \(Quote.text(column.name))), false)"
            return "(\((names + [isFixed]).joined(separator: " OR "))) AS has\(index)"
        }.joined(separator: ", ")
        try connection.execute(
            "CREATE OR REPLACE TEMP TABLE chosen AS " + (try quarantineRelations(request.tables)) + """
                , chosen AS (\(try chosen(request.filter))) SELECT row_number() OVER () AS id, * FROM chosen
                """)
        try readAgain(request.format)
        try connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE again AS
            SELECT row_number() OVER (ORDER BY place, "row") AS _martlet_pos, file_digest, file_name, "row", place, header,
              cells, breaches, bytes, \(cells), \(brought),
              texts[nullif(list_position(names, '_synthetic'), 0)] AS synthetic
            FROM (SELECT chosen.* REPLACE (
                    coalesce(reread.cells, chosen.cells) AS cells,
                    coalesce(from_json(reread.cells, '["VARCHAR"]'), texts) AS texts)
                  FROM chosen LEFT JOIN reread USING (id))
            WHERE texts IS NOT NULL OR fixed IS NOT NULL
            """)
        let found = contract.columns.indices.map { "bool_or(has\($0))::VARCHAR" }.joined(separator: ", ")
        let row = try connection.query("SELECT \(found) FROM again").texts().first ?? []
        return zip(contract.columns, row).filter { !$0.optional || $1 == "true" }.map(\.0)
    }

    /// Takes the chosen records apart again as the source says now that its files are written: the table `reread`, with
    /// the cells of those that are one record of as many cells as the header.
    private func readAgain(_ format: SourceFormat) throws {
        try connection.execute("CREATE OR REPLACE TEMP TABLE reread (id BIGINT, cells VARCHAR)")
        guard let parse = try SourceFormats.find(format.kind).cells else { return }
        let rows = try connection.query(
            """
            SELECT id::VARCHAR, hex(bytes), header,
              (len(list_filter(breaches, lambda b: contains(b.rule, 'no record by itself'))) > 0)::VARCHAR
            FROM chosen WHERE bytes IS NOT NULL AND header IS NOT NULL
            """
        ).texts()
        var ids: [Int64] = []
        var cells: [String] = []
        var headers: [String: [String]] = [:]
        for row in rows {
            guard let id = row[0].flatMap({ Int64($0) }), let hex = row[1], let header = row[2] else { continue }
            let names = try headers[header] ?? JSON.decode([String].self, from: header)
            headers[header] = names
            guard let bytes = TextEncoding.text(ofHex: hex, format.encoding),
                let record = String(validating: bytes, as: UTF8.self),
                let found = try? parse(record, format, names, row[3] == "true"), found.count == names.count
            else { continue }
            ids.append(id)
            cells.append(try JSON.text(found.map { $0.isEmpty ? nil : $0 }))
        }
        guard !ids.isEmpty else { return }
        try connection.append(
            [
                .integers(ids, valid: ids.map { _ in true }),
                .texts(codes: Array(0..<Int32(cells.count)), levels: cells),
            ], to: "reread")
    }

    private func judge(
        _ columns: [Contract.Column], _ request: RejudgeRequest, _ contract: Contract, existing: [String]
    ) throws -> BatchAcceptance {
        try Disk.makeDirectory(request.scratch)
        let file = "\(request.scratch)/again.parquet"
        var cells = columns.map { column in
            let index = contract.columns.firstIndex { $0.name == column.name } ?? 0
            return "v\(index)::VARCHAR AS \(Quote.name(column.headerNames[0]))"
        }
        cells.append("synthetic AS _synthetic")
        try connection.execute(
            "COPY (SELECT \(cells.joined(separator: ", ")) FROM again ORDER BY _martlet_pos) TO \(Quote.text(file)) (FORMAT parquet)"
        )
        var format = request.format
        format.kind = "parquet"
        let acceptance = try accept(
            AcceptRequest(
                files: [.init(path: file, name: "again", digest: Digest(of: request.id))], contract: contract,
                format: format, existing: existing, folder: request.scratch + "/good",
                quarantineFolder: request.scratch + "/bad", id: request.id))
        if let refusal = acceptance.files.first?.refusal {
            throw MartletError(.defect, "quarantine.rejudge", "The refused rows could not be judged again: \(refusal).")
        }
        return acceptance
    }

    private func keys(_ contract: Contract) -> String {
        contract.key.map { Quote.name($0) }.joined(separator: ", ")
    }

    /// Latest-wins: a row whose key came again later, in a file after its own or further down in it, stays out.
    private func loseToLater(_ request: RejudgeRequest, _ contract: Contract) throws {
        guard !request.existing.isEmpty else { return }
        let names = keys(contract)
        let value = contract.key.map { "kept.\(Quote.name($0))::VARCHAR" }.joined(separator: ", ")
        try connection.execute(
            """
            INSERT INTO reasons
            SELECT DISTINCT _martlet_pos, \(Quote.text(contract.key.joined(separator: ", "))), 'superseded by a later row',
              concat_ws(', ', \(value))
            FROM kept JOIN (SELECT _martlet_pos, place AS _martlet_place, "row" AS _martlet_row FROM again) AS origin
              USING (_martlet_pos)
            JOIN (SELECT \(names), _file, _row FROM \(Quote.parquet(request.existing))) AS before USING (\(names))
            LEFT JOIN taken ON taken.digest = before._file
            WHERE (coalesce(taken.place, -1), before._row) > (_martlet_place, _martlet_row);
            DELETE FROM kept WHERE _martlet_pos IN (SELECT _martlet_pos FROM reasons)
            """)
    }

    /// Bronze's files without the rows that replayed ones replace.
    private func replaceOlder(_ request: RejudgeRequest, _ contract: Contract) throws -> [Acceptance.Rewrite] {
        guard !request.existing.isEmpty else { return [] }
        let names = keys(contract)
        let hit = try connection.query(
            """
            SELECT DISTINCT _martlet_path FROM \(Quote.parquet(request.existing, options: ", filename = '_martlet_path'"))
            SEMI JOIN kept USING (\(names)) ORDER BY _martlet_path
            """
        ).texts().compactMap { $0[0] }
        return try hit.enumerated().map { index, old in
            let source = Quote.parquet([old])
            let fields = try fields(of: "SELECT * FROM \(source)")
            let kept = try copy(
                "SELECT * FROM \(source) ANTI JOIN kept USING (\(names))",
                to: "\(request.bronzeFolder)/part-\(request.id)-\(index).parquet", fields)
            return Acceptance.Rewrite(old: old, new: kept, oldHash: try hash(of: fields, in: source))
        }
    }

    private func finish(
        _ request: RejudgeRequest, _ contract: Contract, _ fields: String, _ result: inout Rejudgement
    ) throws {
        let count = try number("SELECT count(*) FROM kept")
        if count > 0 {
            try Disk.makeDirectory(request.bronzeFolder)
            result.accepted = try copy(
                """
                SELECT \(fields), again.file_digest AS _file, again."row" AS _row
                FROM kept JOIN again USING (_martlet_pos) ORDER BY _martlet_pos
                """, to: "\(request.bronzeFolder)/part-\(request.id).parquet", contract.fields)
            result.rows = try connection.query(
                """
                SELECT again.file_name, again.file_digest, again."row"::VARCHAR
                FROM kept JOIN again USING (_martlet_pos) ORDER BY _martlet_pos
                """
            ).texts().map { ($0[0] ?? "", $0[1] ?? "", $0[2].flatMap { Int($0) } ?? 0) }
        }
        result.superseded = try number(
            "SELECT count(*) FROM (SELECT _martlet_pos FROM reasons GROUP BY _martlet_pos HAVING bool_and(rule = 'superseded by a later row'))"
        )
        result.stillBad = result.judged - count - result.superseded
        result.breaches = try connection.query(
            """
            SELECT "column", CASE WHEN starts_with(rule, 'well-formed') THEN 'well-formed line' ELSE rule END AS rule,
              count(*)::VARCHAR, arg_min(raw_value, _martlet_pos), min_by("row", _martlet_pos)::VARCHAR
            FROM reasons JOIN again USING (_martlet_pos) GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2
            """
        ).texts().map { row in
            Acceptance.Breach(
                column: row[0], rule: row[1] ?? "", rows: row[2].flatMap { Int($0) } ?? 0, example: row[3],
                exampleRow: row[4].flatMap { Int($0) })
        }
        let changed = """
            SELECT _martlet_pos FROM (
                SELECT _martlet_pos, list({'column': "column", 'rule': rule, 'value': raw_value} ORDER BY "column", rule) AS now
                FROM reasons GROUP BY _martlet_pos) JOIN again USING (_martlet_pos) WHERE now IS DISTINCT FROM breaches
            """
        guard try number("SELECT count(*) FROM (\(changed))") > 0 else { return }
        try Disk.makeDirectory(request.quarantineFolder)
        result.quarantined = try copy(
            """
            SELECT file_digest, file_name, "row", "column", rule, raw_value, header, cells,
              \(Quote.text("replay-" + request.id)) AS attempt, bytes
            FROM reasons JOIN again USING (_martlet_pos) WHERE _martlet_pos IN (\(changed)) ORDER BY _martlet_pos, "column", rule
            """, to: "\(request.quarantineFolder)/part-\(request.id).parquet", Self.quarantineFields)
    }

    private func number(_ sql: String) throws -> Int {
        try connection.value("SELECT (\(sql))::VARCHAR").flatMap { Int($0) } ?? 0
    }
}

extension TextEncoding {
    /// The UTF-8 text of bytes that are given as hexadecimal digits; `nil` when they are none of this encoding.
    fileprivate static func text(ofHex hex: String, _ encoding: TextEncoding) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in hex.utf8 {
            let value = digit < 58 ? digit &- 48 : digit &- 55
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        var encoding = encoding
        if encoding.unit > 1 {
            // A byte order mark stood at the file's beginning only; zeros tell the order of most texts.
            let high = bytes.indices.count { $0 % encoding.unit == 0 && bytes[$0] == 0 }
            let low = bytes.indices.count { $0 % encoding.unit == encoding.unit - 1 && bytes[$0] == 0 }
            guard high != low else { return nil }
            let mark: [UInt8] =
                encoding.unit == 2
                ? (high > low ? [0xFE, 0xFF] : [0xFF, 0xFE]) : (high > low ? [0, 0, 0xFE, 0xFF] : [0xFF, 0xFE, 0, 0])
            encoding = encoding.adjusted(to: mark).encoding
        }
        if encoding.isUTF8 { return bytes.withUnsafeBytes { UTF8Check.firstInvalid($0) } == nil ? bytes : nil }
        var text: [UInt8] = []
        guard let converter = Converter(encoding), (try? converter.convert(bytes, into: &text)) != nil else {
            return nil
        }
        return text
    }
}
