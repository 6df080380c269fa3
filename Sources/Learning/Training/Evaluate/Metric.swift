/// A quality metric by its name in reports, gates and JSON.
///
/// The metrics of a task are static members in its folder, and listed in its ``TaskDescriptor``.
package struct Metric: RawRepresentable, Sendable, Hashable, Codable {
    /// The name: "roc_auc".
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
    package init(_ name: String) { rawValue = name }

    /// Debiased expected calibration error over 15 equal-mass bins, in its L2 form.
    package static let ece = Metric("ece")
}

/// A metric's value with its 95 % interval. Undefined values (0/0, one class only) are `nil`, not 0.
package struct Estimate: Sendable, Equatable, Codable {
    /// The metric on the evaluated rows; `nil` when it is undefined there.
    package var value: Double?
    /// Lower end of the 95 % interval; `nil` when none was computed.
    package var low: Double?
    /// Upper end of the 95 % interval; `nil` when none was computed.
    package var high: Double?

    package init(_ value: Double?, low: Double? = nil, high: Double? = nil) {
        self.value = value
        self.low = low
        self.high = high
    }

    private enum CodingKeys: String, CodingKey { case value, low, high }

    /// Encodes undefined values as null, so that the shape is always the same.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(value, forKey: .value)
        try container.encode(low, forKey: .low)
        try container.encode(high, forKey: .high)
    }
}
