package import Core
internal import SQLLineage
package import SourceFormats
internal import Storage

// Known files under a contract that has changed. Invariants:
// (1) bronze is replaced in one commit: all files of before go, what the known files give under the present contract
//     comes. Versions before show what stood there, and the transactions that make ingestion exactly-once stay.
// (2) what the new pass sets aside stands in quarantine before that commit, under an attempt "again-ID". It counts
//     only with the `txn` martlet/again/ID in bronze, which comes in that commit, and from then on nothing else
//     counts for these files that is older. A kill anywhere leaves either all of it or nothing.
// (3) what people decided of rows holds: a dropped row stays out, a corrected row is judged as it was corrected.

/// An already ingested or rejected file that is to be read again.
package struct KnownFile: Sendable {
    /// File name as bronze's log or quarantine has it, without its folder.
    package var name: String
    /// SHA-256 of the file's bytes, by which the tables know it.
    package var digest: Digest
    /// Path of the file's bytes; `nil` when they no longer exist.
    package var path: String?
}

extension Lake {
    /// Returns all files that a source's tables know: those in bronze, then those rejected and not dropped.
    ///
    /// In the order of ingestion.
    package func knownFiles(_ source: String) throws -> [KnownFile] {
        let taken = try table(TableName(.bronze, source)).exists ? try ingestedFiles(source) : []
        let known = Set(taken.map(\.digest))
        let refused =
            try table(TableName(.quarantine, source)).exists
            ? try refusedFiles(source).filter { $0.state == .open } : []
        return taken.map { KnownFile(name: $0.name, digest: $0.digest, path: nil) }
            + refused.compactMap { file in
                guard let digest = Digest(hex: file.digest), !known.contains(digest) else { return nil }
                return KnownFile(name: file.file, digest: digest, path: file.kept)
            }
    }

    /// Returns the bronze files whose rows were accepted under other terms than the present contract's.
    ///
    /// Files that earlier versions of Martlet ingested are not covered. `lost` are those whose bytes a pass under the
    /// present contract did not find, so that they can never be judged by it.
    package func filesBehind(_ contract: Contract) throws -> (behind: [IngestedFile], lost: [IngestedFile]) {
        guard try table(TableName(.bronze, contract.source)).exists else { return ([], []) }
        let terms = contract.terms.prefix(16)
        let files = try ingestedFiles(contract.source).filter { $0.terms.map { $0 != terms } ?? false }
        return (files.filter { $0.keptUnder != String(terms) }, files.filter { $0.keptUnder == String(terms) })
    }

    /// Ingests all known files again under the present contract, in one commit.
    ///
    /// Files without bytes keep the rows that they have in bronze.
    /// - Parameters:
    ///   - scratch: an empty folder for files that nobody keeps.
    ///   - actor: who is named by the decisions that it records.
    /// - Throws: `contract.incompatible` when such rows do not fit, `ingest.again-refused` when the contract refuses a
    ///   file that bronze holds; nothing has changed then.
    package func again(
        _ files: [KnownFile], of contract: Contract, format: SourceFormat, scratch: String,
        by actor: String
    ) throws -> IngestReport {
        var report = IngestReport(source: contract.source, version: nil, files: [])
        guard !files.isEmpty else { return report }
        let work = try Ingestion(contract: contract, format: format, in: self, isAgain: true)
        let taken = work.snapshot == nil ? [] : try ingestedFiles(contract.source)
        let byRow = Set(taken.filter(\.byRow).map(\.digest))
        let inBronze = Set(taken.map(\.digest))
        let lost = files.filter { $0.path == nil && inBronze.contains($0.digest) }
        try checkKept(lost, contract, work.startFields)
        let id = context.newID()
        do {
            let decided = try decidedRows(contract.source, of: files.filter { $0.path != nil }.map(\.digest))
            report.files = try read(files, lost: lost, byRow: byRow, inBronze: inBronze, id: id, work)
            if let file = report.files.first(where: { file in
                file.outcome == .refused && file.digest.map(inBronze.contains) ?? false
            }) {
                throw MartletError(
                    .refused, "ingest.again-refused",
                    "Nothing was changed: under the contract as it is now, \(file.name) would be refused: "
                        + "\(file.refusal ?? "it breaks the contract").",
                    at: .init(file: contract.file),
                    remedy: "Correct the contract; max_rejected: says what share of bad rows a file may have.")
            }
            try withhold(decided, into: &report, id: id, work)
            let plan = try correct(decided, inBronze: inBronze, id: id, scratch: scratch, work)
            let gone = Set(lost.map(\.digest))
            let kept = taken.filter { gone.contains($0.digest) }.map { file in
                var file = file
                file.keptUnder = String(contract.terms.prefix(16))
                return file
            }
            try commitAgain(&report, plan, kept: kept, inBronze: inBronze, byRow: byRow, id: id, by: actor, work)
        } catch {
            work.discard()
            if !work.isAsideCommitted { for file in work.quarantined { Disk.remove(file.path) } }
            throw error
        }
        return report
    }

