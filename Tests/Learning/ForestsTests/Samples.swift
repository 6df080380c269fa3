import Core

/// Made-up training data with what makes forests awkward: ties, zeros, missing values, categories.
struct Samples {
    static let columns = 6
    let rows: Int
    /// Row after row; the last column holds category codes.
    let values: [Double]
    let labels: [UInt8]

    init(rows: Int, seed: UInt64, missing: Bool = true) {
        var generator = SeededGenerator(seed: seed)
        func uniform() -> Double { Double.random(in: 0..<1, using: &generator) }
        var values: [Double] = []
        var labels: [UInt8] = []
        for _ in 0..<rows {
            var row = [
                uniform() - 0.5, (uniform() * 20).rounded() / 10 - 1, uniform() < 0.6 ? 0 : uniform() - 0.3,
                uniform() * 1e-38, (uniform() * 3).rounded() - 1, (uniform() * 40).rounded(),
            ]
            let signal = row[0] * 3 + row[1] * row[2] * 4 + (Int(row[5]) % 3 == 0 ? 0.7 : -0.5) + row[3] * 1e38
            labels.append(uniform() + uniform() - 1 < signal / 2 ? 1 : 0)
            if missing { for column in row.indices where uniform() < 0.05 { row[column] = .nan } }
            values += row
        }
        self.rows = rows
        self.values = values
        self.labels = labels
    }

    /// Rows turned into columns, one after the other, as LightGBM's face takes them.
    static func byColumn(_ values: [Double]) -> [Double] {
        (0..<columns).flatMap { column in
            stride(from: column, to: values.count, by: columns).map { values[$0] }
        }
    }

    /// The rows with cells replaced by thresholds of the model and by numbers at the edges.
    func probes(seed: UInt64, thresholds: [Double], infinities: Bool = true) -> [Double] {
        var generator = SeededGenerator(seed: seed)
        var edges = [0, -0.0, 1e-35, -1e-35, 1.0000000180025095e-35, 5e-324, 1e-40, .nan, -0.5, 31, 32, 1e6, -7]
        if infinities { edges += [.infinity, -.infinity, 1e300] }
        edges += thresholds + thresholds.map(\.nextUp) + thresholds.map(\.nextDown)
        return values.map {
            Int.random(in: 0..<4, using: &generator) == 0
                ? edges[Int.random(in: 0..<edges.count, using: &generator)] : $0
        }
    }
}
