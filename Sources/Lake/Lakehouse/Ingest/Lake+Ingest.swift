internal import Core
internal import SQLLineage
package import SourceFormats
internal import Storage

// Ingestion, exactly once. Invariants:
// (1) a file is known by its digest. Its `txn` action stands in the same commit as its rows, so the file is
//     either wholly in bronze or not at all, and never twice.
// (2) rows that are refused are committed to quarantine before bronze is; a kill between the two is mended by
//     the same `txn` on the quarantine table when the run is repeated.

extension Lake {
    func transaction(_ digest: Digest) -> String { "martlet/file/\(digest)" }

    /// A refusal holds under the contract it was made by; under another one the file is looked at again.
    func refusal(_ digest: Digest, _ contract: Contract) -> String {
        "martlet/refused/\(digest)/\(contract.revision.prefix(16))"
    }

    /// Stands beside a refusal for too large a share of bad rows.
    func share(_ digest: Digest, _ contract: Contract) -> String {
        "martlet/share/\(digest)/\(contract.revision.prefix(16))"
    }

    /// Ingests new files of a source into bronze in one commit; rejected rows go to quarantine.
    ///
    /// Another process may do the same concurrently. Whoever commits second compares again with the table as it is by
    /// then: files that the other one ingested are known, and keys are checked anew.
    package func ingest(
        _ files: [LandedFile], of contract: Contract, format: SourceFormat
    ) throws -> IngestReport {
        for _ in 0..<Self.attempts {
            if let report = try attempt(files, of: contract, format: format) { return report }
        }
        throw MartletError(
            .conflict, "lake.concurrent-write",
            "Other programs wrote \(TableName(.bronze, contract.source)) at the same time, again and again.",
            remedy: "Run the command again; files already taken are skipped.")
    }

    private static var attempts: Int { 20 }

    /// Files that are accepted together, about as many bytes or files, whatever comes first.
    static var batchBytes: Int64 { 64 << 20 }
    static var batchFiles: Int { 1000 }

    /// - Returns: `nil` when another program was faster, with nothing of this attempt left in bronze.
    private func attempt(
        _ files: [LandedFile], of contract: Contract, format: SourceFormat
    ) throws -> IngestReport? {
        let work = try Ingestion(contract: contract, format: format, in: self)
        var report = IngestReport(source: contract.source, version: nil, files: [])
        var fresh: [Int] = []
        var seen: Set<Digest> = []
        let dropped = try droppedFiles(
            contract.source, among: files.map(\.digest).filter { !work.isKnown(transaction($0)) })
        for landed in files {
            var entry = IngestReport.File(name: landed.name, digest: landed.digest, outcome: .alreadyKnown)
            if dropped.contains(landed.digest), !work.isKnown(transaction(landed.digest)) {
                entry.outcome = .dropped
            } else if work.asideKnown[refusal(landed.digest, contract)] != nil,
                !work.isKnown(transaction(landed.digest))
            {
                entry.outcome = .refused
                entry.isBeyondShare = work.asideKnown[share(landed.digest, contract)] != nil
                entry.refusal =
                    "it was refused when it came first; `martlet quarantine show \(contract.source)` says why"
            } else if !work.isKnown(transaction(landed.digest)), seen.insert(landed.digest).inserted {
                fresh.append(report.files.count)
            }
            report.files.append(entry)
        }
        guard !fresh.isEmpty else { return report }
        try contract.checkFits(work.startFields)

        var batch: [Int] = []
        var bytes: Int64 = 0
        for (place, index) in fresh.enumerated() {
            batch.append(index)
            bytes += size(files[index])
            if place + 1 < fresh.count, batch.count < Self.batchFiles,
                bytes + size(files[fresh[place + 1]]) <= Self.batchBytes,
                !work.isQuarantined(transaction(files[index].digest)),
                !work.isQuarantined(transaction(files[fresh[place + 1]].digest))
            {
                continue
            }
            do { try accept(batch, of: files, into: &report, work) } catch {
                // Nothing is committed yet, so nothing refers to what the batches before wrote.
                work.discard()
                for file in work.quarantined { Disk.remove(file.path) }
                throw error
            }
            (batch, bytes) = ([], 0)
        }

        try Failpoint.reach("ingest.before-quarantine")
        guard try commitQuarantined(work) else {
            work.discard()
            for file in work.quarantined { Disk.remove(file.path) }
            return nil
        }
        try Failpoint.reach("ingest.between-commits")
        if work.snapshot != nil {
            let shifted = try engine.shiftedUnits(
                in: work.written.map(\.path), against: work.earlier, contract: contract)
            for index in report.files.indices where report.files[index].outcome == .ingested {
                report.files[index].add(report.files[index].digest.flatMap { shifted[$0.hex] } ?? [])
            }
        }
        let taken = report.files.filter { $0.outcome == .ingested }
        guard !taken.isEmpty else { return report }
        guard let version = try commit(taken, work) else {
            work.discard()
            return nil
        }
        report.version = version
        return report
    }

    private func size(_ file: LandedFile) -> Int64 { (file.stamp ?? Disk.stamp(file.path))?.size ?? 0 }

