internal import Core

/// Distributions with their real tails. They need only arithmetic and square roots, which IEEE 754 fixes to the bit,
/// so the same seed gives the same values under every mathematics library.
extension SeededGenerator {
    /// Uniform in the open interval (0, 1), symmetric about 1/2.
    mutating func openUniform() -> Double { (Double(next() >> 12) + 0.5) * 0x1p-52 }

    /// Uniform in low ..< high.
    mutating func drawUniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

    /// Normal, by the polar method (Marsaglia and Bray, SIAM Review 6(3), 1964); the second value is dropped.
    mutating func drawNormal(mean: Double = 0, deviation: Double = 1) -> Double {
        while true {
            let x = 2 * openUniform() - 1
            let y = 2 * openUniform() - 1
            let square = x * x + y * y
            guard square < 1, square > 0 else { continue }
            return mean + deviation * x * (-2 * logarithm(square) / square).squareRoot()
        }
    }

    /// Exponential with the given mean.
    mutating func drawExponential(mean: Double) -> Double { -mean * logarithm(openUniform()) }

    /// Standard logistic: the log-odds of a uniform.
    mutating func drawLogistic() -> Double {
        let u = openUniform()
        return logarithm(u / (1 - u))
    }

    /// Poisson by counting uniforms whose product stays above e^-mean (Knuth): for small means.
    mutating func drawPoisson(_ mean: Double) -> Int {
        let limit = exponential(-mean)
        var product = uniform()
        var count = 0
        while product > limit {
            product *= uniform()
            count += 1
        }
        return count
    }
}

/// The natural logarithm of a positive, normal number: 2 artanh((m - 1) / (m + 1)) of its significand m scaled to
/// sqrt(1/2) ... sqrt(2), plus the exponent times ln 2.
func logarithm(_ x: Double) -> Double {
    var significand = x.significand
    var exponent = Double(x.exponent)
    if significand > 1.414_213_562_373_095_1 {
        significand /= 2
        exponent += 1
    }
    let ratio = (significand - 1) / (significand + 1)
    let square = ratio * ratio
    var sum = 0.0
    for n in stride(from: 21, through: 1, by: -2) { sum = sum * square + 1 / Double(n) }
    return exponent * 0.693_147_180_559_945_3 + 2 * ratio * sum
}

/// The sine of an angle given in full turns, by Taylor's series in the first quarter.
func sine(turns: Double) -> Double {
    var rest = turns - turns.rounded(.toNearestOrAwayFromZero)
    if rest > 0.25 { rest = 0.5 - rest }
    if rest < -0.25 { rest = -0.5 - rest }
    let x = rest * 2 * Double.pi
    var term = x
    var sum = x
    for n in 1...10 {
        term *= -x * x / Double(2 * n * (2 * n + 1))
        sum += term
    }
    return sum
}

/// `base` to the power `exponent`, for a base of at least zero.
func power(_ base: Double, _ exponent: Double) -> Double {
    base > 0 ? exponential(exponent * logarithm(base)) : 0
}

/// The standard normal by its quantiles: the density is summed by Simpson's rule over steps of 1/100 between ±6, and
/// taken to be straight between them.
struct NormalQuantiles: Sendable {
    private static let steps = 1_200
    private let cumulative: [Double]

    init() {
        func density(_ z: Double) -> Double { exponential(-z * z / 2) }
        var sum = 0.0
        var sums = [0.0]
        for step in 0..<Self.steps {
            let z = Double(step) / 100 - 6
            sum += density(z) + 4 * density(z + 0.005) + density(z + 0.01)
            sums.append(sum)
        }
        cumulative = sums.map { $0 / sum }
    }

    /// The value below which a share of the distribution lies; shares outside 0...1 give the ends.
    func value(at share: Double) -> Double {
        var low = 0
        var high = Self.steps
        while high - low > 1 {
            let middle = (low + high) / 2
            if share < cumulative[middle] { high = middle } else { low = middle }
        }
        let part = (share - cumulative[low]) / (cumulative[high] - cumulative[low])
        return (Double(low) + min(max(part, 0), 1)) / 100 - 6
    }
}
