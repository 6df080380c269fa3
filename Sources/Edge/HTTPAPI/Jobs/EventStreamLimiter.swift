internal import Hummingbird
internal import Synchronization

/// Limits how many clients follow jobs at the same time, as each has the registry read twice a second.
final class EventStreamLimiter: Sendable {
    /// Most at the same time.
    static let most = 64

    /// One client's stream, released with the value, also by an answer that is never sent.
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
