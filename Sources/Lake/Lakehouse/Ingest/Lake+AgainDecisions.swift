internal import Core
internal import SQLLineage

// What people decided of rows, when known files are read again.

extension Lake {
    /// Rows of these files about which something was decided that stands: dropped, or corrected.
    func decidedRows(_ source: String, of digests: [Digest]) throws -> [QuarantinedRow] {
        guard try table(decisionsTable(source)).exists, try table(TableName(.quarantine, source)).exists else {
            return []
        }
        let tables = try quarantineTables(source)
        var filter = QuarantineFilter()
        filter.digests = digests.map(\.hex)
        filter.states = Set(QuarantineState.allCases)
        filter.correctedOnly = true
        let corrected = try engine.quarantinedRows(tables, filter, limit: nil)
        filter.states = [.dropped]
        filter.correctedOnly = false
        let known = Set(corrected.map { "\($0.digest):\($0.row)" })
        return try corrected
            + engine.quarantinedRows(tables, filter, limit: nil).filter { !known.contains("\($0.digest):\($0.row)") }
    }

    /// Takes rows out of what was read about which a person decided. Those that the contract takes now go on standing in
    /// quarantine with the reasons of before.
    func withhold(
        _ decided: [QuarantinedRow], into report: inout IngestReport, id: String, _ work: Ingestion
    ) throws {
        guard !decided.isEmpty else { return }
        let bronze = "bronze.\(quoted(work.bronze.name))"
        let pairs = decided.map { "(\'\($0.digest)\', \($0.row))" }.joined(separator: ", ")
        var batch = BatchAcceptance(files: [])
        var found: Set<String> = []
        for (index, file) in work.written.enumerated() {
            let hit = try engine.texts(
                Query(
                    "SELECT _file, CAST(_row AS VARCHAR) FROM \(bronze) WHERE (_file, _row) IN (\(pairs))",
                    inputs: [work.bronze: [file.path]]), limit: nil)
            guard !hit.rows.isEmpty else { continue }
            for row in hit.rows { found.insert("\(row[0] ?? ""):\(row[1] ?? "")") }
            let rest = try engine.materialise(
                Query(
                    "SELECT * FROM \(bronze) WHERE (_file, _row) NOT IN (\(pairs))",
                    inputs: [work.bronze: [file.path]], inRowOrder: true),
                into: "\(work.table.folder)/part-\(id)-held-\(index).parquet")
            batch.rewrites.append(.init(old: file.path, new: rest, oldHash: file.hash))
        }
        let held = decided.filter { found.contains("\($0.digest):\($0.row)") }
        if !held.isEmpty {
            var filter = QuarantineFilter()
            filter.only = held.map { ($0.digest, $0.row) }
            let attempt = "again-\(id)-held"
            batch.quarantined = try engine.copyQuarantined(
                quarantineTables(work.contract.source), filter, attempt: attempt,
                into: "\(work.aside.folder)/part-\(attempt).parquet")
        }
        work.add(batch)
        for row in held {
            guard let index = report.files.firstIndex(where: { $0.digest?.hex == row.digest }) else { continue }
            report.files[index].rowsAccepted -= 1
            report.files[index].rowsRejected += 1
        }
    }

    /// Judges rows that had been corrected and replayed, as they were corrected.
    /// - Returns: the rows that go into bronze by that.
    func correct(
        _ decided: [QuarantinedRow], inBronze: Set<Digest>, id: String, scratch: String, _ work: Ingestion
    ) throws -> [(file: String, digest: String, row: Int)] {
        let rows = decided.filter { $0.state == .replayed }
        guard !rows.isEmpty else { return [] }
        var tables = try quarantineTables(work.contract.source)
        tables.quarantined += work.quarantined.map(\.path)
        tables.agains.append(id)
        for digest in work.read { tables.floors[digest.hex] = id }
        let known = Set(tables.taken)
        tables.taken += work.read.map(\.hex).filter { !known.contains($0) }
        var filter = QuarantineFilter()
        filter.digests = Array(Set(rows.map(\.digest)))
        filter.only = rows.map { ($0.digest, $0.row) }
        let result = try engine.rejudge(
            RejudgeRequest(
                tables: tables, filter: filter, contract: work.contract, format: work.format, existing: work.live,
                bronzeFolder: work.table.folder, quarantineFolder: work.aside.folder, scratch: scratch, id: id))
        var batch = BatchAcceptance(files: [])
        batch.accepted = result.accepted.map { [$0] } ?? []
        batch.rewrites = result.rewrites
        batch.quarantined = result.quarantined
        work.add(batch)
        return result.rows
    }
}
