/// What a model predicted for a row, in the form of its task.
///
/// ```swift
/// let outcome = PredictionOutcome.binary(probability: 0.81, positive: true, band: .high)
/// ```
///
/// In a record: a byte for the form, a byte of details, and a number. A further form may keep more behind a record's
/// warnings; a reader that does not know a form refuses the record.
package enum PredictionOutcome: Sendable, Equatable {
    /// The positive class of two, or not.
    /// - Parameters:
    ///   - probability: calibrated probability of the positive class, 0 to 1.
    ///   - positive: decision by the model's threshold; `nil` where none was applied.
    ///   - band: band of the probability; `nil` for a model without bands, and in records of version 1.
    case binary(probability: Double, positive: Bool? = nil, band: Band? = nil)

    /// A named range of probability; the raw value is what a record has.
    package enum Band: UInt8, Sendable {
        case low = 1, medium, high

        /// The band's name: "low".
        package var name: String {
            switch self {
            case .low: "low"
            case .medium: "medium"
            case .high: "high"
            }
        }
    }

    /// Name of the task: "binary".
    package var task: String {
        switch self {
        case .binary: "binary"
        }
    }

    /// The number that ranks rows: the probability of the positive class.
    package var score: Double {
        switch self {
        case .binary(let probability, _, _): probability
        }
    }

    /// Decision by the model's threshold; `nil` where none was applied.
    package var decision: Bool? {
        switch self {
        case .binary(_, let positive, _): positive
        }
    }

    /// Name of the probability's band; `nil` where there is none.
    package var band: String? {
        switch self {
        case .binary(_, _, let band): band?.name
        }
    }
}

extension PredictionOutcome {
    private static let binaryForm: UInt8 = 1
    private static let isDecided: UInt8 = 1
    private static let isPositive: UInt8 = 2

    /// The byte for the form.
    @inline(__always)
    var form: UInt8 {
        switch self {
        case .binary: Self.binaryForm
        }
    }

    /// The byte of details; of a binary one, bit 0: decided, bit 1: positive, bits 2 and 3: band.
    @inline(__always)
    var details: UInt8 {
        switch self {
        case .binary(_, let positive, let band):
            (positive == nil ? 0 : Self.isDecided) | (positive == true ? Self.isPositive : 0)
                | (band.map { $0.rawValue << 2 } ?? 0)
        }
    }

    /// `nil` for a form or details that are not known.
    init?(form: UInt8, details: UInt8, number: Double) {
        guard form == Self.binaryForm, details < 16 else { return nil }
        self = .binary(
            probability: number,
            positive: details & Self.isDecided == 0 ? nil : details & Self.isPositive != 0,
            band: Band(rawValue: details >> 2))
    }
}
