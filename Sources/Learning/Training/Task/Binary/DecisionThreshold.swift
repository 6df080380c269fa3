internal import Core

/// Rule for choosing the decision threshold: least cost on held-out rows, theoretical, or fixed.
package enum ThresholdRule: Sendable, Equatable {
    /// The least expected cost on held-out rows.
    case cost(Costs)
    /// cFP / (cFP + cFN), which costs least if the probabilities are calibrated: no sampling error of held-out rows.
    case theoretical(Costs)
    case fixed(Double)

    /// The costs of wrong decisions, where the rule has them.
    package var costs: Costs? {
        switch self {
        case .cost(let costs), .theoretical(let costs): costs
        case .fixed: nil
        }
    }
}

/// A decision threshold: rows with a probability at or above it are predicted positive.
package struct DecisionThreshold: Sendable, Equatable, Codable {
    /// Least calibrated probability that is predicted positive; just above all held-out ones if none should be.
    package let value: Double
    /// The costs from which it was chosen; `nil` for a fixed one.
    package let costs: Costs?
    /// cFP / (cFP + cFN): the threshold for perfectly calibrated probabilities.
    ///
    /// A chosen one far from it is a sign of poor calibration.
    package let theoretical: Double?

    package init(value: Double, costs: Costs? = nil) {
        self.value = value
        self.costs = costs
        theoretical = costs?.theoreticalThreshold
    }

    /// Makes a fixed threshold; throws outside 0...1.
    package static func fixed(_ value: Double) throws -> DecisionThreshold {
        guard value >= 0, value <= 1 else {
            throw MartletError(.input, "threshold.range", "the threshold must be from 0 to 1; it is \(value)")
        }
        return DecisionThreshold(value: value)
    }

    /// Finds the threshold of least cost on held-out rows.
    ///
    /// Candidates are the distinct probabilities, the theoretical threshold and one above all rows; of equal cost the
    /// one nearest the theoretical threshold is taken.
    package static func leastCost(
        _ costs: Costs, labels: [UInt8], probabilities: [Double]
    ) throws -> DecisionThreshold {
        guard costs.falseNegative > 0, costs.falsePositive > 0, costs.theoreticalThreshold.isFinite else {
            throw MartletError(
                .input, "threshold.costs",
                "the costs of a false negative (\(costs.falseNegative)) and of a false positive "
                    + "(\(costs.falsePositive)) must be above 0")
        }
        let scored = try ScoredRows(labels: labels, probabilities: probabilities, threshold: 0)
        let theoretical = costs.theoreticalThreshold
        var candidates = Array(scored.rows.map(\.probability))
        candidates.append((candidates.last ?? 1).nextUp)
        candidates.append(theoretical)
        candidates.sort()
        var best = (cost: Double.infinity, threshold: theoretical)
        var missed = 0
        var alarms = scored.rows.count { $0.flags & 1 == 0 }
        var next = 0
        for (place, candidate) in candidates.enumerated() {
            if place > 0, candidate == candidates[place - 1] { continue }
            while next < scored.rows.count, scored.rows[next].probability < candidate {
                if scored.rows[next].flags & 1 == 1 { missed += 1 } else { alarms -= 1 }
                next += 1
            }
            let cost = costs.falseNegative * Double(missed) + costs.falsePositive * Double(alarms)
            let nearer = abs(candidate - theoretical) < abs(best.threshold - theoretical)
            if cost < best.cost || (cost == best.cost && nearer) { best = (cost, candidate) }
        }
        return DecisionThreshold(value: best.threshold, costs: costs)
    }
}

extension ThresholdRule: Codable {
    private enum CodingKeys: String, CodingKey { case cost, theoretical, fixed }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let costs = try container.decodeIfPresent(Costs.self, forKey: .cost) {
            self = .cost(costs)
        } else if let costs = try container.decodeIfPresent(Costs.self, forKey: .theoretical) {
            self = .theoretical(costs)
        } else {
            self = .fixed(try container.decode(Double.self, forKey: .fixed))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .cost(let costs): try container.encode(costs, forKey: .cost)
        case .theoretical(let costs): try container.encode(costs, forKey: .theoretical)
        case .fixed(let value): try container.encode(value, forKey: .fixed)
        }
    }
}
