extension ScoredRows {
    static let bins = 15

    /// The debiased calibration error in its L2 form, and a 95 % interval of what it estimates.
    ///
    /// Bins of equal mass, cut as `numpy.array_split` cuts the rows in stable ascending order. The estimate is the root
    /// of the weighted sum over the bins of the squared gap less its sampling variance y(1 - y)/(n - 1) (Kumar et al.
    /// 2019, "Verified uncertainty calibration", 4.2; Roelofs et al. 2022, "Mitigating bias in calibration error
    /// estimation"). Single bins may be below 0, the sum counts as at least 0. Rows that come in clusters have the
    /// variance of their clusters' sums.
    ///
    /// The interval holds each error for which the observed sum is not in a tail of its distribution: see
    /// `DebiasedSum`. `nil` ends for a single cluster.
    func calibrationError() -> Estimate {
        let sum = DebiasedSum(self)
        let value = max(0, sum.value).squareRoot()
        guard clusters > 1 else { return Estimate(value) }
        let (low, high) = sum.interval()
        return Estimate(value, low: low, high: high)
    }
}

/// The debiased sum over the calibration bins, with its distribution for a given calibration error.
///
/// In a bin with the mean score p and the share of positives y, the term (p - y)^2 - y(1 - y)/(n - 1) is quadratic in y,
/// whose distribution is nearly normal: the sum is that of scaled noncentral chi-squares of one degree of freedom. Its
/// first three cumulants give a chi-square with a shift (Pearson 1959; Imhof 1961, "Computing the distribution of
/// quadratic forms in normal variables"), and Wilson and Hilferty (1931) its quantiles. How the error is spread over the
/// bins, which cumulants beyond the first depend on, is taken from the observed gaps.
private struct DebiasedSum {
    /// Unbiased for the squared error; may be below 0.
    private(set) var value = 0.0
    /// Sums over the bins of the square and the cube of a term's scale: the cumulants where there is no error.
    private var square = 0.0
    private var cube = 0.0
    /// What an error e adds to these: the coefficients of e^2, e and 1.
    private var squareByError = SIMD3<Double>.zero
    private var cubeByError = SIMD3<Double>.zero

    private struct Bin {
        var rows = 0.0
        var score = 0.0
        var share = 0.0
        var variance: Double { share * (1 - share) / max(1, rows - 1) }
        var gap: Double { share - score }
    }

    init(_ scored: ScoredRows) {
        let total = Double(scored.rows.count)
        var bins: [Bin] = []
        var effect = DesignEffect(clusters: scored.clusters, rows: scored.rows.count)
        var start = 0
        for number in 0..<ScoredRows.bins {
            let size =
                scored.rows.count / ScoredRows.bins + (number < scored.rows.count % ScoredRows.bins ? 1 : 0)
            guard size > 0 else { continue }
            let rows = scored.rows[start..<(start + size)]
            start += size
            var bin = Bin(rows: Double(size))
            for row in rows {
                bin.score += row.probability
                bin.share += Double(row.flags & 1)
            }
            bin.score /= bin.rows
            bin.share /= bin.rows
            bins.append(bin)
            effect.add(rows, mean: bin.score - bin.share)
        }
        let inBins = effect.inBins
        let overall = max(inBins, effect.overall(scored.rows))
        let length = bins.reduce(0) { $0 + $1.rows / total * $1.gap * $1.gap }.squareRoot()
        for bin in bins {
            let weight = bin.rows / total
            value += weight * (bin.gap * bin.gap - inBins * bin.variance)
            // A single row says nothing of its variance.
            let variance = bin.rows > 1 ? bin.variance : bin.score * (1 - bin.score)
            let bent = weight * (1 + 1 / max(1, bin.rows - 1))
            let scale = bent * variance * inBins
            square += scale * scale
            cube += scale * scale * scale
            // The term's vertex lies beside the score by this much.
            let aside = (bin.score - 0.5) / bin.rows
            let direction = length > 0 ? bin.gap / length : 0
            let form = SIMD3(direction * direction, 2 * direction * aside, aside * aside)
            let felt = bent * variance * overall
            squareByError += form * (bent * felt)
            cubeByError += form * (bent * felt * felt)
        }
    }

