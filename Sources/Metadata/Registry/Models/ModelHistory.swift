package import Core

/// A line of a model's history.
package struct ModelEvent: Sendable, Equatable, Encodable {
    package enum Kind: String, Sendable, Encodable {
        case registered, approved, rejected
        case aliasSet = "alias-set"
        case aliasRemoved = "alias-removed"
    }

    /// The act the event is part of.
    package enum Cause: String, Sendable, Encodable {
        case registration, approval, rejection, promotion, rollback
    }

    /// From 1 within the model.
    package let position: Int
    package let at: Timestamp
    package let event: Kind
    package let cause: Cause
    package let version: Int
    /// The alias that moved.
    package let alias: ModelAlias?
    /// The version the alias named before.
    package let previous: Int?
    package let actor: String
    package let reason: String?
}

/// The history of a model, and who was champion at its end.
package struct ModelHistory: Sendable, Equatable, Encodable {
    /// A version as champion: since when, who put it there by what act, and who had approved it.
    package struct Standing: Sendable, Equatable, Encodable {
        package let version: Int
        package let since: Timestamp
        package let actor: String
        package let cause: ModelEvent.Cause
        package let approvedBy: String?
        package let approvedAt: Timestamp?

        enum CodingKeys: String, CodingKey {
            case version, since, actor, cause
            case approvedBy = "approved_by"
            case approvedAt = "approved_at"
        }
    }

    package let model: String
    /// The instant asked for; `nil` for now.
    package let at: Timestamp?
    package let champion: Standing?
    /// Oldest first, none after `at`.
    package let events: [ModelEvent]

    init(model: String, at: Timestamp?, events: [ModelEvent]) {
        self.model = model
        self.at = at
        self.events = events
        champion = events.last { $0.event == .aliasSet && $0.alias == .champion }.map { move in
            let approval = events.last { $0.event == .approved && $0.version == move.version }
            return Standing(
                version: move.version,
                since: move.at,
                actor: move.actor,
                cause: move.cause,
                approvedBy: approval?.actor,
                approvedAt: approval?.at
            )
        }
    }

    /// The champions that a rollback would walk back through, the present one last.
    ///
    /// A promotion goes on top; a rollback takes the top off. So a second rollback goes to the champion before,
    /// not back to the one the first left.
    package var line: [Int] {
        var line: [Int] = []
        for move in events where move.event == .aliasSet && move.alias == .champion {
            if move.cause == .rollback { line.removeLast(min(1, line.count)) } else { line.append(move.version) }
        }
        return line
    }
}
