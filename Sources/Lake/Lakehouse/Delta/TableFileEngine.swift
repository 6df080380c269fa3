/// The part of an engine that hashes, writes and concatenates the Parquet files of tables.
package protocol TableFileEngine {
    /// Computes the hash of the rows of Parquet files, see ``ContentHash``.
    /// - Parameters:
    ///   - condition: in SQL, of the rows that count; `nil` for all.
    ///   - scheme: by which; ``ContentHash/Scheme/h1`` only to compare with a hash that an earlier program recorded.
    func contentHash(of files: [String], where condition: String?, by scheme: ContentHash.Scheme) throws
        -> ContentHash

    /// Writes typed columns to a Parquet file as a table's content.
    func write(_ columns: [(name: String, column: LakeColumn)], into file: String) throws -> WrittenFile

    /// Writes rows that come batch by batch to a Parquet file as a table's content, in their order.
    func write(_ batches: LakeBatches, into file: String) throws -> WrittenFile

    /// Returns the schema of each Parquet file as a text, equal for files that can be concatenated as they are.
    func layouts(of files: [String]) throws -> [String: String]

    /// Concatenates Parquet files with the same columns to one new file, rows in order.
    func rewrite(_ files: [String], into file: String) throws -> RewrittenFiles
}

extension TableFileEngine {
    /// Computes the content hash of the rows of Parquet files, in the present scheme unless another is named.
    package func contentHash(of files: [String], by scheme: ContentHash.Scheme = .h2) throws -> ContentHash {
        try contentHash(of: files, where: nil, by: scheme)
    }

    /// Computes the content hash of the rows of Parquet files that meet a condition in SQL.
    package func contentHash(of files: [String], where condition: String) throws -> ContentHash {
        try contentHash(of: files, where: condition, by: .h2)
    }
}

/// A Parquet file that was just written: path, rows, columns and content hash; not yet part of a table.
package struct WrittenFile: Sendable {
    /// Path of the Parquet file.
    package var path: String
    /// Number of rows; 0 is possible.
    package var rows: Int
    /// Names and Delta types of the columns, in order.
    package var fields: [DeltaField]
    /// Hash of the file's rows, with the names and types of its columns.
    package var hash: ContentHash

    package init(path: String, rows: Int, fields: [DeltaField], hash: ContentHash) {
        self.path = path
        self.rows = rows
        self.fields = fields
        self.hash = hash
    }
}

/// A file that replaces several, with the hash of their content.
package struct RewrittenFiles: Sendable {
    /// The file with the rows of all replaced files, in their order.
    package var new: WrittenFile
    /// Hash of the rows as read from the replaced files; equal to that of `new` if none was changed.
    package var oldHash: ContentHash

    package init(new: WrittenFile, oldHash: ContentHash) {
        self.new = new
        self.oldHash = oldHash
    }
}
