package import Core
package import SQLLineage
package import SourceFormats

/// The SQL engine behind a lake: reads, checks and transforms tables; DuckDB by default.
///
/// Faults in what the user wrote (SQL, files) are thrown as `MartletError` with their location. Not Sendable: one
/// thread owns an engine.
package protocol LakeEngine: QuarantineEngine, SQLParser {
    /// Name and version of the engine, recorded with what it computes; no hash or fingerprint depends on it.
    var identity: String { get }

    /// Throws when a pattern or bound of the contract is not valid for the engine.
    func check(_ contract: Contract) throws

    /// Reads landed files under their contract, with the same outcome as one after the other: accepted rows go to new
    /// Parquet files in `folder`, the others to one in `quarantineFolder`. Writes nothing else that stays.
    func accept(_ request: AcceptRequest) throws -> BatchAcceptance

    /// Writes the rows of a SELECT to a new Parquet file.
    func materialise(_ query: Query, into file: String) throws -> WrittenFile

    /// Computes a part of a SELECT and works out what it replaces. Writes new Parquet files, removes none.
    /// - Returns: `nil` when the SELECT's columns are no longer those of the table.
    func materialise(_ request: SliceRequest) throws -> Slice?

    /// Finds the earliest moment in `column` among rows that are in only one of two lists of Parquet files.
    func earliestChange(in column: String, from old: [String], to new: [String]) throws -> EarliestChange

    /// Computes the hash of the rows of Parquet files, see ``ContentHash``.
    /// - Parameters:
    ///   - condition: in SQL, of the rows that count; `nil` for all.
    ///   - scheme: by which; ``ContentHash/Scheme/h1`` only to compare with a hash that an earlier program recorded.
    func contentHash(of files: [String], where condition: String?, by scheme: ContentHash.Scheme) throws
        -> ContentHash

    /// Runs a SELECT and returns its rows as typed columns.
    func columns(_ query: Query, as kinds: [(name: String, kind: ReadKind)], orderedBy: [String]) throws -> [LakeColumn]

    /// Returns the names and types of a SELECT's columns, without running it.
    func describe(_ query: Query) throws -> [DeltaField]

    /// Runs a SELECT and returns its rows as text, for display.
    func texts(_ query: Query, limit: Int?) throws -> TextTable

    /// Writes typed columns to a Parquet file as a table's content.
    func write(_ columns: [(name: String, column: LakeColumn)], into file: String) throws -> WrittenFile

    /// Writes rows that come batch by batch to a Parquet file as a table's content, in their order.
    func write(_ batches: LakeBatches, into file: String) throws -> WrittenFile

    /// Writes the actions of a Delta checkpoint to one Parquet file with the protocol's columns.
    func writeCheckpoint(_ actions: [DeltaAction], into file: String) throws

    /// Reads the actions of a Delta checkpoint, whoever wrote it: its file or, of one in parts, its files.
    func readCheckpoint(_ files: [String]) throws -> [DeltaAction]

    /// Returns the schema of each Parquet file as a text, equal for files that can be concatenated as they are.
    func layouts(of files: [String]) throws -> [String: String]

    /// Concatenates Parquet files with the same columns to one new file, rows in order.
    func rewrite(_ files: [String], into file: String) throws -> RewrittenFiles

    /// Returns the names that a file gives its columns.
    func header(of file: String, format: SourceFormat) throws -> [String]
}

extension LakeEngine {
    /// Computes the content hash of the rows of Parquet files, in the present scheme unless another is named.
    package func contentHash(of files: [String], by scheme: ContentHash.Scheme = .h2) throws -> ContentHash {
        try contentHash(of: files, where: nil, by: scheme)
    }

    /// Computes the content hash of the rows of Parquet files that meet a condition in SQL.
    package func contentHash(of files: [String], where condition: String) throws -> ContentHash {
        try contentHash(of: files, where: condition, by: .h2)
    }
}

