internal import Core

/// Says of each cell style whether its numbers are moments, and spells numbers as texts.
struct CellFormats {
    enum Kind { case number, moment, duration }

    /// 9999-12-31, as days since 1970-01-01.
    private static let lastDay = 2_932_896

    private let kinds: [Kind]
    /// Days from 1970-01-01 to the day 0 of the workbook.
    private let dayZero: Int
    private let isFrom1904: Bool

    init(_ styles: Styles, isFrom1904: Bool) {
        kinds = styles.styles.map { Self.kind($0, styles.custom[$0]) }
        self.isFrom1904 = isFrom1904
        dayZero = isFrom1904 ? -24_107 : -25_569
    }

    /// The kind of a format: the built-in dates and times (ECMA-376 part 1, 18.8.30), or one that spells days or hours.
    static func kind(_ id: Int, _ code: String?) -> Kind {
        guard let code else {
            if id == 46 { return .duration }
            return (14...22).contains(id) || id == 45 || id == 47 ? .moment : .number
        }
        var isMoment = false
        var isDuration = false
        var at = code.startIndex
        // Only the first section counts, that of positive numbers.
        scan: while at < code.endIndex {
            let character = code[at]
            at = code.index(after: at)
            switch character {
            case ";": break scan
            case "\\", "_", "*": if at < code.endIndex { at = code.index(after: at) }
            case "\"": at = code[at...].firstIndex(of: "\"").map { code.index(after: $0) } ?? code.endIndex
            case "[":
                let end = code[at...].firstIndex(of: "]") ?? code.endIndex
                // [h] counts hours beyond a day; [Red] and [$-409] are colours and languages.
                let inside = code[at..<end].lowercased()
                if ["h", "hh", "m", "mm", "s", "ss"].contains(inside) { isDuration = true }
                at = end < code.endIndex ? code.index(after: end) : end
            case "d", "m", "h", "y", "s", "D", "M", "H", "Y", "S": isMoment = true
            default: break
            }
        }
        return isDuration ? .duration : isMoment ? .moment : .number
    }

    /// A number of a cell as text.
    /// - Parameters:
    ///   - text: as the file spells it.
    ///   - style: number of the cell's style.
    func text(_ text: String, style: Int) -> String {
        let kind = kinds.indices.contains(style) ? kinds[style] : .number
        guard let value = Double(text), value.isFinite else { return text }
        switch kind {
        case .number: return Self.number(text, value)
        case .duration: return Self.duration(value) ?? Self.number(text, value)
        case .moment: return moment(value) ?? Self.number(text, value)
        }
    }

    private static func number(_ text: String, _ value: Double) -> String {
        if text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 45 }) { return text }
        // Workbooks spell doubles with 17 digits, where fewer say the same.
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
        return "\(value)"
    }

    /// Hours, minutes and seconds; `nil` for more than a billion days.
    private static func duration(_ days: Double) -> String? {
        guard abs(days) < 1e9 else { return nil }
        let milliseconds = Int64((days * 86_400_000).rounded())
        return (milliseconds < 0 ? "-" : "") + clock(abs(milliseconds))
    }

    private static func clock(_ milliseconds: Int64) -> String {
        let fraction = milliseconds % 1000
        let seconds = milliseconds / 1000
        let text = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { digits($0, 2) }.joined(separator: ":")
        return fraction == 0 ? text : "\(text).\(digits(fraction, 3))"
    }

    private static func digits(_ value: Int64, _ count: Int) -> String {
        let text = "\(value)"
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }

    /// A moment by its days since the workbook's day 0: a day, a day with a time, or for less than a day a time;
    /// `nil` for what is before the calendar or behind the year 9999.
    private func moment(_ value: Double) -> String? {
        guard value >= 0, value < 3_000_000 else { return nil }
        var days = Int(value)
        var milliseconds = Int64(((value - Double(days)) * 86_400_000).rounded())
        if milliseconds == 86_400_000 {
            days += 1
            milliseconds = 0
        }
        if days == 0, value < 1 { return Self.clock(milliseconds) }
        // 1900 is taken for a leap year: the days before the one that never was are one off.
        let shift = !isFrom1904 && days < 60 ? 1 : 0
        let since1970 = days + shift + dayZero
        guard since1970 <= Self.lastDay else { return nil }
        let day = Timestamp(microseconds: Int64(since1970) * 86_400_000_000).description.prefix(10)
        return milliseconds == 0 ? String(day) : "\(day) \(Self.clock(milliseconds))"
    }
}

/// Texts of cells.
enum CellText {
    /// A text with its escapes `_xHHHH_` resolved (ECMA-376 part 1, 22.9.2.19), by which characters are written that XML
    /// does not have. NUL stays an escape.
    static func unescaped(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(UInt8(ascii: "_")) else { return text }
        var result: [UInt8] = []
        var at = 0
        while at < text.count {
            if text[at] == UInt8(ascii: "_"), at + 6 < text.count, text[at + 1] == UInt8(ascii: "x"),
                text[at + 6] == UInt8(ascii: "_"),
                let code = UInt32(String(decoding: text[(at + 2)..<(at + 6)], as: UTF8.self), radix: 16), code != 0,
                let scalar = Unicode.Scalar(code)
            {
                result.append(contentsOf: String(Character(scalar)).utf8)
                at += 7
            } else {
                result.append(text[at])
                at += 1
            }
        }
        return result
    }
}
