internal import Core
internal import Forests

/// Explanation of one row's score: the Shapley value of each column for the forest's margin.
///
/// ```swift
/// let reasons = try Explanation(model.forest, row: values)
/// for column in reasons.ranked.prefix(5) { print(reasons.contributions[column]) }
/// ```
///
/// Lundberg et al., "From local explanations to global understanding with explainable AI for trees", 2020.
struct Explanation: Sendable {
    /// Expected margin, of a row of which nothing is known.
    let base: Double
    /// Margin of the row.
    let margin: Double
    /// Contribution of each column, in the signature's order.
    let contributions: [Double]

    /// Computes the contributions.
    /// - Throws: `serving.reasons-sum` when they do not add up to the margin but for rounding.
    init(_ forest: CompactForest, row: UnsafeBufferPointer<Double>) throws(MartletError) {
        let shares = forest.contributions(of: row)
        margin = forest.margin(of: row)
        base = shares.last ?? 0
        contributions = Array(shares.dropLast())
        let sum = shares.reduce(0, +)
        // Some forests sum in floats; their margin is exact to about seven digits.
        let scale = shares.reduce(abs(margin)) { $0 + abs($1) }
        guard abs(sum - margin) <= 1e-5 * max(1, scale) else {
            throw MartletError(
                .defect, "serving.reasons-sum", "The reasons add up to \(sum), the margin is \(margin).")
        }
    }

    /// Indices of the columns, the largest contributions first.
    var ranked: [Int] {
        contributions.indices.sorted { abs(contributions[$0]) > abs(contributions[$1]) }
    }
}
