internal import Composition
internal import HTTPAPI
internal import ServiceLifecycle
internal import Synchronization

/// The first service to be told that the server ends: from then on readiness says no and every answer closes its
/// connection; after the grace no connection begins, those that wait to be taken are, and the server takes no more.
final class Drain: Service {
    private let began = Atomic<Bool>(false)
    private let grace: Double
    let listener = Listener()

    init(grace: Double) { self.grace = grace }

    var isDraining: Bool { began.load(ordering: .relaxed) }

    func run() async throws {
        try? await gracefulShutdown()
        began.store(true, ordering: .relaxed)
        await SystemPlatform.sleep(seconds: grace)
        await listener.refuseNew()
        await SystemPlatform.sleep(seconds: 0.1)
    }
}