    /// Refuses to keep rows that the present contract has no place for.
    private func checkKept(_ lost: [KnownFile], _ contract: Contract, _ fields: [DeltaField]) throws {
        guard !lost.isEmpty else { return }
        let old = Dictionary(fields.map { ($0.name, $0.type) }) { first, _ in first }
        let names =
            lost.prefix(5).map(\.name).joined(separator: ", ") + (lost.count > 5 ? " and \(lost.count - 5) more" : "")
        for column in contract.columns {
            let reason: String
            if let type = old[column.name] {
                if type == column.type.delta { continue }
                reason = "changes from \(type) to \(column.type.delta)"
            } else {
                if column.nullable, !contract.key.contains(column.name) { continue }
                reason = "is new and must not be missing"
            }
            throw MartletError(
                .input, "contract.incompatible",
                "The column \(column.name) \(reason), and the bytes of \(names) are gone: their rows in "
                    + "bronze.\(contract.source) cannot be made anew.",
                at: .init(file: contract.file),
                remedy: "Land these files again, or keep the column as it was.")
        }
    }

    /// Reads what has bytes and keeps the rows of what has none, in the order in which they came. Under `reject`, what is
    /// kept comes first, so that no row that is read again stands in the way of it.
    private func read(
        _ files: [KnownFile], lost: [KnownFile], byRow: Set<Digest>, inBronze: Set<Digest>, id: String,
        _ work: Ingestion
    ) throws -> [IngestReport.File] {
        var reports = files.map { IngestReport.File(name: $0.name, digest: $0.digest, outcome: .kept) }
        let isLatest = work.contract.onKeyConflict == .latestWins && !work.contract.key.isEmpty
        let gone = Set(lost.map(\.digest))
        if !isLatest { try keep(lost, id: "\(id)-kept", work) }
        var batch: [Int] = []
        var bytes: Int64 = 0
        var count = 0
        func flush() throws {
            guard !batch.isEmpty else { return }
            try accept(batch, files, &reports, byRow: byRow, id: "again-\(id)-\(count)", work)
            (batch, bytes, count) = ([], 0, count + 1)
        }
        for (index, file) in files.enumerated() {
            guard let path = file.path else {
                guard gone.contains(file.digest), isLatest else { continue }
                try flush()
                try keep([file], id: "\(id)-kept-\(index)", work)
                continue
            }
            let size = Disk.stamp(path)?.size ?? 0
            if let first = batch.first,
                bytes + size > Self.batchBytes || batch.count >= Self.batchFiles
                    || byRow.contains(files[first].digest) != byRow.contains(file.digest)
            {
                try flush()
            }
            batch.append(index)
            bytes += size
        }
        try flush()
        // What was refused and has no bytes stays refused.
        for index in reports.indices where files[index].path == nil && !inBronze.contains(files[index].digest) {
            reports[index].outcome = .refused
            reports[index].refusal = "its bytes are gone"
        }
        return reports
    }

    private func accept(
        _ batch: [Int], _ files: [KnownFile], _ reports: inout [IngestReport.File], byRow: Set<Digest>, id: String,
        _ work: Ingestion
    ) throws {
        var contract = work.contract
        if byRow.contains(files[batch[0]].digest) { contract.judgeRows() }
        let stamps = batch.map { files[$0].path.flatMap { Disk.stamp($0) } }
        let accepted = try engine.accept(
            AcceptRequest(
                files: batch.map { .init(path: files[$0].path ?? "", name: files[$0].name, digest: files[$0].digest) },
                contract: contract, format: work.format, existing: work.live, folder: work.table.folder,
                quarantineFolder: work.aside.folder, id: id))
        work.add(accepted)
        for ((index, acceptance), stamp) in zip(zip(batch, accepted.files), stamps) {
            guard files[index].path.flatMap({ Disk.stamp($0) }) == stamp else {
                throw MartletError(
                    .conflict, "ingest.changed", "\(files[index].name) changed while it was read; nothing was changed.",
                    at: files[index].path.map { .init(file: $0) }, remedy: "Run the command again.")
            }
            reports[index].describe(acceptance)
            if acceptance.refusal == nil {
                work.read.append(files[index].digest)
            } else {
                work.noteRefusal(of: files[index].digest, isBeyondShare: acceptance.isBeyondShare, in: self)
            }
        }
    }

