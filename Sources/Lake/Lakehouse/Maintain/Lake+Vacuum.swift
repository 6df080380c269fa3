internal import Core
package import SQLLineage
internal import Storage

// Vacuum. A file stays when a version names it that is the latest, was the latest at any moment within the retention,
// or is pinned; and when it is younger than the age at which a writer must have committed it. How old it is, the log
// tells. No log tells of a file that was never committed: its own time of modification is the last sign of life that its
// writer gave, and that is what counts. All else that looks like a data file or a temporary name goes. The log says so
// first, so that whoever asks for an old version later is told why it cannot be read.

/// Result of vacuuming a table, or of a dry run.
package struct VacuumReport: Sendable, Encodable {
    /// Layer and name of the vacuumed table.
    package var table: TableName
    /// Number of data files that no kept version references.
    package var files: Int
    /// Number of left-over temporary files.
    package var temporary: Int
    /// Total size in bytes of the unreferenced data files and the left-over temporary files.
    package var bytes: Int64
    /// The oldest version from which every later one stays readable.
    package var oldest: Int
    /// Older versions that stay readable because something depends on them.
    package var pinned: [Int]
    /// Older versions that lose files by this.
    package var lost: [Int]
}

extension Lake {
    /// Deletes files that no kept version of a table references.
    /// - Parameters:
    ///   - retain: how far back every version stays readable, in seconds.
    ///   - youngest: age in seconds below which no file is removed: it may be a running writer's.
    ///   - pinned: versions that stay readable however old.
    package func vacuum(
        _ name: TableName, retain: Int, youngest: Int, pinned: Set<Int> = [], dryRun: Bool = false
    ) throws -> VacuumReport {
        let table = table(name)
        let now = context.now()
        let kept = try keptFiles(of: name, since: now.adding(seconds: -retain), pinned: pinned)
        let limit = now.adding(seconds: -youngest)
        var report = VacuumReport(
            table: name, files: 0, temporary: 0, bytes: 0, oldest: kept.oldest, pinned: kept.pinned, lost: [])
        var temporary: [String] = []
        var unused: [String: String] = [:]
        for folder in [table.folder, table.logFolder] {
            for entry in try Disk.list(folder) {
                let path = "\(folder)/\(entry)"
                if entry.hasPrefix("."), entry.hasSuffix(".tmp") || entry.hasSuffix(".tmp.lines") {
                    temporary.append(path)
                } else if folder == table.folder, entry.hasSuffix(".parquet"), !entry.hasPrefix("_"),
                    !entry.hasPrefix("."), !kept.paths.contains(path)
                {
                    unused[entry] = path
                }
            }
        }
        func isAbandoned(_ path: String) -> Bool {
            Disk.stamp(path).map { Timestamp(microseconds: $0.modified / 1000) <= limit } ?? false
        }
        var gone = Set(unused.filter { isAbandoned($0.value) }.keys)
        if !unused.isEmpty {
            try walk(name) { version, actions, live in
                for add in actions.compactMap(\.add) {
                    let file = Disk.name(of: table.path(of: add))
                    guard unused[file] != nil else { continue }
                    if Timestamp(milliseconds: add.modificationTime) <= limit {
                        gone.insert(file)
                    } else {
                        gone.remove(file)
                    }
                }
                if kept.older.contains(version), live.keys.contains(where: gone.contains) {
                    report.lost.append(version)
                }
            }
        }
        temporary = temporary.filter(isAbandoned)
        let doomed = gone.sorted().compactMap { unused[$0] } + temporary
        report.files = gone.count
        report.temporary = temporary.count
        report.bytes = doomed.reduce(0) { $0 &+ (Disk.stamp($1)?.size ?? 0) }
        guard !dryRun, !doomed.isEmpty else { return report }
        if report.files > 0 { try note("VACUUM START", report, retain, in: name) }
        try Failpoint.reach("vacuum.noted")
        for path in doomed {
            try Disk.delete(path)
            try Failpoint.reach("vacuum.removed")
        }
        if report.files > 0 { try note("VACUUM END", report, retain, in: name) }
        return report
    }

