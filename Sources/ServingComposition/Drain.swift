internal import ServiceLifecycle
internal import Synchronization

/// The first service to be told that the server ends: from then on readiness says no.
final class Drain: Service {
    private let began = Atomic<Bool>(false)

    var isDraining: Bool { began.load(ordering: .relaxed) }

    func run() async throws {
        try? await gracefulShutdown()
        began.store(true, ordering: .relaxed)
    }
}
