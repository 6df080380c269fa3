internal import Core
internal import HTTPAPI
internal import ServiceLifecycle
internal import Synchronization

/// Service that starts draining on shutdown: readiness says no, and every response closes its connection.
///
/// After the grace period no connection begins, those that wait to be accepted are served, and the server accepts no
/// more.
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
