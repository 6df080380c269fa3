/// Rows that are made batch by batch while they are written, so that all of them are never in memory.
package struct LakeBatches {
    /// Names of the columns, and an empty column of each one's kind.
    package let columns: [(name: String, column: LakeColumn)]
    /// A SELECT over a relation with these columns, which gives them their types.
    package let select: (_ relation: String) -> String
    /// The next rows, their columns in the order above; `nil` at the end.
    package let next: () throws -> [LakeColumn]?

    package init(
        columns: [(name: String, column: LakeColumn)], select: @escaping (_ relation: String) -> String,
        next: @escaping () throws -> [LakeColumn]?
    ) {
        (self.columns, self.select, self.next) = (columns, select, next)
    }
}
