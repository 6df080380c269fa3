package import Core
package import SQLLineage

/// The engine that reads, checks and transforms tables: DuckDB by default, others later.
///
/// Faults in what the user wrote (SQL, files) come back as `MartletError` with the file's place in it.
/// Not Sendable: one thread owns an engine.
package protocol LakeEngine: QuarantineEngine, SQLParser {
    /// Name and version, part of what makes a result reproducible.
    var identity: String { get }

    /// Refuses a contract with a pattern or bound that the engine does not understand.
    func check(_ contract: Contract) throws

    /// Reads landed files under their contract, with the same outcome as one after the other: accepted rows go to new
    /// Parquet files in `folder`, the others to one in `quarantineFolder`. Writes nothing else that stays.
    func accept(_ request: AcceptRequest) throws -> BatchAcceptance

    /// Writes the rows of a SELECT to a new Parquet file.
    /// - Parameter inputs: the Parquet files of each table that the SELECT names.
    func materialise(_ query: Query, into file: String) throws -> WrittenFile

    /// Computes a part of a SELECT and works out what it replaces. Writes new Parquet files, removes none.
    /// - Returns: `nil` when the SELECT's columns are no longer those of the table.
    func materialise(_ request: SliceRequest) throws -> Slice?

    /// The earliest moment in `column` among rows that are in one of two lists of Parquet files but not the other.
    func earliestChange(in column: String, from old: [String], to new: [String]) throws -> EarliestChange

    /// Hash of the rows of Parquet files, whatever their order; see ``ContentHash``.
    func contentHash(of files: [String]) throws -> ContentHash

    /// The same of the rows alone that meet a condition in SQL.
    func contentHash(of files: [String], where condition: String) throws -> ContentHash

    /// The rows of a SELECT as typed columns.
    func columns(_ query: Query, as kinds: [(name: String, kind: ReadKind)], orderedBy: [String]) throws -> [LakeColumn]

    /// Names and types of a SELECT's columns, without running it.
    func describe(_ query: Query) throws -> [DeltaField]

    /// The rows of a SELECT as text, for people.
    func texts(_ query: Query, limit: Int?) throws -> TextTable

    /// Writes typed columns to a Parquet file as a table's content.
    func write(_ columns: [(name: String, column: LakeColumn)], into file: String) throws -> WrittenFile

    /// Writes rows that come batch by batch to a Parquet file as a table's content, in their order.
    func write(_ batches: LakeBatches, into file: String) throws -> WrittenFile

    /// Writes the actions of a Delta checkpoint to one Parquet file with the protocol's columns.
    func writeCheckpoint(_ actions: [DeltaAction], into file: String) throws

    /// Reads the actions of a Delta checkpoint, whoever wrote it: its file or, of one in parts, its files.
    func readCheckpoint(_ files: [String]) throws -> [DeltaAction]

    /// The columns of each Parquet file, as a text that two files share only when they can be put together as they
    /// are: same names and types in the same order.
    func layouts(of files: [String]) throws -> [String: String]

    /// Puts Parquet files with the same columns together in one new file, rows in order.
    func rewrite(_ files: [String], into file: String) throws -> RewrittenFiles

    /// The header names of a CSV or Parquet file.
    func header(of file: String, format: SourceFormat) throws -> [String]
}