    /// Takes some of the files, given by their places, and again without those that changed meanwhile.
    private func accept(
        _ batch: [Int], of files: [LandedFile], into report: inout IngestReport, _ work: Ingestion
    ) throws {
        guard !batch.isEmpty else { return }
        var accepted = try engine.accept(
            AcceptRequest(
                files: batch.map { index in
                    AcceptRequest.File(
                        path: files[index].path, name: files[index].name, digest: files[index].digest,
                        refusal: files[index].refusal)
                }, contract: work.contract, format: work.format, existing: work.live, folder: work.table.folder,
                quarantineFolder: work.aside.folder, id: context.newID()))
        try Failpoint.reach("ingest.file.accepted")
        // Still being written: what was read need not be what has the digest. Its turn comes later.
        var changing: Set<Int> = []
        for (index, acceptance) in zip(batch, accepted.files) {
            let isKept = try acceptance.refusal == nil || keep(files[index], of: work.contract.source)
            if !isKept
                || files[index].stamp.map({
                    Disk.stamp(files[index].path, followingLinks: false) != $0
                }) ?? false
            {
                changing.insert(index)
            }
        }
        if !changing.isEmpty {
            for path in accepted.paths { Disk.remove(path) }
            for index in changing {
                report.files[index].outcome = .changing
                report.files[index].warnings = ["it is still being written; nothing of it was taken yet"]
            }
            return try accept(batch.filter { !changing.contains($0) }, of: files, into: &report, work)
        }
        for (index, acceptance) in zip(batch, accepted.files) {
            let landed = files[index]
            report.files[index].describe(acceptance)
            report.files[index].drift = try drift(
                of: landed, acceptance, work.contract, work.format, work.live, examined: &work.examined)
            if acceptance.refusal != nil {
                work.noteRefusal(
                    of: landed.digest, isBeyondShare: acceptance.isBeyondShare, in: self)
            } else if !work.isQuarantined(transaction(landed.digest)) {
                if acceptance.isQuarantined { work.asideTransactions.append(transaction(landed.digest)) }
            } else if let old = try outdatedAttempts(accepted.quarantined, of: landed.digest, in: work.contract.source)
            {
                // A run was killed after it had set rows of this file aside, and judged otherwise than this one.
                work.outdated.formUnion(old)
                if acceptance.isQuarantined { work.asideTransactions.append(transaction(landed.digest)) }
            } else if let file = accepted.quarantined {
                Disk.remove(file.path)
                accepted.quarantined = nil
            }
        }
        work.add(accepted)
    }

    /// Commits the quarantined rows; they are in quarantine before anything of their file is in bronze.
    /// - Returns: `false` when another program has quarantined rows of the same files meanwhile.
    private func commitQuarantined(_ work: Ingestion) throws -> Bool {
        guard !work.quarantined.isEmpty || !work.outdated.isEmpty else { return true }
        var isFirst = true
        _ = try commit(work.quarantine) { current in
            isFirst = work.asideTransactions.allSatisfy { current?.transactions[$0] == work.asideKnown[$0] }
            guard isFirst else { return nil }
            return try quarantineActions(work, after: current)
                + work.outdated.sorted().map { mark("martlet/void/\($0)") }
        }
        return isFirst
    }

    /// Actions that add the quarantined rows, each attempt under the next number of its transaction.
    func quarantineActions(_ work: Ingestion, after current: DeltaSnapshot?) throws -> [DeltaAction] {
        try [commitInfo("WRITE", [:])]
            + (work.quarantined.first.map { try schemaChange(current, to: $0.fields) } ?? [])
            + work.asideTransactions.map {
                mark($0, version: try number(after: current?.transactions[$0] ?? 0, of: $0, in: work.aside))
            }
            + work.quarantined.map { try add($0, to: work.aside) }
    }

    /// Commits the files' rows to bronze.
    /// - Returns: `nil` when another program has written meanwhile what changes the outcome.
    private func commit(_ taken: [IngestReport.File], _ work: Ingestion) throws -> Int? {
        let digests = taken.compactMap(\.digest)
        return try commit(work.bronze) { current in
            if current?.version != work.snapshot?.version {
                guard work.mayFollow(current, digests.map { transaction($0) }) else { return nil }
            }
            var actions = try schemaChange(current, to: work.contract.fields)
            actions += digests.map { mark(transaction($0)) }
            for path in work.removed.sorted() {
                actions.append(
                    DeltaAction(
                        remove: DeltaRemove(
                            path: Disk.name(of: path), deletionTimestamp: context.now().milliseconds)))
            }
            for file in work.written { actions.append(try add(file, to: work.table)) }
            let before = try current.map { try runningHash(of: work.bronze, at: $0.version) } ?? ContentHash()
            let entries = taken.map { entry($0, work.contract, byRow: []) }
            let hash = (before + work.hashAdded) - work.hashRemoved
            actions.insert(
                commitInfo("WRITE", ["files": .list(entries), "contentHash": .text(hash.description)]), at: 0)
            return actions
        }
    }
}

extension Lake {
    /// What a commit of bronze remembers of a file.
    func entry(_ file: IngestReport.File, _ contract: Contract, byRow: Set<Digest>) -> JSONValue {
        let isByRow = contract.isByRow || file.digest.map(byRow.contains) ?? false
        return IngestedFile(
            name: file.name, digest: file.digest ?? Digest(of: ""), rows: file.rowsAccepted,
            rejected: file.rowsRejected, synthetic: file.synthetic, terms: String(contract.terms.prefix(16)),
            byRow: isByRow
        ).entry
    }
}
