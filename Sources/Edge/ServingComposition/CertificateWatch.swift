internal import Core
internal import HTTPAPI
internal import Logging
internal import NIOPosix
internal import ServiceLifecycle

/// Service that reloads a renewed certificate without a restart, checking the files every few seconds.
struct CertificateWatch: Service {
    let files: CertificateFiles?
    let threads: NIOThreadPool
    let clock: any ExecutionClock
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var trouble: String?
            while !Task.isCancelled {
                try await clock.sleep(seconds: 5)
                guard let files else { continue }
                do {
                    if try await threads.runIfActive({ try files.reload() }) { logger.notice("certificate renewed") }
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
