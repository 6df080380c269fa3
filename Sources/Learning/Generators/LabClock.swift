/// The laboratory's time: whole seconds since Monday 2024-07-01 00:00, for 540 days.
enum LabClock {
    static let days = 540
    static let hours = days * 24
    static let secondsPerDay = 86_400

    /// The date of a day counted from the start, as 2024-07-01.
    ///
    /// The calendar arithmetic is Hinnant's `civil_from_days`, on eras of 400 years that begin on 1 March.
    static func date(ofDay day: Int) -> String {
        let shifted = day + 19_905 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(year)-\(padded(month, to: 2))-\(padded(dayOfMonth, to: 2))"
    }

    /// The ISO 8601 text of a time, as 2024-07-01T08:05:09.
    static func text(second: Int) -> String {
        let ofDay = second % secondsPerDay
        let day = second / secondsPerDay
        return "\(date(ofDay: day))T\(padded(ofDay / 3_600, to: 2)):\(padded(ofDay / 60 % 60, to: 2)):"
            + padded(ofDay % 60, to: 2)
    }

    /// A number with zeros in front.
    static func padded(_ number: Int, to width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