    private static let z = 1.959963984540054

    /// The errors at which the sum lies between the 2.5 % and the 97.5 % point of its distribution. Towards 0 the lower
    /// point goes to the distribution's end, so that no sum, however small, leaves the interval empty.
    func interval() -> (low: Double, high: Double) {
        let spread = (2 * square).squareRoot()
        guard spread > 0 else {
            let error = min(1, max(0, value).squareRoot())
            return (error, error)
        }
        let low = least { point($0, Self.z) >= value }
        let high = least { point($0, -Self.z - 0.02 * spread / max($0 * $0, .leastNormalMagnitude)) > value }
        return (low, high)
    }

    /// The point of the distribution, for an error, that a normal deviate stands for.
    private func point(_ error: Double, _ deviate: Double) -> Double {
        let powers = SIMD3(error * error, error, 1)
        let second = square + 2 * (squareByError * powers).sum()
        let third = cube + 3 * (cubeByError * powers).sum()
        let degrees = second * second * second / (third * third)
        let root = 1 - 2 / (9 * degrees) + deviate * (2 / (9 * degrees)).squareRoot()
        let quantile = degrees * max(0, root * root * root)
        return error * error + (quantile - degrees) * (second / degrees).squareRoot()
    }

    /// The least error from 0 to 1 from which on the condition holds; 1 if it never does.
    private func least(_ holds: (Double) -> Bool) -> Double {
        if holds(0) { return 0 }
        var (below, above) = (0.0, 1.0)
        for _ in 0..<50 {
            let middle = (below + above) / 2
            if holds(middle) { above = middle } else { below = middle }
        }
        return above
    }
}

/// Design effect: how much clustered rows increase the variance of the mean of score less outcome.
///
/// 1 for single rows (Kish 1965, "Survey sampling", 8.2).
private struct DesignEffect {
    private let isSingle: Bool
    private let rows: Double
    private var sums: [Double]
    private var touched: [UInt32] = []
    private var clustered = 0.0
    private var naive = 0.0

    init(clusters: Int, rows: Int) {
        isSingle = clusters == rows
        self.rows = Double(rows)
        sums = isSingle ? [] : [Double](repeating: 0, count: clusters)
    }

    /// Takes the rows of one bin, whose mean of score less outcome is given.
    mutating func add(_ bin: ArraySlice<ScoredRows.Row>, mean: Double) {
        if isSingle { return }
        let (own, byCluster) = spread(bin, mean)
        naive += own / Double(bin.count)
        clustered += byCluster / Double(bin.count)
    }

    /// Within the bins.
    var inBins: Double { isSingle || naive <= 0 ? 1 : max(1, clustered / naive) }

    /// Of the mean over all rows.
    mutating func overall(_ rows: [ScoredRows.Row]) -> Double {
        if isSingle { return 1 }
        let mean = rows.reduce(0) { $0 + $1.probability - Double($1.flags & 1) } / self.rows
        let (own, byCluster) = spread(rows[...], mean)
        return own > 0 ? byCluster / own : 1
    }

    private mutating func spread(_ rows: ArraySlice<ScoredRows.Row>, _ mean: Double) -> (Double, Double) {
        var own = 0.0
        for row in rows {
            let error = row.probability - Double(row.flags & 1) - mean
            own += error * error
            if sums[Int(row.cluster)] == 0 { touched.append(row.cluster) }
            sums[Int(row.cluster)] += error
        }
        var byCluster = 0.0
        for cluster in touched {
            byCluster += sums[Int(cluster)] * sums[Int(cluster)]
            sums[Int(cluster)] = 0
        }
        touched.removeAll(keepingCapacity: true)
        return (own, byCluster)
    }
}
