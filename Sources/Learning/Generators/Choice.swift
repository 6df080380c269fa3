internal import Core

/// A value with its frequency and its effect on the log-odds of the label.
struct Level: Sendable {
    let value: String
    let weight: Double
    let effect: Double

    init(_ value: String, _ weight: Double, _ effect: Double = 0) {
        self.value = value
        self.weight = weight
        self.effect = effect
    }
}

/// Draws one of several levels by their weights.
struct Choice: Sendable {
    let levels: [Level]
    private let cumulative: [Double]

    init(_ levels: [Level]) {
        self.levels = levels
        var sum = 0.0
        cumulative = levels.map { level in
            sum += level.weight
            return sum
        }
    }

    func draw(_ random: inout SeededGenerator) -> Int {
        guard let total = cumulative.last else { return 0 }
        let u = random.uniform() * total
        return cumulative.firstIndex { u < $0 } ?? levels.count - 1
    }
}

/// A distribution given by its quantiles, linear between them.
struct Quantiles: Sendable {
    private let points: [(share: Double, value: Double)]

    /// - Parameter points: share (0 first, 1 last) and the value below which that share lies, rising.
    init(_ points: [(share: Double, value: Double)]) { self.points = points }

    /// The value at a share; shares outside 0...1 give the ends.
    func value(at share: Double) -> Double {
        guard let first = points.first, let last = points.last else { return 0 }
        if share <= first.share { return first.value }
        for (low, high) in zip(points, points.dropFirst()) where share <= high.share {
            return low.value + (high.value - low.value) * (share - low.share) / (high.share - low.share)
        }
        return last.value
    }

    func draw(_ random: inout SeededGenerator) -> Double { value(at: random.uniform()) }
}

/// The natural exponential by halving and Taylor's series: the same bits under every mathematics library.
func exponential(_ x: Double) -> Double {
    let halvings = 10
    let small = x / 1024
    var term = 1.0
    var sum = 1.0
    for n in 1...12 {
        term *= small / Double(n)
        sum += term
    }
    for _ in 0..<halvings { sum *= sum }
    return sum
}

/// The probability of log-odds `x`.
func logistic(_ x: Double) -> Double { 1 / (1 + exponential(-x)) }
