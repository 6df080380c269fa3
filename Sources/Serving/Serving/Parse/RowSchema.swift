package import Training

/// A model's signature and input policy, indexed for fast parsing of rows.
///
/// ```swift
/// let schema = RowSchema(record.signature, policy: record.plan.input ?? InputPolicy(), ranges: record.ranges ?? [:])
/// let batch = RowBatch(schema)
/// ```
///
/// Names and levels are found by their bytes, and the reaction to a mismatch by number.
package final class RowSchema: Sendable {
    struct Column: Sendable {
        let name: String
        let isCategory: Bool
        /// Codes of the levels; empty for a number.
        let levels: ByteTable
        /// What a reader is shown for each code.
        let shownLevels: [String]
        /// What missing is encoded as: NaN, or its code.
        let missing: Double
        /// What a level that training did not see is encoded as.
        let unknown: Double
        let policy: InputPolicy.Column
        let minimum: Double
        let maximum: Double

        /// The text of a category's code; `nil` for a missing value and for a number.
        func shown(_ value: Double) -> String? {
            Int(exactly: value).flatMap { isCategory && shownLevels.indices.contains($0) ? shownLevels[$0] : nil }
        }
    }

    /// The model's input signature, of which this is the index.
    package let signature: Signature
    let columns: [Column]
    let names: ByteTable
    let unknownColumn: InputPolicy.Reaction
    /// Name of the member with the row's entity, which does not count as an unknown column.
    package let entity: String?

    package init(
        _ signature: Signature, policy: InputPolicy = InputPolicy(), ranges: [String: ColumnRange] = [:],
        entity: String? = nil
    ) {
        self.signature = signature
        self.entity = entity.flatMap { name in signature.columns.contains { $0.name == name } ? nil : name }
        unknownColumn = policy.unknownColumn
        names = ByteTable(signature.columns.map(\.name))
        columns = signature.columns.map { feature in
            let policy = policy.column(feature.name)
            return Column(
                name: feature.name, isCategory: feature.type == .category, levels: ByteTable(feature.levels),
                shownLevels: feature.shownLevels,
                missing: feature.missingCode.map(Double.init) ?? .nan,
                unknown: feature.unknownCode.map(Double.init) ?? .nan, policy: policy,
                minimum: policy.minimum ?? ranges[feature.name]?.minimum ?? -.infinity,
                maximum: policy.maximum ?? ranges[feature.name]?.maximum ?? .infinity)
        }
    }

    /// Number of columns.
    package var width: Int { columns.count }

    /// The place of a column by its name; most clients send columns in the same order, so `hint` is looked at first.
    @inline(__always)
    func place(of name: UnsafeRawBufferPointer, hint: Int) -> Int? {
        if hint < columns.count, names.isAt(hint, name) { return hint }
        return names.find(name)
    }
}
