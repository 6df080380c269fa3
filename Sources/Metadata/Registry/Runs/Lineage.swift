package import Core

/// The data that a run was trained on, from landed files to the training table.
package struct Lineage: Sendable, Equatable, Encodable {
    /// Files ingested into the bronze tables it was made from; as read back, by source and digest.
    package var files: [LineageFile]
    /// Table versions, from the bronze tables to the training table; as read back, by name.
    package var tables: [LineageTable]

    package init(files: [LineageFile] = [], tables: [LineageTable] = []) {
        self.files = files
        self.tables = tables
    }
}

/// A landed file in a run's lineage, identified by its digest.
package struct LineageFile: Sendable, Equatable, Encodable {
    /// Name of the source that it was landed for, as in the project file.
    package let source: String
    /// SHA-256 of the file's bytes.
    package let digest: Digest
    /// The file name without folders.
    package let name: String
    /// Number of rows accepted into bronze.
    package let rows: Int
    /// Number of rows in quarantine.
    package let rejected: Int
    /// Whether it has synthetic rows.
    package let synthetic: Bool

    package init(source: String, digest: Digest, name: String, rows: Int, rejected: Int, synthetic: Bool) {
        self.source = source
        self.digest = digest
        self.name = name
        self.rows = rows
        self.rejected = rejected
        self.synthetic = synthetic
    }
}

/// A table version in a run's lineage.
package struct LineageTable: Sendable, Equatable, Encodable {
    /// Name with layer: "gold.encounters".
    package let name: String
    /// Delta version that the run read.
    package let snapshot: Int
    /// Number of rows of the table at that version.
    package let rows: Int
    /// Content hash, independent of the order of rows.
    package let hash: String
    /// The table versions it was made from.
    package let parents: [TableSnapshot]

    package init(name: String, snapshot: Int, rows: Int, hash: String, parents: [TableSnapshot]) {
        self.name = name
        self.snapshot = snapshot
        self.rows = rows
        self.hash = hash
        self.parents = parents.sorted { $0.name < $1.name }
    }
}

/// A table and its Delta version: "silver.encounters@3".
package struct TableSnapshot: Sendable, Hashable, Encodable, CustomStringConvertible {
    /// Name with layer: "silver.encounters".
    package let name: String
    /// Delta version of the table, from 0.
    package let snapshot: Int

    package init(name: String, snapshot: Int) {
        self.name = name
        self.snapshot = snapshot
    }

    package var description: String { "\(name)@\(snapshot)" }
}
