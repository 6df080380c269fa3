internal import Hummingbird
internal import Identity
internal import Synchronization

/// What becomes known of a request on its way in, for the log that is written on its way out.
package final class RequestNotes: Sendable {
    private let known = Mutex<Principal?>(nil)
    private let seats = Mutex<[Shares.Seat]>([])
    private let counted = Atomic<Bool>(false)

    init() {}

    var principal: Principal? { known.withLock { $0 } }
    func set(_ principal: Principal?) { known.withLock { $0 = principal } }

    /// Whether a limit has counted the request.
    var isCounted: Bool { counted.load(ordering: .relaxed) }
    func count() { counted.store(true, ordering: .relaxed) }

    /// Notes what the request holds until its answer has left.
    func hold(_ seat: Shares.Seat) { seats.withLock { $0.append(seat) } }

    /// Hands over what was held.
    func release() -> [Shares.Seat] {
        seats.withLock { seats in
            defer { seats = [] }
            return seats
        }
    }
}

extension ResponseBody {
    /// The same body, with the seats given back when it has been sent, or is let go unsent.
    func holding(_ seats: [Shares.Seat]) -> ResponseBody {
        if seats.isEmpty || contentLength == 0 { return self }
        let body = self
        return ResponseBody(contentLength: contentLength) { writer in
            defer { withExtendedLifetime(seats) {} }
            try await body.write(writer)
        }
    }
}
