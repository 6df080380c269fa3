internal import CLibrary

/// P(y = 1) = sigmoid(slope * x + intercept), fitted by maximum likelihood.
struct LogisticLine: Sendable, Equatable {
    var slope: Double
    var intercept: Double

    /// The inverse logistic function; overflows to neither side.
    static func sigmoid(_ z: Double) -> Double {
        if z >= 0 { return 1 / (1 + exp(-z)) }
        let e = exp(z)
        return e / (1 + e)
    }

    /// log(p / (1 - p)) of a probability clipped to [margin, 1 - margin].
    static func logit(_ p: Double, margin: Double) -> Double {
        let clipped = min(max(p, margin), 1 - margin)
        return log(clipped / (1 - clipped))
    }

    /// Newton's method with a step halved until the likelihood improves (Lin, Lin & Weng 2007, "A note on Platt's
    /// probabilistic outputs for support vector machines", algorithm 1).
    /// - Parameters:
    ///   - x: one value a row.
    ///   - targets: the outcome of each row, or a smoothed one, from 0 to 1.
    /// - Returns: `nil` where no finite maximum was found: x constant, or classes apart without overlap.
    static func fit(_ x: [Double], targets: [Double]) -> LogisticLine? {
        guard let first = x.first, x.contains(where: { $0 != first }) else { return nil }
        let mean = min(max(targets.reduce(0, +) / Double(targets.count), 1e-12), 1 - 1e-12)
        var line = LogisticLine(slope: 0, intercept: log(mean / (1 - mean)))
        var loss = line.loss(x, targets)
        for _ in 0..<100 {
            let (gradient, hessian) = line.derivatives(x, targets)
            let determinant = hessian.0 * hessian.2 - hessian.1 * hessian.1
            guard determinant > 0, determinant.isFinite else { return nil }
            let slopeStep = -(hessian.2 * gradient.0 - hessian.1 * gradient.1) / determinant
            let interceptStep = -(hessian.0 * gradient.1 - hessian.1 * gradient.0) / determinant
            // Newton's error squares with each step, so after a step this small only rounding is left.
            if abs(slopeStep) <= 1e-7 * (1 + abs(line.slope)),
                abs(interceptStep) <= 1e-7 * (1 + abs(line.intercept))
            {
                return LogisticLine(slope: line.slope + slopeStep, intercept: line.intercept + interceptStep)
            }
            var size = 1.0
            while true {
                let next = LogisticLine(
                    slope: line.slope + size * slopeStep, intercept: line.intercept + size * interceptStep)
                let nextLoss = next.loss(x, targets)
                if nextLoss < loss {
                    (line, loss) = (next, nextLoss)
                    break
                }
                size /= 2
                // No step improves the loss any more: rounding is all that is left.
                if size < 1e-10 { return abs(line.slope) < 1e6 ? line : nil }
            }
            guard abs(line.slope) < 1e6 else { return nil }
        }
        return nil
    }

    /// Negative log likelihood.
    private func loss(_ x: [Double], _ targets: [Double]) -> Double {
        var sum = 0.0
        for row in x.indices {
            let z = slope * x[row] + intercept
            sum += (z >= 0 ? (1 - targets[row]) * z : -targets[row] * z) + log1p(exp(-abs(z)))
        }
        return sum
    }

    /// Gradient by (slope, intercept) and Hessian (slope slope, slope intercept, intercept intercept).
    func derivatives(
        _ x: [Double], _ targets: [Double]
    ) -> (gradient: (Double, Double), hessian: (Double, Double, Double)) {
        var gradient = (0.0, 0.0)
        var hessian = (0.0, 0.0, 0.0)
        for row in x.indices {
            let p = Self.sigmoid(slope * x[row] + intercept)
            let error = p - targets[row]
            let curvature = p * (1 - p)
            gradient.0 += error * x[row]
            gradient.1 += error
            hessian.0 += curvature * x[row] * x[row]
            hessian.1 += curvature * x[row]
            hessian.2 += curvature
        }
        return (gradient, hessian)
    }
}
