package import Vocabulary

// A Delta table on a local disk. Invariants:
// (2) a table at a version never changes: files are only added under new names, commits only created;
// (9) a commit is durable before `commit` returns: data files first, then the log entry by link(2), which
//     fails when another writer took the version.

/// One table: its folder, with `_delta_log/` inside.
package struct DeltaTable: Sendable {
    package let folder: String

    package init(folder: String) { self.folder = folder }

    private var log: String { folder + "/_delta_log" }

    package var exists: Bool { versions().last != nil }

    /// Versions in the log, ascending.
    package func versions() -> [Int] {
        Disk.list(log).compactMap { name in
            guard name.hasSuffix(".json"), name.utf8.count == 25 else { return nil }
            return Int(name.dropLast(5))
        }
    }

    /// The table as of a version; the latest when `nil`.
    /// - Throws: `lake.no-table`, `lake.no-version`, `lake.corrupt-log`, `lake.unsupported`.
    package func snapshot(at version: Int? = nil) throws -> DeltaSnapshot {
        let versions = versions()
        guard let latest = versions.last else {
            throw MartletError(.missing, "lake.no-table", "There is no table in \(folder).")
        }
        let wanted = version ?? latest
        guard (0...latest).contains(wanted) else {
            throw MartletError(
                .missing, "lake.no-version", "\(folder) has versions 0 to \(latest), not \(wanted).")
        }
        guard versions == Array(0...latest) else {
            let gap = zip(versions, 0...).first { $0 != $1 }?.1 ?? 0
            throw MartletError(
                .input, "lake.corrupt-log", "The log of this table has no version \(gap).",
                at: .init(file: log), remedy: "Restore the missing file from a backup; nothing else was changed.")
        }
        var snapshot = DeltaSnapshot(version: wanted)
        for number in 0...wanted { snapshot.apply(try commit(number), version: number) }
        try snapshot.check(folder)
        return snapshot
    }

    /// The actions of one commit.
    package func commit(_ version: Int) throws -> [DeltaAction] {
        let path = entry(version)
        let bytes = try Disk.read(path)
        var actions: [DeltaAction] = []
        for (index, line) in bytes.split(separator: 10).enumerated() {
            do { actions.append(try JSON.decode(DeltaAction.self, from: line)) } catch {
                throw MartletError(
                    .input, "lake.corrupt-log", "This line of the table's log is not a Delta action.",
                    at: .init(file: path, line: index + 1),
                    remedy: "Restore the file from a backup; earlier versions can still be read.")
            }
        }
        guard !actions.isEmpty else {
            throw MartletError(
                .input, "lake.corrupt-log", "This entry of the table's log is empty.",
                at: .init(file: path), remedy: "Restore the file from a backup; earlier versions can still be read.")
        }
        return actions
    }

    /// Writes the next version, durably.
    /// - Returns: `false`, with nothing changed, when another writer took that version first.
    package func commit(_ actions: [DeltaAction], as version: Int) throws -> Bool {
        try Disk.makeDirectory(log)
        var bytes: [UInt8] = []
        for action in actions {
            bytes += try JSON.encode(action)
            bytes.append(10)
        }
        try Failpoint.reach("delta.commit.before")
        let won = try Disk.createDurably(entry(version), bytes)
        try Failpoint.reach("delta.commit.after")
        return won
    }

    package func path(of add: DeltaAdd) -> String { folder + "/" + percentDecoded(add.path) }

    private func entry(_ version: Int) -> String {
        let digits = String(version)
        return "\(log)/\(String(repeating: "0", count: max(0, 20 - digits.utf8.count)))\(digits).json"
    }

    private func percentDecoded(_ text: String) -> String {
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

/// A table at one version: the state that its log adds up to.
package struct DeltaSnapshot: Sendable {
    package let version: Int
    package private(set) var metadata: DeltaMetadata?
    package private(set) var `protocol`: DeltaProtocol?
    /// Live files, in the order in which they were added.
    package private(set) var files: [DeltaAdd] = []
    /// Highest version by application id: which inputs have been taken (exactly-once).
    package private(set) var transactions: [String: Int64] = [:]
    /// What the commit of this version said of itself.
    package private(set) var commitInfo: JSONValue?

    init(version: Int) { self.version = version }

    package var rows: Int? {
        var total = 0
        for file in files {
            guard let rows = file.rows else { return nil }
            total &+= rows
        }
        return total
    }

    mutating func apply(_ actions: [DeltaAction], version: Int) {
        var removed: Set<String> = []
        var added: [DeltaAdd] = []
        for action in actions {
            if let value = action.commitInfo { commitInfo = value }
            if let value = action.protocol { `protocol` = value }
            if let value = action.metaData { metadata = value }
            if let value = action.txn { transactions[value.appId] = value.version }
            if let value = action.remove { removed.insert(value.path) }
            if let value = action.add { added.append(value) }
        }
        if !removed.isEmpty { files.removeAll { removed.contains($0.path) } }
        files += added
    }

    /// Refuses a table that this program cannot read rightly.
    func check(_ folder: String) throws {
        guard let `protocol`, metadata != nil else {
            throw MartletError(
                .input, "lake.corrupt-log", "The table's log has no protocol or no schema.", at: .init(file: folder),
                remedy: "Restore the table's first log entry from a backup.")
        }
        let known: Set<String> = ["timestampNtz"]
        let unknown = (`protocol`.readerFeatures ?? []).filter { !known.contains($0) }
        guard `protocol`.minReaderVersion <= 3, `protocol`.minReaderVersion != 2, unknown.isEmpty else {
            throw MartletError(
                .input, "lake.unsupported",
                "The table needs Delta features that Martlet does not read: "
                    + (unknown.isEmpty
                        ? "reader version \(`protocol`.minReaderVersion)" : unknown.joined(separator: ", "))
                    + ".", at: .init(file: folder))
        }
        if let partitions = metadata?.partitionColumns, !partitions.isEmpty {
            throw MartletError(
                .input, "lake.unsupported",
                "The table is partitioned by \(partitions.joined(separator: ", ")); "
                    + "Martlet reads unpartitioned tables.", at: .init(file: folder))
        }
    }
}
