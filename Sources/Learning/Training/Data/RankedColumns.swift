/// The features of a matrix as dense ranks, so that tree growing compares and counts small integers.
struct RankedColumns: Sendable {
    let rows: Int
    let categorical: [Bool]
    /// The distinct values of a numeric column in ascending order; the codes of a categorical one.
    let values: [[Double]]
    /// Column-major: the rank of each value among `values`, or `values[j].count` for a missing one.
    let ranks: [UInt32]

    init(_ matrix: FeatureMatrix) {
        rows = matrix.rows
        categorical = matrix.categorical
        var values: [[Double]] = []
        var ranks: [UInt32] = []
        ranks.reserveCapacity(matrix.rows * matrix.columns)
        for column in 0..<matrix.columns {
            let slice = matrix.values[(column * matrix.rows)..<((column + 1) * matrix.rows)]
            if matrix.categorical[column] {
                let count = matrix.codes[column]
                values.append((0..<count).map(Double.init))
                for value in slice { ranks.append(value >= 0 && value < Double(count) ? UInt32(value) : UInt32(count)) }
            } else {
                let order = slice.indices.filter { !slice[$0].isNaN }
                    .sorted { slice[$0] != slice[$1] ? slice[$0] < slice[$1] : $0 < $1 }
                var distinct: [Double] = []
                var own = [UInt32](repeating: .max, count: matrix.rows)
                for place in order {
                    if distinct.last != slice[place] { distinct.append(slice[place]) }
                    own[place - slice.startIndex] = UInt32(distinct.count - 1)
                }
                for rank in own { ranks.append(min(rank, UInt32(distinct.count))) }
                values.append(distinct)
            }
        }
        self.values = values
        self.ranks = ranks
    }

    var columns: Int { categorical.count }

    /// The smallest and the largest value of a column; `nil` if all are missing.
    func range(of column: Int) -> ClosedRange<Double>? {
        guard let first = values[column].first, let last = values[column].last else { return nil }
        return first...last
    }
}
