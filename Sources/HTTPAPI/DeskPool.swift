internal import Serving
internal import Synchronization

/// Desks that are not in use, for requests that are answered on no particular thread.
final class DeskPool: Sendable {
    /// A desk on its way from one user to the next. It is safe to send since it is in the pool or in the hands of the one
    /// who took it, never both.
    private struct Idle: @unchecked Sendable { let desk: ScoringDesk }

    private let idle = Mutex<[Idle]>([])

    /// Lends a desk to the body, which must not keep it.
    func withDesk<T>(for model: ServedModel, _ body: (ScoringDesk) throws -> T) rethrows -> T {
        let desk = idle.withLock { $0.popLast() }?.desk ?? ScoringDesk(model.schema)
        defer {
            desk.rest()
            idle.withLock { if $0.count < 8 { $0.append(Idle(desk: desk)) } }
        }
        return try body(desk)
    }
}
