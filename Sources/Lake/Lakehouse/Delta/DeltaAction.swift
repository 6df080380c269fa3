package import Core

/// One line of a Delta log (the open Delta Lake protocol, "Actions").
package struct DeltaAction: Codable, Sendable, Equatable {
    package var commitInfo: JSONValue?
    package var `protocol`: DeltaProtocol?
    package var metaData: DeltaMetadata?
    package var txn: DeltaTransaction?
    package var add: DeltaAdd?
    package var remove: DeltaRemove?

    package init(
        commitInfo: JSONValue? = nil, protocol: DeltaProtocol? = nil, metaData: DeltaMetadata? = nil,
        txn: DeltaTransaction? = nil, add: DeltaAdd? = nil, remove: DeltaRemove? = nil
    ) {
        self.commitInfo = commitInfo
        self.protocol = `protocol`
        self.metaData = metaData
        self.txn = txn
        self.add = add
        self.remove = remove
    }
}

package struct DeltaProtocol: Codable, Sendable, Equatable {
    package var minReaderVersion: Int
    package var minWriterVersion: Int
    package var readerFeatures: [String]?
    package var writerFeatures: [String]?

    /// The lowest protocol that can hold these columns: 1/2, or 3/7 with `timestampNtz` or `columnMapping`.
    /// - Parameter isMapped: whether the schema maps its columns.
    package init(for fields: [DeltaField], isMapped: Bool = false) {
        var features = isMapped ? ["columnMapping"] : []
        if fields.contains(where: { $0.type == "timestamp_ntz" }) { features.append("timestampNtz") }
        if features.isEmpty {
            (minReaderVersion, minWriterVersion) = (1, 2)
        } else {
            (minReaderVersion, minWriterVersion) = (3, 7)
            (readerFeatures, writerFeatures) = (features, features)
        }
    }
}

package struct DeltaMetadata: Codable, Sendable, Equatable {
    package struct Format: Codable, Sendable, Equatable {
        package var provider = "parquet"
        package var options: [String: String] = [:]
    }

    package var id: String
    package var name: String?
    package var description: String?
    package var format = Format()
    package var schemaString: String
    package var partitionColumns: [String] = []
    package var configuration: [String: String] = [:]
    package var createdTime: Int64?

    /// Names that the protocol does not allow in a plain schema are allowed in one that maps its columns; each is then
    /// stored under its own name, so that files written before and after are read alike.
    /// - Parameter before: the schema that this one follows; a column keeps its id, and a mapping is never given up.
    package init(id: String, fields: [DeltaField], createdTime: Int64, after before: DeltaMetadata? = nil) throws {
        self.id = id
        self.createdTime = createdTime
        guard fields.contains(where: \.needsMapping) || before?.isMapped == true else {
            schemaString = try JSON.text(DeltaSchema(fields: fields))
            return
        }
        var ids: [String: Int64] = [:]
        for field in try before?.storedFields() ?? [] { ids[field.name] = field.mappedID }
        let last = before?.configuration[DeltaField.lastID].flatMap { Int64($0) } ?? 0
        // Ids are 32 bits in Parquet files.
        var highest = min(max(last, ids.values.max() ?? 0), Int64(Int32.max) / 2)
        let mapped = fields.map { field -> DeltaField in
            var field = field
            if ids[field.name] == nil {
                highest += 1
                ids[field.name] = highest
            }
            field.metadata[DeltaField.mappingID] = .integer(ids[field.name] ?? highest)
            field.metadata[DeltaField.physicalName] = .text(field.name)
            return field
        }
        configuration = [DeltaField.mode: "name", DeltaField.lastID: "\(highest)"]
        schemaString = try JSON.text(DeltaSchema(fields: mapped))
    }

    /// How columns are told apart in files: "name", "id"; `nil` by their own names.
    var mappingMode: String? { configuration[DeltaField.mode].flatMap { $0 == "none" ? nil : $0 } }
    var isMapped: Bool { mappingMode != nil }

    /// The columns, as the program names them.
    /// - Throws: `lake.corrupt-log` when the schema is no schema.
    package func fields() throws -> [DeltaField] {
        let fields = try storedFields()
        guard isMapped else { return fields }
        return fields.map { field in
            var field = field
            for key in [DeltaField.mappingID, DeltaField.physicalName] { field.metadata[key] = nil }
            return field
        }
    }

    /// The same with what the log says of how they are stored.
    func storedFields() throws -> [DeltaField] {
        do { return try JSON.decode(DeltaSchema.self, from: schemaString).fields } catch {
            throw MartletError(
                .input, "lake.corrupt-log", "The schema in the table's log cannot be read.",
                remedy: "Restore the table's log from a backup.")
        }
    }
}

