internal import Hummingbird
internal import Identity
internal import Synchronization

/// Properties of a request that are collected while it is handled, for its access log entry.
final class RequestNotes: Sendable {
    private let known = Mutex<Principal?>(nil)
    private let limiter = Mutex<[ClientConcurrencyLimit.Seat]>([])
    private let counted = Atomic<Bool>(false)

    init() {}

    var principal: Principal? { known.withLock { $0 } }
    func set(_ principal: Principal?) { known.withLock { $0 = principal } }

    /// Whether a limit has counted the request.
    var isCounted: Bool { counted.load(ordering: .relaxed) }
    func count() { counted.store(true, ordering: .relaxed) }

    /// Notes what the request holds until its answer has left.
    func hold(_ seat: ClientConcurrencyLimit.Seat) { limiter.withLock { $0.append(seat) } }

    /// Hands over what was held.
    func release() -> [ClientConcurrencyLimit.Seat] {
        limiter.withLock { limiter in
            defer { limiter = [] }
            return limiter
        }
    }
}

extension ResponseBody {
    /// The same body, with the seats given back when it has been sent, or is let go unsent.
    func holding(_ limiter: [ClientConcurrencyLimit.Seat]) -> ResponseBody {
        if limiter.isEmpty || contentLength == 0 { return self }
        let body = self
        return ResponseBody(contentLength: contentLength) { writer in
            defer { withExtendedLifetime(limiter) {} }
            try await body.write(writer)
        }
    }
}
