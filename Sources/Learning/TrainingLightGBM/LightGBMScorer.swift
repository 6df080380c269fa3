internal import Core
internal import LightGBM
package import Training

/// Scores rows with the LightGBM library from a model in its text format, boosted or forest.
///
/// ```swift
/// let scorer = try LightGBMScorer(text: fitted.text, threads: 2)
/// let scores = try scorer.scores(matrix)
/// ```
package struct LightGBMScorer: ModelScorer {
    private let booster: Booster
    private let columns: Int
    private let threads: Int

    /// Loads a model.
    /// - Throws: `model.unreadable` when the text is not a model.
    package init(text: [UInt8], threads: Int) throws {
        do {
            booster = try Booster(text: text)
            columns = try booster.columnCount()
        } catch {
            throw MartletError(.input, "model.unreadable", "The stored model cannot be loaded: \(error.message)")
        }
        self.threads = threads
    }

    /// Returns the probability of the positive class for each row.
    package func scores(_ matrix: FeatureMatrix) throws -> [Double] {
        guard matrix.columns == columns else {
            throw MartletError(
                .defect, "model.width", "The model takes \(columns) columns; it was given \(matrix.columns).")
        }
        do {
            return try booster.predict(
                values: matrix.values, rows: matrix.rows, columns: matrix.columns, threads: threads)
        } catch {
            throw MartletError(.machine, "model.failed", "LightGBM could not score: \(error.message)")
        }
    }
}
