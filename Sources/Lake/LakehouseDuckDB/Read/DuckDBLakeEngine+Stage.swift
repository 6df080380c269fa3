internal import Core
internal import DelimitedText
internal import DuckDB
internal import Lakehouse
internal import SourceFormats
internal import Storage

// Files are read into the temporary table `staged`: one row a record, in the order of the request, with
//
//   t0, t1, …   the contract's columns, typed; null where the text is missing or wrong
//   f           place in `AcceptJob.staged`
//   n           number of the record in its file, or in the slice of it, from 1
//   bad         whether bronze refuses the row
//   strict      whether a broken promise says reject-file
//   made_up     what the row says of itself in `_synthetic`
//   cells       all cells of the record as they came, for rows that break a promise; else null
//   bytes       the record as it came, for the same rows of CSV files and for broken records
//   broken      why the record cannot be taken apart; null for all others
//   line        the text of a broken record
//
// Everything that a row tells by itself is worked out while it is read.

extension DuckDBLakeEngine {
    /// What each session has of its own.
    private static let temporary = ["staged", "outside"]

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
              file BIGINT, "row" BIGINT, "column" VARCHAR, rule VARCHAR, raw_value VARCHAR, record VARCHAR, bytes BLOB)
            """)
        try clearStaged(job)
    }

    /// Makes room for the next slice. Only `aside` stays, which all sessions share.
    func clearStaged(_ job: AcceptJob) throws {
        let columns = job.contract.columns.enumerated().map { "t\($0) \(DeltaTypes.duck($1.type))" }
        try connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE staged (\((columns + [
                "f BIGINT", "n BIGINT", "bad BOOLEAN", "strict BOOLEAN", "made_up BOOLEAN", "cells VARCHAR[]",
                "bytes BLOB", "broken VARCHAR", "line VARCHAR",
            ]).joined(separator: ", ")))
            """)
        job.staged = []
        job.groups = []
    }

    /// What each file's header says, read once a distinct header; refuses the files that do not fit.
    func readHeaders(_ job: AcceptJob) throws {
        var known: [[String]: Result<HeaderReader.Layout, FileRefusal>] = [:]
        for (index, file) in job.request.files.enumerated() {
            do {
                if let reason = file.refusal { throw FileRefusal(reason) }
                guard Disk.stamp(file.path)?.size != 0 else { throw FileRefusal("it is empty") }
                var (header, kind) = try header(index, job)
                // What the file itself says counts.
                let partitions = job.partition(index).map(\.name).filter {
                    !job.request.format.header || !job.contract.brings($0, in: header)
                }
                kind += partitions.map { "partition \($0)" }
                let found = known[kind] ?? layout(header, partitions, of: file, job.request)
                known[kind] = found
                job.layouts[index] = try found.get()
                job.kinds[index] = kind
            } catch let refusal as FileRefusal {
                job.refusals[index] = try explained(refusal, of: file, job)
            } catch let error as DuckDBError {
                job.refusals[index] = try unreadable(error)
            }
        }
    }

    /// The header's names, and what files must have in common to be read by one statement.
    private func header(_ index: Int, _ job: AcceptJob) throws -> (names: [String], kind: [String]) {
        let path = job.request.files[index].path
        let format = job.request.format
        guard let reader = try job.reader(path, job.pieceBytes) else {
            try SourceFormats.refuseOther(than: format.kind, try ByteStream(path).head)
            let columns = try describeTypes("SELECT * FROM \(Quote.parquet([path]))")
            return (columns.map(\.name), columns.flatMap { [$0.name, $0.type] })
        }
        job.results[index].packing = reader.packing
        guard let header = reader.header else { throw FileRefusal("it has no header") }
        if job.keepsReader { job.reader = reader }
        // How much a packed file holds is not known before it has been read.
        if job.keepsPieces, reader.packing == nil, job.kind.expansion == 1 {
            job.pieces[index] = try reader.next()
            // A file without records has no piece; any other is one piece to its end.
            guard reader.isExhausted else {
                throw FileRefusal("not all of it was read, which is a fault of Martlet; nothing of it is taken")
            }
        }
        // Without a header, the first line is data: only how many cells it has matters.
        return (header, format.header ? header : ["\(header.count)"])
    }

    /// A refusal for the header, with the cause where the whole file is written in another way.
    private func explained(_ refusal: FileRefusal, of file: AcceptRequest.File, _ job: AcceptJob) throws -> String {
        guard job.request.format.kind == "csv", refusal.isAboutNames,
            let form = try? CSVForm(file.path, job.request.format, job.contract),
            let drift = form.drifts.first(where: { $0.kind == .delimiter || $0.kind == .noHeader })
        else { return refusal.reason }
        return "\(drift.kind == .delimiter ? "its delimiter is another one" : "it has no header"): "
            + "\(drift.evidence); \(drift.suggestion ?? "")"
    }

    private func layout(
        _ header: [String], _ partitions: [String], of file: AcceptRequest.File, _ request: AcceptRequest
    ) -> Result<HeaderReader.Layout, FileRefusal> {
        let isHeaderless = !request.format.header
        // Told by their places, columns are found as under a header without names.
        let header =
            isHeaderless && request.contract.columns.contains { $0.position != nil } ? header.map { _ in "" } : header
        let isPositional = isHeaderless && !request.contract.columns.contains { $0.position != nil }
        do throws(FileRefusal) {
            var layout =
                isPositional
                ? try positional(header.count, partitions, request)
                : try HeaderReader(contract: request.contract, fileName: file.name).layout(header + partitions)
            layout.partitionNames = partitions
            return .success(layout)
        } catch { return .failure(error) }
    }

    /// A headerless file brings the contract's columns in order; optional ones may be left out at the end.
    private func positional(
        _ count: Int, _ partitions: [String], _ request: AcceptRequest
    ) throws(FileRefusal) -> HeaderReader.Layout {
        let columns = request.contract.columns.filter { column in
            !partitions.contains { column.headerNames.contains($0) }
        }
        let needed = columns.lastIndex { !$0.optional }.map { $0 + 1 } ?? 0
        guard (needed...max(needed, columns.count)).contains(count) else {
            throw FileRefusal("its first line has \(count) columns; the contract has \(columns.count)")
        }
        var layout = HeaderReader.Layout(
            header: columns.prefix(count).map { $0.headerNames[0] } + partitions, present: [],
            absent: Array(columns.dropFirst(count)), extra: [], synthetic: nil)
        layout.present = columns.prefix(count).enumerated().map { ($1, HeaderReader.Layout.cell($0)) }
        for (place, name) in partitions.enumerated() {
            if let column = request.contract.columns.first(where: { $0.headerNames.contains(name) }) {
                layout.present.append((column, HeaderReader.Layout.cell(count + place)))
            } else {
                layout.extra.append(name)
            }
        }
        return layout
    }

    /// Why a file that the engine gave up is refused.
    /// - Throws: when the machine is to blame and not the file.
    func unreadable(_ error: DuckDBError) throws -> String {
        if Self.isMachineFailure(error) { throw Self.ioError(error) }
        if error.category == "Out of Memory" { throw explain(error, Query("")) }
        let first = error.message.split(separator: "\n").first.map(String.init) ?? error.message
        return "it cannot be read: \(first)"
    }

    /// Reads files of one layout, given by their places in the request. When one of them cannot be read to its end, the
    /// others are read without it.
    func stage(_ files: [Int], _ layout: HeaderReader.Layout, _ job: AcceptJob) throws {
        let members = files.map { AcceptJob.Staged(file: $0, path: job.request.files[$0].path, piece: job.pieces[$0]) }
        func split(_ reason: String) throws {
            guard files.count > 1 else {
                job.refusals[files[0]] = reason
                return
            }
            let half = files.count / 2
            try stage(Array(files[..<half]), layout, job)
            try stage(Array(files[half...]), layout, job)
        }
        do { try stage(members, layout, job) } catch let error as DuckDBError {
            try split(try unreadable(error))
        } catch let refusal as FileRefusal { try split(refusal.reason) }
    }

    /// Reads files, or slices, of one layout by one statement.
    func stage(_ members: [AcceptJob.Staged], _ layout: HeaderReader.Layout, _ job: AcceptJob) throws {
        let start = job.staged.count
        let format = job.request.format
        var sql = job.sql(layout)
        let readsRecords = job.readsRecords
        if readsRecords, !format.trim { sql.padColumn = "pad" }
        let rules = sql.layeredRules
        let whole = readsRecords ? "broken IS NULL AND " : ""
        let bad = ContractSQL.any(rules.filter { !$0.isWarning })
        let strict = ContractSQL.any(
            rules.filter { $0.ofRow == nil && ($0.column.onViolation ?? job.contract.onViolation) == .rejectFile })
        let warnings = rules.filter(\.isWarning)
        let noted = warnings.isEmpty ? "bad" : "bad OR \(ContractSQL.any(warnings))"
        let madeUp = layout.synthetic.map { "TRY_CAST(\(cleaned($0, [], format)) AS BOOLEAN)" } ?? "NULL"
        let cells = Self.cells(layout)
        let layers = sql.layers(over: try source(members, layout, job)) {
            cleaned($0, $1.missing, format)
        }
        let insert = """
            INSERT INTO staged
            SELECT \(job.contract.columns.indices.map { "t\($0)" }.joined(separator: ", ")), f + \(start), n, bad,
              strict, made_up, CASE WHEN \(whole)noted THEN [\(cells)] END,
              \(readsRecords ? "CASE WHEN noted THEN bytes END, broken, line" : "NULL, NULL, NULL")
            FROM (SELECT *, \(noted) AS noted FROM (
              SELECT *, \(readsRecords ? "broken IS NOT NULL OR " : "")\(bad) AS bad, \(whole)\(strict) AS strict,
                \(madeUp) AS made_up, \(sql.layeredProjection.joined(separator: ", ")) FROM (\(layers))))
            """
        var received: [Int: Int]?
        if readsRecords {
            let texts = job.texts(of: members, layout)
            do { try textTables.with(texts, as: textTable) { _ = try connection.run(insert) } } catch {
                throw texts.failure ?? error
            }
            if let failure = texts.failure {
                // What was read up to there is no file.
                try connection.execute("DELETE FROM staged WHERE f >= \(start)")
                throw failure
            }
            received = texts.counts
        } else {
            try connection.run(insert)
        }
        for (place, member) in members.enumerated() {
            job.staged.append(member)
            job.staged[start + place].received = received.map { $0[place] ?? 0 }
        }
        job.groups.append(AcceptJob.Group(layout: layout, members: start..<job.staged.count))
    }

    static func cells(_ layout: HeaderReader.Layout) -> String {
        (0..<layout.cells).map { HeaderReader.Layout.cell($0) }.joined(separator: ", ")
    }

    /// Files as texts `c0`, `c1`, … as they came, with the file's place as `f` and the record's number as `n`. Those that
    /// are read record by record come from this session's place among `textTables`.
    func source(_ members: [AcceptJob.Staged], _ layout: HeaderReader.Layout, _ job: AcceptJob) throws -> String {
        let rows =
            job.readsRecords
            ? "SELECT * FROM _martlet_texts(\(Quote.text(textTable)))" : try parquetTexts(members.map(\.path))
        guard layout.partitions > 0 else { return rows }
        let partitions = layout.header.indices.suffix(layout.partitions).map { place in
            let values = members.map { member in
                job.partition(member.file).first { $0.name == layout.partitionNames[place - layout.fileCells] }?.value
            }
            let list = values.map { $0.map { Quote.text($0) } ?? "NULL" }.joined(separator: ", ")
            return "CAST([\(list)] AS VARCHAR[])[f + 1] AS \(HeaderReader.Layout.cell(place))"
        }
        return "SELECT *, \(partitions.joined(separator: ", ")) FROM (\(rows))"
    }

    private func parquetTexts(_ paths: [String]) throws -> String {
        let list = "[\(paths.map { Quote.path($0) }.joined(separator: ", "))]"
        let texts = try describeTypes("SELECT * FROM \(Quote.parquet([paths[0]]))").enumerated().map {
            // As text, single precision has fewer digits than the double that it is.
            let cell = $1.type == "FLOAT" ? "CAST(\(Quote.name($1.name)) AS DOUBLE)" : Quote.name($1.name)
            return "CAST(\(cell) AS VARCHAR) AS \(HeaderReader.Layout.cell($0))"
        }
        return
            "SELECT \(texts.joined(separator: ", ")), file_index::BIGINT AS f, (file_row_number + 1)::BIGINT AS n "
            + "FROM read_parquet(\(list), hive_partitioning = false, file_row_number = true)"
    }

    /// A cell after trimming, with the texts that mean "missing" made null.
    func cleaned(_ name: String, _ columnMissing: [String], _ format: SourceFormat) -> String {
        let cell = format.trim ? "trim(\(name), E' \\t\\r\\n')" : name
        var missing = format.missing + columnMissing
        // Readers of records have made empty cells null.
        if format.trim || format.isReadByEngine { missing.append("") }
        if missing.count == 1 { return "nullif(\(cell), \(Quote.text(missing[0])))" }
        if missing.isEmpty { return cell }
        let list = missing.map { Quote.text($0) }.joined(separator: ", ")
        return "CASE WHEN \(cell) NOT IN (\(list)) THEN \(cell) END"
    }
}

extension Contract {
    /// Whether a file's own header brings what a name stands for, under this name or another one of its column.
    fileprivate func brings(_ name: String, in header: [String]) -> Bool {
        let names = columns.first { $0.headerNames.contains(name) }?.headerNames ?? []
        return header.contains(name) || header.contains { names.contains($0) }
    }
}