/// A SELECT with the Parquet files of the tables that it reads.
///
/// ```swift
/// let query = Query("SELECT * FROM bronze.visits", file: nil, inputs: [TableName(.bronze, "visits"): files])
/// let rows = try engine.texts(query, limit: 10)
/// ```
package struct Query {
    /// One SELECT that names tables as `layer.name`; a semicolon and comments may follow it.
    package var sql: String
    /// Path of the SQL file, for messages.
    package var file: String?
    /// The Parquet files of each table that the SELECT names.
    package var inputs: [TableName: [String]]
    /// Whether it runs on one thread in row order, so that the result does not depend on scheduling.
    package var inRowOrder: Bool
    /// Tables of which only rows from a point in time on are visible.
    package var since: [TableName: Since] = [:]
    /// Column to sort the result by, which must not be null; ties are broken by all other columns.
    package var orderedBy: String?
    /// Tables without files, of which only the columns are known.
    package var shapes: [TableName: [DeltaField]] = [:]

    /// Restricts a table to the rows from a point in time on.
    package struct Since {
        /// Column of the table with a row's time.
        package var column: String
        /// Earliest time of a visible row, inclusive.
        package var moment: Timestamp
        /// Whether rows may lack the time; those are visible, too.
        package var isNullable: Bool
    }

    package init(
        _ sql: String, file: String? = nil, inputs: [TableName: [String]] = [:], inRowOrder: Bool = false
    ) {
        self.sql = sql
        self.file = file
        self.inputs = inputs
        self.inRowOrder = inRowOrder
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

/// The type that a column is read as for the training matrix.
package enum ReadKind: Sendable { case number, text, integer }

/// A typed column in memory: numbers, integers, or texts coded by level.
package enum LakeColumn: Sendable {
    /// NaN stands for null.
    case number([Double])
    case integer([Int64], valid: [Bool])
    /// Every distinct text once; -1 stands for null.
    case text(codes: [Int32], levels: [String])

    /// Returns the rows with these indices, in this order.
    package func picking(_ rows: [Int]) -> LakeColumn {
        switch self {
        case .number(let values): .number(rows.map { values[$0] })
        case .integer(let values, let valid): .integer(rows.map { values[$0] }, valid: rows.map { valid[$0] })
        case .text(let codes, let levels): .text(codes: rows.map { codes[$0] }, levels: levels)
        }
    }

    /// The column's values as texts, `nil` for null.
    package var texts: [String?] {
        switch self {
        case .number(let values): values.map { $0.isNaN ? nil : "\($0)" }
        case .integer(let values, let valid): zip(values, valid).map { $1 ? "\($0)" : nil }
        case .text(let codes, let levels): codes.map { $0 < 0 ? nil : levels[Int($0)] }
        }
    }
}

/// A result as text: column names, type names and rows.
package struct TextTable: Sendable {
    /// Column names, in order.
    package var names: [String]
    /// Engine's type name for each column, in lower case: "bigint", "varchar".
    package var types: [String]
    /// Cells by row, one for each column; `nil` for null.
    package var rows: [[String?]]

    package init(names: [String], types: [String], rows: [[String?]]) {
        self.names = names
        self.types = types
        self.rows = rows
    }
}

/// A request to check landed files of one source against its contract, one after the other.
package struct AcceptRequest {
    /// A landed file to check.
    package struct File {
        /// Path where the file is read.
        package var path: String
        /// File name for messages; folders before it that are named `key=value` give their values to all rows.
        package var name: String
        /// Digest by which the table knows the file; its hexadecimal form becomes `_file` of the accepted rows.
        package var digest: Digest
        /// Why the file is refused without a look at it; `nil` to read it.
        package var refusal: String?

        package init(path: String, name: String, digest: Digest, refusal: String? = nil) {
            self.path = path
            self.name = name
            self.digest = digest
            self.refusal = refusal
        }
    }

    /// Files in order of ingestion, which decides between rows with the same key.
    package var files: [File]
    /// Contract that the rows are checked against.
    package var contract: Contract
    /// Format in which the files are written.
    package var format: SourceFormat
    /// Parquet files of the bronze table, whose keys must not occur again.
    package var existing: [String]
    /// Folder for new Parquet files of accepted rows.
    package var folder: String
    /// Folder for the new Parquet file of rejected rows.
    package var quarantineFolder: String
    /// Unique part of the new files' names.
    package var id: String

    package init(
        files: [File], contract: Contract, format: SourceFormat, existing: [String], folder: String,
        quarantineFolder: String, id: String
    ) {
        self.files = files
        self.contract = contract
        self.format = format
        self.existing = existing
        self.folder = folder
        self.quarantineFolder = quarantineFolder
        self.id = id
    }
}

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
