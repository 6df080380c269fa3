internal import Composition
internal import Core
internal import HTTPAPI
internal import Identity
internal import NIOPosix
internal import Projects
internal import Registry
internal import Storage

/// Opens the users and tokens of a server: those of the first home that it was started with.
enum ServerIdentity {
    /// Seconds that a setup link works.
    static let setupSeconds = 3600

    static func identity(
        of project: ServedProject, site: Site, staleLimit: Double, context: ExecutionContext,
        threads: NIOThreadPool
    ) async throws -> IdentityService {
        let database = try project.metadata.open(.writing(creating: true))
        let store = IdentityStore(database, author: Author(actor: "server"), context: context)
        let known = PrincipalCache(store, freshness: Freshness(limit: staleLimit, clock: context.clock))
        try known.refresh()
        let key = try SigningKey(path: project.home.sessionKey, random: context.randomBytes)
        let writers = NIOThreadPool(numberOfThreads: 4)
        writers.start()
        let passwords = NIOThreadPool(numberOfThreads: 1)
        passwords.start()
        return IdentityService(
            store: store, known: known, cookies: await SessionCookies(key), context: context,
            threads: threads, writers: writers, passwords: passwords, site: site, yield: SystemPlatform.yieldThread)
    }

    /// The link with which the first admin is made; `nil` once there is anybody.
    static func setupLink(_ identity: IdentityService, host: String, port: Int) throws -> String? {
        guard let secret = try identity.store.setupSecret(seconds: setupSeconds) else { return nil }
        return SetupPage.link(secret: secret.text, isSecure: identity.site.isSecure, host: host, port: port)
    }
}
