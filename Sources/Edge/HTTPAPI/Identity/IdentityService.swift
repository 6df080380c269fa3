package import Core
package import Identity
internal import Logging
package import NIOPosix

/// Dependencies of the identity routes and the gate: store, cache, cookies and threads.
///
/// ```swift
/// let identity = IdentityService(
///     store: store, known: known, cookies: await SessionCookies(key), context: context,
///     threads: threads, writers: writers, passwords: passwords, site: site, yield: SystemPlatform.yieldThread)
/// ```
package struct IdentityService: Sendable {
    /// Users, API tokens, sessions and audit log in the database; its calls block.
    package let store: IdentityStore
    /// In-memory cache of the valid tokens and sessions, which authentication asks instead of the database.
    package let known: PrincipalCache
    /// Signs and verifies the session tokens that browsers carry in a cookie.
    package let cookies: SessionCookies
    /// Source of time, new identifiers and random bytes.
    package let execution: ExecutionContext
    /// Threads for blocking calls.
    package let threads: NIOThreadPool
    /// Threads for blocking calls that write: one that waits for another program's transaction keeps no reader waiting.
    package let writers: NIOThreadPool
    /// Thread for hashing passwords: only one, so that guesses take neither all processors nor all memory.
    package let passwords: NIOThreadPool
    /// Lets the thread that calls it work when others do not.
    let yield: @Sendable () -> Void
    let throttle = LoginThrottle()
    /// Lifetime of a session in seconds.
    package let sessionSeconds: Int
    /// Host names that the server answers to, and whether clients reach it by HTTPS.
    package let site: Site

    package init(
        store: IdentityStore, known: PrincipalCache, cookies: SessionCookies, context execution: ExecutionContext,
        threads: NIOThreadPool, writers: NIOThreadPool, passwords: NIOThreadPool, site: Site,
        sessionSeconds: Int = 8 * 3600,
        yield: @escaping @Sendable () -> Void = {}
    ) {
        self.yield = yield
        self.store = store
        self.known = known
        self.cookies = cookies
        self.execution = execution
        self.threads = threads
        self.writers = writers
        self.passwords = passwords
        self.site = site
        self.sessionSeconds = sessionSeconds
    }

    /// Runs what blocks on a thread of its own.
    func aside<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await threads.runIfActive(body)
    }

    /// Runs what hashes a password.
    func hashing<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await passwords.runIfActive { [yield] in
            yield()
            return try body()
        }
    }

    /// Looks whether people or tokens were changed, for a request whose token nobody knows. It reads one number.
    func lookAgain() async throws { _ = try await aside { [known] in try known.refresh() } }

    /// The same for what writes.
    func changing<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await writers.runIfActive(body)
    }

    /// The same for a change that this server itself must know of at once.
    func change<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await writers.runIfActive {
            let result = try body()
            try known.refresh()
            return result
        }
    }
}
