/// Result of checking landed files. The Parquet files are written but belong to no table yet.
package struct BatchAcceptance: Sendable {
    /// The results by file, in the order of the request.
    package var files: [Acceptance]
    /// The accepted rows: by file in the order of the request, and in each file by row.
    package var accepted: [WrittenFile] = []
    /// The rejected rows.
    package var quarantined: WrittenFile?
    /// Files of the bronze table in which rows were replaced by later ones.
    package var rewrites: [Acceptance.Rewrite] = []

    package init(files: [Acceptance]) { self.files = files }

    /// Paths of all Parquet files that were written.
    package var paths: [String] {
        accepted.map(\.path) + rewrites.map(\.new.path) + [quarantined?.path].compactMap { $0 }
    }
}

/// Result of checking one landed file.
package struct Acceptance: Sendable {
    /// The violations of one rule in one column of a file.
    package struct Breach: Sendable, Equatable, Encodable {
        /// Contract column, or the key columns joined by ", "; `nil` for a malformed line.
        package var column: String?
        /// The violated rule: "min 0", "not null", "type double", "unique key", "well-formed line".
        package var rule: String
        /// Number of rows that violate the rule.
        package var rows: Int
        /// Raw text of one violating cell, or of a malformed line; `nil` for missing cells.
        package var example: String?
        /// Row number of the example, from 1 for the first data row.
        package var exampleRow: Int?

        enum CodingKeys: String, CodingKey {
            case column, rule, rows, example
            case exampleRow = "example_row"
        }

        package init(column: String?, rule: String, rows: Int, example: String?, exampleRow: Int?) {
            self.column = column
            self.rule = rule
            self.rows = rows
            self.example = example
            self.exampleRow = exampleRow
        }
    }

    /// A replacement of a bronze Parquet file in which later rows with the same keys superseded some.
    package struct Rewrite: Sendable {
        /// Path of the replaced file.
        package var old: String
        /// File with the rows that stay; without rows it does not become part of the table.
        package var new: WrittenFile
        /// Hash of all rows of the replaced file.
        package var oldHash: ContentHash

        package init(old: String, new: WrittenFile, oldHash: ContentHash) {
            self.old = old
            self.new = new
            self.oldHash = oldHash
        }
    }

    /// Data rows read from the file, malformed lines included.
    package var rowsRead = 0
    /// Rows for bronze; 0 when the whole file was rejected.
    package var acceptedRows = 0
    /// Rows that violate the contract, by a rule that does more than warn or by their key.
    package var rejectedRows = 0
    /// Rows replaced by a later one of the same file.
    package var supersededRows = 0
    /// Whether some of its rows, or the file, went to quarantine.
    package var isQuarantined = false
    /// Violations by column and rule, most rows first; those that only warn are in `warnings`.
    package var breaches: [Breach] = []
    /// Messages on unknown columns that were left out, and on rules that only warn, with row counts.
    package var warnings: [String] = []
    /// Compression of the file: `gzip`, `zstd`; `nil` for none.
    package var packing: String?
    /// Why the whole file was rejected; `nil` when it was not.
    package var refusal: String?
    /// Whether the file was rejected because its share of bad rows is too large.
    package var isBeyondShare = false
    /// Number of rows that declare themselves synthetic (`_synthetic`).
    package var syntheticRows = 0

    package init() {}
}
