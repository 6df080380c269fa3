/// What a person or a token may do, from least to most. Each may do what those before it may.
package enum Role: String, Sendable, CaseIterable, Comparable, Codable {
    /// Looks, and asks for predictions.
    case viewer
    /// Trains and registers.
    case `operator`
    /// Decides what answers: approves, promotes, rolls back.
    case approver
    /// Manages people and tokens, and reads the audit.
    case admin

    package static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operator: 1
        case .approver: 2
        case .admin: 3
        }
    }
}
