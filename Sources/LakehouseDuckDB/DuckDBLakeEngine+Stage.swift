internal import DuckDB
internal import Lakehouse
internal import Vocabulary

// Files are read into the temporary table `staged`: one row a data row, in the order of the request, with
//
//   t0, t1, …   the contract's columns, typed; null where the text is missing or wrong
//   f           place in `AcceptJob.staged`
//   bad         whether bronze refuses the row
//   strict      whether a broken promise says reject-file
//   made_up     what the row says of itself in `_synthetic`
//   cells       all cells of the line as they came, for rows that break a promise; else null
//
// and broken lines into `broken_lines`. Everything that a row tells by itself is worked out while it is read.

extension DuckDBLakeEngine {
    /// What each session has of its own.
    private static let temporary = [
        "staged", "broken", "broken_scan", "broken_lines", "outside", "landed", "numbered",
    ]

    func dropTemporaryStaging() {
        _ = try? connection.execute(Self.temporary.map { "DROP TABLE IF EXISTS \($0)" }.joined(separator: "; "))
    }

    func dropStaging() {
        dropTemporaryStaging()
        _ = try? connection.execute("DROP TABLE IF EXISTS aside")
    }

    func createStaging(_ job: AcceptJob) throws {
        dropStaging()
        try connection.execute(
            """
            CREATE OR REPLACE TABLE aside (
              file BIGINT, "row" BIGINT, "column" VARCHAR, rule VARCHAR, raw_value VARCHAR, record VARCHAR)
            """)
        try clearStaged(job)
    }

