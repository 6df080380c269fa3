internal import Core
internal import Identity
package import Logging
internal import ServiceLifecycle

/// Service that keeps the cache of principals up to date and records the use of tokens.
///
/// Checks four times a second whether anything has changed. While the database cannot be read, cached principals stay
/// valid, and the log says so once.
///
/// ```swift
/// try await IdentityWatch(identity, logger: logger).run()
/// ```
package struct IdentityWatch: Service {
    private let identity: IdentityService
    private let logger: Logger

    package init(_ identity: IdentityService, logger: Logger) {
        self.identity = identity
        self.logger = logger
    }

    /// Runs until graceful shutdown.
    package func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var turn = 0
            var isBlind = false
            while !Task.isCancelled {
                try await identity.execution.clock.sleep(seconds: 0.25)
                turn += 1
                do {
                    let isDue = turn.isMultiple(of: 240)
                    try await identity.aside {
                        try identity.known.refresh()
                        if isDue { try identity.known.noteUses() }
                    }
                    if isBlind { logger.notice("people and tokens can be read again") }
                    isBlind = false
                } catch {
                    if !isBlind { logger.error("people and tokens cannot be read: \(error)") }
                    isBlind = true
                }
            }
        }
        try? await identity.aside { try identity.known.noteUses() }
    }
}
