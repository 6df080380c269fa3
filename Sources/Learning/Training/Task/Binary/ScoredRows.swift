internal import CLibrary
internal import Core

/// Labelled rows sorted by probability, with each row's losses, for repeated weighted passes.
struct ScoredRows: Sendable {
    struct Row: Sendable {
        var probability: Double
        var logLoss: Double
        var squaredError: Double
        var cluster: UInt32
        /// Bit 0 the label, bit 1 set on the last row of a run of equal probabilities.
        var flags: UInt32
    }

    /// Ascending by (probability, original row).
    let rows: [Row]
    /// Clusters 0 ..< count, numbered by first appearance.
    let clusters: Int
    /// The first row with a probability at or above the threshold.
    let cut: Int
    let threshold: Double

    /// - Parameter clusters: the resampling unit of every row; `nil` takes every row by itself.
    init(labels: [UInt8], probabilities: [Double], threshold: Double, clusters: [UInt32]? = nil) throws {
        guard labels.count == probabilities.count, clusters.map({ $0.count == labels.count }) ?? true else {
            throw MartletError(.defect, "metrics.ragged", "labels, probabilities and clusters differ in length")
        }
        guard !labels.isEmpty else {
            throw MartletError(.input, "metrics.no-rows", "there are no rows to evaluate")
        }
        guard labels.allSatisfy({ $0 <= 1 }) else {
            throw MartletError(.defect, "metrics.label", "a label is neither 0 nor 1")
        }
        if let bad = probabilities.firstIndex(where: { !($0 >= 0 && $0 <= 1) }) {
            throw MartletError(
                .input, "metrics.probability",
                "row \(bad + 1) has the probability \(probabilities[bad]), which is not a number from 0 to 1")
        }
        let order = Self.ascending(probabilities)
        var rows: [Row] = []
        rows.reserveCapacity(order.count)
        for (place, row) in order.enumerated() {
            let p = probabilities[row]
            let last = place + 1 == order.count || probabilities[order[place + 1]] != p
            let error = p - Double(labels[row])
            rows.append(
                Row(
                    probability: p, logLoss: Self.logLoss(p, labels[row]), squaredError: error * error,
                    cluster: clusters?[row] ?? UInt32(row), flags: UInt32(labels[row]) | (last ? 2 : 0)))
        }
        self.rows = rows
        self.clusters = clusters.map { ($0.max().map(Int.init) ?? -1) + 1 } ?? labels.count
        self.threshold = threshold
        cut = rows.firstIndex { $0.probability >= threshold } ?? rows.count
    }

    /// The rows in stable ascending order of the values.
    static func ascending(_ values: [Double]) -> [Int] {
        values.indices.sorted { values[$0] != values[$1] ? values[$0] < values[$1] : $0 < $1 }
    }

    /// -log of the probability of what happened, clipped to [eps, 1 - eps] with the epsilon of a double, as
    /// scikit-learn's `log_loss` does.
    static func logLoss(_ p: Double, _ label: UInt8) -> Double {
        let likelihood = label == 1 ? p : 1 - p
        return -log(min(max(likelihood, .ulpOfOne), 1 - .ulpOfOne))
    }
}
