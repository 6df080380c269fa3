/// The sources of time, identifiers and randomness, injected so that a run can be repeated on a virtual clock.
///
/// `Composition` makes the real one, at the root of each program.
///
/// ```swift
/// let run = Run(id: context.newID(), started: context.now())
/// try await context.clock.sleep(seconds: 0.5)
/// ```
package struct ExecutionContext: Sendable {
    /// Tells the time and performs every wait.
    package let clock: any ExecutionClock
    /// Makes a new identifier: 32 lowercase hexadecimal digits, sortable by creation time.
    package let newID: @Sendable () -> String
    /// Returns the given number of cryptographically secure random bytes: for keys, tokens and salts.
    package let randomBytes: @Sendable (Int) -> [UInt8]

    package init(
        clock: any ExecutionClock, newID: @escaping @Sendable () -> String,
        randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.clock = clock
        self.newID = newID
        self.randomBytes = randomBytes
    }

    /// Returns the wall-clock time.
    package func now() -> Timestamp { clock.now() }

    /// Returns seconds on a monotonic clock, for durations; not wall-clock time.
    package func uptime() -> Double { clock.uptime() }
}

/// A point in time in UTC, in microseconds since 1970, printed as RFC 3339: "2026-01-31T08:15:00.000000Z".
///
/// ```swift
/// let start = context.now()
/// let later = start.adding(seconds: 90)
/// later.seconds(since: start)  // 90
/// ```
package struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible, Encodable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// Converts milliseconds since 1970; values out of range are clamped to the nearest timestamp.
    package init(milliseconds: Int64) {
        let (product, isTooFar) = milliseconds.multipliedReportingOverflow(by: 1000)
        microseconds = isTooFar ? (milliseconds < 0 ? .min : .max) : product
    }

    /// Milliseconds since 1970, rounded towards zero.
    package var milliseconds: Int64 { microseconds / 1000 }

    /// Returns the seconds from an earlier timestamp to this one.
    package func seconds(since earlier: Timestamp) -> Double {
        (Double(microseconds) - Double(earlier.microseconds)) / 1e6
    }

    /// Returns the timestamp this many seconds later, clamped to the representable range.
    package func adding(seconds: Int) -> Timestamp {
        let (distance, isTooFar) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000)
        return adding(microseconds: isTooFar ? nil : distance, isBack: seconds < 0)
    }

    /// Returns the timestamp this many seconds later, fractions included, clamped to the representable range.
    package func adding(seconds: Double) -> Timestamp {
        adding(microseconds: Int64(exactly: (seconds * 1e6).rounded(.towardZero)), isBack: seconds < 0)
    }

    private func adding(microseconds distance: Int64?, isBack: Bool) -> Timestamp {
        let (sum, isBeyond) = microseconds.addingReportingOverflow(distance ?? 0)
        return Timestamp(microseconds: distance == nil || isBeyond ? (isBack ? .min : .max) : sum)
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

    /// Date and time to the minute, for tables: "2026-01-31 08:15".
    package var minute: String { String(description.prefix(16)).replacing("T", with: " ") }

    /// Date and time to the second, for tables: "2026-01-31 08:15:00".
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
