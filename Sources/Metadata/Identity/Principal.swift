package import Core
internal import Synchronization

/// An authenticated caller: a person with a session, or the holder of an API token.
///
/// Made once for each token or user that a server knows, and shared by all requests: a class, so that handing it on
/// costs one reference.
///
/// ```swift
/// guard principal.may(.promoteModels, in: "wards") else { throw forbidden }
/// ```
package final class Principal: Sendable {
    /// Whether the caller is a person or a token.
    package enum Kind: String, Sendable, Encodable { case user, token }

    /// Whether it is a person with a session or an API token.
    package let kind: Kind
    /// Id of the user or the token: 32 hexadecimal digits.
    package let id: String
    /// Name of the user or the token, without a prefix: "ada", "scoring".
    package let name: String
    /// Role that decides what it may do, as the database had it when this principal was made.
    package let role: Role
    /// The only project it has access to; `nil` for all of its server.
    package let project: String?
    /// When its permissions end; `nil` for never.
    package let expires: Timestamp?
    private let used = Atomic<Int64>(0)

    package init(
        kind: Kind, id: String, name: String, role: Role, project: String? = nil, expires: Timestamp? = nil
    ) {
        self.kind = kind
        self.id = id
        self.name = name
        self.role = role
        self.project = project
        self.expires = expires
    }

    /// Name in history and audit: "user:ada", "token:scoring".
    package var actor: String { "\(kind.rawValue):\(name)" }

    /// Whether its permissions have ended.
    func isExpired(at now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }

    /// Whether it has a permission, in a project (`nil`: in none in particular).
    package func may(_ permission: Permission, in project: String? = nil) -> Bool {
        permission.isAllowed(to: role) && (project == nil || self.project == nil || self.project == project)
    }

    /// Records a use in memory, to the second; written to the database later by `IdentityStore.noteUses`.
    package func use(at now: Timestamp) {
        let second = now.microseconds / 1_000_000
        if used.load(ordering: .relaxed) < second { used.store(second, ordering: .relaxed) }
    }

    /// Returns the time of the last use and clears it; `nil` if there was none since the last call.
    func takeUse() -> Timestamp? {
        let second = used.exchange(0, ordering: .relaxed)
        return second == 0 ? nil : Timestamp(microseconds: second * 1_000_000)
    }
}
