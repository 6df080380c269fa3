package import Core
package import SQLLineage
package import Storage

/// The Delta tables of a project, `<home>/lake/<layer>/<name>`: ingestion, transforms, quarantine, maintenance.
///
/// ```swift
/// let lake = Lake(root: home.lake, engine: engine, context: context)
/// let report = try lake.ingest(landed, of: source.contract, format: source.format)
/// let snapshot = try lake.snapshot(of: TableName(.bronze, "visits"))
/// ```
package final class Lake {
    /// Path of the lake's folder, in which engines read and write data files.
    package let root: String
    /// Keeps the logs of the tables, under the names `<layer>/<name>/_delta_log/…`.
    package let objects: any ObjectStore
    /// Engine that reads, checks and transforms the tables.
    package let engine: any LakeEngine
    /// Source of commit times, and of ids for file names and decisions.
    package let context: ExecutionContext
    /// Called with each table right after a commit.
    package var committed: (Lake, TableName) -> Void = { _, _ in }
    /// Called with a message when something fails after a successful commit.
    package var troubled: (String) -> Void = { _ in }
    /// The newest state of each table that was seen, and one old state.
    var newest: [TableName: KnownSnapshot] = [:]
    var oldest: [TableName: KnownSnapshot] = [:]

    /// Versions from one checkpoint to the next.
    let checkpointInterval: Int

    /// Makes the lake of a folder.
    /// - Parameters:
    ///   - checkpointInterval: versions from one checkpoint to the next.
    ///   - objects: keeps the logs; the folder itself when `nil`.
    package init(
        root: String, engine: any LakeEngine, context: ExecutionContext, checkpointInterval: Int = 100,
        objects: (any ObjectStore)? = nil
    ) {
        self.objects = objects ?? LocalObjectStore(root)
        self.checkpointInterval = checkpointInterval
        self.root = root
        self.engine = engine
        self.context = context
    }

    /// The Delta table with this name, whether it exists or not.
    package func table(_ name: TableName) -> DeltaTable {
        let place = "\(name.layer.rawValue)/\(name.name)"
        return DeltaTable(folder: "\(root)/\(place)", objects: objects, prefix: place + "/")
    }

    /// Returns the tables that have at least one version, sorted by layer and name.
    package func tables() throws -> [TableName] {
        try Layer.allCases.flatMap { layer in
            try objects.list("\(layer.rawValue)/").map { TableName(layer, Disk.name(of: $0)) }
                .filter { try table($0).exists }
        }
    }

    /// Returns the paths of a table's Parquet files at a version.
    /// - Throws: besides what ``snapshot(of:at:)`` throws, `lake.vacuumed` for an old version whose files are gone.
    package func files(of name: TableName, at version: Int? = nil) throws -> [String] {
        let table = table(name)
        let paths = try snapshot(of: name, at: version).files.map { table.path(of: $0) }
        if let version, newest[name]?.snapshot.version != version, let lost = paths.first(where: { !Disk.exists($0) }) {
            throw gone(lost, from: name, at: version)
        }
        return paths
    }

    /// Returns a table's version, row count and content hash, as lineage records them.
    package func reference(to name: TableName, at version: Int? = nil) throws -> TableReference {
        let table = table(name)
        let snapshot = try snapshot(of: name, at: version)
        let info = snapshot.commitInfo?["martlet"]
        let hash = info?["contentHash"]?.text.flatMap { ContentHash($0) }
        return TableReference(
            name: name, version: snapshot.version,
            hash: try hash ?? engine.contentHash(of: snapshot.files.map { table.path(of: $0) }),
            fingerprint: info?["fingerprint"]?.text)
    }

    /// Returns the hash of a version's rows in the present scheme, to which hashes of parts can be added.
    ///
    /// It is what the commit states. Of a table whose commit states one of an earlier scheme, it is computed from the
    /// files, once they are proved to hold what was committed: the next commit states it.
    ///
    /// - Throws: besides what reading throws, `lake.altered` when they do not.
    func runningHash(of name: TableName, at version: Int) throws -> ContentHash {
        let stated = try reference(to: name, at: version).hash
        guard stated.scheme != .h2 else { return stated }
        let files = try files(of: name, at: version)
        guard try engine.contentHash(of: files, by: stated.scheme) == stated else { throw altered(name, version) }
        return try engine.contentHash(of: files)
    }

    /// The error for a table that does not exist.
    package func missing(_ name: TableName) -> MartletError {
        let remedy: String =
            switch name.layer {
            case .bronze: "Land a file in landing/\(name.name)/ and run `martlet ingest`, or check the name."
            case .silver, .gold: "Write transforms/\(name.layer.rawValue)/\(name.name).sql, or check the name."
            case .quarantine: "Nothing of this source has been set aside."
            case .monitoring: "Run `martlet predictions compact` after predictions were answered, or check the name."
            }
        return MartletError(.missing, "lake.no-table", "There is no table \(name).", remedy: remedy)
    }

    /// Commits on top of the latest version, retrying when another writer commits first.
    /// - Parameter build: the actions on top of a snapshot (`nil` for a new table); `nil` answer = nothing to do.
    package func commit(
        _ name: TableName, _ build: (DeltaSnapshot?) throws -> [DeltaAction]?
    ) throws -> Int? {
        let table = table(name)
        while true {
            let current = try table.exists ? try snapshot(of: name) : nil
            try current?.checkWritable(table.folder)
            guard var actions = try build(current) else { return nil }
            let next = (current?.version ?? -1) + 1
            finish(&actions, after: current, as: next)
            if try table.commit(actions, as: next) {
                keepCheckpoint(of: name, at: next, after: current?.checkpoint)
                committed(self, name)
                return next
            }
        }
    }

    /// Gives files their places, and the commit a time that is later than that of the version before.
    private func finish(_ actions: inout [DeltaAction], after current: DeltaSnapshot?, as version: Int) {
        var index = 0
        for at in actions.indices {
            if actions[at].add != nil {
                if actions[at].add?.position == nil {
                    actions[at].add?.position = DeltaAdd.place(version: version, index: index)
                }
                index += 1
            }
            if case .object(var info)? = actions[at].commitInfo, let before = current?.timestamp,
                let time = info["timestamp"]?.long, time <= before, before < .max
            {
                info["timestamp"] = .integer(before + 1)
                actions[at].commitInfo = .object(info)
            }
        }
    }

    /// Returns the protocol and schema actions of a table with these columns; an existing table keeps its id.
    package func header(_ fields: [DeltaField], after before: DeltaMetadata? = nil) throws -> [DeltaAction] {
        let metadata = try DeltaMetadata(
            id: before?.id ?? uuid(context.newID()), fields: fields,
            createdTime: context.now().milliseconds, after: before)
        return [
            DeltaAction(protocol: DeltaProtocol(for: fields, isMapped: metadata.isMapped)),
            DeltaAction(metaData: metadata),
        ]
    }

    /// The `commitInfo` action of a commit: time, operation, and Martlet's own members.
    package func commitInfo(_ operation: String, _ martlet: [String: JSONValue]) -> DeltaAction {
        DeltaAction(
            commitInfo: .object([
                "timestamp": .integer(context.now().milliseconds),
                "operation": .text(operation),
                "operationParameters": .object([:]),
                "engineInfo": .text("martlet"),
                "martlet": .object(martlet),
            ]))
    }

    /// Makes a written Parquet file durable and returns its `add` action.
    package func add(_ file: WrittenFile, to table: DeltaTable) throws -> DeltaAction {
        let size = try Disk.sync(file: file.path)
        return DeltaAction(
            add: DeltaAdd(
                path: Disk.name(of: file.path), size: size, rows: file.rows,
                modificationTime: context.now().milliseconds))
    }

    private func uuid(_ id: String) -> String {
        let digits = Array(id)
        guard digits.count == 32 else { return id }
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }
}

/// A table at a version, with the hash of its content.
package struct TableReference: Sendable {
    /// Layer and name of the table.
    package let name: TableName
    /// Version of the table that `hash` describes.
    package let version: Int
    /// Hash of all rows at that version, as its commit states it, else computed from the files.
    package let hash: ContentHash
    /// Digest of what the table was made from: SQL and the content of its inputs.
    package let fingerprint: String?
}

extension Lake {
    /// Runs a SELECT over the tables and returns its rows as text.
    /// - Parameter versions: tables to see as they were; the others are seen at their latest version.
    package func query(_ sql: String, at versions: [TableName: Int], limit: Int?) throws -> TextTable {
        let analysis = try engine.parse(sql, file: "SQL").analysis()
        var inputs: [TableName: [String]] = [:]
        for table in analysis.tables { inputs[table] = try files(of: table, at: versions[table]) }
        return try engine.texts(Query(sql, file: "SQL", inputs: inputs), limit: limit)
    }
}
