package import Core
package import SQLLineage
internal import Storage

// Compaction. Invariants:
// (1) the rows and their order stay: neighbours with the same columns become one file, which takes the place of the
//     first of them;
// (2) what was read is what was committed once: the content of all files must have the hash that the newest commit
//     names, by the scheme of that hash, and each new file the hash of those that it replaces, before anything is committed;
// (3) another writer may commit meanwhile: its new files stay; when it took away a file that is being compacted, the
//     work is thrown away and planned again.

/// Result of compacting a table, or of a dry run.
package struct CompactionReport: Sendable, Encodable {
    /// Layer and name of the compacted table.
    package var table: TableName
    /// The version that was committed; `nil` when there was nothing to do, or in a dry run.
    package var version: Int?
    /// Number of the table's data files before.
    package var before: Int
    /// Number of the table's data files afterwards.
    package var after: Int
    /// Number of files that were rewritten.
    package var compacted: Int
    /// Bytes of the rewritten files.
    package var bytes: Int64
    /// Rows of the rewritten files.
    package var rows: Int
    /// Bytes of the new files; `nil` in a dry run.
    package var newBytes: Int64?

    enum CodingKeys: String, CodingKey {
        case table, version, before, after, compacted, bytes, rows
        case newBytes = "new_bytes"
    }
}

extension Lake {
    /// File size in bytes up to which smaller files are merged.
    static let compactionTarget: Int64 = 128 << 20

    /// Merges neighbouring small data files of a table into larger ones.
    /// - Parameter target: bytes of a file from which on it is large enough; new files do not become larger.
    /// - Throws: `lake.altered` when the table's files do not hold what was committed, `lake.concurrent-write` when
    ///   other writers replaced files again and again.
    package func compact(
        _ name: TableName, target: Int64 = Lake.compactionTarget, dryRun: Bool = false
    ) throws -> CompactionReport {
        for _ in 0..<5 {
            let snapshot = try snapshot(of: name)
            try snapshot.checkWritable(table(name).folder)
            let groups = try plan(snapshot, in: table(name), target: target)
            let old = groups.joined()
            var report = CompactionReport(
                table: name, before: snapshot.files.count, after: snapshot.files.count - old.count + groups.count,
                compacted: old.count, bytes: old.reduce(0) { $0 + $1.size }, rows: old.reduce(0) { $0 + ($1.rows ?? 0) }
            )
            guard !groups.isEmpty, !dryRun else { return report }
            let written = try rewrite(groups, of: name, at: snapshot)
            try Failpoint.reach("compact.rewritten")
            if let version = try commit(groups, as: written.map(\.new), to: name) {
                report.version = version
                report.newBytes = written.reduce(0) { $0 + (Disk.stamp($1.new.path)?.size ?? 0) }
                return report
            }
            for file in written { Disk.remove(file.new.path) }
        }
        throw MartletError(
            .conflict, "lake.concurrent-write", "Other programs replaced files of \(name) again and again.",
            remedy: "Compact when less is being written.")
    }

    /// Runs of neighbours, at least two each, with equal columns and together within the target.
    private func plan(_ snapshot: DeltaSnapshot, in table: DeltaTable, target: Int64) throws -> [[DeltaAdd]] {
        var runs: [[DeltaAdd]] = [[]]
        for file in snapshot.files {
            if file.size * 2 >= target { runs.append([]) } else { runs[runs.count - 1].append(file) }
        }
        runs.removeAll { $0.count < 2 }
        guard !runs.isEmpty else { return [] }
        let paths = runs.joined().map { table.path(of: $0) }
        let layouts = try engine.layouts(of: paths)
        var groups: [[DeltaAdd]] = []
        for run in runs {
            var group: [DeltaAdd] = []
            var bytes: Int64 = 0
            for file in run {
                let isOther = group.last.map { layouts[table.path(of: $0)] != layouts[table.path(of: file)] } ?? false
                if isOther || bytes + file.size > target {
                    groups.append(group)
                    (group, bytes) = ([], 0)
                }
                group.append(file)
                bytes += file.size
            }
            groups.append(group)
        }
        return groups.filter { $0.count > 1 }
    }

    private func rewrite(
        _ groups: [[DeltaAdd]], of name: TableName, at snapshot: DeltaSnapshot
    ) throws -> [RewrittenFiles] {
        let table = table(name)
        var written: [RewrittenFiles] = []
        do {
            for group in groups {
                let file = "\(table.folder)/part-\(context.newID()).parquet"
                let rewritten = try engine.rewrite(group.map { table.path(of: $0) }, into: file)
                written.append(rewritten)
                guard rewritten.new.hash == rewritten.oldHash else {
                    throw MartletError(
                        .defect, "lake.compaction",
                        "A compacted file of \(name) has other content than what it replaces.",
                        at: .init(file: file), remedy: "Nothing was committed. Report it with the files of the table.")
                }
            }
            if let committed = snapshot.commitInfo?["martlet"]?["contentHash"]?.text {
                let found: ContentHash
                if let stated = ContentHash(committed), stated.scheme != .h2 {
                    found = try engine.contentHash(of: snapshot.files.map { table.path(of: $0) }, by: stated.scheme)
                } else {
                    let replaced = Set(groups.joined().map(\.path))
                    let rest = snapshot.files.filter { !replaced.contains($0.path) }.map { table.path(of: $0) }
                    found = try written.reduce(engine.contentHash(of: rest)) { $0 + $1.oldHash }
                }
                guard found.description == committed else { throw altered(name, snapshot.version) }
            }
        } catch {
            for file in written { Disk.remove(file.new.path) }
            throw error
        }
        return written
    }

    /// The error for a table whose files do not have the committed content.
    package func altered(_ name: TableName, _ version: Int) -> MartletError {
        MartletError(
            .input, "lake.altered", "The files of \(name) do not hold what was committed as version \(version).",
            at: .init(file: table(name).folder),
            remedy: "Someone changed them from outside: restore them from a backup.")
    }

    /// - Returns: `nil` when one of the files is not in the table any more.
    private func commit(_ groups: [[DeltaAdd]], as files: [WrittenFile], to name: TableName) throws -> Int? {
        let table = table(name)
        let adds = try zip(groups, files).map { group, file in
            var action = try add(file, to: table)
            action.add?.position = group.first?.position
            action.add?.dataChange = false
            return action
        }
        return try commit(name) { current in
            guard let current, groups.joined().allSatisfy({ current.holds($0.path) }) else { return nil }
            let carried = current.toldState
            let now = context.now().milliseconds
            let removes = groups.joined().map { file in
                DeltaAction(remove: DeltaRemove(path: file.path, deletionTimestamp: now, dataChange: false))
            }
            return [commitInfo("OPTIMIZE", carried)] + removes + adds
        }
    }
}

extension DeltaSnapshot {
    /// What the newest commit says of the table's content and where it comes from: true as long as the rows stay.
    var toldState: [String: JSONValue] {
        let state = ["contentHash", "fingerprint", "definition", "parents", "engine"]
        return commitInfo?["martlet"]?.members?.filter { state.contains($0.key) } ?? [:]
    }
}
