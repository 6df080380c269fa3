internal import Core

extension EventStore {
    /// Every consumer, by name.
    package func consumers() throws -> [Consumer] { try metadata.read { try ConsumerTable($0).all() } }

    /// The consumer of that name; a new one stands behind `position`, at the beginning unless said otherwise.
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

    /// Notes that the consumer has taken everything up to `position`.
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

    /// Sets the consumer back, so that the event at `position` is the next one delivered to it.
    ///
    /// Refuses to set it forward (`events.not-back`), by which events would be passed over. Effects that were
    /// recorded stay recorded: `once` does not repeat them.
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

    /// Does `effect` for an event once: in one transaction with the note that it was done. Gives `false`, and does
    /// nothing, if the consumer has that note already. What throws leaves neither.
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

    /// Takes the next events of a consumer, oldest first, at most `limit`: each one's effect, the note that it was
    /// done and the consumer's new position in one transaction. Gives how many were taken; an effect that throws
    /// ends it there, with what came before kept.
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

/// A consumer that was set back.
package struct Replay: Sendable, Equatable, Encodable {
    package let consumer: String
    /// The position it had come to.
    package let was: Int
    /// The position that is delivered next.
    package let next: Int
    /// Events that it has had and will get again.
    package let again: Int
    /// All events that wait for it now.
    package let waiting: Int

    package init(consumer: String, was: Int, next: Int, again: Int, waiting: Int) {
        self.consumer = consumer
        self.was = was
        self.next = next
        self.again = again
        self.waiting = waiting
    }
}
