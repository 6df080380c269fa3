extension Timestamp {
    /// Parses a date or timestamp; `nil` when the text is neither.
    ///
    /// Forms: "2026-01-31", "2026-01-31 08:15", "2026-01-31T08:15:00.25Z", "2026-01-31T10:15+02:00". Without an offset
    /// it is UTC, without a time of day midnight.
    package init?(_ text: String) {
        var rest = Substring(text)
        guard let year = rest.number(4), rest.take("-"), let month = rest.number(2), rest.take("-"),
            let day = rest.number(2), (1...12).contains(month), day >= 1, day <= Timestamp.days(in: month, of: year)
        else { return nil }
        var microseconds = Timestamp.days(before: year, month, day) * 86_400_000_000
        if !rest.isEmpty {
            guard rest.take("T") || rest.take("t") || rest.take(" "), let hour = rest.number(2), rest.take(":"),
                let minute = rest.number(2), hour <= 23, minute <= 59
            else { return nil }
            microseconds += (hour * 60 + minute) * 60_000_000
            if rest.take(":") {
                guard let second = rest.number(2), second <= 59 else { return nil }
                microseconds += second * 1_000_000
                if rest.take(".") {
                    let digits = rest.prefix { $0.isASCII && $0.isNumber }
                    guard !digits.isEmpty, let part = Int64((digits + "000000").prefix(6)) else { return nil }
                    microseconds += part
                    rest = rest.dropFirst(digits.count)
                }
            }
            if !rest.isEmpty, !(rest == "Z" || rest == "z") {
                let isEast = rest.take("+")
                guard isEast || rest.take("-"), let hours = rest.number(2), hours <= 23 else { return nil }
                _ = rest.take(":")
                guard let minutes = rest.number(2), minutes <= 59, rest.isEmpty else { return nil }
                microseconds -= (isEast ? 1 : -1) * (hours * 60 + minutes) * 60_000_000
            }
        }
        self.init(microseconds: microseconds)
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The day number since 1970-01-01 of a proleptic Gregorian date from year 0 on (Hinnant, "chrono-compatible
    /// low-level date algorithms", days_from_civil).
    private static func days(before year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yoe = y - era * 400
        let doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
    }
}

extension Substring {
    /// Takes exactly so many digits from the front.
    fileprivate mutating func number(_ count: Int) -> Int64? {
        let digits = prefix(count)
        guard digits.utf8.count == count, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        self = dropFirst(count)
        return Int64(digits)
    }

    fileprivate mutating func take(_ character: Character) -> Bool {
        guard first == character else { return false }
        removeFirst()
        return true
    }
}
