/// A trained random forest.
package struct Forest: Sendable {
    let trees: [DecisionTree]
    /// Feature names in column order.
    package let names: [String]
    /// Whether each feature is categorical.
    package let categorical: [Bool]
    /// The values each feature had in training; `nil` if all were missing.
    let ranges: [ClosedRange<Double>?]

    /// Number of trees.
    package var count: Int { trees.count }

    /// Returns the probability of the positive class of every row.
    ///
    /// The mean over the trees of the leaves' weighted shares of positives.
    package func predict(_ matrix: FeatureMatrix) -> [Double] {
        var sums = [Double](repeating: 0, count: matrix.rows)
        matrix.values.withUnsafeBufferPointer { values in
            sums.withUnsafeMutableBufferPointer { sums in
                for tree in trees {
                    let leaves = tree.records.map(\.value)
                    tree.nodes.withUnsafeBufferPointer { nodes in
                        leaves.withUnsafeBufferPointer { leaves in
                            for row in 0..<matrix.rows {
                                sums[row] += leaves[tree.leaf(nodes, values, row: row, rows: matrix.rows)]
                            }
                        }
                    }
                }
            }
        }
        let count = Double(trees.count)
        return sums.map { $0 / count }
    }

    /// Impurity-based importance of each feature, the mean over the trees; sums to 1 unless no tree has a split.
    ///
    /// Breiman et al. 1984; scikit-learn's `feature_importances_`.
    package var importance: [Double] {
        var sums = [Double](repeating: 0, count: names.count)
        for tree in trees {
            let whole = tree.records.reduce(0) { $0 + $1.gain }
            guard whole > 0 else { continue }
            for (node, record) in zip(tree.nodes, tree.records) where node.feature >= 0 {
                sums[Int(node.feature)] += record.gain / whole
            }
        }
        let whole = sums.reduce(0, +)
        return whole > 0 ? sums.map { $0 / whole } : sums
    }
}
