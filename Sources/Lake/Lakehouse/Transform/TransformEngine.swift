package import Core

/// The part of an engine that makes tables from SELECTs, whole or in part.
package protocol TransformEngine {
    /// Writes the rows of a SELECT to a new Parquet file.
    func materialise(_ query: Query, into file: String) throws -> WrittenFile

    /// Computes a part of a SELECT and works out what it replaces. Writes new Parquet files, removes none.
    /// - Returns: `nil` when the SELECT's columns are no longer those of the table.
    func materialise(_ request: SliceRequest) throws -> Slice?

    /// Finds the earliest moment in `column` among rows that are in only one of two lists of Parquet files.
    func earliestChange(in column: String, from old: [String], to new: [String]) throws -> EarliestChange
}

// A table that is built in part: the rows from a moment on are computed again, the others stay.

/// A request to compute the part of a table from a point in time on.
package struct SliceRequest {
    /// The SELECT that makes the table.
    package var query: Query
    /// The table's column of event times.
    package var by: String
    /// Start of the part; the new rows replace the table's rows from here on.
    package var from: Timestamp
    /// Start of the audited rows: those up to `from` are computed too and must equal the table's.
    package var auditFrom: Timestamp
    /// The table's present Parquet files.
    package var files: [String]
    /// The table's present columns.
    package var fields: [DeltaField]
    /// Folder for new Parquet files.
    package var folder: String
    /// Unique part of the new files' names.
    package var fileID: String
}

/// The computed part of a table and what it replaces.
package struct Slice {
    /// The new rows, sorted; `nil` when there are none.
    package var written: WrittenFile?
    /// Files of the table with rows from `from` on, each with a file of the rows that remain.
    package var replaced: [(old: String, kept: WrittenFile?)] = []
    /// Hash of the rows that are removed from the table.
    package var leaving = ContentHash()
    /// Columns in which audited rows differ from the table; "rows" when their number differs. Empty: none differ.
    package var auditDifferences: [String] = []

    package init() {}
}

/// The earliest point in time at which two versions of a table differ.
package enum EarliestChange: Equatable, Sendable {
    case none
    case from(Timestamp)
    /// A row that differs has no moment.
    case unknown
}
