package import Core

/// The outbox of a project: every event, and the consumers that read them.
///
/// 1. An event is written in the transaction of what it tells of: both are there or neither.
/// 2. Positions count from 1 without gaps, so a reader that has seen position n has missed nothing before it.
/// 3. Delivery is at least once: a consumer moves after it has taken an event, never before.
/// 4. An effect is recorded in its own transaction under the event's identity, so that it happens once however
///    often the event is delivered.
package struct EventStore: Sendable {
    let metadata: MetadataStore

    /// Writes an event about something that is in no other table; gives `nil` if it is there already.
    @discardableResult
    package func append(_ draft: EventDraft) throws -> Int? {
        try metadata.write { try EventTable($0).append(draft) }
    }

    /// The events asked for, in order of position, the first `limit` of them.
    package func list(_ query: EventQuery = EventQuery()) throws -> [Event] {
        try metadata.read { try EventTable($0).list(query) }
    }

    /// The events asked for, in order of position, the last `limit` of them.
    package func newest(_ query: EventQuery) throws -> [Event] {
        try metadata.read { try EventTable($0).newest(query) }
    }

    /// How many are asked for, whatever the limit.
    package func count(_ query: EventQuery) throws -> Int { try metadata.read { try EventTable($0).count(query) } }

    /// The position of the newest event; 0 if there is none.
    package func head() throws -> Int { try metadata.read { try EventTable($0).head() } }

    /// The position of the first event that happened at `instant` or later; `nil` if none did.
    package func position(since instant: Timestamp) throws -> Int? {
        try metadata.read { try EventTable($0).first(since: instant) }
    }
}

extension EventStore {
    /// How far the log of each table has been turned into events, by table.
    package func tableOffsets() throws -> [String: TableOffset] {
        let offsets = try metadata.read { try TableOffsetTable($0).all() }
        return Dictionary(offsets.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Writes the events of a table's versions, oldest first, and how far the table has come with them. Events that
    /// another process wrote in the meantime are not written again.
    package func record(_ commits: [EventDraft], upTo offset: TableOffset) throws {
        try metadata.write { transaction in
            for draft in commits { _ = try EventTable(transaction).append(draft) }
            let known = try TableOffsetTable(transaction).find(offset.name)
            if let known, known.tableID == offset.tableID, known.version > offset.version { return }
            try TableOffsetTable(transaction).put(offset)
        }
    }
}
