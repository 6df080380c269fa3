/// A typed column in memory: numbers, integers, or texts coded by level.
package enum LakeColumn: Sendable {
    /// NaN stands for null.
    case number([Double])
    case integer([Int64], valid: [Bool])
    /// Every distinct text once; -1 stands for null.
    case text(codes: [Int32], levels: [String])

    /// Returns the rows with these indices, in this order.
    package func picking(_ rows: [Int]) -> LakeColumn {
        switch self {
        case .number(let values): .number(rows.map { values[$0] })
        case .integer(let values, let valid): .integer(rows.map { values[$0] }, valid: rows.map { valid[$0] })
        case .text(let codes, let levels): .text(codes: rows.map { codes[$0] }, levels: levels)
        }
    }

    /// The column's values as texts, `nil` for null.
    package var texts: [String?] {
        switch self {
        case .number(let values): values.map { $0.isNaN ? nil : "\($0)" }
        case .integer(let values, let valid): zip(values, valid).map { $1 ? "\($0)" : nil }
        case .text(let codes, let levels): codes.map { $0 < 0 ? nil : levels[Int($0)] }
        }
    }
}