    /// Writes the rows that bronze has of files whose bytes are gone. Under latest-wins they replace what is there.
    private func keep(_ files: [KnownFile], id: String, _ work: Ingestion) throws {
        guard !files.isEmpty else { return }
        let old = Set(work.startFields.map(\.name))
        let columns = work.contract.columns.map { column in
            old.contains(column.name)
                ? quoted(column.name) : "CAST(NULL AS \(column.type.description)) AS \(quoted(column.name))"
        }
        let digests = files.map { "\'\($0.digest.hex)\'" }.joined(separator: ", ")
        let bronze = "bronze.\(quoted(work.bronze.name))"
        let kept = try engine.materialise(
            Query(
                "SELECT \((columns + ["_file", "_row"]).joined(separator: ", ")) FROM \(bronze) WHERE _file IN (\(digests))",
                inputs: [work.bronze: work.earlier], inRowOrder: true),
            into: "\(work.table.folder)/part-\(id).parquet")
        var batch = BatchAcceptance(files: [])
        batch.accepted = [kept]
        if work.contract.onKeyConflict == .latestWins, !work.contract.key.isEmpty {
            let other = TableName(.quarantine, "kept")
            let keys = work.contract.key.map { quoted($0) }.joined(separator: ", ")
            for (index, file) in work.written.enumerated() {
                let rest = try engine.materialise(
                    Query(
                        "SELECT a.* FROM \(bronze) AS a ANTI JOIN quarantine.kept AS b USING (\(keys))",
                        inputs: [work.bronze: [file.path], other: [kept.path]], inRowOrder: true),
                    into: "\(work.table.folder)/part-\(id)-\(index).parquet")
                if rest.rows < file.rows {
                    batch.rewrites.append(.init(old: file.path, new: rest, oldHash: file.hash))
                } else {
                    Disk.remove(rest.path)
                }
            }
        }
        work.add(batch)
    }

    private func commitAgain(
        _ report: inout IngestReport, _ plan: [(file: String, digest: String, row: Int)], kept: [IngestedFile],
        inBronze: Set<Digest>, byRow: Set<Digest>, id: String, by actor: String, _ work: Ingestion
    ) throws {
        try Failpoint.reach("again.before-quarantine")
        if !work.quarantined.isEmpty || !work.asideTransactions.isEmpty {
            _ = try commit(work.quarantine) { current in
                current == nil && work.quarantined.isEmpty ? nil : try quarantineActions(work, after: current)
            }
            work.isAsideCommitted = true
        }
        let at = context.now().description
        if !plan.isEmpty {
            try record(
                plan.map { row in
                    QuarantineDecision(
                        decision: id, at: at, actor: actor, action: "replay", reason: nil,
                        digest: row.digest, file: row.file, row: row.row)
                }, id: id, of: work.contract.source)
        }
        try Failpoint.reach("again.between-commits")
        let reread = report.files.filter { $0.outcome == .ingested }
        guard !work.live.isEmpty || work.snapshot != nil else { return }
        let fresh = reread.filter { !($0.digest.map(inBronze.contains) ?? true) }
        let number = Int64((work.snapshot?.transactions.keys.count { $0.hasPrefix(againMark) } ?? 0) + 1)
        report.version = try commit(work.bronze) { current in
            guard current?.version == work.snapshot?.version else {
                throw MartletError(
                    .conflict, "lake.concurrent-write", "Another program wrote \(work.bronze) at the same time.",
                    remedy: "Run the command again; nothing of this one was taken.")
            }
            let old =
                reread.filter { $0.digest.map(inBronze.contains) ?? false }.map {
                    entry($0, work.contract, byRow: byRow)
                }
                + kept.map(\.entry)
            var actions = [
                commitInfo(
                    "WRITE",
                    [
                        "files": .list(fresh.map { entry($0, work.contract, byRow: byRow) }),
                        "again": .object([
                            "id": .text(id), "files": .list(old),
                        ]),
                        "contentHash": .text((work.hashAdded - work.hashRemoved).description),
                    ])
            ]
            actions += try schemaChange(current, to: work.contract.fields)
            actions += fresh.compactMap(\.digest).map { mark(transaction($0)) }
            actions.append(mark(againMark + id, version: number))
            actions += reread.compactMap(\.digest).map { mark(rereadMark + $0.hex, version: number) }
            if !plan.isEmpty { actions.append(mark(replayMark + id)) }
            for path in work.removed.sorted() {
                actions.append(
                    DeltaAction(
                        remove: DeltaRemove(
                            path: Disk.name(of: path), deletionTimestamp: context.now().milliseconds)))
            }
            for file in work.written { actions.append(try add(file, to: work.table)) }
            return actions
        }
    }

    func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

    var againMark: String { "martlet/again/" }
    /// Says by its version with which of the passes over known files a file was read last.
    var rereadMark: String { "martlet/reread/" }
}
