internal import DuckDB
internal import Lakehouse
internal import Vocabulary

/// A file whose cells stand as texts in the temporary table `staged`, 0-based `rowid` in file order, and whose
/// broken lines stand in `broken`.
struct Staged {
    var sql: ContractSQL
    var layout: HeaderReader.Layout
    var rows: Int
    var broken: Int
}

extension DuckDBLakeEngine {
    func dropStaging() {
        _ = try? connection.execute(
            "DROP TABLE IF EXISTS staged; DROP TABLE IF EXISTS broken; DROP TABLE IF EXISTS broken_scan; "
                + "DROP TABLE IF EXISTS rejected; DROP TABLE IF EXISTS conflicts; DROP TABLE IF EXISTS superseded; "
                + "DROP TABLE IF EXISTS records")
    }

    /// Loads the file as texts into `staged` (0-based `rowid` in file order) and broken lines into `broken`.
    func stage(_ request: AcceptRequest) throws -> Staged {
        dropStaging()
        let reader = HeaderReader(contract: request.contract, fileName: request.name)
        let format = request.format
        guard Disk.stamp(request.file)?.size != 0 else { throw Refusal("it is empty") }
        let layout: HeaderReader.Layout
        let source: String
        switch format.kind {
        case .parquet:
            let columns = try describeTypes("SELECT * FROM \(Quote.parquet([request.file]))")
            layout = try reader.layout(columns.map(\.name))
            let texts = columns.enumerated().map { index, column in
                "CAST(\(Quote.name(column.name)) AS VARCHAR) AS \(HeaderReader.Layout.cell(index))"
            }
            source = "SELECT \(texts.joined(separator: ", ")) FROM \(Quote.parquet([request.file]))"
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
        let wanted =
            layout.present.map { ($0.raw, $0.column.missing) } + [layout.synthetic].compactMap { $0.map { ($0, []) } }
        let cells = wanted.map { cell, missing in "\(cleaned(cell, missing, request.format)) AS \(cell)" }
        try connection.execute("CREATE TEMP TABLE staged AS SELECT \(cells.joined(separator: ", ")) FROM (\(source))")
        if format.kind == .csv {
            try numberBrokenLines(request)
        }
        let rows = try connection.value("SELECT count(*)::VARCHAR FROM staged").flatMap { Int($0) } ?? 0
        let broken = try connection.value("SELECT count(*)::VARCHAR FROM broken").flatMap { Int($0) } ?? 0
        if rows + broken == 0 { throw Refusal("it has a header but no rows") }
        return Staged(
            sql: ContractSQL(contract: request.contract, present: layout.present, absent: layout.absent),
            layout: layout,
            rows: rows, broken: broken)
    }

    /// Turns the lines that the reader gave up into data rows: less the header, less the blank lines before them.
    private func numberBrokenLines(_ request: AcceptRequest) throws {
        let format = request.format
        let skipped = format.skipLines + (format.header ? 1 : 0)
        var blank: [Int] = []
        if try connection.value("SELECT '1' FROM broken LIMIT 1") != nil {
            blank = try CSVHeader.blankLines(request.file, quote: Array(format.quote.utf8).first).filter {
                $0 > skipped
            }
        }
        let before =
            blank.isEmpty
            ? "0"
            : "(SELECT count(*) FROM (SELECT unnest([\(blank.map(String.init).joined(separator: ", "))]) AS place) WHERE place < lines.line)"
        try connection.execute(
            """
            ALTER TABLE broken RENAME TO broken_lines;
            CREATE TEMP TABLE broken AS
            SELECT line - \(skipped) - \(before) AS line, message, text FROM (
                SELECT line, first(error_message ORDER BY column_idx) AS message,
                    first(csv_line ORDER BY column_idx) AS text
                FROM broken_lines GROUP BY line) AS lines ORDER BY line;
            DROP TABLE broken_lines
            """)
    }

    private func csvSource(_ request: AcceptRequest, _ layout: HeaderReader.Layout) -> String {
        let format = request.format
        let columns = (0..<layout.cells).map { "\(HeaderReader.Layout.cell($0)): 'VARCHAR'" }.joined(separator: ", ")
        let skip = format.skipLines + (format.header ? 1 : 0)
        return """
            SELECT * FROM read_csv(\(Quote.path(request.file)), hive_partitioning = false, auto_detect = false, header = false, skip = \(skip),
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
        let present = columns.prefix(count).enumerated().map { (column: $1, raw: HeaderReader.Layout.cell($0)) }
        return HeaderReader.Layout(
            header: columns.prefix(count).map { $0.headerNames[0] }, present: present,
            absent: Array(columns.dropFirst(count)), extra: [], synthetic: nil)
    }

    /// A cell after trimming, with the texts that mean "missing" made null.
    private func cleaned(_ name: String, _ columnMissing: [String], _ format: SourceFormat) -> String {
        let cell = format.trim ? "trim(\(name), E' \\t\\r\\n')" : name
        // Without trimming, the CSV reader itself has made the source's own markers null.
        let isRaw = format.trim || format.kind == .parquet
        var missing = (isRaw ? format.missing : []) + columnMissing
        if isRaw { missing.append("") }
        if missing.count == 1 { return "nullif(\(cell), \(Quote.text(missing[0])))" }
        if missing.isEmpty { return cell }
        let list = missing.map { Quote.text($0) }.joined(separator: ", ")
        return "CASE WHEN \(cell) NOT IN (\(list)) THEN \(cell) END"
    }
}
