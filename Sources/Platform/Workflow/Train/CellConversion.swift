internal import Core

/// Rule that corrects the cells of a column: `decimal-comma`, `no-separators`, `*1000`, `/1000`, `lower`, `upper`,
/// `trim`.
enum CellConversion {
    /// "1.234,5" → "1234.5".
    case decimalComma
    /// "1,234.5", "1 234.5" and "1'234.5" → "1234.5"; "1.234.567" → "1234567". A single point with three digits behind
    /// it separates thousands only where the column holds whole numbers.
    case noSeparators(wholeNumbers: Bool)
    case times(Double)
    case by(Double)
    case lower, upper, trim

    /// - Throws: `quarantine.conversion` when there is no such rule.
    /// - Parameter wholeNumbers: whether the column it is meant for holds whole numbers.
    init(_ text: String, wholeNumbers: Bool = false) throws {
        switch text {
        case "decimal-comma": self = .decimalComma
        case "no-separators": self = .noSeparators(wholeNumbers: wholeNumbers)
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
        case .noSeparators(let wholeNumbers):
            var value = text.filter { !",' \u{A0}\u{202F}".contains($0) }
            let points = value.count { $0 == "." }
            if points > 1 || points == 1 && wholeNumbers, Self.isGrouped(value) { value.removeAll { $0 == "." } }
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

    /// Whether points stand between groups of three digits, and nowhere else.
    private static func isGrouped(_ text: String) -> Bool {
        let digits = text.first.map { "+-".contains($0) } ?? false ? text.dropFirst() : text[...]
        let groups = digits.split(separator: ".", omittingEmptySubsequences: false)
        return groups.allSatisfy { $0.allSatisfy { ("0"..."9").contains($0) } }
            && groups.dropFirst().allSatisfy { $0.count == 3 }
            && (1...3).contains(groups.first?.count ?? 0)
    }

    private func number(_ text: String) -> Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }
}
