/// A number that measures the time between `low` and `high`.
package struct TimeSpan: Hashable, Sendable {
    /// How the number is counted.
    package enum Counting: Hashable, Sendable {
        /// Fractions and all.
        case exact
        /// By steps, with an error of less than `slack`: `date_diff` counts boundaries, a cast rounds.
        case steps
        /// By full steps, cut off towards zero: `date_sub`.
        case full
        /// By calendar months, each compared as 30 days: `age`.
        case months
    }

    /// Time from which the number counts; it is negative when `high` is earlier.
    package var low: SymbolicTime
    /// Time up to which the number counts.
    package var high: SymbolicTime
    /// Longest length of a step in microseconds; months vary.
    package var most: Double
    /// Shortest length of a step in microseconds.
    package var least: Double
    /// Largest error of a number that counts steps, as a time in microseconds; else 0.
    package var slack: Double
    private var leastSlack: Double
    /// How the number is counted, which decides how exactly it bounds the distance.
    package var counting: Counting
    /// Whether the number is an integer.
    package var isWhole: Bool

    package init(
        low: SymbolicTime, high: SymbolicTime, most: Double, least: Double? = nil, _ counting: Counting = .exact,
        isWhole: Bool = false
    ) {
        self.low = low
        self.high = high
        self.most = most
        self.least = least ?? most
        self.counting = counting
        self.isWhole = isWhole
        slack = counting == .steps || counting == .full ? most : 0
        leastSlack = slack > 0 ? self.least : 0
    }

    /// Returns the span with its number multiplied.
    package func scaled(by factor: Double) -> TimeSpan? {
        guard factor.isFinite, factor > 0, counting != .months else { return nil }
        var copy = self
        copy.most = most / factor
        copy.least = least / factor
        copy.isWhole = false
        return copy
    }

    /// The span with its number rounded to an integer.
    package var rounded: TimeSpan? {
        if isWhole { return self }
        if counting == .months { return nil }
        var copy = self
        copy.slack += most
        copy.leastSlack += least
        copy.counting = .steps
        copy.isWhole = true
        return copy
    }

    private static let day = 8.64e10

    /// Returns how far `high` lies after `low` at least, in microseconds, for a number of at least (more than) this.
    package func atLeast(_ number: Double, strictly: Bool) -> (distance: Double, isStrict: Bool) {
        var (count, isStrict) = (number, strictly)
        if isWhole { (count, isStrict) = (strictly ? count.rounded(.down) + 1 : count.rounded(.up), false) }
        let distance = count * (count > 0 ? least : most)
        switch counting {
        case .exact: return (distance, isStrict)
        case .full where count > 0: return (distance, isStrict)
        case .steps where distance >= leastSlack: return (distance - leastSlack, true)
        case .steps, .full: return (distance - slack, true)
        case .months:
            // The shortest month has 28 days, the longest 31; a day or two are lost where months end.
            if count == 0 { return (0, isStrict) }
            return (count > 0 ? max(0, count * 28 / 30 - 3 * Self.day) : count * 31 / 30 - 3 * Self.day, false)
        }
    }

    /// Returns how far `high` lies after `low` at most, in microseconds, for a number of at most (less than) this.
    package func atMost(_ number: Double, strictly: Bool) -> (distance: Double, isStrict: Bool) {
        var mirrored = self
        swap(&mirrored.low, &mirrored.high)
        let (distance, isStrict) = mirrored.atLeast(-number, strictly: strictly)
        return (-distance, isStrict)
    }
}
