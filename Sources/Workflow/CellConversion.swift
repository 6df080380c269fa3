internal import Vocabulary

/// A rule by which cells of one column are corrected: `decimal-comma`, `no-separators`, `*1000`, `/1000`, `lower`,
/// `upper`, `trim`.
enum CellConversion {
    /// "1.234,5" → "1234.5".
    case decimalComma
    /// "1,234.5" and "1 234.5" → "1234.5".
    case noSeparators
    case times(Double)
    case by(Double)
    case lower, upper, trim

    /// - Throws: `quarantine.conversion` when there is no such rule.
    init(_ text: String) throws {
        switch text {
        case "decimal-comma": self = .decimalComma
        case "no-separators": self = .noSeparators
        case "lower": self = .lower
        case "upper": self = .upper
        case "trim": self = .trim
        default:
            guard let sign = text.first, "*/".contains(sign), let factor = Double(text.dropFirst()), factor.isFinite,
                factor != 0
            else {
                throw MartletError(
                    .usage, "quarantine.conversion", "There is no conversion \(text).",
                    remedy: "Conversions: decimal-comma, no-separators, lower, upper, trim, *1000, /1000.")
            }
            self = sign == "*" ? .times(factor) : .by(factor)
        }
    }

    /// The converted text; `nil` when the rule has nothing to say to this one.
    func callAsFunction(_ text: String) -> String? {
        switch self {
        case .decimalComma:
            guard let comma = text.lastIndex(of: ","), text.firstIndex(of: ",") == comma else { return nil }
            let whole = text[..<comma].filter { $0 != "." && $0 != " " }
            let value = "\(whole).\(text[text.index(after: comma)...])"
            return Double(value) == nil ? nil : value
        case .noSeparators:
            let value = text.filter { $0 != "," && $0 != " " && $0 != "'" }
            return Double(value) == nil || value == text ? nil : value
        case .times(let factor): return number(text).map { "\($0 * factor)" }
        case .by(let factor): return number(text).map { "\($0 / factor)" }
        case .lower: return text.lowercased()
        case .upper: return text.uppercased()
        case .trim:
            var text = text[...]
            while let first = text.first, first.isWhitespace { text = text.dropFirst() }
            while let last = text.last, last.isWhitespace { text = text.dropLast() }
            return String(text)
        }
    }

    private func number(_ text: String) -> Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }
}
