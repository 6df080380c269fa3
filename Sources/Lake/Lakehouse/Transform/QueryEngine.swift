package import Core
package import SQLLineage

/// The part of an engine that runs a SELECT over tables and returns its rows; writes nothing.
package protocol QueryEngine {
    /// Returns the names and types of a SELECT's columns, without running it.
    func describe(_ query: Query) throws -> [DeltaField]

    /// Runs a SELECT and returns its rows as typed columns.
    func columns(_ query: Query, as kinds: [(name: String, kind: ReadKind)], orderedBy: [String]) throws -> [LakeColumn]

    /// Runs a SELECT and returns its rows as text, for display.
    func texts(_ query: Query, limit: Int?) throws -> TextTable
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

/// The type that a column is read as for the training matrix.
package enum ReadKind: Sendable { case number, text, integer }

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
