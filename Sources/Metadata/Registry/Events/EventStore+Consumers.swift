internal import Core

extension EventStore {
    /// Returns all consumers, by name.
    package func consumers() throws -> [Consumer] { try metadata.read { try ConsumerTable($0).all() } }

    /// Returns the consumer with this name, created if needed with all events after `position` still to be delivered.
    @discardableResult
    package func consumer(_ name: String, startingAfter position: Int = 0) throws -> Consumer {
        try Self.check(name)
        if let known = try metadata.read({ try ConsumerTable($0).find(name) }) { return known }
        let now = metadata.context.now()
        return try metadata.write { transaction in
            if let known = try ConsumerTable(transaction).find(name) { return known }
            try refuseAhead(position, transaction)
            try ConsumerTable(transaction).insert(name, position: position, at: now)
            return try required(name, transaction)
        }
    }

    /// Moves a consumer to `position` if it is still at `expected`; returns whether it was.
    ///
    /// Gives `false`, and changes nothing, when it is no longer where `expected` says: somebody else moved it.
    @discardableResult
    package func advance(_ name: String, from expected: Int, to position: Int) throws -> Bool {
        let now = metadata.context.now()
        return try metadata.write { transaction in
            guard try required(name, transaction).position == expected else { return false }
            try refuseAhead(position, transaction)
            try ConsumerTable(transaction).move(name, to: position, at: now)
            return true
        }
    }

    /// Moves a consumer back so that the event at `position` is delivered next.
    ///
    /// Throws `events.not-back` for a move forward, by which events would be skipped. Effects that were recorded stay
    /// recorded: `once` does not repeat them.
    package func replay(_ name: String, from position: Int) throws -> Replay {
        let now = metadata.context.now()
        return try metadata.write { transaction in
            let consumer = try required(name, transaction)
            guard position >= 1, position <= consumer.position + 1 else {
                throw MartletError(
                    .usage, "events.not-back",
                    "\(name) has come to position \(consumer.position), so it cannot be set back to \(position).",
                    remedy: "Give a position from 1 to \(consumer.position + 1).")
            }
            try ConsumerTable(transaction).move(name, to: position - 1, at: now)
            return Replay(
                consumer: name, was: consumer.position, next: position, again: consumer.position - position + 1,
                waiting: try EventTable(transaction).head() - position + 1)
        }
    }

    /// Runs `effect` for an event unless it was run for this consumer before; returns whether it ran.
    ///
    /// The effect and the record of it are one transaction; when it throws neither remains.
    @discardableResult
    package func once(_ consumer: String, _ event: Event, _ effect: (MetadataTransaction) throws -> Void) throws -> Bool
    {
        try Self.check(consumer)
        let now = metadata.context.now()
        return try metadata.write { transaction in
            guard try !EffectTable(transaction).exists(consumer, event) else { return false }
            try EffectTable(transaction).insert(consumer, event, at: now)
            try effect(transaction)
            return true
        }
    }

    /// Delivers the next events of a consumer, oldest first, at most `limit`; returns how many.
    ///
    /// Each event's effect, the record of it and the consumer's new position are one transaction. An effect that throws
    /// ends the delivery; earlier events stay delivered.
    @discardableResult
    package func consume(
        _ name: String, limit: Int = .max, _ effect: (Event, MetadataTransaction) throws -> Void
    ) throws -> Int {
        let now = metadata.context.now()
        var taken = 0
        try consumer(name)
        while taken < limit {
            let isMore = try metadata.write { transaction -> Bool in
                let position = try required(name, transaction).position
                guard let event = try EventTable(transaction).list(EventQuery(after: position, limit: 1)).first else {
                    return false
                }
                if try !EffectTable(transaction).exists(name, event) {
                    try EffectTable(transaction).insert(name, event, at: now)
                    try effect(event, transaction)
                }
                try ConsumerTable(transaction).move(name, to: event.position, at: now)
                return true
            }
            guard isMore else { break }
            taken += 1
        }
        return taken
    }

    private func required(_ name: String, _ transaction: MetadataTransaction) throws -> Consumer {
        if let known = try ConsumerTable(transaction).find(name) { return known }
        let names = try ConsumerTable(transaction).all().map(\.name)
        throw MartletError(
            .missing, "events.unknown-consumer", "There is no consumer \(name).",
            remedy: Spelling.nearest(to: name, among: names).map { "Did you mean \($0)?" }
                ?? "`martlet events consumers` lists them; `martlet events follow --consumer \(name)` makes one.")
    }

    private func refuseAhead(_ position: Int, _ transaction: MetadataTransaction) throws {
        let head = try EventTable(transaction).head()
        guard !(0...head).contains(position) else { return }
        throw MartletError(
            .usage, "events.position", "There is no position \(position): the events end at \(head).",
            remedy: "`martlet events list` shows positions.")
    }

    private static func check(_ name: String) throws {
        let isPlain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) }
        guard isPlain, !name.isEmpty, name.utf8.count <= 100 else {
            throw MartletError(
                .usage, "events.consumer-name", "\(name) is not a usable name for a consumer.",
                remedy: "Use up to 100 letters, digits, -, _ and dots.")
        }
    }
}

/// Result of moving a consumer back.
package struct Replay: Sendable, Equatable, Encodable {
    /// Name of the consumer that was moved.
    package let consumer: String
    /// Its position before.
    package let was: Int
    /// Position of the event that is delivered next.
    package let next: Int
    /// Number of events that are delivered again.
    package let again: Int
    /// Number of all events not yet delivered.
    package let waiting: Int

    package init(consumer: String, was: Int, next: Int, again: Int, waiting: Int) {
        self.consumer = consumer
        self.was = was
        self.next = next
        self.again = again
        self.waiting = waiting
    }
}