package struct Query {
    package var sql: String
    /// Where the SQL stands, for messages.
    package var file: String?
    package var inputs: [TableName: [String]]
    /// Run on one thread, in row order, so that the result does not depend on how work was shared out.
    package var inRowOrder: Bool
    /// Rows of these tables are seen from a moment on only.
    package var since: [TableName: Since] = [:]
    /// Sort the result by this column, which must not be null, and then by all others.
    package var orderedBy: String?
    /// Tables without rows: their columns are all that is known of them.
    package var shapes: [TableName: [DeltaField]] = [:]

    package struct Since {
        package var column: String
        package var moment: Timestamp
        /// Whether rows without a moment may be there; they are seen, too.
        package var isNullable: Bool

        package init(column: String, moment: Timestamp, isNullable: Bool) {
            self.column = column
            self.moment = moment
            self.isNullable = isNullable
        }
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

package struct WrittenFile: Sendable {
    package var path: String
    package var rows: Int
    package var fields: [DeltaField]
    package var hash: ContentHash

    package init(path: String, rows: Int, fields: [DeltaField], hash: ContentHash) {
        self.path = path
        self.rows = rows
        self.fields = fields
        self.hash = hash
    }
}

/// One file in place of several, and the hash of what the several held.
package struct RewrittenFiles: Sendable {
    package var new: WrittenFile
    package var oldHash: ContentHash

    package init(new: WrittenFile, oldHash: ContentHash) {
        self.new = new
        self.oldHash = oldHash
    }
}

/// How a column is to be read for the training matrix.
package enum ReadKind: Sendable { case number, text, integer }

/// A column in memory.
package enum LakeColumn: Sendable {
    /// NaN stands for null.
    case number([Double])
    case integer([Int64], valid: [Bool])
    /// Every distinct text once; -1 stands for null.
    case text(codes: [Int32], levels: [String])

    package var count: Int {
        switch self {
        case .number(let values): values.count
        case .integer(let values, _): values.count
        case .text(let codes, _): codes.count
        }
    }

    /// The rows of these indices, in this order.
    package func picking(_ rows: [Int]) -> LakeColumn {
        switch self {
        case .number(let values): .number(rows.map { values[$0] })
        case .integer(let values, let valid): .integer(rows.map { values[$0] }, valid: rows.map { valid[$0] })
        case .text(let codes, let levels): .text(codes: rows.map { codes[$0] }, levels: levels)
        }
    }

    /// The column's texts, `nil` for null; numbers as they print.
    package var texts: [String?] {
        switch self {
        case .number(let values): values.map { $0.isNaN ? nil : "\($0)" }
        case .integer(let values, let valid): zip(values, valid).map { $1 ? "\($0)" : nil }
        case .text(let codes, let levels): codes.map { $0 < 0 ? nil : levels[Int($0)] }
        }
    }
}

package struct TextTable: Sendable {
    package var names: [String]
    package var types: [String]
    package var rows: [[String?]]

    package init(names: [String], types: [String], rows: [[String?]]) {
        self.names = names
        self.types = types
        self.rows = rows
    }
}

/// A hash of rows that does not depend on their order: how many there are, and sum and exclusive-or of one
/// 64-bit hash a row. Hashes of parts add up to the hash of the whole.
package struct ContentHash: Sendable, Equatable, CustomStringConvertible {
    package var rows: Int
    package var sum: UInt128
    package var xor: UInt64

    package init(rows: Int = 0, sum: UInt128 = 0, xor: UInt64 = 0) {
        self.rows = rows
        self.sum = sum
        self.xor = xor
    }

    /// Reads what `description` wrote.
    package init?(_ text: String) {
        let parts = text.split(separator: "-")
        guard parts.count == 3, let rows = Int(parts[0]), let sum = UInt128(parts[1], radix: 16),
            let xor = UInt64(parts[2], radix: 16)
        else { return nil }
        self.init(rows: rows, sum: sum, xor: xor)
    }

    package var description: String { "\(rows)-\(String(sum, radix: 16))-\(String(xor, radix: 16))" }

    package static func + (a: ContentHash, b: ContentHash) -> ContentHash {
        ContentHash(rows: a.rows &+ b.rows, sum: a.sum &+ b.sum, xor: a.xor ^ b.xor)
    }

    /// The hash of what is left when rows of this hash leave.
    package static func - (a: ContentHash, b: ContentHash) -> ContentHash {
        ContentHash(rows: a.rows &- b.rows, sum: a.sum &- b.sum, xor: a.xor ^ b.xor)
    }
}

/// Landed files of one source, to be taken one after the other, and what they are to be checked against.
package struct AcceptRequest {
    package struct File {
        package var path: String
        /// The name under which people know it.
        package var name: String
        package var digest: Digest

        package init(path: String, name: String, digest: Digest) {
            self.path = path
            self.name = name
            self.digest = digest
        }
    }

    package var files: [File]
    package var contract: Contract
    package var format: SourceFormat
    /// Parquet files that the table already has: keys must not come twice.
    package var existing: [String]
    /// Where new Parquet files go, and the unique part of their names.
    package var folder: String
    package var quarantineFolder: String
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

/// What became of landed files. The Parquet files are written but belong to no table yet.
package struct BatchAcceptance: Sendable {
    /// One for each file of the request, in its order.
    package var files: [Acceptance]
    /// The accepted rows: by file in the order of the request, and in each file by row.
    package var accepted: [WrittenFile] = []
    package var quarantined: WrittenFile?
    package var rewrites: [Acceptance.Rewrite] = []

    package init(files: [Acceptance]) { self.files = files }

    /// The Parquet files that it wrote.
    package var paths: [String] {
        accepted.map(\.path) + rewrites.map(\.new.path) + [quarantined?.path].compactMap { $0 }
    }
}

/// What became of a landed file.
package struct Acceptance: Sendable {
    /// Violations of one rule in one column.
    package struct Breach: Sendable, Equatable, Encodable {
        package var column: String?
        package var rule: String
        package var rows: Int
        package var example: String?
        /// The row number of the example, 1 for the first data row.
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

    /// A Parquet file of the table that later rows under the same keys have replaced.
    package struct Rewrite: Sendable {
        package var old: String
        package var new: WrittenFile
        package var oldHash: ContentHash

        package init(old: String, new: WrittenFile, oldHash: ContentHash) {
            self.old = old
            self.new = new
            self.oldHash = oldHash
        }
    }

    package var rowsRead = 0
    package var acceptedRows = 0
    package var rejectedRows = 0
    /// Rows that gave way to a later one of the same file.
    package var supersededRows = 0
    /// Whether something of it is set aside.
    package var isSetAside = false
    package var breaches: [Breach] = []
    package var warnings: [String] = []
    /// How the file was packed: `gzip`, `zstd`; `nil` when it was not.
    package var packing: String?
    /// Set when the whole file was refused: why.
    package var refusal: String?
    /// Refused because too large a share of its rows is bad.
    package var isBeyondShare = false
    /// Rows that say of themselves that they are made up (`_synthetic`).
    package var syntheticRows = 0

    package init() {}
}
