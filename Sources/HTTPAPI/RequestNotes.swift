internal import Identity
internal import Synchronization

/// What becomes known of a request on its way in, for the log that is written on its way out.
package final class RequestNotes: Sendable {
    private let known = Mutex<Principal?>(nil)

    init() {}

    var principal: Principal? { known.withLock { $0 } }
    func set(_ principal: Principal?) { known.withLock { $0 = principal } }
}
