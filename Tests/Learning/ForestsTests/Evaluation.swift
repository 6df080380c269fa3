import Forests

/// Every row by itself and all of them in a batch, and how the contributions add up.
struct Evaluation {
    var margins: [Double] = []
    var scores: [Double] = []
    var batch: [Double]
    /// The greatest |sum of contributions - margin| of the first rows.
    var gap = 0.0

    init(_ forest: CompactForest, _ values: [Double]) {
        let width = forest.featureCount
        let count = values.count / width
        batch = [Double](repeating: 0, count: count)
        values.withUnsafeBufferPointer { values in
            batch.withUnsafeMutableBufferPointer { forest.score(rows: values, count: count, into: $0) }
            for row in 0..<count {
                let one = UnsafeBufferPointer(rebasing: values[row * width..<(row + 1) * width])
                margins.append(forest.margin(of: one))
                scores.append(forest.score(of: one))
                if row < 20 { gap = max(gap, abs(forest.contributions(of: one).reduce(0, +) - margins[row])) }
            }
        }
    }
}

extension [Double] {
    /// How many numbers are not the same bits.
    func differences(from other: [Double]) -> Int {
        abs(count - other.count) + zip(self, other).count { $0.bitPattern != $1.bitPattern }
    }
}
