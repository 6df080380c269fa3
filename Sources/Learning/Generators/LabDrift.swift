/// A change in the synthetic laboratory from day 432 (2025-09-06) on; earlier days stay identical.
package enum LabDrift: String, CaseIterable, Sendable {
    /// Campaigns bring 3.5 instead of 2.2 times the arrivals. These come on top, so there are a few more experiments
    /// than asked for (between 2 and 3 % in the mean).
    case covariate
    /// The expected delay is 30 minutes longer on spectrometers and 10 shorter on HPLC.
    case concept
    /// Telemetry loses 15 % of its rows' readings instead of 1.5 %.
    case quality
    /// An experiment counts as delayed above 20 minutes instead of 30.
    case label

    /// The first day that differs, counted from 0.
    package static let firstDay = 432
}
