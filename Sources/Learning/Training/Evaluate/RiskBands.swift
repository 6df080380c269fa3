internal import Core

/// Names for ranges of probability: low below `medium`, medium below `high`, high from there on.
package struct RiskBands: Sendable, Equatable, Codable {
    package enum Band: String, Sendable, Codable, CaseIterable { case low, medium, high }

    package let medium: Double
    package let high: Double

    package init(medium: Double, high: Double) {
        self.medium = medium
        self.high = high
    }

    package func band(of probability: Double) -> Band {
        probability >= high ? .high : probability >= medium ? .medium : .low
    }

    /// Refuses bounds that are not 0 < medium < high < 1.
    package func check() throws {
        guard 0 < medium, medium < high, high < 1 else {
            throw MartletError(
                .input, "bands.order",
                "the bands must satisfy 0 < medium < high < 1; medium is \(medium) and high is \(high)")
        }
    }
}
