extension Timestamp {
    /// Reads RFC 3339, "2026-01-31T08:00:00Z", and what people shorten it to: a space for the T, no seconds, no zone
    /// (then UTC), or the date alone (its first moment).
    /// - Returns: `nil` for anything else, days that do not exist among it.
    package init?(parsing text: String) {
        var rest = Substring(text)
        func number(_ digits: Int) -> Int64? {
            let piece = rest.utf8.prefix(digits)
            guard piece.count == digits, piece.allSatisfy({ (48...57).contains($0) }) else { return nil }
            rest = rest.dropFirst(digits)
            return Int64(String(Substring(piece)))
        }
        func take(_ characters: String) -> Bool {
            guard let first = rest.first, characters.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
            (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day)
        else { return nil }
        var seconds = Self.days(year, month, day) * 86_400
        var fraction: Int64 = 0
        if take("Tt ") {
            guard let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60 else { return nil }
            seconds += hour * 3600 + minute * 60
            if take(":") {
                guard let second = number(2), second < 60 else { return nil }
                seconds += second
                if take(".") {
                    let digits = rest.utf8.prefix { (48...57).contains($0) }
                    guard (1...9).contains(digits.count) else { return nil }
                    let padded = (String(Substring(digits)) + "000000").prefix(6)
                    guard let value = Int64(padded) else { return nil }
                    fraction = value
                    rest = rest.dropFirst(digits.count)
                }
            }
            if !take("Zz"), let sign = rest.first, "+-".contains(sign) {
                rest = rest.dropFirst()
                guard let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60 else {
                    return nil
                }
                seconds -= (sign == "+" ? 1 : -1) * (hour * 3600 + minute * 60)
            }
        }
        guard rest.isEmpty else { return nil }
        self.init(microseconds: seconds * 1_000_000 + fraction)
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 to a date (Hinnant, "chrono-compatible low-level date algorithms", days_from_civil).
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = y / 400
        let yoe = y - era * 400
        let doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
    }
}
