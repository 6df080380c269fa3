/// The least and the greatest value of a number column in the training rows.
package struct ColumnRange: Sendable, Equatable, Codable {
    package let minimum: Double
    package let maximum: Double

    package init(minimum: Double, maximum: Double) {
        self.minimum = minimum
        self.maximum = maximum
    }
}
