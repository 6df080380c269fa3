/// A permission that a role may grant; every route of the API requires one.
package enum Permission: String, Sendable, CaseIterable {
    case predict
    /// Bring raw rows that count for the records of others.
    case storeRows = "rows.store"
    case readModels = "models.read"
    case registerModels = "models.register"
    case promoteModels = "models.promote"
    case readTraining = "training.read"
    case startTraining = "training.start"
    case readDeployment = "deployment.read"
    case changeDeployment = "deployment.change"
    case readMonitoring = "monitoring.read"
    case readAudit = "audit.read"
    case manageIdentity = "identity.manage"
    /// One's own: who am I, log out.
    case ownSession = "session.own"

    /// The roles that have each permission: the only definition. A permission without an entry is granted to nobody.
    package static let table: [Permission: Set<Role>] = [
        .predict: [.viewer, .operator, .approver, .admin],
        .storeRows: [.operator, .approver, .admin],
        .readModels: [.viewer, .operator, .approver, .admin],
        .registerModels: [.operator, .approver, .admin],
        .promoteModels: [.approver, .admin],
        .readTraining: [.viewer, .operator, .approver, .admin],
        .startTraining: [.operator, .approver, .admin],
        .readDeployment: [.viewer, .operator, .approver, .admin],
        .changeDeployment: [.approver, .admin],
        .readMonitoring: [.viewer, .operator, .approver, .admin],
        .readAudit: [.admin],
        .manageIdentity: [.admin],
        .ownSession: [.viewer, .operator, .approver, .admin],
    ]

    /// Whether a role has this permission.
    package func isAllowed(to role: Role) -> Bool { Permission.table[self]?.contains(role) ?? false }
}
