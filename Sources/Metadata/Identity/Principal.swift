package import Core
internal import Synchronization

/// Who asks: a person with a session, or the holder of an API token.
///
/// Made once for each token or user that a server knows, and shared by all requests: a class, so that handing it on
/// costs one reference.
package final class Principal: Sendable {
    package enum Kind: String, Sendable, Encodable { case user, token }

    package let kind: Kind
    package let id: String
    package let name: String
    package let role: Role
    /// The only project it may touch; `nil` for all of its server.
    package let project: String?
    /// Nothing is allowed from then on; `nil` for never.
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

    /// As history and audit name it: "user:ada", "token:scoring". A person at the command line has no colon in front.
    package var actor: String { "\(kind.rawValue):\(name)" }

    package func isExpired(at now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }

    /// Whether it may do this, in this project (`nil`: in none in particular).
    package func may(_ permission: Permission, in project: String? = nil) -> Bool {
        permission.isAllowed(to: role) && (project == nil || self.project == nil || self.project == project)
    }

    /// Remembers a use, to the second; written down now and then by `IdentityStore.noteUses`.
    package func use(at now: Timestamp) {
        let second = now.microseconds / 1_000_000
        if used.load(ordering: .relaxed) < second { used.store(second, ordering: .relaxed) }
    }

    /// The last use since the last call; `nil` if there was none.
    package func takeUse() -> Timestamp? {
        let second = used.exchange(0, ordering: .relaxed)
        return second == 0 ? nil : Timestamp(microseconds: second * 1_000_000)
    }
}
