internal import CLibrary
internal import Core

/// Random forest training with scikit-learn's algorithm, parameter names and defaults.
///
/// ```swift
/// var settings = RandomForest()
/// settings.maxDepth = 8
/// let forest = try settings.fit(matrix, labels: labels, seed: 42)
/// ```
///
/// Breiman 2001, "Random forests": every tree on a bootstrap sample drawn with replacement, features drawn without
/// replacement at every split, exact splits, the probability of a row being the mean of its leaves' shares of
/// positives.
package struct RandomForest: Sendable, Equatable {
    /// Impurity measure of a split.
    enum Criterion: String, Sendable, CaseIterable { case gini, entropy }

    /// Weighting of the classes.
    enum ClassWeight: String, Sendable, CaseIterable {
        case none
        /// Each class has half of the weight, counted in the whole training sample (King & Zeng 2001). As in
        /// scikit-learn from 1.9 on, the weights are the odds with which the bootstrap draws a row; without bootstrap
        /// they weigh the rows themselves.
        case balanced
        /// Rows are drawn with even odds, and weighed so that each class has half of a tree's bootstrap sample.
        case balancedSubsample = "balanced_subsample"
    }

    /// Number of features tried at a split.
    enum MaxFeatures: Sendable, Equatable {
        case sqrt, log2, all
        case count(Int)
        case share(Double)

        func resolved(_ columns: Int) -> Int {
            let wanted: Int
            switch self {
            case .sqrt: wanted = Int(Double(columns).squareRoot())
            case .log2: wanted = Int(logarithm2(Double(columns)))
            case .all: wanted = columns
            case .count(let count): wanted = count
            case .share(let share): wanted = Int(share * Double(columns))
            }
            return min(columns, max(1, wanted))
        }

    }

    /// A number of rows, or a share of the training rows rounded up.
    enum RowCount: Sendable, Equatable {
        case count(Int)
        case share(Double)

        func resolved(_ rows: Int) -> Int {
            switch self {
            case .count(let count): count
            case .share(let share): Int((share * Double(rows)).rounded(.up))
            }
        }
    }

    /// Number of trees.
    package var estimators = 100
    /// Impurity by which splits are chosen: Gini or entropy.
    var criterion = Criterion.gini
    /// Largest depth of a tree; `nil` for no limit.
    package var maxDepth: Int?
    /// Fewest rows of a node that is split.
    var minSamplesSplit = RowCount.count(2)
    /// Fewest rows of a leaf.
    var minSamplesLeaf = RowCount.count(1)
    /// Number of features drawn at each split; by default the square root of their number.
    var maxFeatures = MaxFeatures.sqrt
    /// Whether each tree is grown on a bootstrap sample instead of all rows.
    package var bootstrap = true
    /// Weighting of the two classes; none by default.
    var classWeight = ClassWeight.none

    package init() {}

    /// Trains a forest. Each tree has its own random generator, derived from the seed and the tree's number.
    ///
    /// Throws for rows of one class and infinite values. Missing numbers go to the side of a split that is better with
    /// them; where a node has none in training, to the side with more rows.
    package func fit(_ matrix: FeatureMatrix, labels: [UInt8], seed: Int) throws -> Forest {
        try check(matrix, labels)
        let columns = RankedColumns(matrix)
        let grower = TreeGrower(columns: columns, labels: labels, forest: self)
        let trees = (0..<estimators).map { grower.grow(SeededGenerator(seed: seed, stream: $0)) }
        return Forest(
            trees: trees, names: matrix.names, categorical: matrix.categorical,
            ranges: (0..<matrix.columns).map { columns.range(of: $0) })
    }

    private func check(_ matrix: FeatureMatrix, _ labels: [UInt8]) throws {
        guard labels.count == matrix.rows, matrix.columns > 0, matrix.rows < Int(UInt32.max) else {
            throw MartletError(
                .defect, "forest.shape",
                "a forest was given \(matrix.rows) rows, \(matrix.columns) columns and \(labels.count) labels")
        }
        let positives = labels.count { $0 == 1 }
        guard positives > 0, positives < labels.count else {
            throw MartletError(
                .input, "training.single-class",
                "training needs rows of both classes; \(positives) of \(labels.count) are positive")
        }
        for column in 0..<matrix.columns {
            let infinite = (0..<matrix.rows).first { matrix[$0, column].isInfinite }
            guard let infinite else { continue }
            throw MartletError(
                .input, "forest.infinite",
                "the feature \"\(matrix.names[column])\" is infinite in training row \(infinite + 1)",
                remedy: "a division by zero in a transform gives this; use nullif(divisor, 0)")
        }
    }
}

private func logarithm2(_ x: Double) -> Double { log2(x) }
