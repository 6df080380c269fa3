internal import Core
internal import SQLLineage
package import SourceFormats
internal import Storage

// Replay, exactly once. Invariants:
// (1) three commits, in this order: new reasons to quarantine, the plan (which rows) to the decisions, the rows to
//     bronze together with the `txn` martlet/replay/<id> that the plan bears. Only the last one counts: a plan without
//     its `txn` in bronze is none, so a kill anywhere leaves the rows either open or in bronze, never both.
// (2) the last commit is refused when bronze has changed since it was read, so two replays cannot both succeed.

/// Result of a replay of quarantined rows.
package struct ReplayReport: Sendable, Encodable {
    /// Name of the source whose quarantined rows were checked.
    package var source: String
    /// Id of the replay; `nil` when no row was added to bronze.
    package var replay: String?
    /// Version of bronze afterwards; `nil` when no row was added.
    package var version: Int?
    /// Number of rows checked again.
    package var judged = 0
    /// Number of rows added to bronze.
    package var replayed = 0
    /// Number of rows that still violate the contract.
    package var stillBad = 0
    /// Number of rows replaced by a later one with the same key.
    package var superseded = 0
    /// Violations of the rows that stay in quarantine.
    package var breaches: [Acceptance.Breach] = []
    /// Results of files that had been rejected whole.
    package var files: [IngestReport.File] = []

    enum CodingKeys: String, CodingKey {
        case source, replay, version, judged, replayed, superseded, breaches, files
        case stillBad = "still_bad"
    }
}

extension Lake {
    /// Checks open quarantined rows again, with corrections, and adds to bronze those that meet the present contract.
    /// - Parameters:
    ///   - scratch: an empty folder for files that nobody keeps.
    ///   - actor: whom the recorded decisions name.
    package func replay(
        _ filter: QuarantineFilter, of contract: Contract, format: SourceFormat, scratch: String, by actor: String
    ) throws -> ReplayReport {
        var report = ReplayReport(source: contract.source)
        let bronze = TableName(.bronze, contract.source)
        let quarantine = TableName(.quarantine, contract.source)
        let table = table(bronze)
        guard try table.exists, try self.table(quarantine).exists else { return report }
        let snapshot = try self.snapshot(of: bronze)
        let startFields = try snapshot.metadata?.fields() ?? []
        try contract.checkFits(startFields)
        let live = snapshot.files.map { table.path(of: $0) }
        let id = context.newID()
        let result = try engine.rejudge(
            RejudgeRequest(
                tables: try quarantineTables(contract.source), filter: filter, contract: contract, format: format,
                existing: live, bronzeFolder: table.folder, quarantineFolder: self.table(quarantine).folder,
                scratch: scratch, id: id))
        report.judged = result.judged
        report.replayed = result.rows.count
        report.stillBad = result.stillBad
        report.superseded = result.superseded
        report.breaches = result.breaches
        if let file = result.quarantined {
            let mark = replayMark + id
            _ = try commit(quarantine) { current in
                var actions = [commitInfo("WRITE", [:])]
                actions += try schemaChange(current, to: file.fields)
                return actions + [self.mark(mark), try add(file, to: self.table(quarantine))]
            }
        }
        guard let file = result.accepted else { return report }
        let at = context.now().description
        try record(
            result.rows.map { row in
                QuarantineDecision(
                    decision: id, at: at, actor: actor, action: "replay", reason: nil, digest: row.digest,
                    file: row.file, row: row.row)
            }, id: id, of: contract.source)
        try Failpoint.reach("replay.planned")
        var hash = try runningHash(of: bronze, at: snapshot.version) + file.hash
        for rewrite in result.rewrites { hash = hash.replacing(rewrite.oldHash, with: rewrite.new.hash) }
        report.version = try commit(bronze) { current in
            guard current?.version == snapshot.version else {
                throw MartletError(
                    .conflict, "lake.concurrent-write", "Another program wrote \(bronze) at the same time.",
                    remedy: "Run the command again; nothing of this replay was taken.")
            }
            var actions = [
                commitInfo(
                    "WRITE",
                    [
                        "replay": .object(["id": .text(id), "rows": .integer(Int64(file.rows))]),
                        "contentHash": .text(hash.description),
                    ])
            ]
            actions += try schemaChange(current, to: file.fields)
            actions.append(mark(replayMark + id))
            for rewrite in result.rewrites {
                actions.append(
                    DeltaAction(
                        remove: DeltaRemove(
                            path: Disk.name(of: rewrite.old), deletionTimestamp: context.now().milliseconds)))
            }
            for rewrite in result.rewrites where rewrite.new.rows > 0 {
                actions.append(try add(rewrite.new, to: table))
            }
            actions.append(try add(file, to: table))
            return actions
        }
        report.replay = id
        return report
    }

    /// The actions that give a table these columns: none when it has them.
    func schemaChange(_ current: DeltaSnapshot?, to fields: [DeltaField]) throws -> [DeltaAction] {
        guard let current else { return try header(fields) }
        // A table of before, whose names need a mapping that it does not have, gets it with its next version.
        let isMapped = current.metadata?.isMapped == true || !fields.contains(where: \.needsMapping)
        guard try current.metadata?.fields() != fields || !isMapped else { return [] }
        return try header(fields, after: current.metadata)
    }
}
