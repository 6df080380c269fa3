internal import Core
package import Storage

// A Delta table: its log in an object store, its data files where engines read them. Invariants:
// (2) a table at a version never changes: files are only added under new names, commits only created;
// (9) a commit is durable before `commit` returns: data files first, then the log entry, whose creation
//     fails when another writer took the version.

/// A Delta table: reads snapshots from its log and commits new versions.
///
/// ```swift
/// let table = DeltaTable(folder: "\(root)/bronze/visits")
/// let snapshot = try table.snapshot()
/// let isCommitted = try table.commit(actions, as: snapshot.version + 1)  // false: another writer was faster
/// ```
package struct DeltaTable: Sendable {
    /// Path of the table's folder, which holds the data files and, on a local disk, `_delta_log`.
    package let folder: String
    /// Keeps the log.
    let objects: any ObjectStore
    /// What the names of the table's objects begin with: nothing, or a path that ends with a slash.
    let prefix: String

    package init(folder: String, objects: any ObjectStore, prefix: String) {
        self.folder = folder
        self.objects = objects
        self.prefix = prefix
    }

    /// The table in a folder of the local disk.
    package init(folder: String) { self.init(folder: folder, objects: LocalObjectStore(folder), prefix: "") }

    /// Path of the `_delta_log` folder, for messages and for files that are not finished.
    package var logFolder: String { folder + "/_delta_log" }

    /// Lists the log.
    package func log() throws -> DeltaLog { DeltaLog(try objects.list(logName(""))) }

    /// The name of an object of the log in the store.
    func logName(_ name: String) -> String { "\(prefix)_delta_log/\(name)" }

    /// The name of a version's log entry in the store.
    func entryName(_ version: Int) -> String { logName("\(padded(version, 20)).json") }

    /// Whether the table has any version.
    /// - Throws: when its log cannot be read: what cannot be seen must not be begun anew.
    package var exists: Bool {
        get throws { try (try? stamp(of: 0)) != nil || !log().isEmpty }
    }

    /// Returns the versions whose commits are in the log, ascending.
    package func versions() throws -> [Int] { try log().versions }

    /// Reads the state of the table at a version; the latest when `nil`.
    ///
    /// Starts from the newest checkpoint that can be read, and from an older one or from the first commit when it
    /// cannot.
    /// - Parameter engine: reads checkpoints; without it commits alone are read.
    /// - Throws: `lake.no-table`, `lake.no-version`, `lake.corrupt-log`, `lake.unsupported`.
    package func snapshot(
        at version: Int? = nil, checkpoints engine: (any CheckpointEngine)? = nil
    ) throws -> DeltaSnapshot {
        let log = try log()
        guard let latest = log.latest else {
            throw MartletError(.missing, "lake.no-table", "There is no table in \(folder).")
        }
        let wanted = version ?? latest
        guard (0...latest).contains(wanted) else {
            throw MartletError(
                .missing, "lake.no-version",
                "\(folder) has versions \(log.readable.first ?? 0) to \(latest), not \(wanted).")
        }
        var snapshot = try start(log, wanted, engine)
        while snapshot.version < wanted { snapshot.apply(try commit(snapshot.version + 1)) }
        if snapshot.checkpoint == wanted, try objects.exists(entryName(wanted)) {
            snapshot.commitInfo = try commit(wanted).compactMap(\.commitInfo).last
        }
        try snapshot.check(folder)
        return snapshot
    }

    /// The newest state from which commits lead to the wanted version.
    private func start(_ log: DeltaLog, _ wanted: Int, _ engine: (any CheckpointEngine)?) throws -> DeltaSnapshot {
        var unreadable: (any Error)?
        if let engine {
            for checkpoint in log.checkpoints.reversed()
            where checkpoint.version <= wanted && log.gap(checkpoint.version + 1, wanted) == nil {
                do {
                    let actions = try objects.withFiles(
                        of: checkpoint.files.map(logName), copiesIn: logFolder, engine.readCheckpoint)
                    let snapshot = DeltaSnapshot(checkpoint: actions, version: checkpoint.version)
                    if snapshot.protocol != nil, snapshot.metadata != nil { return snapshot }
                } catch { unreadable = unreadable ?? error }
            }
        }
        guard let gap = log.gap(0, wanted) else { return DeltaSnapshot() }
        if let unreadable { throw unreadable }
        if let first = log.readable.first, wanted < first {
            throw MartletError(
                .missing, "lake.no-version",
                "\(folder) has versions \(first) to \(log.latest ?? first), not \(wanted): "
                    + "its log was cleaned of what was before.")
        }
        if let name = log.unread.last {
            throw MartletError(
                .input, "lake.unsupported",
                "The table's log cannot be read without \(name), a checkpoint of a kind that Martlet does not read.",
                at: .init(file: logFolder), remedy: "Let the tool that wrote it write a classic checkpoint.")
        }
        throw MartletError(
            .input, "lake.corrupt-log", "The log of this table has no version \(gap).",
            at: .init(file: logFolder), remedy: "Restore the missing file from a backup; nothing else was changed.")
    }

    /// Reads the actions of one commit.
    package func commit(_ version: Int) throws -> [DeltaAction] {
        let path = entry(version)
        let bytes = try objects.read(entryName(version))
        var actions: [DeltaAction] = []
        for (index, line) in bytes.split(separator: 10).enumerated() {
            guard let action = JSONValue(parsing: line).flatMap({ DeltaAction($0) }) else {
                throw MartletError(
                    .input, "lake.corrupt-log", "This line of the table's log is not a Delta action.",
                    at: .init(file: path, line: index + 1),
                    remedy: "Restore the file from a backup; earlier versions can still be read.")
            }
            actions.append(action)
        }
        guard !actions.isEmpty else {
            throw MartletError(
                .input, "lake.corrupt-log", "This entry of the table's log is empty.",
                at: .init(file: path), remedy: "Restore the file from a backup; earlier versions can still be read.")
        }
        return actions
    }

    /// Writes the next version atomically and durably.
    /// - Returns: `false`, with nothing changed, when another writer took that version first.
    package func commit(_ actions: [DeltaAction], as version: Int) throws -> Bool {
        var bytes: [UInt8] = []
        for action in actions {
            bytes += try JSON.encode(action)
            bytes.append(10)
        }
        try Failpoint.reach("delta.commit.before")
        // An entry whose name could not be made durable is taken back: never build on one that is gone.
        guard try version == 0 || objects.exists(entryName(version - 1)) || log().latest == version - 1 else {
            return false
        }
        let won = try objects.create(entryName(version), bytes) {
            // What cannot be seen may be there.
            (try? objects.exists(entryName(version + 1))) == false
        }
        try Failpoint.reach("delta.commit.after")
        return won
    }

    /// The path of a data file.
    package func path(of add: DeltaAdd) -> String { folder + "/" + percentDecoded(add.path) }

    /// Returns the path of a version's log entry, as messages have it.
    package func entry(_ version: Int) -> String { "\(logFolder)/\(padded(version, 20)).json" }

    private func percentDecoded(_ text: String) -> String {
        guard text.utf8.contains(37) else { return text }
        var out: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            if byte == 37, bytes.count >= 2,
                let value = UInt8(String(decoding: bytes.prefix(2), as: UTF8.self), radix: 16)
            {
                out.append(value)
                bytes = bytes.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
