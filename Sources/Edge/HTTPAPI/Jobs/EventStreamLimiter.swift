internal import Hummingbird
internal import Synchronization

/// How many listen to jobs at the same time. Each has the registry read twice a second, on the threads that people and
/// tokens are looked after on as well.
final class EventStreamLimiter: Sendable {
    /// Most at the same time.
    static let most = 64

    /// One listener's; given back when it is let go, also by an answer that is never sent.
    final class Seat: Sendable {
        private let limiter: EventStreamLimiter

        fileprivate init(_ limiter: EventStreamLimiter) { self.limiter = limiter }

        deinit { limiter.taken.subtract(1, ordering: .relaxed) }
    }

    private let taken = Atomic<Int>(0)

    /// - Throws: `server.busy`.
    func take() throws -> Seat {
        guard taken.add(1, ordering: .relaxed).newValue <= EventStreamLimiter.most else {
            taken.subtract(1, ordering: .relaxed)
            var problem = Problem(
                .serviceUnavailable, "server.busy",
                "\(EventStreamLimiter.most) listen to jobs, which is as many as may.",
                remedy: "Ask /api/training/status/JOB now and then, or come again when one of them has gone.")
            problem.retryAfter = 5
            throw problem
        }
        return Seat(self)
    }
}
