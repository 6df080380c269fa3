internal import Core
package import SQLLineage
internal import Storage

// What a table is now costs a listing and the commits since its last checkpoint, once; after that only what was
// committed since, by this process or another. A commit never changes, so a state that was read stays right as long
// as its last commit is the same file.

/// A cached snapshot of a table, with the stamp of its commit.
struct KnownSnapshot {
    var snapshot: DeltaSnapshot
    var stamp: ObjectStamp
}

extension Lake {
    /// How long a checkpoint remembers removed files: the protocol's week, in milliseconds.
    private static let tombstoneRetention: Int64 = 7 * 86_400_000

    /// Reads the state of a table at a version; the latest when `nil`.
    /// - Throws: `lake.no-table`, `lake.no-version`, `lake.corrupt-log`, `lake.unsupported`.
    package func snapshot(of name: TableName, at version: Int? = nil) throws -> DeltaSnapshot {
        let table = table(name)
        if let known = remembered(newest[name], table) {
            if known.version == version { return known }
            if known.version < version ?? .max {
                let ahead = try advance(known, in: table, to: version)
                if ahead.version > known.version { remember(ahead, of: name, in: &newest) }
                if ahead.version == version ?? ahead.version { return ahead }
            }
        }
        if let version, let known = remembered(oldest[name], table), known.version == version { return known }
        guard try table.exists else { throw missing(name) }
        let found = try table.snapshot(at: version, checkpoints: engine)
        if version == nil {
            remember(found, of: name, in: &newest)
        } else {
            remember(found, of: name, in: &oldest)
        }
        return found
    }

    private func remembered(_ known: KnownSnapshot?, _ table: DeltaTable) -> DeltaSnapshot? {
        guard let known, (try? table.stamp(of: known.snapshot.version)) == known.stamp else { return nil }
        return known.snapshot
    }

    private func remember(
        _ snapshot: DeltaSnapshot, of name: TableName, in known: inout [TableName: KnownSnapshot]
    ) {
        known[name] = (try? table(name).stamp(of: snapshot.version)).map {
            KnownSnapshot(snapshot: snapshot, stamp: $0)
        }
    }

    private func advance(_ known: DeltaSnapshot, in table: DeltaTable, to version: Int?) throws -> DeltaSnapshot {
        var snapshot = known
        while snapshot.version < version ?? .max, try table.objects.exists(table.entryName(snapshot.version + 1)) {
            snapshot.apply(try table.commit(snapshot.version + 1))
        }
        if snapshot.version > known.version { try snapshot.check(table.folder) }
        return snapshot
    }

    // MARK: Checkpoints

    /// Writes a checkpoint when enough versions have gone by since the last. The commit stands already and does not
    /// need it: errors here are reported, and left to the next commit.
    func keepCheckpoint(of name: TableName, at version: Int, after last: Int?) {
        guard version - (last ?? 0) >= checkpointInterval else { return }
        let known: Int?
        do {
            known = try table(name).log().checkpoints.last { $0.version <= version }?.version
            if version - (known ?? 0) >= checkpointInterval { try checkpoint(name, at: version) }
        } catch {
            return troubled("Version \(version) of \(name) stands, but no checkpoint of it could be written: \(error)")
        }
        if newest[name]?.snapshot.version == version {
            newest[name]?.snapshot.checkpoint = max(known ?? 0, version)
        }
    }

    /// Writes the checkpoint of a version durably, unless it exists.
    ///
    /// It is read back and compared before it gets its final name.
    package func checkpoint(_ name: TableName, at version: Int? = nil) throws {
        let table = table(name)
        let snapshot = try snapshot(of: name, at: version)
        let object = table.logName("\(padded(snapshot.version, 20)).checkpoint.parquet")
        let horizon = context.now().milliseconds - Self.tombstoneRetention
        let actions = snapshot.checkpointActions(since: horizon)
        if try !table.objects.exists(object) {
            try keepLineage(of: name, at: snapshot.version)
            try Disk.makeDirectory(table.logFolder)
            let temporary = "\(table.logFolder)/.\(Disk.name(of: object)).\(Disk.processID)-\(context.newID()).tmp"
            defer { Disk.remove(temporary) }
            try engine.writeCheckpoint(actions, into: temporary)
            let back = DeltaSnapshot(checkpoint: try engine.readCheckpoint([temporary]), version: snapshot.version)
            guard back.checkpointActions(since: horizon) == actions else {
                throw MartletError(
                    .defect, "lake.checkpoint", "A checkpoint of \(name) does not read as it was written.",
                    at: .init(file: temporary))
            }
            _ = try table.objects.publish(temporary, as: object)
        }
        try pointAt(snapshot, object, size: actions.count, in: table)
    }

    /// `_last_checkpoint`: a hint for readers that cannot list. Never turned back to an older one.
    private func pointAt(_ snapshot: DeltaSnapshot, _ object: String, size: Int, in table: DeltaTable) throws {
        let hint = table.logName("_last_checkpoint")
        if try table.objects.exists(hint),
            let there = JSONValue(parsing: try table.objects.read(hint))?["version"]?.integer,
            there >= snapshot.version, try there <= table.log().checkpoints.last?.version ?? 0
        {
            return
        }
        try table.objects.replace(
            hint,
            try JSON.encode(
                JSONValue.object([
                    "version": .integer(Int64(snapshot.version)), "size": .integer(Int64(size)),
                    "sizeInBytes": .integer(try table.objects.stamp(object)?.size ?? 0),
                    "numOfAddFiles": .integer(Int64(snapshot.files.count)),
                ])))
    }
}
