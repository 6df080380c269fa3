internal import Core

/// Bounds that divide probabilities into bands: low below `medium`, medium below `high`, high from there on.
package struct RiskBands: Sendable, Equatable, Codable {
    /// A named range of probability.
    package enum Band: String, Sendable, Codable, CaseIterable { case low, medium, high }

    /// Lowest probability of the medium band.
    package let medium: Double
    /// Lowest probability of the high band.
    package let high: Double

    package init(medium: Double, high: Double) {
        self.medium = medium
        self.high = high
    }

    /// Returns the band of a probability.
    package func band(of probability: Double) -> Band {
        probability >= high ? .high : probability >= medium ? .medium : .low
    }

    /// Throws unless 0 < medium < high < 1.
    package func check() throws {
        guard 0 < medium, medium < high, high < 1 else {
            throw MartletError(
                .input, "bands.order",
                "the bands must satisfy 0 < medium < high < 1; medium is \(medium) and high is \(high)")
        }
    }
}
