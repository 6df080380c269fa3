// A forest's tests, made into columns of whole numbers. Two splits that read one feature and treat missing values alike
// share a column; its thresholds stand in order, and a row's value becomes a rank: how many thresholds lie below it.
// A split then is one comparison of whole numbers, `rank > place of its threshold` goes right, whatever the library,
// the missing value or the set of categories. A row is ranked once, so that no tree touches a double again.

/// A feature under one rule for missing values and comparison; its thresholds share a column.
struct ThresholdColumn: Hashable {
    var feature: Int32
    var missing: MissingRule
    /// The category set whose members have rank 0 (LightGBM) or 1 (XGBoost); -1 for thresholds.
    var set: Int32
}

/// The test of an inner node: right if the rank in the column is greater than `place`.
struct ColumnTest {
    var column: Int32
    var place: Int32
}

/// The columns of a forest with their thresholds, and every inner node's test.
struct ThresholdColumns {
    private(set) var columns: [ThresholdColumn] = []
    /// Sorted, without repetitions; of a category set one stand-in.
    private(set) var thresholds: [[Double]] = []
    /// For each tree and node; of no meaning at leaves.
    private(set) var tests: [[ColumnTest]] = []

    init(_ forest: ParsedForest) {
        var keys: [ThresholdColumn: Int32] = [:]
        var equalSets: [CategorySet: Int32] = [:]
        var values: [Set<Double>] = []
        let sets = forest.sets.indices.map { place in
            let first = equalSets[forest.sets[place]] ?? Int32(place)
            equalSets[forest.sets[place]] = first
            return first
        }
        tests = forest.trees.map { tree in
            tree.map { node in
                guard !node.isLeaf else { return ColumnTest(column: 0, place: 0) }
                let key = ThresholdColumn(
                    feature: node.feature, missing: node.missing, set: node.set < 0 ? -1 : sets[Int(node.set)])
                let column = keys[key] ?? Int32(columns.count)
                if Int(column) == columns.count {
                    keys[key] = column
                    columns.append(key)
                    values.append([])
                }
                values[Int(column)].insert(node.set < 0 ? forest.family.inclusive(node.threshold) : 0)
                return ColumnTest(column: column, place: 0)
            }
        }
        thresholds = values.map { $0.sorted() }
        let places = thresholds.map { Dictionary(uniqueKeysWithValues: zip($0, $0.indices.map { Int32($0) })) }
        for (number, tree) in forest.trees.enumerated() {
            for (index, node) in tree.enumerated() where !node.isLeaf {
                let column = Int(tests[number][index].column)
                let threshold = node.set < 0 ? forest.family.inclusive(node.threshold) : 0
                tests[number][index].place = places[column][threshold] ?? 0
            }
        }
    }
}

extension Family {
    /// The greatest value that goes left of a threshold. XGBoost's `value < t` among floats is `value <= t.nextDown`;
    /// a threshold of -infinity, which has none, is refused when the file is read.
    fileprivate func inclusive(_ threshold: Double) -> Double {
        switch self {
        case .lightGBM: threshold == 0 ? 0 : threshold
        case .xgboost: Double(Float(threshold).nextDown)
        }
    }
}
