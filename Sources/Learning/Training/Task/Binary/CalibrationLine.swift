/// Slope and intercept of the logistic regression of the outcome on the logit of the probability (Cox 1958; Van
/// Calster et al. 2019, "Calibration: the Achilles heel of predictive analytics").
struct CalibrationLine: Sendable {
    let slope: Estimate
    let intercept: Estimate

    /// Probabilities are clipped to [eps, 1 - eps]. The interval is +-1.96 standard errors of the cluster-robust
    /// sandwich with the factor G / (G - 1) (Liang & Zeger 1986; Cameron & Miller 2015, section II). Undefined for one
    /// class, equal probabilities or classes apart without overlap.
    init(labels: [UInt8], probabilities: [Double], clusters: [UInt32]?) {
        let x = probabilities.map { LogisticLine.logit($0, margin: .ulpOfOne) }
        let outcomes = labels.map(Double.init)
        let positives = labels.count { $0 == 1 }
        guard positives > 0, positives < labels.count, let line = LogisticLine.fit(x, targets: outcomes) else {
            slope = Estimate(nil)
            intercept = Estimate(nil)
            return
        }
        let count = clusters.map { ($0.max().map(Int.init) ?? -1) + 1 } ?? labels.count
        guard count > 1 else {
            slope = Estimate(line.slope)
            intercept = Estimate(line.intercept)
            return
        }
        var scores = [(Double, Double)](repeating: (0, 0), count: count)
        for row in x.indices {
            let error = LogisticLine.sigmoid(line.slope * x[row] + line.intercept) - outcomes[row]
            let cluster = clusters.map { Int($0[row]) } ?? row
            scores[cluster].0 += error * x[row]
            scores[cluster].1 += error
        }
        let (a, b, d) = line.derivatives(x, outcomes).hessian
        let determinant = a * d - b * b
        var variance = (0.0, 0.0)
        for (s, t) in scores {
            let alongSlope = (d * s - b * t) / determinant
            let alongIntercept = (a * t - b * s) / determinant
            variance.0 += alongSlope * alongSlope
            variance.1 += alongIntercept * alongIntercept
        }
        let factor = Double(count) / Double(count - 1)
        let slopeReach = 1.959963984540054 * (variance.0 * factor).squareRoot()
        let interceptReach = 1.959963984540054 * (variance.1 * factor).squareRoot()
        slope = Estimate(line.slope, low: line.slope - slopeReach, high: line.slope + slopeReach)
        intercept = Estimate(
            line.intercept, low: line.intercept - interceptReach, high: line.intercept + interceptReach)
    }
}
