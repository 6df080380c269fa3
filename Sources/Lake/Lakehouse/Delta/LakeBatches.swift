/// Rows produced in batches while they are written to a file, so that not all are in memory at once.
package struct LakeBatches {
    /// Column names, each with an empty column of its kind.
    package let columns: [(name: String, column: LakeColumn)]
    /// Returns a SELECT over a relation with these columns that casts them to their types.
    package let select: (_ relation: String) -> String
    /// Returns the next rows, their columns in the order above; `nil` at the end.
    package let next: () throws -> [LakeColumn]?

    package init(
        columns: [(name: String, column: LakeColumn)], select: @escaping (_ relation: String) -> String,
        next: @escaping () throws -> [LakeColumn]?
    ) {
        (self.columns, self.select, self.next) = (columns, select, next)
    }
}
