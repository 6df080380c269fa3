internal import Core
internal import DuckDB
package import Lakehouse
package import SourceFormats
internal import Storage

// Landed files in one pass: every promise of the contract is a condition that is worked out while the text is read.
// Small files are read together; a large one is read slice by slice, so that memory does not grow with it. The rows
// that keep all promises go, typed, to one Parquet file a batch or slice. Details are worked out only for the others.

extension DuckDBLakeEngine {
    /// Returns the names that a file gives its columns.
    package func header(of file: String, format: SourceFormat) throws -> [String] {
        do {
            switch try SourceFormats.find(format.kind).reading {
            case .records(let open): return try open(file, format, 1 << 16).header ?? []
            case .engine: return try describeTypes("SELECT * FROM \(Quote.parquet([file]))").map(\.name)
            }
        } catch let error as DuckDBError {
            throw MartletError(.input, "file.unreadable", error.message, at: .init(file: file))
        } catch let refusal as FileRefusal {
            throw MartletError(
                .input, "file.unreadable", "The file cannot be read: \(refusal.reason).", at: .init(file: file))
        }
    }

    /// Throws when a pattern, bound or allowed value of a contract is not valid for DuckDB.
    package func check(_ contract: Contract) throws {
        if contract == checked { return }
        let sql = ContractSQL(contract: contract, present: contract.columns.map { ($0, "cell") }, absent: [])
        let cell = "(SELECT CAST(NULL AS VARCHAR) AS cell)"
        let rules = sql.rules
        let all = rules.map(\.breach).joined(separator: ", ")
        // All at once; one by one only to find the culprit.
        if !rules.isEmpty, (try? connection.query("SELECT \(all) FROM \(cell)")) == nil {
            for rule in rules {
                do { _ = try connection.query("SELECT \(rule.breach) FROM \(cell)") } catch {
                    throw MartletError(
                        .input, "contract.rule", "The rule \"\(rule.name)\" cannot be checked: \(error.message)",
                        at: .init(file: contract.file, key: "columns.\(rule.column.name)"),
                        remedy: "Correct it in the contract.")
                }
            }
        }
        checked = contract
    }

    /// Checks landed files against their contract, and writes accepted and rejected rows to new Parquet files.
    package func accept(_ request: AcceptRequest) throws -> BatchAcceptance {
        defer { dropStaging() }
        try check(request.contract)
        try Disk.makeDirectory(request.folder)
        return try onOneThread(areSmall(request.files.map(\.path))) {
            do {
                if let batch = try acceptSliced(request) { return batch }
                return try acceptTogether(request)
            } catch let error as DuckDBError { throw explain(error, Query("")) }
        }
    }

    /// All files in one staging table.
    private func acceptTogether(_ request: AcceptRequest) throws -> BatchAcceptance {
        let job = try AcceptJob(request)
        // A file that has to be read as a whole though it is large is read in pieces that are not kept.
        if request.files.contains(where: { isLarge($0.path, request.format) }) {
            job.keepsPieces = false
            job.pieceBytes = Int(sliceBytes)
        }
        try createStaging(job)
        try readHeaders(job)
        var group: [Int] = []
        for file in request.files.indices {
            guard let layout = job.layouts[file] else { continue }
            group.append(file)
            let next = request.files.indices[(file + 1)...].first { job.layouts[$0] != nil }
            if let next, job.kinds[next] == job.kinds[file] { continue }
            try stage(group, layout, job)
            group = []
        }
        try judge(job)
        for place in job.staged.indices {
            let file = job.staged[place].file
            if job.results[file].rowsRead == 0 { job.refusals[file] = "it has a header but no rows" }
            if job.refusals[file] == nil { try settle(place, job) }
        }
        if !job.contract.key.isEmpty { try settleKeys(job, against: request.existing) }
        try write(job, suffix: "")
        return try finish(job)
    }

    /// Refuses a staged file when too much of it is wrong.
    func settle(_ place: Int, _ job: AcceptJob) throws {
        let file = job.staged[place].file
        if let verdict = job.verdict(file) { job.refusals[file] = verdict + (try unitHint(job, place)) }
    }

