package import Core

// A table that is built in part: the rows from a moment on are computed again, the others stay.

/// What part of a table is to be computed.
package struct SliceRequest {
    package var query: Query
    /// The table's column of moments.
    package var by: String
    /// Rows from here on replace those of the table.
    package var from: Timestamp
    /// Rows from here up to `from` are computed as well and must come out as they stand in the table.
    package var auditFrom: Timestamp
    /// The table's files and columns now.
    package var files: [String]
    package var fields: [DeltaField]
    /// Where new Parquet files go, and the unique part of their names.
    package var folder: String
    package var fileID: String

    package init(
        query: Query, by: String, from: Timestamp, auditFrom: Timestamp, files: [String], fields: [DeltaField],
        folder: String, fileID: String
    ) {
        self.query = query
        self.by = by
        self.from = from
        self.auditFrom = auditFrom
        self.files = files
        self.fields = fields
        self.folder = folder
        self.fileID = fileID
    }
}

/// A computed part of a table.
package struct Slice {
    /// The new rows, sorted; `nil` when there are none.
    package var written: WrittenFile?
    /// Files of the table that hold rows from the moment on, each with what is left of it.
    package var replaced: [(old: String, kept: WrittenFile?)] = []
    /// Hash of the rows that leave the table.
    package var leaving = ContentHash()
    /// Columns in which the audited rows came out otherwise; "rows" when their number differs. Empty: as they stand.
    package var auditDifferences: [String] = []

    package init() {}
}

/// Since when two versions of a table differ.
package enum EarliestChange: Equatable, Sendable {
    case none
    case from(Timestamp)
    /// A row that differs has no moment.
    case unknown
}
