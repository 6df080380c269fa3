package import Core

/// The state of a Delta table at one version: its live files, schema and transactions.
///
/// It follows the protocol's "Action Reconciliation".
package struct DeltaSnapshot: Sendable {
    /// Version of the table that this is the state of; -1 before the first commit.
    package private(set) var version: Int
    /// Schema and properties, from the latest `metaData` action; never `nil` in a state read from a table.
    package private(set) var metadata: DeltaMetadata?
    /// Required versions and features, from the latest `protocol` action; never `nil` in a state read from a table.
    package private(set) var `protocol`: DeltaProtocol?
    /// Live data files in row order.
    ///
    /// The order in which they were added; a compacted file stands where the first of those stood that it replaces.
    package private(set) var files: [DeltaAdd] = []
    /// Highest committed version by application id, for exactly-once writes.
    package private(set) var transactions: [String: Int64] = [:]
    /// The `commitInfo` of this version's commit.
    package internal(set) var commitInfo: JSONValue?
    /// Version of the checkpoint from which this was read; `nil` when only commits were read.
    package internal(set) var checkpoint: Int?
    /// When transactions were made, where the log says so, in milliseconds.
    private var transactionTimes: [String: Int64] = [:]
    /// Files that are no longer live, by path.
    private var tombstones: [String: DeltaRemove] = [:]
    private var paths: Set<String> = []

    /// The empty table before version 0.
    init() { version = -1 }

    /// The table as a checkpoint of this version has it.
    init(checkpoint actions: [DeltaAction], version: Int) {
        self.version = version
        checkpoint = version
        var added: [DeltaAdd] = []
        for action in actions {
            note(action)
            if let value = action.remove { tombstones[value.path] = value }
            if let value = action.add { added.append(value) }
        }
        for index in added.indices where added[index].position == nil {
            added[index].position = DeltaAdd.place(version: 0, index: index)
        }
        let places = added.map { $0.position ?? "" }
        if zip(places, places.dropFirst()).allSatisfy({ $0 <= $1 }) {
            files = added
        } else {
            files = zip(places, added).enumerated().sorted { a, b in
                (a.element.0, a.offset) < (b.element.0, b.offset)
            }.map(\.element.1)
        }
        paths = Set(files.map(\.path))
    }

    /// Number of rows; `nil` when a file has no statistics.
    package var rows: Int? {
        var total = 0
        for file in files {
            guard let rows = file.rows else { return nil }
            total &+= rows
        }
        return total
    }

    /// Commit time in milliseconds since 1970, as the commit states it.
    package var timestamp: Int64? { commitInfo?["timestamp"]?.long }

    /// Whether a file, by its path in the log, is live.
    package func holds(_ path: String) -> Bool { paths.contains(path) }

    private mutating func note(_ action: DeltaAction) {
        if let value = action.protocol { `protocol` = value }
        if let value = action.metaData { metadata = value }
        if let value = action.txn {
            transactions[value.appId] = value.version
            transactionTimes[value.appId] = value.lastUpdated
        }
    }

    /// Goes on to the next version.
    mutating func apply(_ actions: [DeltaAction]) {
        version += 1
        commitInfo = nil
        var gone: Set<String> = []
        var added: [DeltaAdd] = []
        for action in actions {
            note(action)
            if let value = action.commitInfo { commitInfo = value }
            if let value = action.remove {
                tombstones[value.path] = value
                gone.insert(value.path)
            }
            if let value = action.add { added.append(value) }
        }
        for add in added where paths.contains(add.path) { gone.insert(add.path) }
        if !gone.isDisjoint(with: paths) {
            files.removeAll { gone.contains($0.path) }
            paths.subtract(gone)
        }
        for (index, add) in added.enumerated() {
            var add = add
            let place = add.position ?? DeltaAdd.place(version: version, index: index)
            add.position = place
            insert(add, at: place)
            paths.insert(add.path)
            tombstones[add.path] = nil
        }
    }

    private mutating func insert(_ add: DeltaAdd, at place: String) {
        var low = 0
        var high = files.count
        if let last = files.last?.position, last <= place { low = high }
        while low < high {
            let middle = (low + high) / 2
            if (files[middle].position ?? "") <= place { low = middle + 1 } else { high = middle }
        }
        files.insert(add, at: low)
    }

    /// The actions that a checkpoint of this version holds.
    /// - Parameter horizon: tombstones from before this moment, in milliseconds, are left out.
    func checkpointActions(since horizon: Int64) -> [DeltaAction] {
        var actions: [DeltaAction] = []
        if let `protocol` { actions.append(DeltaAction(protocol: `protocol`)) }
        if let metadata { actions.append(DeltaAction(metaData: metadata)) }
        for (id, version) in transactions.sorted(by: { $0.key < $1.key }) {
            let txn = DeltaTransaction(appId: id, version: version, lastUpdated: transactionTimes[id])
            actions.append(DeltaAction(txn: txn))
        }
        for remove in tombstones.values.sorted(by: { $0.path < $1.path })
        where (remove.deletionTimestamp ?? 0) > horizon {
            actions.append(
                DeltaAction(
                    remove: DeltaRemove(
                        path: remove.path, deletionTimestamp: remove.deletionTimestamp, dataChange: false)))
        }
        for file in files {
            var add = file
            add.dataChange = false
            actions.append(DeltaAction(add: add))
        }
        return actions
    }

    /// Refuses a table that this program cannot read rightly.
    func check(_ folder: String) throws {
        guard let `protocol`, let metadata else {
            throw MartletError(
                .input, "lake.corrupt-log", "The table's log has no protocol or no schema.", at: .init(file: folder),
                remedy: "Restore the table's first log entry from a backup.")
        }
        let unknown = (`protocol`.readerFeatures ?? []).filter { !Self.readable.contains($0) }
        guard `protocol`.minReaderVersion <= 3, `protocol`.minReaderVersion != 2, unknown.isEmpty else {
            throw MartletError(
                .input, "lake.unsupported",
                "The table needs Delta features that Martlet does not read: "
                    + (unknown.isEmpty
                        ? "reader version \(`protocol`.minReaderVersion)" : unknown.joined(separator: ", "))
                    + ".", at: .init(file: folder))
        }
        if let mode = metadata.mappingMode {
            let renamed = try metadata.storedFields().filter { !$0.isStoredAsNamed }.map(\.name)
            guard mode == "name", renamed.isEmpty else {
                throw MartletError(
                    .input, "lake.unsupported",
                    "The table's files have other names for its columns (column mapping by \(mode)"
                        + (renamed.isEmpty ? "" : ": \(renamed.prefix(3).joined(separator: ", "))")
                        + "); Martlet reads columns by their own names.", at: .init(file: folder),
                    remedy: "Let the tool that made it write it anew without column mapping.")
            }
        }
        if !metadata.partitionColumns.isEmpty {
            throw MartletError(
                .input, "lake.unsupported",
                "The table is partitioned by \(metadata.partitionColumns.joined(separator: ", ")); "
                    + "Martlet reads unpartitioned tables.", at: .init(file: folder))
        }
    }

    /// Refuses to write to a table whose rules for writers this program does not keep.
    func checkWritable(_ folder: String) throws {
        guard let `protocol`, let metadata else { return }
        var unknown = (`protocol`.writerFeatures ?? []).filter { !Self.writable.contains($0) }
        if !(1...2).contains(`protocol`.minWriterVersion), `protocol`.minWriterVersion != 7 {
            unknown.append("writer version \(`protocol`.minWriterVersion)")
        }
        if metadata.configuration["delta.appendOnly"] == "true" { unknown.append("delta.appendOnly") }
        if metadata.schemaString.contains("delta.invariants") { unknown.append("delta.invariants") }
        guard unknown.isEmpty else {
            throw MartletError(
                .input, "lake.unsupported",
                "Another tool gave the table rules for writers that Martlet does not keep: "
                    + unknown.joined(separator: ", ") + ".",
                at: .init(file: folder), remedy: "Read it, or write it with the tool that made it.")
        }
    }

    private static let readable: Set<String> = ["timestampNtz", "columnMapping"]
    private static let writable: Set<String> = ["timestampNtz", "columnMapping", "appendOnly", "invariants"]
}
