/// The role of a person or token, in order of rights; each role includes the rights of those before it.
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
