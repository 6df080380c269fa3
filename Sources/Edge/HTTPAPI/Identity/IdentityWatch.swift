internal import Core
internal import Identity
package import Logging
internal import ServiceLifecycle

/// Keeps what a server knows of people and tokens up to date: looks four times a second whether anything has changed, and
/// writes down now and then which tokens were used. While the database cannot be read, those who are known stay known,
/// and the log says so once.
package struct IdentityWatch: Service {
    private let identity: IdentityService
    private let logger: Logger

    package init(_ identity: IdentityService, logger: Logger) {
        self.identity = identity
        self.logger = logger
    }

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
