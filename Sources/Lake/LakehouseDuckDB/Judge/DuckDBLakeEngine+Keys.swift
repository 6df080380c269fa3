internal import Core
internal import DuckDB
internal import Lakehouse

// Unique keys. Rows under a key that comes again are few, or something is wrong with the source; so SQL finds the
// candidates over all files at once, and the files' order, their refusals and the policy are settled here, over
// numbers. New keys are the small side: what the table has is streamed past them, key columns only.

/// Thrown when a file cannot be judged slice by slice.
struct MustReadWhole: Error {}

extension DuckDBLakeEngine {
    /// A row whose key occurs elsewhere too.
    private struct Rival {
        var row: Int64
        var place: Int
        /// The same for all staged rows under one key.
        var key: Int64
        var isKnown = false
    }

    /// Fills `outside` with the staged rows that are not to be written, because of their keys.
    /// - Parameters:
    ///   - existing: Parquet files of the table.
    ///   - slices: Parquet files with earlier rows of the same file; `nil` when files are read as wholes.
    func settleKeys(_ job: AcceptJob, against existing: [String], slices: [String]? = nil) throws {
        job.hasOutside = false
        try connection.execute("CREATE OR REPLACE TEMP TABLE outside (id BIGINT, reason BIGINT)")
        var rivals = try rivals(job, in: job.isReject ? existing + (slices ?? []) : [])
        // Which row of the file came last is not known before its last slice.
        if !job.isReject, let slices, !slices.isEmpty, try !known(job, in: slices).isEmpty {
            throw MustReadWhole()
        }
        guard !rivals.isEmpty else { return }
        rivals.sort { $0.row < $1.row }
        let out = job.isReject ? try firstStays(rivals, job, isSliced: slices != nil) : lastStays(rivals, job)
        guard !out.isEmpty else { return }
        try connection.append(
            [
                .integers(out.map(\.row), valid: Array(repeating: true, count: out.count)),
                .integers(out.map { Int64($0.reason.rawValue) }, valid: Array(repeating: true, count: out.count)),
            ], to: "outside")
        job.hasOutside = true
        let named = Dictionary(grouping: out.filter { $0.reason != .replaced }, by: \.place)
        for group in job.groups where group.members.contains(where: { named[$0] != nil }) {
            try noteKeys(group, job)
        }
    }

    enum Outside: Int { case conflict, superseded, replaced }

    private typealias Out = (row: Int64, place: Int, reason: Outside)

    /// Files one after the other: a row is refused when its key is known, unless all that came before was refused.
    private func firstStays(_ rivals: [Rival], _ job: AcceptJob, isSliced: Bool) throws -> [Out] {
        var taken: Set<Int64> = []
        var out: [Out] = []
        var rest = rivals[...]
        while let place = rest.first?.place {
            let rows = rest.prefix { $0.place == place }
            rest = rest.dropFirst(rows.count)
            var own: Set<Int64> = []
            var conflicts: [Out] = []
            for rival in rows where rival.isKnown || taken.contains(rival.key) || !own.insert(rival.key).inserted {
                conflicts.append((rival.row, place, .conflict))
            }
            let file = job.staged[place].file
            job.results[file].rejectedRows += conflicts.count
            job.results[file].acceptedRows -= conflicts.count
            out += conflicts
            if !isSliced { try settle(place, job) }
            if job.refusals[file] == nil { taken.formUnion(own) }
        }
        return out
    }

    /// The last row of a key stays; an earlier one of the same file was superseded by it, one of an earlier file is
    /// replaced, as if the table had held it for a moment.
    private func lastStays(_ rivals: [Rival], _ job: AcceptJob) -> [Out] {
        var last: [Int64: Int] = [:]
        var out: [Out] = []
        for rival in rivals.reversed() {
            guard let later = last.updateValue(rival.place, forKey: rival.key) else { continue }
            let reason: Outside = later == rival.place ? .superseded : .replaced
            if reason == .superseded {
                job.results[job.staged[rival.place].file].supersededRows += 1
                job.results[job.staged[rival.place].file].acceptedRows -= 1
            }
            out.append((rival.row, rival.place, reason))
        }
        return out.reversed()
    }

    private func names(_ job: AcceptJob) -> String { job.contract.key.indices.map { "k\($0)" }.joined(separator: ", ") }

    /// Staged rows with a whole key that may be taken.
    private func keyed(_ job: AcceptJob) -> String {
        let places = job.contract.key.map { name in job.contract.columns.firstIndex { $0.name == name } ?? 0 }
        let keys = places.enumerated().map { "t\($1) AS k\($0)" }.joined(separator: ", ")
        let refused = job.staged.indices.filter { job.refusals[job.staged[$0].file] != nil }
        var conditions = ["NOT bad"] + places.map { "t\($0) IS NOT NULL" }
        if !refused.isEmpty { conditions.append("f NOT IN (\(refused.map(String.init).joined(separator: ", ")))") }
        return "SELECT rowid AS id, f, \(keys) FROM staged WHERE \(conditions.joined(separator: " AND "))"
    }

