internal import Serving
internal import Synchronization

/// Pool of unused scoring sessions for requests that run on any thread.
final class ScoringSessionPool: Sendable {
    /// A session taken from the pool by one request.
    ///
    /// Why `@unchecked Sendable` holds: a session is in the pool or lent to one, never both, and the request uses it in
    /// one piece of work after the other.
    struct Lent: @unchecked Sendable { let session: ScoringSession }

    private let idle = Mutex<[Lent]>([])

    /// Lends a session to the body, which must not keep it.
    func withSession<T>(for model: ServedModel, _ body: (Lent) async throws -> T) async rethrows -> T {
        let lent = idle.withLock { $0.popLast() } ?? Lent(session: ScoringSession(model.schema))
        defer {
            lent.session.rest()
            idle.withLock { if $0.count < 4 { $0.append(lent) } }
        }
        return try await body(lent)
    }
}
