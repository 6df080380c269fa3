internal import Core
package import Forests
package import Training

/// Scores rows with Martlet's own evaluator of trees, as the server does.
///
/// ```swift
/// let scorer = ForestScorer(try CompactForest(xgboostUBJ: file))
/// let scores = try scorer.scores(matrix)
/// ```
package struct ForestScorer: ModelScorer {
    private let forest: CompactForest

    package init(_ forest: CompactForest) { self.forest = forest }

    /// Returns the probability of the positive class for each row.
    package func scores(_ matrix: FeatureMatrix) throws -> [Double] {
        guard matrix.columns == forest.featureCount else {
            throw MartletError(
                .defect, "model.width",
                "The model takes \(forest.featureCount) columns; it was given \(matrix.columns).")
        }
        let width = matrix.columns
        let atOnce = 4096
        var scores = [Double](repeating: 0, count: matrix.rows)
        var rows = [Double](repeating: 0, count: min(atOnce, matrix.rows) * width)
        for first in stride(from: 0, to: matrix.rows, by: atOnce) {
            let count = min(atOnce, matrix.rows - first)
            for column in 0..<width {
                for row in 0..<count { rows[row * width + column] = matrix[first + row, column] }
            }
            rows.withUnsafeBufferPointer { rows in
                scores.withUnsafeMutableBufferPointer { scores in
                    forest.score(
                        rows: .init(rebasing: rows[..<(count * width)]), count: count,
                        into: .init(rebasing: scores[first..<(first + count)]))
                }
            }
        }
        return scores
    }
}