    private func rivals(_ job: AcceptJob, in files: [String]) throws -> [Rival] {
        let names = names(job)
        var rivals = try connection.query(
            """
            WITH keyed AS (\(keyed(job))),
              repeated AS (SELECT \(names), min(id) AS first FROM keyed GROUP BY \(names) HAVING count(*) > 1)
            SELECT id, f, first FROM keyed JOIN repeated USING (\(names))
            """
        ).integers { Rival(row: $0[0], place: Int($0[1]), key: $0[2]) }
        guard !files.isEmpty else { return rivals }
        let known = try known(job, in: files)
        guard !known.isEmpty else { return rivals }
        var seen: Set<Int64> = []
        for index in rivals.indices where known[rivals[index].row] != nil {
            rivals[index].isKnown = true
            seen.insert(rivals[index].row)
        }
        for (row, place) in known where !seen.contains(row) {
            rivals.append(Rival(row: row, place: place, key: row, isKnown: true))
        }
        return rivals
    }

    /// Staged rows, with their places, whose keys stand in Parquet files.
    private func known(_ job: AcceptJob, in files: [String]) throws -> [Int64: Int] {
        let old = job.contract.key.enumerated().map { "\(Quote.name($1)) AS k\($0)" }.joined(separator: ", ")
        let rows = try connection.query(
            """
            SELECT DISTINCT id, f FROM (SELECT \(old) FROM \(Quote.parquetFiles(files))) AS before
            JOIN (\(keyed(job))) AS keyed USING (\(names(job)))
            """
        ).integers { ($0[0], Int($0[1])) }
        return Dictionary(rows) { first, _ in first }
    }

    /// Notes the rows of a group that stand in `outside`. Their texts are read once more, since there are few of them.
    private func noteKeys(_ group: AcceptJob.Group, _ job: AcceptJob) throws {
        let start = group.members.lowerBound
        let members = Array(job.staged[group.members])
        let wanted = """
            SELECT staged.f - \(start) AS f, staged.n AS n, reason FROM staged JOIN outside ON staged.rowid = outside.id
            WHERE reason <> \(Outside.replaced.rawValue) AND staged.f BETWEEN \(start) AND \(group.members.upperBound - 1)
            """
        guard job.readsRecords else {
            return try noteKeys(source(members, group.layout, job), wanted, group, job)
        }
        var picked: [Int: Set<Int64>] = [:]
        for row in try connection.query("SELECT f, n FROM (\(wanted))").integers({ $0 }) {
            picked[Int(row[0]), default: []].insert(row[1])
        }
        let texts = job.texts(of: members, group.layout, picked: picked)
        try textTables.with(texts, as: textTable) {
            try noteKeys(source(members, group.layout, job), wanted, group, job)
        }
        if let failure = texts.failure { throw failure }
    }

    /// - Parameters:
    ///   - rows: SELECT of the rows with their raw cells.
    ///   - wanted: SELECT of `f`, `n` and `reason` of those that are noted.
    private func noteKeys(_ rows: String, _ wanted: String, _ group: AcceptJob.Group, _ job: AcceptJob) throws {
        let sql = job.sql(group.layout)
        let texts = job.contract.key.map { name in
            sql.present.first { $0.column.name == name }.map { ContractSQL.text($0.raw) } ?? "NULL"
        }
        let bytes = job.readsRecords ? "bytes" : "NULL"
        let layers = sql.layers(
            over: "SELECT to_json([\(Self.cells(group.layout))])::VARCHAR AS record, * FROM (\(rows))"
        ) {
            cleaned($0, $1.missing, job.request.format)
        }
        job.hasDetails = true
        try connection.execute(
            """
            INSERT INTO aside
            SELECT \(fileOf("f + \(group.members.lowerBound)", job)), n + \(job.rowsBefore),
              \(Quote.text(job.contract.key.joined(separator: ", "))),
              CASE reason WHEN 0 THEN 'unique key' ELSE 'superseded by a later row' END,
              concat_ws(', ', \(texts.joined(separator: ", "))), record, \(bytes)
            FROM (\(layers)) JOIN (\(wanted)) USING (f, n)
            """)
    }

    /// Earlier files without the rows whose keys came again (latest-wins).
    func replaceEarlier(_ job: AcceptJob) throws -> [Acceptance.Rewrite] {
        let request = job.request
        guard !request.contract.key.isEmpty, !request.existing.isEmpty, !job.written.isEmpty else { return [] }
        let names = request.contract.key.map { Quote.name($0) }.joined(separator: ", ")
        let fresh = "(SELECT \(names) FROM \(Quote.parquetFiles(job.written.map(\.path))))"
        let hit = try connection.query(
            """
            SELECT DISTINCT _martlet_path
            FROM (SELECT \(names), filename AS _martlet_path FROM \(Quote.parquetFiles(request.existing)))
            SEMI JOIN \(fresh) AS fresh USING (\(names)) ORDER BY _martlet_path
            """
        ).texts().compactMap { $0[0] }
        return try hit.enumerated().map { index, old in
            let source = Quote.parquet([old])
            let fields = try fields(of: "SELECT * FROM \(source)")
            let file = "\(request.folder)/part-\(request.id)-r\(index).parquet"
            let kept = try copy(
                "SELECT * FROM \(source) ANTI JOIN \(fresh) AS fresh USING (\(names))", to: file, fields)
            return Acceptance.Rewrite(old: old, new: kept, oldHash: try hash(of: fields, in: source))
        }
    }
}
