/// One column of a training table, numbers or coded texts, before a `Signature` encodes it.
package enum Column: Sendable, Equatable {
    /// Numbers; NaN is a missing value.
    case number([Double])
    /// Text or boolean values: one code a row into `levels`, -1 is a missing value. The order of the levels means
    /// nothing here and may differ from one batch to the next.
    case category(codes: [Int32], levels: [String])

    /// Number of rows.
    package var count: Int {
        switch self {
        case .number(let values): values.count
        case .category(let codes, _): codes.count
        }
    }
}

/// A column with its name.
package struct NamedColumn: Sendable, Equatable {
    /// Name of the column in the table, by which a `Signature` finds it.
    package let name: String
    /// The column's values, one a row.
    package let column: Column

    package init(_ name: String, _ column: Column) {
        self.name = name
        self.column = column
    }
}
