package import Core

/// One line of a Delta log: exactly one of these actions is set (the open Delta Lake protocol, "Actions").
package struct DeltaAction: Codable, Sendable, Equatable {
    /// Free-form information about the commit.
    package var commitInfo: JSONValue?
    /// Protocol versions that readers and writers need.
    package var `protocol`: DeltaProtocol?
    /// Change of the table's schema and properties.
    package var metaData: DeltaMetadata?
    /// Transaction identifier of an application, for exactly-once writes.
    package var txn: DeltaTransaction?
    /// Addition of a data file.
    package var add: DeltaAdd?
    /// Removal of a data file.
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

/// The `protocol` action: versions and features that readers and writers must support.
package struct DeltaProtocol: Codable, Sendable, Equatable {
    /// Lowest reader version that can read the table; 1 and 3 are supported.
    package var minReaderVersion: Int
    /// Lowest writer version that may write the table; 1, 2 and 7 are supported.
    package var minWriterVersion: Int
    /// Names of the features that readers must support; `nil` below reader version 3.
    package var readerFeatures: [String]?
    /// Names of the features that writers must support; `nil` below writer version 7.
    package var writerFeatures: [String]?

    /// The lowest protocol for these columns: 1/2, or 3/7 with `timestampNtz` or `columnMapping`.
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

/// The `metaData` action: table id, schema and properties.
package struct DeltaMetadata: Codable, Sendable, Equatable {
    /// The file format of the data files; always Parquet.
    struct Format: Codable, Sendable, Equatable {
        /// Name of the file format, "parquet" unless the log states another.
        var provider = "parquet"
        /// Options of the file format by name; empty in tables that Martlet creates.
        var options: [String: String] = [:]
    }

    /// Unique id of the table, a UUID; it stays the same when the schema changes.
    package var id: String
    /// Table name that another tool gave in the log; `nil` in tables that Martlet creates.
    package var name: String?
    /// Description that another tool gave in the log; `nil` in tables that Martlet creates.
    package var description: String?
    /// File format of the table's data files.
    var format = Format()
    /// The schema as JSON text, see ``DeltaSchema``.
    package var schemaString: String
    /// Columns that the table is partitioned by; a table that has any is refused when it is read.
    package var partitionColumns: [String] = []
    /// Table properties by name, such as `delta.columnMapping.mode`.
    package var configuration: [String: String] = [:]
    /// Creation time of the table in milliseconds since 1970.
    package var createdTime: Int64?

    /// Metadata for a table with these columns; turns on column mapping where a name needs it.
    ///
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

    /// Decodes the columns from the schema, under their logical names.
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

/// The JSON structure of a table's schema: a struct type with fields.
struct DeltaSchema: Codable, Sendable, Equatable {
    /// JSON tag of the type; always "struct".
    var type = "struct"
    /// The table's columns, in order.
    var fields: [DeltaField]
}

/// One column of a Delta table; `type` is a primitive type name of the protocol.
package struct DeltaField: Codable, Sendable, Equatable {
    /// Logical name of the column, as SQL uses it.
    package var name: String
    /// Type name as the protocol spells it: "string", "long", "decimal(10,2)", "timestamp_ntz".
    package var type: String
    /// Whether the column may hold null; Martlet's own tables leave it true for all columns.
    package var nullable = true
    /// Properties of the column, such as its id in a column mapping.
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

/// The `txn` action: an application's highest committed version in this table.
package struct DeltaTransaction: Codable, Sendable, Equatable {
    /// Id of the application, or of one thing written once: `martlet/file/<digest>`.
    package var appId: String
    /// Number of the application's latest transaction in this table.
    package var version: Int64
    /// Time of the transaction in milliseconds since 1970; `nil` when its writer gave none.
    package var lastUpdated: Int64?

    package init(appId: String, version: Int64, lastUpdated: Int64? = nil) {
        self.appId = appId
        self.version = version
        self.lastUpdated = lastUpdated
    }
}

/// The `add` action: a data file becomes part of the table.
package struct DeltaAdd: Codable, Sendable, Equatable {
    /// Path relative to the table's folder, percent-encoded.
    package var path: String
    /// Value of each partition column as text, `nil` for null; empty without partitions.
    package var partitionValues: [String: String?] = [:]
    /// Size of the file in bytes, exact.
    package var size: Int64
    /// Modification time in milliseconds since 1970.
    package var modificationTime: Int64
    /// Whether the action changes the table's rows; false for compaction.
    package var dataChange = true
    /// Statistics as JSON text, with the number of rows.
    package var stats: String?
    /// Further properties of the file by name, among them its ``position``; `nil` when there are none.
    package var tags: [String: String]?

    package init(path: String, size: Int64, rows: Int, modificationTime: Int64) {
        self.path = path
        self.size = size
        self.modificationTime = modificationTime
        stats = "{\"numRecords\":\(rows)}"
    }

    /// Number of rows from the statistics; `nil` when they have none.
    package var rows: Int? {
        let said = stats.flatMap { JSONValue(parsing: $0) }?["numRecords"]?.integer
        return said.flatMap { (0...(1 << 48)).contains($0) ? $0 : nil }
    }

    /// Sort key of the file within the table, from ``place(version:index:)``; stored in the log as a tag.
    ///
    /// The order of rows so outlives checkpoints and compaction.
    package var position: String? {
        get { tags?[Self.positionTag] }
        set { tags = (tags ?? [:]).merging(newValue.map { [Self.positionTag: $0] } ?? [:]) { _, new in new } }
    }

    private static let positionTag = "martlet.position"

    /// Returns the sort key of the `index`th file that a version added.
    package static func place(version: Int, index: Int) -> String { "\(padded(version, 12)).\(padded(index, 7))" }
}

/// The `remove` action: a data file no longer belongs to the table.
package struct DeltaRemove: Codable, Sendable, Equatable {
    /// Path of the removed file exactly as its `add` action has it.
    package var path: String
    /// Time of the removal in milliseconds since 1970.
    package var deletionTimestamp: Int64?
    /// Whether the removal changes the table's rows; false for compaction and in checkpoints.
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
