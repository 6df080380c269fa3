/// The encoded feature matrix that a learner receives: `rows` x `names.count` doubles, column-major.
///
/// A missing value is NaN. A categorical column holds codes 0 ..< k: those of its levels, and those of missing and
/// pooled values.
package struct FeatureMatrix: Sendable {
    /// The features, in column order.
    package let names: [String]
    /// Whether each column is categorical, holding level codes.
    package let categorical: [Bool]
    /// Number of codes of each categorical column; 0 for a numeric one.
    package let codes: [Int]
    /// Number of rows: the length of one column in `values`.
    package let rows: Int
    /// The values, column-major: feature j of row i is `values[j * rows + i]`.
    package let values: [Double]

    /// Makes a matrix of columns that a `Signature` has encoded. The lengths must agree.
    package init(names: [String], categorical: [Bool], codes: [Int], rows: Int, values: [Double]) {
        precondition(names.count == categorical.count && names.count == codes.count)
        precondition(values.count == rows * names.count)
        self.names = names
        self.categorical = categorical
        self.codes = codes
        self.rows = rows
        self.values = values
    }

    /// Number of features.
    package var columns: Int { names.count }

    /// The value of a feature in a row.
    package subscript(row: Int, column: Int) -> Double { values[column * rows + row] }

    /// Returns the matrix of the given rows, in the given order.
    package func rows(_ indices: [Int]) -> FeatureMatrix {
        let picked = [Double](unsafeUninitializedCapacity: indices.count * columns) { out, count in
            for column in 0..<columns {
                let from = column * rows
                let to = column * indices.count
                for (place, index) in indices.enumerated() { out[to + place] = values[from + index] }
            }
            count = indices.count * columns
        }
        return FeatureMatrix(
            names: names, categorical: categorical, codes: codes, rows: indices.count, values: picked)
    }
}
