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
                + "DROP TABLE IF EXISTS rejected; DROP TABLE IF EXISTS conflicts; DROP TABLE IF EXISTS superseded")
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
}
