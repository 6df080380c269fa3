internal import Registry
internal import Synchronization

/// A server's position in the events of one project: tells whether an alias has moved since it looked last.
///
/// ```swift
/// if try events.haveMoved(in: registry.events) { watch.look(project: "wards") }
/// ```
///
/// Kept in memory only: each server follows by itself, and one that starts looks at everything anyway.
final class AliasEvents: Sendable {
    /// Position of the last event that was read; `nil` before the first call.
    private let position = Mutex<Int?>(nil)

    /// Whether an alias may have moved since the last call: at the first one, after an event of an alias, and where the
    /// events are others, as after a restored copy of the database.
    /// - Throws: `metadata.*`; the next call then reads the same events again.
    func haveMoved(in events: EventStore) throws -> Bool {
        let head = try events.head()
        let known = position.withLock { $0 }
        if head == known { return false }
        defer { position.withLock { $0 = head } }
        guard let known, known < head else { return true }
        let query = EventQuery(types: [.aliasMoved, .aliasRemoved], after: known, before: head + 1, limit: 1)
        do { return try !events.list(query).isEmpty } catch {
            // Read but not understood: look.
            return true
        }
    }
}
