internal import Core

/// Settings of a percentile bootstrap over clusters, for the intervals of metrics.
///
/// Every replicate draws as many clusters as there are, with replacement, and takes all rows of a drawn cluster
/// (Davison & Hinkley 1997, "Bootstrap Methods and their Application", 3.8).
package struct Bootstrap: Sendable, Equatable, Codable {
    /// Number of resamples.
    package var replicates: Int
    /// Seed of the draws: the same seed and rows give the same intervals. 42 by default.
    package var seed: Int

    package init(replicates: Int = 1000, seed: Int = 42) {
        self.replicates = replicates
        self.seed = seed
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            replicates: try container.decode(.replicates, or: 1000), seed: try container.decode(.seed, or: 42))
    }

    private enum CodingKeys: String, CodingKey { case replicates, seed }

    /// The 95 % intervals of figures; `nil` for one that has none.
    /// - Parameters:
    ///   - clusters: number of clusters. A single one has no intervals.
    ///   - figures: how many `measure` returns.
    ///   - measure: the figures of rows that count as often as their cluster was drawn.
    func intervals(
        clusters: Int, figures: Int, _ measure: (_ counts: UnsafeBufferPointer<UInt16>) -> [Double?]
    ) -> [Interval?] {
        guard replicates > 0, clusters > 1 else { return [Interval?](repeating: nil, count: figures) }
        var values = [[Double]](repeating: [], count: figures)
        var generator = SeededGenerator(seed: seed, stream: 0)
        var counts = [UInt16](repeating: 0, count: clusters)
        for _ in 0..<replicates {
            counts.withUnsafeMutableBufferPointer { draw(into: $0, &generator) }
            for (place, value) in counts.withUnsafeBufferPointer(measure).enumerated() {
                if let value { values[place].append(value) }
            }
        }
        return values.map { Interval(percentilesOf: $0, replicates: replicates) }
    }

    /// Numbers the clusters of rows by first appearance.
    static func clusters(_ names: [String]) -> [UInt32] {
        var known: [ByteText: UInt32] = [:]
        known.reserveCapacity(names.count)
        return names.map { name in
            let name = ByteText(name)
            if let number = known[name] { return number }
            let number = UInt32(known.count)
            known[name] = number
            return number
        }
    }

    private func draw(into counts: UnsafeMutableBufferPointer<UInt16>, _ generator: inout SeededGenerator) {
        counts.update(repeating: 0)
        let bound = UInt32(counts.count)
        for _ in 0..<counts.count { counts[Int(generator.below(bound))] &+= 1 }
    }
}

extension Estimate {
    /// A value with its interval; an undefined one has none.
    init(_ value: Double?, within interval: Interval?) {
        self.init(value, low: value == nil ? nil : interval?.low, high: value == nil ? nil : interval?.high)
    }
}

/// The 2.5 % and 97.5 % points.
struct Interval: Sendable, Equatable {
    var low: Double
    var high: Double

    /// Percentiles with linear interpolation (type 7 of Hyndman & Fan 1996, numpy's default) over the replicates in
    /// which the metric is defined; `nil` if that is fewer than half of them.
    init?(percentilesOf values: [Double], replicates: Int) {
        guard !values.isEmpty, values.count * 2 >= replicates else { return nil }
        let sorted = values.sorted()
        func point(_ share: Double) -> Double {
            let place = share * Double(sorted.count - 1)
            let below = Int(place)
            let above = min(below + 1, sorted.count - 1)
            return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
        }
        low = point(0.025)
        high = point(0.975)
    }
}