package struct DeltaSchema: Codable, Sendable, Equatable {
    package var type = "struct"
    package var fields: [DeltaField]
}

/// A column of a Delta table; `type` is a primitive type name of the protocol.
package struct DeltaField: Codable, Sendable, Equatable {
    package var name: String
    package var type: String
    package var nullable = true
    package var metadata: [String: JSONValue] = [:]

    package init(name: String, type: String) {
        self.name = name
        self.type = type
    }

    static let mode = "delta.columnMapping.mode"
    static let lastID = "delta.columnMapping.maxColumnId"
    static let mappingID = "delta.columnMapping.id"
    static let physicalName = "delta.columnMapping.physicalName"

    /// Whether the name has a character that only mapped columns may have (the protocol's "Column Mapping").
    var needsMapping: Bool { name.utf8.contains { Self.odd.contains($0) } }
    private static let odd = Set(" ,;{}()\n\t=".utf8)

    var mappedID: Int64? { metadata[Self.mappingID]?.long }
    /// Whether it stands in files under its own name.
    var isStoredAsNamed: Bool { metadata[Self.physicalName].map { $0 == .text(name) } ?? true }
}

package struct DeltaTransaction: Codable, Sendable, Equatable {
    package var appId: String
    package var version: Int64
    package var lastUpdated: Int64?

    package init(appId: String, version: Int64, lastUpdated: Int64? = nil) {
        self.appId = appId
        self.version = version
        self.lastUpdated = lastUpdated
    }
}

package struct DeltaAdd: Codable, Sendable, Equatable {
    /// Relative to the table's folder, percent-encoded.
    package var path: String
    package var partitionValues: [String: String?] = [:]
    /// Exact size of the file in bytes.
    package var size: Int64
    package var modificationTime: Int64
    package var dataChange = true
    package var stats: String?
    package var tags: [String: String]?

    package init(path: String, size: Int64, rows: Int, modificationTime: Int64) {
        self.path = path
        self.size = size
        self.modificationTime = modificationTime
        stats = "{\"numRecords\":\(rows)}"
    }

    package var rows: Int? {
        let said = stats.flatMap { JSONValue(parsing: $0) }?["numRecords"]?.integer
        return said.flatMap { (0...(1 << 48)).contains($0) ? $0 : nil }
    }

    /// Where the file stands among the table's files: ``place(version:index:)``. Kept in the log as a tag, so that
    /// the order of rows outlives checkpoints and compaction.
    package var position: String? {
        get { tags?[Self.positionTag] }
        set { tags = (tags ?? [:]).merging(newValue.map { [Self.positionTag: $0] } ?? [:]) { _, new in new } }
    }

    private static let positionTag = "martlet.position"

    /// The place of the file that a version added as its `index`th, as a text that sorts.
    package static func place(version: Int, index: Int) -> String { "\(padded(version, 12)).\(padded(index, 7))" }
}

package struct DeltaRemove: Codable, Sendable, Equatable {
    package var path: String
    package var deletionTimestamp: Int64?
    package var dataChange = true

    package init(path: String, deletionTimestamp: Int64?, dataChange: Bool = true) {
        self.path = path
        self.deletionTimestamp = deletionTimestamp
        self.dataChange = dataChange
    }
}

/// A number with zeros before it.
func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