    private struct KeptFiles {
        var paths: Set<String>
        var oldest: Int
        var pinned: [Int]
        /// Versions before the oldest kept one that are not pinned.
        var older: Set<Int>
    }

    private func keptFiles(of name: TableName, since cutoff: Timestamp, pinned: Set<Int>) throws -> KeptFiles {
        let table = table(name)
        let latest = try snapshot(of: name)
        let times = try times(of: name)
        let oldest = times.last { $0.at <= cutoff }?.version ?? times.first?.version ?? latest.version
        var paths = Set(latest.files.map { table.path(of: $0) })
        paths.formUnion(try snapshot(of: name, at: oldest).files.map { table.path(of: $0) })
        for version in try table.log().versions where version > oldest {
            for add in try table.commit(version).compactMap(\.add) { paths.insert(table.path(of: add)) }
        }
        var held: [Int] = []
        for version in pinned.sorted() where version < oldest {
            let files: [DeltaAdd]
            do { files = try snapshot(of: name, at: version).files } catch {
                // Which files it needs cannot be told, so none can be proved unused.
                throw unproved(name, version, error)
            }
            paths.formUnion(files.map { table.path(of: $0) })
            held.append(version)
        }
        let older = times.map(\.version).filter { $0 < oldest && !pinned.contains($0) }
        return KeptFiles(paths: paths, oldest: oldest, pinned: held, older: Set(older))
    }

    private func unproved(_ name: TableName, _ version: Int, _ error: any Error) -> MartletError {
        let cause = error as? MartletError
        // A machine that fails says so itself.
        if let cause, cause.kind == .machine { return cause }
        return MartletError(
            .input, "lake.unproved",
            "Version \(version) of \(name) is needed by a registered model or another table and cannot be read, so "
                + "nothing of \(name) was removed: \(cause?.message ?? "\(error)")",
            at: cause?.location,
            remedy:
                "Mend what keeps it from being read. Where only registered models need it, --including-lineage gives "
                + "it up: they cannot be verified afterwards.")
    }

    private func note(_ operation: String, _ report: VacuumReport, _ retain: Int, in name: TableName) throws {
        _ = try commit(name) { current in
            var carried = current?.toldState ?? [:]
            carried["vacuum"] = .object([
                "files": .integer(Int64(report.files)), "bytes": .integer(report.bytes),
                "oldest": .integer(Int64(report.oldest)), "retain_seconds": .integer(Int64(retain)),
            ])
            return [commitInfo(operation, carried)]
        }
    }

    /// Returns the versions of other tables that the newest version of any table was made from, by table.
    package func parentVersions() throws -> [TableName: Set<Int>] {
        var versions: [TableName: Set<Int>] = [:]
        for name in try tables() {
            for text in try snapshot(of: name).commitInfo?["martlet"]?["parents"]?.list?.compactMap(\.text) ?? [] {
                let parts = text.split(separator: "@")
                if parts.count == 2, let parent = TableName(String(parts[0])), let version = Int(parts[1]) {
                    versions[parent, default: []].insert(version)
                }
            }
        }
        return versions
    }

    /// Why a file that an old version names is not there.
    func gone(_ path: String, from name: TableName, at version: Int) -> MartletError {
        let table = table(name)
        for later in (try? table.log().versions) ?? [] where later > version {
            // This only looks for the reason; the file is gone in any case.
            guard let info = try? table.commitInfo(later), info["operation"]?.text?.hasPrefix("VACUUM") == true else {
                continue
            }
            let at = info["timestamp"]?.long.map { " on " + Timestamp(milliseconds: $0).minute } ?? ""
            let oldest = info["martlet"]?["vacuum"]?["oldest"]?.integer ?? later
            guard version < oldest else { continue }
            return MartletError(
                .missing, "lake.vacuumed",
                "Version \(version) of \(name) cannot be read any more: a vacuum\(at) removed files of it.",
                remedy: "Versions from \(oldest) on are kept; `martlet lake history \(name)` lists them.")
        }
        return MartletError(
            .input, "lake.missing-file", "The table's data file is gone.", at: .init(file: path),
            remedy: "Restore it from a backup, or ingest the original file into a new project.")
    }
}
