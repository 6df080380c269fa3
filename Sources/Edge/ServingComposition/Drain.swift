internal import Core
internal import HTTPAPI
internal import ServiceLifecycle
internal import Synchronization

/// The first service to be told that the server ends: from then on readiness says no and every answer closes its
/// connection; after the grace no connection begins, those that wait to be taken are, and the server takes no more.
final class Drain: Service {
    private let began = Atomic<Bool>(false)
    private let grace: Double
    private let clock: any ExecutionClock
    let listener = Listener()

    init(grace: Double, clock: any ExecutionClock) {
        self.grace = grace
        self.clock = clock
    }

    var isDraining: Bool { began.load(ordering: .relaxed) }

    func run() async throws {
        try? await gracefulShutdown()
        began.store(true, ordering: .relaxed)
        try? await clock.sleep(seconds: grace)
        await listener.refuseNew()
        try? await clock.sleep(seconds: 0.1)
    }
}
