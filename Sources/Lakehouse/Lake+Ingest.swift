package import Vocabulary

// Ingestion, exactly once. Invariants:
// (1) a file is known by its digest. Its `txn` action stands in the same commit as its rows, so the file is
//     either wholly in bronze or not at all, and never twice.
// (1) rows that are refused are committed to quarantine before bronze is; a kill between the two is mended by
//     the same `txn` on the quarantine table when the run is repeated.

/// A file that waits to be ingested.
package struct LandedFile: Sendable {
    package var path: String
    package var name: String
    package var digest: Digest
    /// What the file looked like before its digest was taken.
    package var stamp: Disk.Stamp?

    package init(path: String, name: String, digest: Digest, stamp: Disk.Stamp? = nil) {
        self.path = path
        self.name = name
        self.digest = digest
        self.stamp = stamp
    }
}

/// What one source's ingestion did.
package struct IngestReport: Sendable, Encodable {
    package enum Outcome: String, Sendable, Encodable {
        case ingested, refused, alreadyKnown = "already-known", changing
        /// Refused before, and a person said that nothing comes of it.
        case dropped
    }

    package struct File: Sendable, Encodable {
        package var name: String
        package var digest: Digest
        package var outcome: Outcome
        package var rowsRead = 0
        package var rowsAccepted = 0
        package var rowsRejected = 0
        package var rowsSuperseded = 0
        package var synthetic = false
        package var refusal: String?
        package var breaches: [Acceptance.Breach] = []
        package var warnings: [String] = []
        /// How its form differs from the contract and from the table so far.
        package var drift: [SchemaDrift] = []

        enum CodingKeys: String, CodingKey {
            case name, digest, outcome, synthetic, refusal, breaches, warnings, drift
            case rowsRead = "rows_read"
            case rowsAccepted = "rows_accepted"
            case rowsRejected = "rows_rejected"
            case rowsSuperseded = "rows_superseded"
        }
    }

    package var source: String
    /// The version that was committed; `nil` when nothing was new.
    package var version: Int?
    package var files: [File]
}

/// What bronze remembers of a file.
package struct IngestedFile: Sendable {
    package var name: String
    package var digest: Digest
    package var rows: Int
    package var rejected: Int
    package var synthetic: Bool
}

extension Lake {
    private func transaction(_ digest: Digest) -> String { "martlet/file/\(digest)" }

    /// A refusal holds under the contract it was made by; under another one the file is looked at again.
    private func refusal(_ digest: Digest, _ contract: Contract) -> String {
        "martlet/refused/\(digest)/\(contract.revision.prefix(16))"
    }

