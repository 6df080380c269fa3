/// Time, identity and the acting person, passed in from outside so that the whole loop can run on a virtual
/// clock. Only `Composition` makes a real one.
package struct ExecutionContext: Sendable {
    /// Wall-clock time now.
    package let now: @Sendable () -> Timestamp
    /// A new identifier: 32 lowercase hexadecimal digits, sortable by time of creation.
    package let newID: @Sendable () -> String
    /// Who acts: the operating system's account name, until identity comes from a token.
    package let actor: String
    /// Seconds that only go forward, for durations; not wall-clock time.
    package let uptime: @Sendable () -> Double

    package init(
        actor: String,
        now: @escaping @Sendable () -> Timestamp,
        newID: @escaping @Sendable () -> String,
        uptime: @escaping @Sendable () -> Double
    ) {
        self.actor = actor
        self.now = now
        self.newID = newID
        self.uptime = uptime
    }
}

/// A moment in UTC, in microseconds since 1970. Reads and prints as RFC 3339: "2026-01-31T08:15:00.000000Z".
package struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible, Encodable {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// The nearest moment that there is, for a count from outside that no moment has.
    package init(milliseconds: Int64) {
        let (product, isTooFar) = milliseconds.multipliedReportingOverflow(by: 1000)
        microseconds = isTooFar ? (milliseconds < 0 ? .min : .max) : product
    }

    package var milliseconds: Int64 { microseconds / 1000 }

    /// Seconds from an earlier moment to this one.
    package func seconds(since earlier: Timestamp) -> Double {
        (Double(microseconds) - Double(earlier.microseconds)) / 1e6
    }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

    package var description: String {
        let days = microseconds.flooredQuotient(86_400_000_000)
        let rest = microseconds &- days &* 86_400_000_000
        let (year, month, day) = civil(fromDays: days)
        let seconds = rest / 1_000_000
        func pad(_ n: Int64, _ width: Int) -> String {
            let text = String(n)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T"
            + "\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2)):\(pad(seconds % 60, 2))"
            + ".\(pad(rest % 1_000_000, 6))Z"
    }

    /// The date and the minute, for tables that people read: "2026-01-31 08:15".
    package var minute: String { String(description.prefix(16)).replacing("T", with: " ") }

    /// The date and the time to the second: "2026-01-31 08:15:00".
    package var second: String { String(description.prefix(19)).replacing("T", with: " ") }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// Proleptic Gregorian date of a day number since 1970-01-01 (Hinnant, "chrono-compatible low-level date
    /// algorithms", civil_from_days).
    private func civil(fromDays days: Int64) -> (Int64, Int64, Int64) {
        let z = days + 719_468
        let era = z.flooredQuotient(146_097)
        let doe = z - era * 146_097
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
        let mp = (5 * doy + 2) / 153
        let month = mp < 10 ? mp + 3 : mp - 9
        return (yoe + era * 400 + (month <= 2 ? 1 : 0), month, doy - (153 * mp + 2) / 5 + 1)
    }
}

extension Int64 {
    fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
        self / divisor - (self % divisor < 0 ? 1 : 0)
    }
}
