package import Core

/// The event outbox of a project and its consumers.
///
/// ```swift
/// let last = try registry.events.newest(EventQuery(limit: 20))
/// let taken = try registry.events.consume("mirror", limit: 100) { event, transaction in … }
/// ```
///
/// 1. An event is written in the transaction of the change it records: both are stored or neither.
/// 2. Positions count from 1 without gaps, so a reader that has seen position n has missed nothing before it.
/// 3. Delivery is at least once: a consumer moves after it has taken an event, never before.
/// 4. An effect is recorded in its own transaction under the event's identity, so that it happens once however
///    often the event is delivered.
package struct EventStore: Sendable {
    let metadata: MetadataStore

    /// Writes an event that belongs to no other table; returns its position, or `nil` if it is already recorded.
    @discardableResult
    package func append(_ draft: EventDraft) throws -> Int? {
        try metadata.write { try EventTable($0).append(draft) }
    }

    /// Returns the first `limit` matching events, by position.
    package func list(_ query: EventQuery = EventQuery()) throws -> [Event] {
        try metadata.read { try EventTable($0).list(query) }
    }

    /// Returns the last `limit` matching events, by position.
    package func newest(_ query: EventQuery) throws -> [Event] {
        try metadata.read { try EventTable($0).newest(query) }
    }

    /// Returns the number of matching events, whatever the limit.
    package func count(_ query: EventQuery) throws -> Int { try metadata.read { try EventTable($0).count(query) } }

    /// Returns the position of the newest event; 0 if there is none.
    package func head() throws -> Int { try metadata.read { try EventTable($0).head() } }

    /// Returns the position of the first event that happened at `instant` or later; `nil` if none did.
    package func position(since instant: Timestamp) throws -> Int? {
        try metadata.read { try EventTable($0).first(since: instant) }
    }
}

extension EventStore {
    /// Returns how far the commits of each table have been recorded as events, by table.
    package func tableOffsets() throws -> [String: TableOffset] {
        let offsets = try metadata.read { try TableOffsetTable($0).all() }
        return Dictionary(offsets.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Records a table's commits as events, oldest first, together with the new offset; existing events are skipped.
    package func record(_ commits: [EventDraft], upTo offset: TableOffset) throws {
        try metadata.write { transaction in
            for draft in commits { _ = try EventTable(transaction).append(draft) }
            let known = try TableOffsetTable(transaction).find(offset.name)
            if let known, known.tableID == offset.tableID, known.version > offset.version { return }
            try TableOffsetTable(transaction).put(offset)
        }
    }
}
