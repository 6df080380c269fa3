package import Core

/// One entry of a model's history: a registration, decision or alias move.
package struct ModelEvent: Sendable, Equatable, Encodable {
    /// What happened.
    package enum Kind: String, Sendable, Encodable {
        case registered, approved, rejected
        case aliasSet = "alias-set"
        case aliasRemoved = "alias-removed"
    }

    /// The operation that caused the entry.
    package enum Cause: String, Sendable, Encodable {
        case registration, approval, rejection, promotion, rollback
    }

    /// Number of the entry within the model, from 1.
    package let position: Int
    /// When it happened; never earlier than the entry before.
    package let at: Timestamp
    /// What happened to the version or alias.
    package let event: Kind
    /// Operation that wrote the entry; one operation may write several.
    package let cause: Cause
    /// The version registered or decided on, named by the alias from now on, or no longer named by it.
    package let version: Int
    /// The alias that was set or removed; `nil` for a registration and a decision.
    package let alias: ModelAlias?
    /// Version that the alias named before; `nil` when it named none, and without an alias.
    package let previous: Int?
    /// Who did it: an account "ada", or "user:ada", "token:scoring" over HTTP.
    package let actor: String
    /// Reason given by the actor, required for a rejection; `nil` where none was given.
    package let reason: String?
}

/// The history of a model, and its champion at the end of it.
package struct ModelHistory: Sendable, Equatable, Encodable {
    /// A version's time as champion: since when, by whom and by which operation, and who approved it.
    package struct Standing: Sendable, Equatable, Encodable {
        /// Number of the champion version.
        package let version: Int
        /// When it became champion, this time.
        package let since: Timestamp
        /// Who made it champion: an account "ada", or "user:ada", "token:scoring" over HTTP.
        package let actor: String
        /// Operation that made it champion.
        package let cause: ModelEvent.Cause
        /// Who approved the version; `nil` when it needed no approval.
        package let approvedBy: String?
        /// When the version was approved; `nil` when it needed no approval.
        package let approvedAt: Timestamp?

        enum CodingKeys: String, CodingKey {
            case version, since, actor, cause
            case approvedBy = "approved_by"
            case approvedAt = "approved_at"
        }
    }

    /// Name of the registered model.
    package let model: String
    /// The point in time asked for; `nil` for now.
    package let at: Timestamp?
    /// The champion at `at`; `nil` when there was none yet.
    package let champion: Standing?
    /// The entries, oldest first, none after `at`.
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

    /// Champion versions that rollbacks would return to in turn, the present one last.
    ///
    /// A promotion goes on top; a rollback takes the top off. So a second rollback goes to the champion before, not
    /// back to the one the first left.
    package var line: [Int] {
        var line: [Int] = []
        for move in events where move.event == .aliasSet && move.alias == .champion {
            if move.cause == .rollback { line.removeLast(min(1, line.count)) } else { line.append(move.version) }
        }
        return line
    }
}
