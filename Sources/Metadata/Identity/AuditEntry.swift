package import Core

/// One recorded change in the audit log, kept for ever.
package struct AuditEntry: Sendable, Equatable, Encodable {
    /// Number of the entry in its database, from 1, without gaps.
    package let position: Int
    /// Time of the change; earlier than that of the entry before where the clock was set back.
    package let at: Timestamp
    /// Who made the change: "user:ada", "token:scoring", "local:ada" at the command line.
    package let actor: String
    /// Kind of change: "token.revoked", "alias.moved".
    package let action: String
    /// What was changed: "tokens/scoring", "models/readmission/aliases/champion".
    package let subject: String
    /// Name of the project that the change is in; `nil` for changes to users, sessions and tokens of all projects.
    package let project: String?
    /// State before the change as a JSON object; `nil` when there was none or it is not kept.
    package let before: JSONValue?
    /// State after the change as a JSON object; `nil` when there is none or it is not kept.
    package let after: JSONValue?
    /// Id of the HTTP request, or the job as "job/ID", that made the change; `nil` at the command line.
    package let request: String?
}

/// A change to be written to the audit log, without number, time and author.
package struct AuditDraft: Sendable, Equatable {
    /// Kind of change: "token.revoked", "alias.moved".
    package var action: String
    /// What is changed: "tokens/scoring", "models/readmission/aliases/champion".
    package var subject: String
    /// Name of the project that the change is in; `nil` for what belongs to the whole server.
    package var project: String?
    /// State before the change as a JSON object; `nil` when there was none or it is not kept.
    package var before: JSONValue?
    /// State after the change as a JSON object; `nil` when there is none or it is not kept.
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

/// The person or program that makes a change, and the HTTP request or job in which it does.
package struct Author: Sendable, Equatable {
    /// Name in the audit log: "user:ada", "token:scoring", "local:ada" (command line), "server", "setup", "anyone".
    package var actor: String
    /// Id of the HTTP request, or the job as "job/ID"; `nil` at the command line.
    package var request: String?

    package init(actor: String, request: String? = nil) {
        self.actor = actor
        self.request = request
    }
}

/// Filter for audit entries; a `nil` member matches all.
package struct AuditQuery: Sendable, Equatable {
    /// Only entries of exactly this actor: "user:ada".
    package var actor: String?
    /// This action, or all of its kind: "alias" finds "alias.moved" and "alias.removed".
    package var action: String?
    /// This subject, or everything below it.
    package var subject: String?
    /// Only entries at this time or later.
    package var since: Timestamp?
    /// Only entries before this time.
    package var until: Timestamp?
    /// Only entries after this position of their database.
    package var after: Int
    /// Largest number of entries returned, 50 by default; counts ignore it.
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