    /// Makes room for the next slice. Only `aside` stays, which all sessions share.
    func clearStaged(_ job: AcceptJob) throws {
        let columns = job.contract.columns.enumerated().map { "t\($0) \(DeltaTypes.duck($1.type))" }
        try connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE staged (\((columns + [
                "f BIGINT", "bad BOOLEAN", "strict BOOLEAN", "made_up BOOLEAN", "cells VARCHAR[]",
            ]).joined(separator: ", ")));
            CREATE OR REPLACE TEMP TABLE broken_lines (f BIGINT, line BIGINT, message VARCHAR, text VARCHAR)
            """)
        job.staged = []
        job.groups = []
    }

    /// What each file's header says, read once a distinct header; refuses the files that do not fit.
    func readHeaders(_ job: AcceptJob) throws {
        var known: [[String]: Result<HeaderReader.Layout, Refusal>] = [:]
        for (index, file) in job.request.files.enumerated() {
            do {
                guard Disk.stamp(file.path)?.size != 0 else { throw Refusal("it is empty") }
                let (header, kind) = try header(file.path, job.request.format)
                let found = known[kind] ?? layout(header, of: file, job.request)
                known[kind] = found
                job.layouts[index] = try found.get()
                job.kinds[index] = kind
            } catch let refusal as Refusal {
                job.refusals[index] = refusal.reason
            } catch let error as DuckDBError {
                job.refusals[index] = try unreadable(error)
            }
        }
    }

    /// The header's names, and what files must have in common to be read by one statement.
    private func header(_ path: String, _ format: SourceFormat) throws -> (names: [String], kind: [String]) {
        switch format.kind {
        case .parquet:
            let columns = try describeTypes("SELECT * FROM \(Quote.parquet([path]))")
            return (columns.map(\.name), columns.flatMap { [$0.name, $0.type] })
        case .csv:
            guard let header = try CSVHeader.read(path, format) else { throw Refusal("it has no header") }
            // Without a header, the first line is data: only how many cells it has matters.
            return (header, format.header ? header : ["\(header.count)"])
        }
    }

    private func layout(
        _ header: [String], of file: AcceptRequest.File, _ request: AcceptRequest
    ) -> Result<HeaderReader.Layout, Refusal> {
        let isPositional = request.format.kind == .csv && !request.format.header
        do throws(Refusal) {
            return .success(
                isPositional
                    ? try positional(header.count, request)
                    : try HeaderReader(contract: request.contract, fileName: file.name).layout(header))
        } catch { return .failure(error) }
    }

    /// A headerless file brings the contract's columns in order; optional ones may be left out at the end.
    private func positional(_ count: Int, _ request: AcceptRequest) throws(Refusal) -> HeaderReader.Layout {
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

    /// Why a file that the engine gave up is refused.
    /// - Throws: when the machine is to blame and not the file.
    func unreadable(_ error: DuckDBError) throws -> String {
        if Self.isMachineFailure(error) { throw Self.ioError(error) }
        if error.category == "Out of Memory" { throw explain(error, Query("")) }
        let first = error.message.split(separator: "\n").first.map(String.init) ?? error.message
        return "it cannot be read: \(first)"
    }

    /// Reads files of one layout, given by their places in the request. When the engine gives one of them up, the
    /// others are read without it.
    func stage(_ files: [Int], _ layout: HeaderReader.Layout, _ job: AcceptJob) throws {
        let skipped = job.request.format.skipLines + (job.request.format.header ? 1 : 0)
        let members = files.map {
            AcceptJob.Staged(file: $0, path: job.request.files[$0].path, skipped: skipped)
        }
        do { try stage(members, layout, job) } catch let error as DuckDBError {
            let reason = try unreadable(error)
            guard files.count > 1 else {
                job.refusals[files[0]] = reason
                return
            }
            let half = files.count / 2
            try stage(Array(files[..<half]), layout, job)
            try stage(Array(files[half...]), layout, job)
        }
    }

    /// Reads files, or slices, of one layout by one statement.
    func stage(_ members: [AcceptJob.Staged], _ layout: HeaderReader.Layout, _ job: AcceptJob) throws {
        let start = job.staged.count
        let sql = job.sql(layout)
        let format = job.request.format
        let rules = sql.layeredRules
        let bad = ContractSQL.any(rules.filter { !$0.isWarning })
        let strict = ContractSQL.any(
            rules.filter { $0.ofRow == nil && ($0.column.onViolation ?? job.contract.onViolation) == .rejectFile })
        let warnings = rules.filter(\.isWarning)
        let noted = warnings.isEmpty ? "bad" : "bad OR \(ContractSQL.any(warnings))"
        let madeUp = layout.synthetic.map { "TRY_CAST(\(cleaned($0, [], format)) AS BOOLEAN)" } ?? "NULL"
        let cells = Self.cells(layout)
        let layers = sql.layers(over: try source(members.map(\.path), skip: members[0].skipped, layout, job.request)) {
            cleaned($0, $1.missing, format)
        }
        _ = try? connection.execute("DROP TABLE IF EXISTS broken; DROP TABLE IF EXISTS broken_scan")
        try connection.run(
            """
            INSERT INTO staged
            SELECT \(job.contract.columns.indices.map { "t\($0)" }.joined(separator: ", ")), f + \(start), bad,
              strict, made_up, CASE WHEN noted THEN [\(cells)] END
            FROM (SELECT *, \(noted) AS noted FROM (
              SELECT *, \(bad) AS bad, \(strict) AS strict, \(madeUp) AS made_up,
                \(sql.layeredProjection.joined(separator: ", ")) FROM (\(layers))))
            """)
        if format.kind == .csv {
            try connection.execute(
                """
                INSERT INTO broken_lines
                SELECT file_id + \(start), line, first(error_message ORDER BY column_idx),
                  first(csv_line ORDER BY column_idx) FROM broken GROUP BY file_id, line
                """)
        }
        job.staged += members
        job.groups.append(AcceptJob.Group(layout: layout, members: start..<job.staged.count))
    }

    /// What the CSV reader takes at a time, and the longest record by that; its own choice would be 32 MB a thread.
    private static var bufferBytes: Int { 8 << 20 }

    static func cells(_ layout: HeaderReader.Layout) -> String {
        (0..<layout.cells).map { HeaderReader.Layout.cell($0) }.joined(separator: ", ")
    }

    /// Files as texts `c0`, `c1`, … as they came, empty ones null, with the file's place as `f`.
    /// - Parameter keepsBroken: whether the lines that cannot be taken apart are kept in the table `broken`.
    func source(
        _ paths: [String], skip: Int, _ layout: HeaderReader.Layout, _ request: AcceptRequest, keepsBroken: Bool = true
    ) throws -> String {
        let format = request.format
        let list = "[\(paths.map { Quote.path($0) }.joined(separator: ", "))]"
        switch format.kind {
        case .parquet:
            let texts = try describeTypes("SELECT * FROM \(Quote.parquet([paths[0]]))").enumerated().map {
                // As text, single precision has fewer digits than the double that it is.
                let cell = $1.type == "FLOAT" ? "CAST(\(Quote.name($1.name)) AS DOUBLE)" : Quote.name($1.name)
                return "CAST(\(cell) AS VARCHAR) AS \(HeaderReader.Layout.cell($0))"
            }
            return "SELECT \(texts.joined(separator: ", ")), file_index::BIGINT AS f "
                + "FROM read_parquet(\(list), hive_partitioning = false)"
        case .csv:
            let columns = (0..<layout.cells).map { "\(HeaderReader.Layout.cell($0)): 'VARCHAR'" }
            let rejects =
                keepsBroken
                ? "store_rejects = true, rejects_table = 'broken', rejects_scan = 'broken_scan', rejects_limit = 0"
                : "ignore_errors = true"
            return """
                SELECT *, file_index::BIGINT AS f FROM read_csv(\(list), hive_partitioning = false,
                  auto_detect = false, header = false, skip = \(skip), delim = \(Quote.text(format.delimiter)),
                  quote = \(Quote.text(format.quote)), escape = \(Quote.text(format.quote)),
                  columns = {\(columns.joined(separator: ", "))}, nullstr = '',
                  buffer_size = \(Self.bufferBytes), encoding = \(Quote.text(format.encoding.rawValue)), null_padding = false, strict_mode = true,
                  \(rejects))
                """
        }
    }

    /// A cell after trimming, with the texts that mean "missing" made null.
    func cleaned(_ name: String, _ columnMissing: [String], _ format: SourceFormat) -> String {
        let cell = format.trim ? "trim(\(name), E' \\t\\r\\n')" : name
        var missing = format.missing + columnMissing
        // The CSV reader itself has made empty cells null.
        if format.trim || format.kind == .parquet { missing.append("") }
        if missing.count == 1 { return "nullif(\(cell), \(Quote.text(missing[0])))" }
        if missing.isEmpty { return cell }
        let list = missing.map { Quote.text($0) }.joined(separator: ", ")
        return "CASE WHEN \(cell) NOT IN (\(list)) THEN \(cell) END"
    }
}
