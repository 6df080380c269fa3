package import Core

/// What a run stands on, from landed files to the training table.
package struct Lineage: Sendable, Equatable, Encodable {
    package var files: [LineageFile]
    package var tables: [LineageTable]

    package init(files: [LineageFile] = [], tables: [LineageTable] = []) {
        self.files = files
        self.tables = tables
    }
}

/// A landed file, known by its digest.
package struct LineageFile: Sendable, Equatable, Encodable {
    package let source: String
    package let digest: Digest
    /// The name it landed under, without folders.
    package let name: String
    /// Rows accepted into bronze.
    package let rows: Int
    /// Rows set aside in quarantine.
    package let rejected: Int
    /// Whether it holds made-up rows.
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

/// A table at the snapshot the run saw.
package struct LineageTable: Sendable, Equatable, Encodable {
    /// Layer-qualified: "gold.encounters".
    package let name: String
    /// The Delta version.
    package let snapshot: Int
    package let rows: Int
    /// Hash of the content that does not depend on the order of its rows.
    package let hash: String
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
    package let name: String
    package let snapshot: Int

    package init(name: String, snapshot: Int) {
        self.name = name
        self.snapshot = snapshot
    }

    package var description: String { "\(name)@\(snapshot)" }
}
