internal import Core

/// A fitted monotone map from a learner's raw probabilities to calibrated ones.
///
/// ```swift
/// let calibration = try Calibration.fit(.platt, labels: labels, probabilities: raw)
/// let probability = calibration.apply(0.3)
/// ```
package enum Calibration: Sendable, Equatable {
    /// The calibration method.
    package enum Kind: String, Sendable, Codable, CaseIterable { case none, platt, isotonic }

    case none
    /// sigmoid(slope * logit(p) + intercept).
    case platt(slope: Double, intercept: Double)
    /// Linear interpolation between the points (x ascending), constant beyond the first and last.
    case isotonic(x: [Double], y: [Double])

    /// The method of this calibration.
    package var kind: Kind {
        switch self {
        case .none: .none
        case .platt: .platt
        case .isotonic: .isotonic
        }
    }

    /// Returns the calibrated probability of a raw one.
    package func apply(_ p: Double) -> Double {
        switch self {
        case .none: p
        case .platt(let slope, let intercept):
            LogisticLine.sigmoid(slope * LogisticLine.logit(p, margin: Self.margin) + intercept)
        case .isotonic(let x, let y): Self.interpolate(p, x, y)
        }
    }

    /// Returns the calibrated probabilities of raw ones.
    package func apply(_ probabilities: [Double]) -> [Double] {
        self == .none ? probabilities : probabilities.map { apply($0) }
    }

    /// Fits a calibration on held-out rows. Throws for rows of one class.
    package static func fit(_ kind: Kind, labels: [UInt8], probabilities: [Double]) throws -> Calibration {
        if kind == .none { return .none }
        guard labels.count == probabilities.count, probabilities.allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
            throw MartletError(
                .input, "calibration.probability", "calibration was given values that are not probabilities")
        }
        let positives = labels.count { $0 == 1 }
        guard positives > 0, positives < labels.count else {
            throw MartletError(
                .input, "calibration.single-class",
                "calibration needs rows of both classes; \(positives) of \(labels.count) are positive")
        }
        return kind == .platt ? try platt(labels, probabilities) : isotonic(labels, probabilities)
    }

    /// Raw probabilities are clipped to [margin, 1 - margin] before the logit.
    ///
    /// So a forest's exact 0 or 1 does not determine the whole line.
    package static let margin = 1e-9

    /// Platt 1999, "Probabilistic outputs for support vector machines", section 2.2: targets (N+ + 1) / (N+ + 2) and
    /// 1 / (N- + 2), here on the logit of the raw probability.
    private static func platt(_ labels: [UInt8], _ probabilities: [Double]) throws -> Calibration {
        let positives = Double(labels.count { $0 == 1 })
        let negatives = Double(labels.count) - positives
        let targets = labels.map { $0 == 1 ? (positives + 1) / (positives + 2) : 1 / (negatives + 2) }
        let logits = probabilities.map { LogisticLine.logit($0, margin: margin) }
        guard let line = LogisticLine.fit(logits, targets: targets) else {
            throw MartletError(
                .input, "calibration.no-fit",
                "Platt calibration found no line: the model gives all calibration rows the same probability",
                remedy: "check the features, or use calibration: none")
        }
        return .platt(slope: line.slope, intercept: line.intercept)
    }

    /// Pool adjacent violators (Barlow et al. 1972; Zadrozny & Elkan 2002), equal probabilities pooled first. Of each
    /// block the first and last probability are kept as points, as scikit-learn's `IsotonicRegression` does.
    private static func isotonic(_ labels: [UInt8], _ probabilities: [Double]) -> Calibration {
        var blocks: [(first: Double, last: Double, positives: Int, rows: Int)] = []
        var distinct: [(p: Double, positives: Int, rows: Int)] = []
        for row in ScoredRows.ascending(probabilities) {
            if distinct.last?.p != probabilities[row] { distinct.append((probabilities[row], 0, 0)) }
            distinct[distinct.count - 1].positives += Int(labels[row])
            distinct[distinct.count - 1].rows += 1
        }
        for (p, positives, rows) in distinct {
            var block = (first: p, last: p, positives: positives, rows: rows)
            while let before = blocks.last, before.positives * block.rows >= block.positives * before.rows {
                block = (
                    before.first, block.last, before.positives + block.positives, before.rows + block.rows
                )
                blocks.removeLast()
            }
            blocks.append(block)
        }
        var x: [Double] = []
        var y: [Double] = []
        for block in blocks {
            let share = Double(block.positives) / Double(block.rows)
            for p in block.first == block.last ? [block.first] : [block.first, block.last] {
                x.append(p)
                y.append(share)
            }
        }
        return .isotonic(x: x, y: y)
    }

    private static func interpolate(_ p: Double, _ x: [Double], _ y: [Double]) -> Double {
        guard let first = x.first, let last = x.last else { return p }
        if p <= first { return y[0] }
        if p >= last { return y[y.count - 1] }
        var low = 0
        var high = x.count - 1
        while high - low > 1 {
            let middle = (low + high) / 2
            if x[middle] <= p { low = middle } else { high = middle }
        }
        return y[low] + (y[high] - y[low]) * ((p - x[low]) / (x[high] - x[low]))
    }
}

extension Calibration: Codable {
    private enum CodingKeys: String, CodingKey { case kind, slope, intercept, x, y }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Kind.self, forKey: .kind) {
        case .none: self = .none
        case .platt:
            self = .platt(
                slope: try container.decode(Double.self, forKey: .slope),
                intercept: try container.decode(Double.self, forKey: .intercept))
        case .isotonic:
            let x = try container.decode([Double].self, forKey: .x)
            let y = try container.decode([Double].self, forKey: .y)
            guard x.count == y.count, !x.isEmpty else {
                throw DecodingError.dataCorruptedError(
                    forKey: .y, in: container, debugDescription: "x and y must have the same length, at least 1")
            }
            self = .isotonic(x: x, y: y)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        switch self {
        case .none: break
        case .platt(let slope, let intercept):
            try container.encode(slope, forKey: .slope)
            try container.encode(intercept, forKey: .intercept)
        case .isotonic(let x, let y):
            try container.encode(x, forKey: .x)
            try container.encode(y, forKey: .y)
        }
    }
}
