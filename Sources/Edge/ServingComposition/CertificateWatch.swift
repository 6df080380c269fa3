package import Core
package import Logging
package import NIOPosix
internal import ServiceLifecycle

/// Service that reloads a renewed certificate without a restart, checking the files every few seconds.
package struct CertificateWatch: Service {
    /// Takes the files up again if they have changed, and says whether; blocks. `nil` where there are none.
    private let reload: (@Sendable () throws -> Bool)?
    private let threads: NIOThreadPool
    private let clock: any ExecutionClock
    private let logger: Logger

    package init(
        reload: (@Sendable () throws -> Bool)?, threads: NIOThreadPool, clock: any ExecutionClock, logger: Logger
    ) {
        self.reload = reload
        self.threads = threads
        self.clock = clock
        self.logger = logger
    }

    /// Checks the files every 5 seconds until graceful shutdown; after an error the old certificate stays in use.
    package func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var trouble: String?
            while !Task.isCancelled {
                try await clock.sleep(seconds: 5)
                guard let reload else { continue }
                do {
                    if try await threads.runIfActive(reload) { logger.notice("certificate renewed") }
                    trouble = nil
                } catch {
                    // Files that are being replaced may not fit for a moment; what holds on is told once.
                    if "\(error)" != trouble { logger.error("the certificate stays as it was: \(error)") }
                    trouble = "\(error)"
                }
            }
        }
    }
}
