package import Core
internal import SQLText
internal import Synchronization

/// In-memory cache of all valid tokens and sessions, so that authentication needs no database access.
///
/// ```swift
/// let known = PrincipalCache(store, freshness: Freshness(limit: 900, clock: context.clock))
/// try known.refresh()
/// let principal = known.principal(token: token, at: context.now())
/// ```
///
/// A look-up costs one SHA-256 of the token and one step in a table; the digest, not the token, is what is compared, so
/// the time reveals nothing about the token. `refresh` is called a few times a second and reads again if the generation
/// has changed: a revoked token stays valid that long. Bounded by `IdentityStore.mostTokens` and the open sessions.
package final class PrincipalCache: Sendable {
    private struct Known: Sendable {
        var generation = -1
        /// When it was read: what had expired by then is not in it.
        var at = Timestamp(microseconds: .min)
        var tokens: [TokenDigest: Principal] = [:]
        var sessions: [String: Principal] = [:]

        func principal(_ old: Principal, _ session: String?) -> Principal? {
            if let session { return sessions[session] }
            return tokens.values.first { $0.id == old.id }
        }
    }

    private let known = Mutex(Known())
    private let store: IdentityStore

    private let freshness: Freshness?

    /// Makes an empty cache; call `refresh` to fill it.
    /// - Parameter freshness: how long entries stay valid while the database cannot be read; `nil`: for ever.
    package init(_ store: IdentityStore, freshness: Freshness? = nil) {
        self.store = store
        self.freshness = freshness
    }

    /// Whether the database has not been read for longer than the limit.
    ///
    /// A token may have been revoked meanwhile.
    package var isStale: Bool { freshness?.isStale ?? false }

    /// Authenticates an API token; `nil` for an unknown, revoked or expired one.
    package func principal(token: UnsafeRawBufferPointer, at now: Timestamp) -> Principal? {
        let digest = TokenDigest(of: token)
        guard let principal = known.withLock({ $0.tokens[digest] }), !principal.isExpired(at: now) else { return nil }
        principal.use(at: now)
        return principal
    }

    /// Authenticates an API token; `nil` for an unknown, revoked or expired one.
    package func principal(token: String, at now: Timestamp) -> Principal? {
        var token = token
        return token.withUTF8 { principal(token: UnsafeRawBufferPointer($0), at: now) }
    }

    /// Authenticates a session; `nil` for one that is unknown or ended, or whose user is disabled.
    package func principal(session id: String, at now: Timestamp) -> Principal? {
        guard let principal = known.withLock({ $0.sessions[id] }), !principal.isExpired(at: now) else { return nil }
        return principal
    }

    /// Whether an authenticated principal still has a permission; checked during long responses.
    /// - Parameter session: the session's id, where it is a person's.
    package func stillMay(
        _ principal: Principal, _ permission: Permission, in project: String, session: String?, at now: Timestamp
    ) -> Bool {
        let now = known.withLock { $0 }.principal(principal, session).flatMap { $0.isExpired(at: now) ? nil : $0 }
        return now?.may(permission, in: project) ?? false
    }

    /// Reads the database again if anything has changed, and returns whether it did. Blocks.
    @discardableResult
    package func refresh() throws -> Bool {
        let now = store.context.now()
        let before = known.withLock { ($0.generation, $0.at) }
        let found = try store.database.read { connection -> Known? in
            let row = try connection.row("SELECT number FROM identity_generation")
            let generation = try row?.int("number") ?? 0
            // A clock that was set back brings back what had expired.
            guard generation != before.0 || now < before.1 else { return nil }
            var fresh = Known(generation: generation, at: now)
            for (token, digest) in try TokenTable(connection: connection).valid(at: now) {
                guard let key = TokenDigest(digest) else { continue }
                fresh.tokens[key] = Principal(
                    kind: .token, id: token.id, name: token.name, role: token.role, project: token.project,
                    expires: token.expires)
            }
            for (id, principal) in try SessionTable(connection: connection).valid(at: now) {
                fresh.sessions[id] = principal
            }
            return fresh
        }
        freshness?.confirm()
        guard let found else { return false }
        let old = known.withLock { known in
            // A slower reader does not put back what a faster one has replaced.
            guard
                known.generation < found.generation || known.generation == found.generation && found.at < known.at
            else { return nil as Known? }
            defer { known = found }
            return known
        }
        // When a token was used last is for people to look at; no access depends on it.
        if let old { try? store.noteUses(PrincipalCache.uses(old)) }
        return true
    }

    /// Writes the times of the tokens' last uses to the database. Blocks.
    package func noteUses() throws { try store.noteUses(PrincipalCache.uses(known.withLock { $0 })) }

    private static func uses(_ known: Known) -> [(token: String, at: Timestamp)] {
        known.tokens.values.compactMap { principal in principal.takeUse().map { (principal.id, $0) } }
    }
}
