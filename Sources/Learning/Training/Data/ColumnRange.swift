/// Smallest and largest value of a numeric column in the training rows.
package struct ColumnRange: Sendable, Equatable, Codable {
    /// Smallest finite value.
    package let minimum: Double
    /// Largest finite value.
    package let maximum: Double

    package init(minimum: Double, maximum: Double) {
        self.minimum = minimum
        self.maximum = maximum
    }

    /// The ranges of the number columns over some rows, by name. Missing values and infinities do not count; a column
    /// with nothing else has no range.
    static func learn(_ columns: [NamedColumn], rows: [Int]) -> [String: ColumnRange] {
        var ranges: [String: ColumnRange] = [:]
        for named in columns {
            guard case .number(let values) = named.column else { continue }
            var (least, greatest) = (Double.infinity, -Double.infinity)
            for row in rows where values[row].isFinite {
                least = min(least, values[row])
                greatest = max(greatest, values[row])
            }
            if least <= greatest { ranges[named.name] = ColumnRange(minimum: least, maximum: greatest) }
        }
        return ranges
    }
}
