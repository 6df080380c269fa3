internal import Identity
internal import Synchronization

/// What becomes known of a request on its way in, for the log that is written on its way out.
package final class RequestNotes: Sendable {
    private let known = Mutex<Principal?>(nil)
    private let held = Mutex<[@Sendable () -> Void]>([])
    private let counted = Atomic<Bool>(false)

    init() {}

    var principal: Principal? { known.withLock { $0 } }
    func set(_ principal: Principal?) { known.withLock { $0 = principal } }

    /// Whether a limit has counted the request.
    var isCounted: Bool { counted.load(ordering: .relaxed) }
    func count() { counted.store(true, ordering: .relaxed) }

    /// Notes what is given back when the request has been answered.
    func hold(_ giveBack: @escaping @Sendable () -> Void) { held.withLock { $0.append(giveBack) } }

    func release() {
        let all = held.withLock { held in
            defer { held = [] }
            return held
        }
        for giveBack in all { giveBack() }
    }
}
