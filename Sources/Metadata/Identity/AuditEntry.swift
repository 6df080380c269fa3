package import Core

/// One change, as the audit keeps it for ever.
package struct AuditEntry: Sendable, Equatable, Encodable {
    /// From 1, without gaps.
    package let position: Int
    package let at: Timestamp
    /// "user:ada", "token:scoring", "local:ada" at the command line.
    package let actor: String
    /// "token.revoked", "alias.moved".
    package let action: String
    /// "tokens/scoring", "models/readmission/aliases/champion".
    package let subject: String
    package let project: String?
    package let before: JSONValue?
    package let after: JSONValue?
    /// The HTTP request that asked for it.
    package let request: String?
}

/// A change that is to be written down.
package struct AuditDraft: Sendable, Equatable {
    package var action: String
    package var subject: String
    package var project: String?
    package var before: JSONValue?
    package var after: JSONValue?

    package init(
        _ action: String, _ subject: String, project: String? = nil, before: JSONValue? = nil, after: JSONValue? = nil
    ) {
        self.action = action
        self.subject = subject
        self.project = project
        self.before = before
        self.after = after
    }
}

/// Who changes something, and in which request.
package struct Author: Sendable, Equatable {
    package var actor: String
    package var request: String?

    package init(actor: String, request: String? = nil) {
        self.actor = actor
        self.request = request
    }
}

/// What to look for in the audit.
package struct AuditQuery: Sendable, Equatable {
    package var actor: String?
    /// Exactly this action, or all of its kind: "alias" finds "alias.moved" and "alias.removed".
    package var action: String?
    /// Exactly this subject, or everything below it.
    package var subject: String?
    /// At this moment or later.
    package var since: Timestamp?
    /// Before this moment.
    package var until: Timestamp?
    /// Behind this position of its database.
    package var after: Int
    package var limit: Int

    package init(
        actor: String? = nil, action: String? = nil, subject: String? = nil, since: Timestamp? = nil,
        until: Timestamp? = nil, after: Int = 0, limit: Int = 50
    ) {
        self.actor = actor
        self.action = action
        self.subject = subject
        self.since = since
        self.until = until
        self.after = after
        self.limit = limit
    }
}