    /// Takes new files of a source into bronze in one commit.
    package func ingest(
        _ files: [LandedFile], of contract: Contract, format: SourceFormat,
        progress: (IngestReport.File) -> Void = { _ in }
    ) throws -> IngestReport {
        let bronze = TableName(.bronze, contract.source)
        let quarantine = TableName(.quarantine, contract.source)
        let table = table(bronze)
        let aside = self.table(quarantine)
        var report = IngestReport(source: contract.source, version: nil, files: [])
        let snapshot = table.exists ? try snapshot(of: bronze) : nil
        let asideKnown = aside.exists ? try self.snapshot(of: quarantine).transactions : [:]
        let dropped = try droppedFiles(contract.source)
        var outdated: Set<String> = []
        var examined = 0
        var live = (snapshot?.files ?? []).map { table.path(of: $0) }
        let before = Set(live)
        var written: [String: WrittenFile] = [:]
        var removed: Set<String> = []
        var asideFiles: [(file: WrittenFile, transaction: String)] = []
        var seen: Set<Digest> = []
        var hash = snapshot.map { _ in ContentHash() } ?? ContentHash()
        if snapshot != nil { hash = try reference(to: bronze).hash }
        var fields: [DeltaField] = try snapshot?.metadata?.fields() ?? []
        let startFields = fields
        if files.contains(where: { snapshot?.transactions[transaction($0.digest)] == nil }) {
            try contract.checkFits(startFields)
        }

        for landed in files {
            var entry = IngestReport.File(name: landed.name, digest: landed.digest, outcome: .alreadyKnown)
            if dropped.contains(landed.digest), snapshot?.transactions[transaction(landed.digest)] == nil {
                entry.outcome = .dropped
            } else if asideKnown[refusal(landed.digest, contract)] != nil {
                entry.outcome = .refused
                entry.refusal =
                    "it was refused when it came first; `martlet quarantine show \(contract.source)` says why"
            } else if snapshot?.transactions[transaction(landed.digest)] == nil, !seen.contains(landed.digest) {
                let acceptance = try engine.accept(
                    AcceptRequest(
                        file: landed.path, name: landed.name, digest: landed.digest, contract: contract, format: format,
                        existing: live, folder: table.folder, quarantineFolder: aside.folder,
                        fileID: surroundings.newID()))
                try Failpoint.reach("ingest.file.accepted")
                seen.insert(landed.digest)
                entry.describe(acceptance)
                entry.drift = try drift(of: landed, acceptance, contract, format, live, examined: &examined)
                let isKept = try acceptance.refusal == nil || keep(landed, of: contract.source)
                if !isKept || landed.stamp.map({ Disk.stamp(landed.path) != $0 }) ?? false {
                    // Still being written: what was read need not be what has the digest. Its turn comes later.
                    entry = IngestReport.File(name: landed.name, digest: landed.digest, outcome: .changing)
                    entry.warnings = ["it is still being written; nothing of it was taken yet"]
                    report.files.append(entry)
                    progress(entry)
                    continue
                }
                if acceptance.refusal != nil, let file = acceptance.quarantined {
                    asideFiles.append((file, refusal(landed.digest, contract)))
                } else if asideKnown[transaction(landed.digest)] == nil {
                    if let file = acceptance.quarantined { asideFiles.append((file, transaction(landed.digest))) }
                } else if let old = try outdatedAttempts(
                    acceptance.quarantined, of: landed.digest, in: contract.source)
                {
                    outdated.formUnion(old)
                    if let file = acceptance.quarantined { asideFiles.append((file, transaction(landed.digest))) }
                }
                for rewrite in acceptance.rewrites {
                    live.removeAll { $0 == rewrite.old }
                    if before.contains(rewrite.old) { removed.insert(rewrite.old) }
                    written[rewrite.old] = nil
                    hash = hash.replacing(rewrite.oldHash, with: rewrite.new.hash)
                    if rewrite.new.rows > 0 {
                        live.append(rewrite.new.path)
                        written[rewrite.new.path] = rewrite.new
                    }
                }
                if let file = acceptance.accepted {
                    live.append(file.path)
                    written[file.path] = file
                    hash = hash + file.hash
                    fields = file.fields
                }
            }
            report.files.append(entry)
            progress(entry)
        }

        try Failpoint.reach("ingest.before-quarantine")
        try setAside(asideFiles, outdated: outdated, in: quarantine)
        try Failpoint.reach("ingest.between-commits")
        if snapshot != nil {
            let shifted = try engine.shiftedUnits(
                in: live.filter { written[$0] != nil && !before.contains($0) }, against: Array(before).sorted(),
                contract: contract)
            for index in report.files.indices where report.files[index].outcome == .ingested {
                report.files[index].add(shifted[report.files[index].digest.hex] ?? [])
            }
        }
        let taken = report.files.filter { $0.outcome == .ingested }
        guard !taken.isEmpty else { return report }
        report.version = try commit(bronze) { current in
            guard current?.version == snapshot?.version else {
                throw MartletError(
                    .conflict, "lake.concurrent-write", "Another program wrote \(bronze) at the same time.",
                    remedy: "Run the command again; files already taken are skipped.")
            }
            var actions = current == nil || fields != startFields ? try header(fields) : []
            if current != nil, fields != startFields, let id = current?.metadata?.id {
                actions = actions.map { action in
                    var action = action
                    action.metaData?.id = id
                    return action
                }
            }
            for file in taken {
                actions.append(
                    DeltaAction(
                        txn: DeltaTransaction(
                            appId: transaction(file.digest), version: 1, lastUpdated: surroundings.now().milliseconds)))
            }
            for path in removed.sorted() {
                actions.append(
                    DeltaAction(
                        remove: DeltaRemove(
                            path: Disk.name(of: path), deletionTimestamp: surroundings.now().milliseconds)))
            }
            for path in live { if let file = written[path] { actions.append(try add(file, to: table)) } }
            let entries: [JSONValue] = taken.map { file in
                .object([
                    "name": .text(file.name), "digest": .text(file.digest.hex),
                    "rows": .integer(Int64(file.rowsAccepted)), "rejected": .integer(Int64(file.rowsRejected)),
                    "synthetic": .flag(file.synthetic),
                ])
            }
            actions.insert(
                commitInfo("WRITE", ["files": .list(entries), "contentHash": .text(hash.description)]), at: 0)
            return actions
        }
        return report
    }

    /// The files that a bronze table was made from, up to a version, in order of ingestion.
    package func ingestedFiles(_ source: String, upTo version: Int? = nil) throws -> [IngestedFile] {
        let table = table(TableName(.bronze, source))
        var files: [IngestedFile] = []
        for number in table.versions() where number <= version ?? .max {
            for action in try table.commit(number) {
                for entry in action.commitInfo?["martlet"]?["files"]?.list ?? [] {
                    guard let name = entry["name"]?.text, let digest = entry["digest"]?.text.flatMap(Digest.init(hex:))
                    else { continue }
                    files.append(
                        IngestedFile(
                            name: name, digest: digest, rows: entry["rows"]?.integer ?? 0,
                            rejected: entry["rejected"]?.integer ?? 0, synthetic: entry["synthetic"] == .flag(true)))
                }
            }
        }
        return files
    }

    private func setAside(
        _ files: [(file: WrittenFile, transaction: String)], outdated: Set<String>, in name: TableName
    ) throws {
        guard !files.isEmpty || !outdated.isEmpty else { return }
        _ = try commit(name) { current in
            var actions = [commitInfo("WRITE", [:])]
            if let fields = files.first?.file.fields { actions += try schemaChange(current, to: fields) }
            for attempt in outdated.sorted() { actions.append(mark("martlet/void/\(attempt)")) }
            for (file, transaction) in files {
                actions.append(mark(transaction, version: (current?.transactions[transaction] ?? 0) + 1))
                actions.append(try add(file, to: table(name)))
            }
            return actions
        }
    }
}

extension IngestReport.File {
    fileprivate mutating func describe(_ acceptance: Acceptance) {
        outcome = acceptance.refusal == nil ? .ingested : .refused
        rowsRead = acceptance.rowsRead
        rowsAccepted = acceptance.accepted?.rows ?? 0
        rowsRejected = acceptance.rejectedRows
        rowsSuperseded = acceptance.supersededRows
        synthetic = acceptance.syntheticRows > 0
        refusal = acceptance.refusal
        breaches = acceptance.breaches
        warnings = acceptance.warnings
    }
}

extension ContentHash {
    func replacing(_ old: ContentHash, with new: ContentHash) -> ContentHash {
        ContentHash(rows: rows - old.rows + new.rows, sum: sum &- old.sum &+ new.sum, xor: xor ^ old.xor ^ new.xor)
    }
}