    /// Counts what was staged and notes what is wrong with it, keys left out.
    func judge(_ job: AcceptJob) throws {
        let counts = try connection.query(
            """
            SELECT f, count(*), count(*) FILTER (bad), count(*) FILTER (strict), count(*) FILTER (made_up),
              count(cells), count(broken)
            FROM staged GROUP BY f
            """
        ).integers { $0 }
        var noted: Set<Int> = []
        var hasBroken = false
        for row in counts {
            let place = Int(row[0])
            let file = job.staged[place].file
            job.staged[place].rows = Int(row[1])
            job.results[file].rowsRead += Int(row[1])
            job.results[file].rejectedRows += Int(row[2])
            job.results[file].acceptedRows += Int(row[1] - row[2])
            if row[3] > 0 { job.hasStrictBreach[file] = true }
            job.results[file].syntheticRows += Int(row[4])
            if row[5] > 0 { noted.insert(place) }
            if row[6] > 0 { hasBroken = true }
        }
        for staged in job.staged {
            guard let received = staged.received, received != staged.rows else { continue }
            job.refusals[staged.file] =
                "\(received) records were read of it and \(staged.rows) came to the table; this is a fault of Martlet"
        }
        if hasBroken { try noteBroken(job) }
        for group in job.groups where group.members.contains(where: noted.contains) {
            try noteBreaches(group, job)
        }
    }

    /// Writes the rows that are taken.
    func write(_ job: AcceptJob, suffix: String) throws {
        let request = job.request
        let refused = job.staged.indices.filter { job.refusals[job.staged[$0].file] != nil }
        guard refused.count < job.staged.count else { return }
        let digests = Quote.list(job.staged.map { request.files[$0.file].digest.hex })
        let isOne = Set(job.staged.map(\.file)).count == 1
        var columns = request.contract.columns.enumerated().map { "t\($0) AS \(Quote.name($1.name))" }
        columns.append(
            isOne
                ? "\(Quote.text(request.files[job.staged[0].file].digest.hex)) AS _file" : "\(digests)[f + 1] AS _file")
        columns.append("n + \(job.rowsBefore) AS _row")
        var conditions = ["NOT bad"]
        if !refused.isEmpty { conditions.append("f NOT IN (\(refused.map(String.init).joined(separator: ", ")))") }
        if job.hasOutside { conditions.append("rowid NOT IN (SELECT id FROM outside)") }
        let select =
            "SELECT \(columns.joined(separator: ", ")) FROM staged WHERE \(conditions.joined(separator: " AND "))"
        let path = "\(request.folder)/part-\(request.id)\(suffix).parquet"
        let fields = request.contract.fields
        let hash = try hash(of: fields, in: "(\(select))")
        // A table needs one file at least, to be read at all.
        if hash.rows == 0, !(request.existing + job.written.map(\.path)).isEmpty { return }
        let rows = try connection.run("COPY (\(select)) TO \(Quote.text(path)) \(Self.bronzeOptions)")
        try Failpoint.reach("engine.parquet.written")
        job.written.append(WrittenFile(path: path, rows: rows, fields: fields, hash: hash))
    }

    /// Bronze is written once and read a few times: the compressor's fast level, and dictionaries only where they pay.
    /// Row groups are small, so that a slice's work can be shared out and little of it stands in memory at once.
    static let bronzeOptions = """
        (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 5000, ROW_GROUP_SIZE 40960,
          PARQUET_VERSION v1)
        """

    func finish(_ job: AcceptJob) throws -> BatchAcceptance {
        let request = job.request
        var breaches = try breaches(job)
        for file in request.files.indices {
            if let layout = job.layouts[file], !layout.extra.isEmpty {
                let names = layout.extra.map { "\"\($0)\"" }.joined(separator: ", ")
                job.results[file].warnings.append("columns that the contract does not know were left out: \(names)")
            }
            if let layout = job.layouts[file] {
                for (number, rule) in job.sql(layout).layeredRules.enumerated() {
                    guard let rows = job.warned[file][number] else { continue }
                    job.results[file].warnings.append(rule.warning(rows))
                }
            }
            job.results[file].breaches = breaches.removeValue(forKey: file) ?? []
            if let refusal = job.refusals[file] {
                job.results[file].refusal = refusal
                job.results[file].acceptedRows = 0
            }
            job.results[file].isQuarantined = job.refusals[file] != nil || !job.results[file].breaches.isEmpty
        }
        var batch = BatchAcceptance(files: job.results)
        batch.accepted = job.written
        batch.quarantined = try quarantine(job)
        if request.contract.onKeyConflict == .latestWins { batch.rewrites = try replaceEarlier(job) }
        return batch
    }
}
