/// A grown random forest.
package struct Forest: Sendable {
    let trees: [DecisionTree]
    package let names: [String]
    package let categorical: [Bool]
    /// The values each feature had in training; `nil` if all were missing.
    let ranges: [ClosedRange<Double>?]

    package var count: Int { trees.count }

    /// The probability of the positive class of every row: the mean of the leaves' weighted shares of positives.
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

    /// The mean over the trees of each feature's share of the tree's impurity decrease; sums to 1 unless no tree
    /// split at all (Breiman et al. 1984; scikit-learn's `feature_importances_`).
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
